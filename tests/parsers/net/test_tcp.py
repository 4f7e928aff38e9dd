"""The bytes of a direction: order, copies, what the receiver dropped, beside Linux and vectors."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors_at_hand
from support.linux_tcp import recorded
from support.segments import (
    ACK,
    CLIENT,
    FIN,
    FIRST,
    ISN,
    MD5_SIGNATURE,
    PSH_ACK,
    RST,
    SERVER,
    Sink,
    Wire,
    established,
)

from parsers import limits
from parsers.net.segment import URG

LINUX = list(recorded())
OTHER = bytes([127, 0, 0, 1, 127, 0, 0, 1, 0x9C, 0x41, 0x1F, 0x40])

ANOMALY_CODES = {
    "overlap-different-data": "tcp-overlap-conflict",
    "urgent": "tcp-urgent-data",
    "no-ack-flag": "tcp-no-ack-flag",
    "rst-out-of-window": "tcp-reset-ignored",
    "rst-not-exact": "tcp-reset-ignored",
    "data-after-fin": "tcp-data-after-fin",
    "syn-in-established": "tcp-syn-ignored",
    "bad-checksum": "tcp-checksum-wrong",
}


def established_right() -> Wire:
    """A connection whose checksums can be judged."""
    wire = Wire()
    wire.handshake(ISN, checksum="right")
    return wire


def as_read(sink: Sink, is_inline: bool) -> bytes:
    """What the application read: urgent bytes are reported, and whether it took them is unseen."""
    data = sink.data
    for fault in reversed(sink.faults):
        if fault.code == "tcp-urgent-data" and not is_inline:
            data = data[: fault.start] + data[fault.end :]
    return data


@pytest.mark.parametrize("vector", vectors_at_hand("tcp"), ids=lambda vector: vector["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    wire = Wire()
    wire.handshake(vector["isn"], checksum="right")
    for segment in vector["segments"]:
        wire.send(
            CLIENT,
            vector["isn"] + segment["seq"],
            bytes.fromhex(segment["data"]),
            segment.get("flags", PSH_ACK),
            ack=5001,
            urgent_pointer=segment.get("urg", 0),
            checksum="wrong" if segment.get("bad_checksum") else "right",
        )
    expect = vector["expect"]
    sink, direction = wire.sink(), wire.direction()
    measured = expect.get("by_policy_hex", {}).get("linux-6.18 (measured)")
    read = as_read(sink, is_inline="inline" in vector["id"])
    assert read.hex() == expect.get("stream_hex", measured)
    if "closed_by" in expect:
        assert wire.opened[0].close == expect["closed_by"]
    anomalies = set(expect["anomalies"])
    for anomaly in anomalies & ANOMALY_CODES.keys():
        assert ANOMALY_CODES[anomaly] in sink.codes
    late = direction.out_of_order + direction.retransmissions
    if anomalies & {"out-of-order", "retransmission"}:
        assert late
    if not anomalies:
        assert not late
        assert not sink.codes


@pytest.mark.parametrize("number", range(len(LINUX)))
def test_random_segments_beside_linux(number: int) -> None:
    """What an application read of segments that overlap, disagree, and are odd in every way."""
    case = LINUX[number]
    wire = Wire()
    wire.handshake(case.isn, checksum="right")
    sink = wire.sink()
    for sent in case.segments:
        wire.send(
            CLIENT,
            case.isn + sent.seq,
            sent.data.encode(),
            sent.flags,
            ack=5001 if sent.flags & ACK else 0,
            urgent_pointer=sent.urgent_pointer,
            options=MD5_SIGNATURE if sent.kind == "signed" else b"",
            checksum="wrong" if sent.kind == "wrong" else "right",
        )
    read = sink.data[: sink.gaps[0][0]] if sink.gaps else sink.data
    ends = {"close": "fin", "reset": "reset", None: "open"}
    assert (read.decode(), ends[sink.ending]) == (case.read, case.end), case


def test_in_order_data_goes_straight_through() -> None:
    wire = established()
    for seq, data in ((0, b"GET"), (3, b" / "), (6, b"HTTP")):
        wire.send(CLIENT, FIRST + seq, data)
    assert wire.sink().pieces == [b"GET", b" / ", b"HTTP"]
    direction = wire.direction()
    time = (wire.time_ns - 2_000_000) / 10**9
    assert direction.origins.at(0)[1] == (4, 4, time, time)
    assert direction.origins.at(7)[1][0] == 6


def test_a_late_segment_completes_what_waited() -> None:
    wire = established()
    wire.send(CLIENT, FIRST + 3, b"def")
    wire.send(CLIENT, FIRST, b"abc")
    stream = wire.direction().origins
    assert wire.sink().data == b"abcdef"
    early, late = stream.at(0)[1], stream.at(5)[1]
    assert early[:2] == (5, 5)
    assert late[:2] == (4, 5), "carried by packet 4, in order with packet 5"


def test_late_within_three_milliseconds_is_reordered_else_sent_again() -> None:
    for after_ms, counts in ((1.0, (1, 0)), (10.0, (0, 1))):
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(CLIENT, FIRST, b"abc", after_ms=after_ms)
        direction = wire.direction()
        assert (direction.out_of_order, direction.retransmissions) == counts
        again = [row[:3] for row in direction.path.resent]
        assert again == [(0, 3, 5)][: counts[1]]


def test_keep_alives_are_not_retransmissions() -> None:
    wire = established()
    wire.send(CLIENT, FIRST, b"abc")
    wire.send(CLIENT, FIRST + 2, b"", ACK)
    wire.send(CLIENT, FIRST + 2, b"c", ACK)
    assert wire.direction().retransmissions == 0
    wire.send(CLIENT, FIRST + 1, b"bc", ACK)
    assert wire.direction().retransmissions == 1
    assert [row[:2] for row in wire.direction().path.resent] == [(1, 2)]
    assert wire.sink().data == b"abc"


class TestDropped:
    """Segments that the receiver dropped unseen."""

    def test_a_wrong_checksum(self) -> None:
        wire = established_right()
        wire.send(CLIENT, FIRST, b"evil", checksum="wrong")
        wire.send(CLIENT, FIRST, b"good", checksum="right")
        assert (wire.sink().data, wire.sink().codes) == (b"good", ["tcp-checksum-wrong"])
        assert wire.sink().shown == [4]
        assert wire.direction().retransmissions == 0

    def test_a_wrong_checksum_where_none_is_right(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"evil", checksum="wrong")
        wire.send(CLIENT, FIRST, b"good")
        assert (wire.sink().data, wire.sink().codes) == (b"evil", ["tcp-overlap-conflict"])

    @pytest.mark.parametrize("flags", [FIN | ACK, RST, RST | ACK])
    def test_a_wrong_checksum_closes_nothing(self, flags: int) -> None:
        wire = established_right()
        wire.send(CLIENT, FIRST, flags=flags, checksum="wrong")
        wire.send(CLIENT, FIRST, b"data", checksum="right")
        wire.table.end()
        assert (wire.sink().data, wire.sink().codes) == (b"data", ["tcp-checksum-wrong"])
        assert wire.closed[0].close == "open"

    def test_what_waits_and_what_is_sent_again_is_judged_however_late(self) -> None:
        wire = established_right()
        for index in range(20):
            wire.send(CLIENT, FIRST + index, b"x", checksum="right")
        assert wire.direction().usual_seq == FIRST + 20
        wire.send(CLIENT, FIRST + 21, b"evil", checksum="wrong")
        wire.send(CLIENT, FIRST + 20, b"abcde", checksum="right")
        wire.send(CLIENT, FIRST + 20, b"evil!", checksum="wrong")
        assert wire.sink().data == b"x" * 20 + b"abcde"
        assert wire.sink().codes == ["tcp-checksum-wrong"] * 2

    def test_after_a_conflict_all_are_judged(self) -> None:
        """One in order, far from the beginning, was taken; the next is not."""
        wire = established_right()
        for index in range(20):
            wire.send(CLIENT, FIRST + index, b"x", checksum="right")
        wire.send(CLIENT, FIRST + 20, b"evil", checksum="wrong")
        wire.send(CLIENT, FIRST + 20, b"good", checksum="right")
        wire.send(CLIENT, FIRST + 24, b"evil", checksum="wrong")
        wire.send(CLIENT, FIRST + 24, b"good", checksum="right")
        assert wire.sink().codes == ["tcp-overlap-conflict", "tcp-checksum-wrong"]
        assert wire.sink().data == b"x" * 20 + b"evil" + b"good"

    def test_what_was_acknowledged_and_never_sent_again_was_taken(self) -> None:
        """A card changed it after the capture: nothing that the application read is lost."""
        wire = established_right()
        wire.send(CLIENT, FIRST, b"abc", checksum="wrong")
        wire.send(CLIENT, FIRST + 3, b"def", checksum="wrong")
        wire.send(CLIENT, FIRST + 6, b"ghi", checksum="right")
        for _ in range(limits.GAP_PATIENCE + 1):
            wire.send(SERVER, 5001, flags=ACK, ack=FIRST + 9, checksum="right")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdefghi", [])
        dropped, taken = ["tcp-checksum-wrong"] * 2, ["tcp-checksum-overruled"] * 2
        assert wire.sink().codes == dropped + taken

    def test_the_same_at_the_end(self) -> None:
        wire = established_right()
        wire.send(CLIENT, FIRST, b"abc", checksum="wrong")
        wire.send(CLIENT, FIRST + 3, b"def", checksum="wrong")
        wire.send(SERVER, 5001, flags=ACK, ack=FIRST + 3, checksum="right")
        wire.table.end()
        assert (wire.sink().data, wire.sink().gaps) == (b"abc", [])

    def test_behind_a_gap(self) -> None:
        wire = established_right()
        wire.send(CLIENT, FIRST + 3, b"def", checksum="wrong")
        wire.send(CLIENT, FIRST + 6, b"ghi", checksum="right")
        wire.send(SERVER, 5001, flags=ACK, ack=FIRST + 9, checksum="right")
        wire.table.end()
        assert wire.sink().gaps == [(0, 3)]
        assert wire.sink().data == b"defghi"

    def test_a_reset_with_a_signature_that_nobody_expects(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, flags=RST | ACK, options=MD5_SIGNATURE)
        wire.send(CLIENT, FIRST, b"GET")
        assert wire.sink().codes == ["tcp-signature-unexpected"]
        assert (wire.sink().data, wire.closed) == (b"GET", [])


class TestUrgentData:
    """Which byte is urgent (RFC 6093): it stays in the stream, and is named."""

    @pytest.mark.parametrize(
        ("pointer", "place"), [(3, (2, 3)), (1, (0, 1)), (0, (0, 1)), (5, (4, 5)), (9, (8, 8))]
    )
    def test_the_pointer_names_the_byte_after(self, pointer: int, place: tuple[int, int]) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abXcd", PSH_ACK | URG, urgent_pointer=pointer)
        (fault,) = wire.sink().faults
        assert wire.sink().data == b"abXcd"
        assert (fault.code, fault.start, fault.end) == ("tcp-urgent-data", *place)
        assert as_read(wire.sink(), is_inline=False) == b"abXcd"[: place[0]] + b"abXcd"[place[1] :]


def test_the_map_does_not_grow_with_the_stream() -> None:
    wire = established()
    for index in range(5000):
        wire.send(CLIENT, FIRST + index, b"x")
    assert len(wire.direction().origins) < 1000


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False), st.integers(1, 40))
def test_any_order_with_copies_gives_the_stream(
    isn: int, random_: random.Random, count: int
) -> None:
    lengths = [random_.randint(1, 30) for _ in range(count)]
    stream = random_.randbytes(sum(lengths))
    segments = []
    position = 0
    for length in lengths:
        segments.append((position, stream[position : position + length]))
        position += length
    segments += random_.choices(segments, k=count // 3)
    random_.shuffle(segments)
    wire = established(isn)
    for start, data in segments:
        wire.send(CLIENT, isn + 1 + start, data, ack=5001)
    assert wire.sink().data == stream
    assert wire.sink().codes == []


def test_what_late_copies_are_compared_with_is_charged_where_it_is_much_and_can_go() -> None:
    wire = established()
    direction = wire.direction()
    before = direction.connection.account.held
    wire.send(CLIENT, FIRST, bytes(10_000))
    direction.forget_history()
    assert direction.held == 0
    for at in range(10_000, 50_000, 10_000):
        wire.send(CLIENT, FIRST + at, bytes(10_000))
    assert direction.held == limits.MAX_HISTORY
    assert direction.connection.account.held - before == limits.MAX_HISTORY
    direction.forget_history()
    assert direction.held == 0 and direction.connection.account.held == before
    wire.send(CLIENT, FIRST + 40_000, b"x" * 10_000)
    assert wire.sink().codes == []
