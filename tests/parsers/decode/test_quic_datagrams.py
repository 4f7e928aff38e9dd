"""Datagrams of QUIC on their way: out of order, twice, lost, joined, moved, damaged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.quic import (
    GET,
    OK,
    V1,
    Talk,
    ack,
    close,
    codes,
    data,
    decoded,
    dialogue,
    events,
    only,
    shuffled,
    stream,
    varint,
)

from parsers.records import BodyRecord, ConnectionRecord, QuicRecord, RequestRecord, SseEventRecord


@given(st.randoms(use_true_random=False), st.integers(1, 9))
@settings(deadline=None)
def test_datagrams_in_another_order(random: object, step: int) -> None:
    """Whatever order the datagrams of the streams come in, the content is the same."""
    talk = dialogue(b"data: a\n\n", b"data: b\n\n", b"data: c\n\n")
    middle = list(range(3, len(talk.packets) - 1))
    random.shuffle(middle)  # type: ignore[attr-defined]
    order = [0, 1, 2, *middle, len(talk.packets) - 1]
    records = decoded(shuffled(talk.packets, order), talk.keys, step)
    assert events(records) == ["a", "b", "c"]
    (body,) = only(records, BodyRecord)
    assert (body.complete, body.ended_by) == (True, "end-stream")
    assert codes(records) == ["quic-closed"]


def test_a_packet_that_overtakes_completes_nothing_before_the_other_came() -> None:
    talk = dialogue()
    order = [0, 1, 2, 3, 4, 5, 6, 8, 7, 9]
    records = decoded(shuffled(talk.packets, order), talk.keys)
    first, second = only(records, SseEventRecord)
    assert (first.first_packet, first.last_packet) == (9, 9)
    assert (second.first_packet, second.last_packet) == (8, 9)


def test_datagrams_twice_are_copies() -> None:
    talk = dialogue()
    doubled = [packet for packet in talk.packets[:-1] for _ in range(2)] + talk.packets[-1:]
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(doubled)]
    records = decoded(packets, talk.keys)
    assert events(records) == ["one", "two"]
    (connection,) = only(records, ConnectionRecord)
    assert connection.copies == 10
    assert connection.retransmissions == 0


def test_what_was_lost_and_sent_again() -> None:
    """The packet was captured, and lost after that: three later ones were acknowledged."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", fin=False)
    size = len(OK) + len(data(b"data: one\n\n")) + len(data(b"data: two\n\n"))
    for number in range(2):
        talk.say("server", stream(0, size + number, b"\0"))
    all_but_2 = (5, 0, 1, 2, 0, 1)  # the largest, the delay, one more range, [3, 5], [0, 1]
    talk.say("client", b"\x02" + b"".join(map(varint, all_but_2)))
    repeated = len(OK)
    talk.say("server", stream(0, repeated, data(b"data: one\n\n")))
    records = decoded(talk.packets, talk.keys)
    (quic,) = only(records, QuicRecord)
    assert [(loss["sender"], loss["packet_number"], loss["packet"]) for loss in quic.losses] == [
        ("server", 2, 8)
    ]
    (connection,) = only(records, ConnectionRecord)
    assert connection.retransmissions == 1
    assert "quic-packets-lost" in codes(records)
    assert events(records) == ["one", "two"]


def test_what_was_not_captured_and_acknowledged_is_a_gap() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", b"data: three\n\n", fin=False)
    at = len(OK) + sum(len(data(one)) for one in (b"data: one\n\n", b"data: two\n\n"))
    at += len(data(b"data: three\n\n"))
    lost = talk.packets.pop(8)
    assert lost[0] == 9
    talk.say("client", ack(0, 4))
    for number in range(20):
        part = data(b"data: %02d\n\n" % number)
        talk.say("server", stream(0, at, part))
        at += len(part)
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(talk.packets)]
    records = decoded(packets, talk.keys)
    (gap,) = [record for record in records if record.record == "gap"]
    assert gap.missing == len(data(b"data: two\n\n"))
    assert gap.last_packet == 9, "the first that came behind them"
    assert records.index(gap) < len(records) - 20, "not at the end of the capture alone"
    assert codes(records)[0] == "http3-resumed"
    assert events(records) == ["one", "three", *(f"{number:02d}" for number in range(20))]
    (quic,) = only(records, QuicRecord)
    assert (quic.server_uncaptured, quic.server_unaccounted) == (1, 0)


