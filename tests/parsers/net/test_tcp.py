"""Connections and directions: order, holes, ends, and numbers as Wireshark gives them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors_at_hand
from support.linux_tcp import recorded
from support.segments import ACK, CLIENT, FIN, MD5_SIGNATURE, PSH_ACK, RST, SERVER, SYN, Sink, Wire

from parsers import limits
from parsers.net.segment import URG
from parsers.net.tcp import Connection, Direction

LINUX = list(recorded())
ISN = 1000
FIRST = ISN + 1
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


def established(isn: int = ISN) -> Wire:
    wire = Wire()
    wire.handshake(isn)
    return wire


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


class TestGaps:
    """Holes that the capture has and the receiver had not."""

    def test_an_acknowledged_hole_is_given_up_after_patience(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 10, b"xyz")
        for _ in range(limits.GAP_PATIENCE):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 13)
        assert wire.sink().gaps == []
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 13)
        assert wire.sink().gaps == [(3, 10)]
        assert wire.sink().data == b"abcxyz"
        assert wire.direction().origins.at(11)[1][0] == 5, "complete when its own packet came"

    def test_a_hole_that_is_not_acknowledged_waits(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 10, b"xyz")
        for _ in range(limits.GAP_PATIENCE + 5):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST)
        assert wire.sink().gaps == []
        wire.send(CLIENT, FIRST, b"0123456789")
        assert wire.sink().data == b"0123456789xyz"

    def test_an_acknowledged_segment_may_still_come(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 6)
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdef", [])

    def test_at_the_end_of_the_capture(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(CLIENT, FIRST + 9, b"jkl")
        wire.table.end()
        assert wire.sink().gaps == [(0, 3), (6, 9)]
        assert wire.sink().data == b"defjkl"
        assert wire.sink().ending == "capture-end"

    def test_an_acknowledged_tail_is_a_gap(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 8)
        wire.table.end()
        assert wire.sink().gaps == [(3, 8)]

    def test_a_direction_of_which_nothing_was_captured_but_its_syn(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 8)
        wire.table.end()
        assert wire.sink().gaps == [(0, 8)]

    def test_an_acknowledged_fin_that_was_not_captured_is_none(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 4)
        wire.table.end()
        assert wire.sink().gaps == []

    def test_data_lost_before_a_fin(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 5, b"", FIN | ACK)
        for _ in range(limits.GAP_PATIENCE + 1):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 6)
        assert wire.sink().gaps == [(3, 5)]
        assert wire.sink().ending == "close"

    def test_what_the_snapshot_length_cut_off_is_a_gap_at_once(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc", missing=7)
        wire.send(CLIENT, FIRST + 10, b"xyz")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcxyz", [(3, 10)])

    def test_a_cut_segment_that_came_early(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def", missing=2)
        wire.send(CLIENT, FIRST + 8, b"ijk")
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdefijk", [(6, 8)])

    def test_a_full_queue_gives_up_the_hole(self) -> None:
        wire = established()
        size = limits.MAX_OUT_OF_ORDER // 2
        for index in range(3):
            wire.send(CLIENT, FIRST + 3 + index * size, bytes(size))
        assert wire.sink().codes == ["tcp-reassembly-limit"]
        assert wire.sink().gaps == [(0, 3)]
        assert len(wire.sink().data) == 3 * size

    def test_a_queue_that_is_full_again_and_again_is_said_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which bytes are missing, the gaps say."""
        monkeypatch.setattr(limits, "MAX_OUT_OF_ORDER_SEGMENTS", 2)
        wire = established()
        for index in range(6):
            wire.send(CLIENT, FIRST + 1 + 2 * index, b"x")
        assert wire.sink().codes == ["tcp-reassembly-limit"]
        assert wire.sink().gaps == [(0, 1), (2, 3), (4, 5), (6, 7)]

    def test_a_segment_without_any_of_its_bytes_waits_too(self) -> None:
        """The snapshot length cut its whole payload off."""
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"", missing=4)
        wire.table.end()
        assert wire.sink().gaps == [(0, 3), (3, 7)]

    def test_what_was_cut_off_may_lie_after_a_segment_that_waits(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(CLIENT, FIRST + 6, b"", missing=4)
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdef", [(6, 10)])

    def test_a_segment_that_was_cut_and_comes_again_in_pieces(self) -> None:
        """What is after its first bytes was given up with it: nothing is delivered twice."""
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def", missing=4)
        wire.send(CLIENT, FIRST + 6, b"ghijkl")
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdefkl", [(6, 10)])
        wire.send(CLIENT, FIRST + 10, b"", missing=4)
        assert wire.sink().gaps == [(6, 10), (12, 14)]

    def test_a_fin_shows_what_is_missing_before_it(self) -> None:
        """Though nobody acknowledged it."""
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 10, b"", FIN | ACK)
        wire.table.end()
        assert (wire.sink().gaps, wire.sink().ending) == ([(3, 10)], "close")

    def test_nothing_is_in_order_before_what_comes_before_it(self) -> None:
        """A piece that came first, after a hole that nothing fills."""
        wire = established()
        wire.send(CLIENT, FIRST + 9, b"jkl")
        wire.send(CLIENT, FIRST, b"abc")
        stream = wire.direction().origins
        wire.table.end()
        assert [stream.at(offset)[1][:2] for offset in (0, 3, 9)] == [(5, 5), (5, 5), (4, 5)]


