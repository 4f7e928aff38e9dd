"""One direction: what its segments tell of the other one, and of what the capture lacks."""

from __future__ import annotations

from struct import pack

import pytest
from support.segments import ACK, CLIENT, FIN, SERVER, SYN, Wire, internet_checksum

from parsers import limits
from parsers.net.half_connection import NO_SEQ
from parsers.net.segment import Segment

ISN = 1_000
FIRST = ISN + 1


def one_way() -> Wire:
    """Of a handshake the client's part was captured alone."""
    wire = Wire()
    wire.send(CLIENT, ISN, b"", SYN)
    wire.send(CLIENT, FIRST, b"", ACK, ack=5_001)
    return wire


# --- what is known of a direction by its peer's acknowledgements ---


def test_who_has_acknowledged_nothing_yet() -> None:
    wire = Wire()
    wire.send(CLIENT, ISN, b"", SYN)
    client = wire.direction()
    assert client.acknowledged is client.peer.size_by_acks is None


def test_acknowledgements_and_d_sacks_of_what_was_not_captured_say_nothing() -> None:
    wire = one_way()
    client = wire.direction()
    client.note_ack_wait(9, 1)
    assert client.peer.next_seq is None
    segment = Segment(FIRST, 5_001, ACK, b"", missing=0, number=9, time_ns=1)
    client._note_twice(5_001, 5_009, segment)
    assert client.peer.path.ack_waits == [] and client.peer.path.resent == []


def test_whose_beginning_nobody_knows() -> None:
    wire = Wire()
    wire.send(CLIENT, FIRST, b"", ACK, ack=5_001)
    assert wire.direction().acknowledged is None


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ([(0, ACK, 5_009)], 8),
        ([(0, FIN | ACK, 5_009), (1, ACK, 5_010)], 8),
        ([(0, FIN | ACK, 5_009), (1, ACK, 5_019)], 18),
        ([(0, FIN | ACK, 5_001)], 0),
    ],
    ids=["no FIN", "then a FIN", "then more bytes", "nothing at all"],
)
def test_the_size_of_a_direction_that_was_not_captured(
    steps: list[tuple[int, int, int]], size: int
) -> None:
    """The byte after the client's own FIN is the server's."""
    wire = one_way()
    for offset, flags, ack in steps:
        wire.send(CLIENT, FIRST + offset, b"", flags, ack=ack)
    client = wire.direction()
    assert client.acknowledged == steps[-1][2] - 5_001
    assert client.peer.size_by_acks == size


@pytest.mark.parametrize(
    ("acked", "missing"),
    [(777, 0), (700, 77), (777 - limits.MAX_OUT_OF_ORDER, 0), (None, 0)],
)
def test_what_was_sent_before_the_capture_began(acked: int | None, missing: int) -> None:
    wire = Wire()
    if acked is not None:
        wire.send(SERVER, 5, b"x", ack=acked)
    wire.send(CLIENT, 777, b"abc", ack=6)
    client = wire.table.directions[CLIENT]
    assert client.missing_before == missing


def test_a_hole_after_an_answer_that_was_not_captured_has_a_size() -> None:
    wire = one_way()
    wire.send(SERVER, 5_005, b"late", ack=FIRST)
    wire.send(SERVER, 5_001, b"soon", ack=FIRST)
    assert (wire.peer_sink().data, wire.peer_sink().gaps) == (b"soonlate", [])


# --- what is as usual, where each segment is looked at ---


@pytest.mark.parametrize("change", [0, 1])
def test_a_segment_that_passes_is_as_usual(change: int) -> None:
    wire = Wire()
    wire.handshake(ISN, checksum="right")
    client = wire.direction()
    assert (client.usual_seq, client.watched_seq) == (NO_SEQ, FIRST)
    header = pack("!4sIIHHHH", CLIENT[-4:], FIRST, 5_001, 5 << 12 | ACK, 65_000, 0, 0)
    summed = CLIENT[:8] + pack("!HH", 6, 24) + header + b"data"
    found = (internet_checksum(summed) ^ change).to_bytes(2, "big")
    passes = client.passes(header[:16] + found + header[18:] + b"data", 20, CLIENT[:8])
    assert passes is not bool(change)
    assert client.usual_seq == (FIRST if passes else NO_SEQ)