def test_what_nobody_acknowledged_may_still_come() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", fin=False)
    lost = talk.packets.pop(7)
    at = len(OK) + 2 * len(data(b"data: one\n\n"))
    for _ in range(40):
        talk.say("server", stream(0, at, data(b": \n\n")))
        at += len(data(b": \n\n"))
    talk.say("server", stream(0, len(OK), data(b"data: one\n\n")))
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(talk.packets)]
    records = decoded(packets, talk.keys)
    assert lost[0] == 8
    assert [record for record in records if record.record == "gap"] == []
    assert [event for event in events(records) if event] == ["one", "two"]
    (quic,) = only(records, QuicRecord)
    assert (quic.server_uncaptured, quic.server_unaccounted) == (0, 1)


@pytest.mark.parametrize("client_id", [b"client01", b"quic", b""])
def test_datagrams_that_offload_joined(client_id: bytes) -> None:
    """Of one size but the last; with and without a connection id that shows where each begins."""
    talk = Talk(client_id=client_id)
    talk.shake_hands()
    talk.settle()
    talk.ask()
    content = [b": " + b"x" * 1180 + b"\ndata: %d\n\n" % number for number in range(4)]
    whole = OK + b"".join(map(data, content))
    parts = [whole[at : at + 1200] for at in range(0, len(whole), 1200)]
    frames = [stream(0, at * 1200, part, fin=at == len(parts) - 1) for at, part in enumerate(parts)]
    for _ in range(2):  # the second time they are copies of bytes, in packets of their own
        talk.send("server", *(talk.packet("server", "1-rtt", frame) for frame in frames))
    talk.say("client", close(0x100))
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["0", "1", "2", "3"]
    assert {one.last_packet for one in only(records, SseEventRecord)} == {7}
    assert codes(records) == ["quic-datagrams-joined", "quic-closed"]
    (quic,) = only(records, QuicRecord)
    assert (quic.unopened, quic.server_unaccounted) == (0, 0)
    (body,) = only(records, BodyRecord)
    assert body.complete


def test_the_last_of_joined_datagrams_is_damaged() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.send(
        "server",
        talk.packet("server", "1-rtt", stream(0, 0, OK + data(b"data: a\n\n")) + bytes(1100)),
        talk.packet("server", "1-rtt", b"\x01")[:-1] + b"?",
    )
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["a"]
    (quic,) = only(records, QuicRecord)
    assert quic.unopened == 1


def test_a_connection_that_moves() -> None:
    """RFC 9000 section 9: its connection id tells it, from another port."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.ports = 50_001, 443
    talk.answer(b"data: one\n\n")
    talk.ports = 50_000, 443
    talk.say("client", close(0x100))
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["one"]
    assert codes(records) == ["quic-migration", "quic-closed"]
    (connection,) = only(records, ConnectionRecord)
    (quic,) = only(records, QuicRecord)
    assert (connection.client, quic.migrations) == ("10.0.0.1:50000", 1)


def test_malformed_packets_and_frames() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.say("client", stream(0, 0, GET, fin=True), b"\x3f")
    talk.send("client", b"\xc3" + V1.to_bytes(4, "big") + b"\x08server-1\xff")
    records = decoded(talk.packets, talk.keys)
    assert codes(records) == ["quic-frame-malformed", "quic-packet-malformed"]
    assert len(only(records, RequestRecord)) == 1, "what came before in the packet counts"


@given(st.integers(0, 10), st.integers(0, 1400), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_a_damaged_datagram_costs_no_more_than_itself(index: int, place: int, flip: int) -> None:
    """Whatever byte of whatever datagram is another one: no content is invented."""
    talk = dialogue(b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")
    packets = list(talk.packets)
    number, time, link, size, frame = packets[index]
    damaged = bytearray(frame)
    damaged[42 + place % (len(frame) - 42)] ^= flip
    packets[index] = number, time, link, size, bytes(damaged)
    records = decoded(packets, talk.keys)
    assert [event for event in events(records) if event not in ("one", "two", "three")] == []
    assert len(only(records, ConnectionRecord)) >= 1


@given(st.binary(max_size=200), st.sampled_from(["client", "server"]))
@settings(deadline=None)
def test_any_frames(payload: bytes, sender: str) -> None:
    """Packets that are sealed rightly may hold anything."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.say(sender, payload)
    talk.answer(b"data: one\n\n")
    records = decoded(talk.packets, talk.keys)
    assert len(only(records, ConnectionRecord)) == 1


@given(st.binary(max_size=1400))
def test_any_datagram(payload: bytes) -> None:
    talk = Talk()
    for first in (b"", b"\xc3\0\0\0\1", b"\xc3\x6b\x33\x43\xcf\x08chosen-1"):
        talk.send("client", first + payload)
    assert decoded(talk.packets) != []