def test_a_fault_has_the_packet_that_showed_it() -> None:
    """Also before any bytes, and where a packet puts none in order."""
    wire = established()
    wire.send(CLIENT, FIRST, b"", flags=ACK | URG)
    wire.send(CLIENT, FIRST, b"abc")
    wire.send(SERVER, 5001, b"")
    wire.send(CLIENT, FIRST, b"abX")
    assert wire.sink().codes == ["tcp-urgent-data", "tcp-overlap-conflict"]
    assert wire.sink().shown == [4, 7]


class TestEnds:
    """FIN, RST, and neither."""

    def close(self, wire: Wire) -> None:
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        wire.send(SERVER, 5002, b"", ACK, ack=FIRST + 1)

    def test_fin_both_ways(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        assert wire.closed == []
        wire.send(SERVER, 5002, b"", ACK, ack=FIRST + 1)
        assert wire.closed == wire.opened
        connection = wire.closed[0]
        assert (connection.close, connection.closed_by) == ("fin", connection.second)
        assert (wire.sink().ending, wire.peer_sink().ending) == ("close", "close")

    def test_a_half_closed_connection_goes_on(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"GET", FIN | ACK)
        wire.send(SERVER, 5001, b"data", ack=FIRST + 4)
        assert (wire.sink().data, wire.sink().ending) == (b"GET", "close")
        assert (wire.peer_sink().data, wire.peer_sink().ending) == (b"data", None)
        wire.table.end()
        assert wire.peer_sink().ending == "capture-end"
        assert wire.closed[0].close == "fin"

    def test_a_reset_ends_both_directions(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"data", ack=FIRST)
        wire.send(SERVER, 5005, b"", RST | ACK, ack=FIRST)
        connection = wire.closed[0]
        assert (connection.close, connection.closed_by) == ("reset", connection.second)
        assert (wire.sink().ending, wire.peer_sink().ending) == ("reset", "reset")
        assert wire.peer_sink().data == b"data"

    def test_a_reset_that_the_peer_expects_is_taken(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"lost in the capture"[:0], ack=FIRST)
        wire.send(CLIENT, FIRST, b"", ACK, ack=5020)
        wire.send(SERVER, 5020, b"", RST)
        assert wire.closed[0].close == "reset"

    def test_a_refused_connection(self) -> None:
        wire = Wire()
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(SERVER, 0, flags=RST | ACK, ack=FIRST)
        assert wire.closed[0].close == "refused"
        assert wire.closed[0].closed_by is wire.closed[0].second

    def test_a_reset_after_both_fins_changes_nothing(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        wire.send(SERVER, 5002, b"", RST)
        assert wire.closed[0].close == "fin"

    def test_left_open(self) -> None:
        wire = established()
        wire.table.end()
        assert (wire.closed[0].close, wire.closed[0].closed_by) == ("open", None)
        assert wire.sink().ending == "capture-end"

    def test_a_late_packet_is_not_a_new_connection(self) -> None:
        wire = established()
        self.close(wire)
        wire.send(CLIENT, FIRST + 1, b"", ACK, ack=5002)
        assert len(wire.opened) == 1
        assert wire.closed[0].packets == 6


class Judged(Wire):
    """Asks of each connection who closed it, when it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.closers: list[Direction | None] = []

    def _close(self, connection: Connection) -> list:
        self.closers.append(connection.proven_closed_by)
        return super()._close(connection)


class TestProvenCloser:
    """Who closed, where bytes are missing that the first FIN acknowledges."""

    @pytest.mark.parametrize(
        ("acked", "size", "closer"),
        [(1, None, None), (9, 8, "client"), (8, 8, "server")],
        ids=["the byte may be a FIN", "a FIN was acknowledged", "it closed after the bytes"],
    )
    def test_bytes_that_a_fin_acknowledged(
        self, acked: int, size: int | None, closer: str | None
    ) -> None:
        """The server's FIN acknowledges ``acked`` bytes; then the client's ``size``, and a FIN."""
        wire = Judged()
        wire.handshake(ISN)
        client, connection = wire.direction(), wire.opened[0]
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST + acked)
        if size is not None:
            wire.send(CLIENT, FIRST, bytes(size), FIN | ACK, ack=5002)
        wire.table.end()
        found = {None: None, "client": client, "server": connection.second}[closer]
        assert wire.closers == [found]

    @pytest.mark.parametrize("goes_on", [False, True])
    def test_a_direction_that_was_not_captured_may_have_closed_before(self, goes_on: bool) -> None:
        """Unless it went on after the FIN."""
        wire = Judged()
        wire.send(CLIENT, ISN, b"", SYN)
        wire.send(CLIENT, FIRST, b"", ACK, ack=5001)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5001)
        if goes_on:
            wire.send(CLIENT, FIRST + 1, b"", ACK, ack=5009)
        wire.table.end()
        assert wire.closers == [wire.direction() if goes_on else None]


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


def stamps(value: int, echoed: int) -> bytes:
    """The timestamps option, and two that fill its words (RFC 7323 appendix A)."""
    return b"\1\1" + bytes([8, 10]) + value.to_bytes(4, "big") + echoed.to_bytes(4, "big")


class TestAnswersToSyn:
    """What is left of an old connection between the same ports ends no new one."""

    def begin(self, options: bytes = b"") -> Wire:
        wire = Wire()
        wire.send(CLIENT, ISN, flags=SYN, options=options)
        return wire

    def go_on(self, wire: Wire, options: bytes = b"") -> None:
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST, options=options)
        wire.send(CLIENT, FIRST, b"asked", ack=5001)
        wire.send(SERVER, 5001, b"answered", ack=FIRST + 5)

    def whole(self, wire: Wire) -> bool:
        wire.table.flush()
        (connection,) = wire.opened
        is_open = connection.close == "open" and not connection.is_over
        return is_open and (wire.sink().data, wire.peer_sink().data) == (b"asked", b"answered")

    @pytest.mark.parametrize("flags", [ACK, SYN | ACK, FIN | ACK])
    @pytest.mark.parametrize("acked", [ISN, ISN - 70_000, FIRST + limits.MAX_OUT_OF_ORDER])
    def test_an_answer_to_something_else_is_rejected(self, acked: int, flags: int) -> None:
        wire = self.begin()
        wire.send(SERVER, 900_000, flags=flags, ack=acked)
        wire.send(CLIENT, acked, flags=RST)
        self.go_on(wire)
        assert self.whole(wire)
        assert wire.peer_sink().codes == ["tcp-answer-ignored"]
        assert wire.sink().codes == ["tcp-reset-ignored"]

    @pytest.mark.parametrize("flags", [RST | ACK, FIN | ACK, SYN | ACK])
    def test_an_echo_from_before_the_syn_is_rejected(self, flags: int) -> None:
        wire = self.begin(stamps(1_000_000, 0))
        wire.send(SERVER, 0, flags=flags, ack=FIRST, options=stamps(100, 100))
        wire.send(CLIENT, FIRST, flags=RST)
        self.go_on(wire, stamps(200, 1_000_300))
        assert self.whole(wire)
        assert wire.peer_sink().codes == ["tcp-answer-ignored"]

    def test_a_reset_without_an_acknowledgement_is_no_answer(self) -> None:
        wire = self.begin()
        wire.send(SERVER, 0, flags=RST)
        self.go_on(wire)
        assert self.whole(wire)

    @pytest.mark.parametrize("echoed", [0, 1_000_000, 1_000_001])
    def test_a_refusal_with_a_right_echo_is_one(self, echoed: int) -> None:
        wire = self.begin(stamps(1_000_000, 0))
        wire.send(SERVER, 0, flags=RST | ACK, ack=FIRST, options=stamps(5, echoed))
        assert wire.opened[0].close == "refused"

    def test_an_answer_to_what_the_capture_lacks_is_one(self) -> None:
        """The rest of the handshake was lost, and so was the request."""
        wire = self.begin()
        wire.send(SERVER, 5001, b"answered", ack=FIRST + 300)
        wire.table.flush()
        assert wire.peer_sink().data == b"answered"
        assert wire.peer_sink().codes == []

    def test_a_client_may_reset_what_it_has_opened(self) -> None:
        wire = self.begin()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=ISN)
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=RST)
        assert wire.opened[0].close == "reset"

    def test_a_syn_that_was_stored_after_its_answer_is_no_fault(self) -> None:
        wire = Wire()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=ACK, ack=5001)
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(CLIENT, FIRST, b"asked", ack=5001)
        wire.table.flush()
        assert len(wire.opened) == 1
        client = wire.opened[0].second
        assert wire._sinks[client].data == b"asked"
        assert wire._sinks[client].codes == []
        assert client.base_seq == ISN

    def test_such_a_syn_after_the_end_opens_no_connection(self) -> None:
        wire = Wire()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=FIN | ACK, ack=5001)
        wire.send(SERVER, 5001, flags=FIN | ACK, ack=FIRST + 1)
        wire.send(CLIENT, FIRST + 1, flags=ACK, ack=5002)
        assert wire.opened[0].is_over
        wire.send(CLIENT, ISN, flags=SYN)
        assert len(wire.opened) == 1
        wire.send(CLIENT, ISN + 9, flags=SYN)
        assert len(wire.opened) == 2


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


def test_bytes_that_cross_a_fin_are_said_once() -> None:
    """RFC 9112 section 9.5: the server closed, and the client did not know it yet."""
    wire = established()
    wire.opened[0].client = wire.direction()
    wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
    wire.send(CLIENT, FIRST, b"GET", ack=5001)
    wire.send(CLIENT, FIRST + 3, b" / ", ack=5001)
    (fault,) = wire.sink().faults
    assert (fault.code, fault.start, fault.end) == ("tcp-data-crossed-fin", 0, 3)
    assert "3 bytes in packet 5, FIN in packet 4" in fault.summary


def test_what_waits_behind_holes_can_be_let_go() -> None:
    wire = established()
    direction = wire.direction()
    wire.send(CLIENT, FIRST + 3, b"def")
    wire.send(CLIENT, FIRST + 9, b"jkl", FIN | ACK)
    assert direction.held == 6 + 2 * limits.WAITING_COST
    direction.let_go_waiting()
    assert (direction.held, direction.connection.account.held) == (0, limits.CONNECTION_COST)
    assert (wire.sink().data, wire.sink().gaps) == (b"defjkl", [(0, 3), (6, 9)])
    assert wire.sink().ending == "close"
