"""How long each side took to acknowledge what had been sent to it, as the capture shows it.

Strategy: the sequence numbers of a connection's packets are looked up when somebody asks, so that a
capture is not read more slowly. A segment that was sent twice tells
nothing: which of both was acknowledged is not known (Karn's algorithm, RFC 6298 section 3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from parsers import ACK, FIN, SYN
from parsers.provenance import seconds

from .elements import SENDERS
from .index import Index

MAX_PACKETS = 20_000
"""Packets of a connection that are looked at, from its first on."""
HALF = 1 << 31
ENDS = SYN | FIN
"""What takes a sequence number beside the payload."""


class RoundTrip(NamedTuple):
    """An acknowledgement of something that had been sent once."""

    time_ns: int
    packet: int
    direction: int
    """Of the packet that acknowledged it."""
    seconds: float
    """Since what it acknowledged last was sent."""


class Sent:
    """What one direction has sent and the other has not acknowledged."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int]] = deque()
        """Where each segment ends, and when it was sent."""
        self._end: int | None = None

    def send(self, seq: int, length: int, time_ns: int) -> None:
        """Take a segment."""
        end = (seq + length) % (2 * HALF)
        if self._end is not None and not _is_after(end, self._end):
            self._waiting.clear()  # sent again
            return
        self._end = end
        self._waiting.append((end, time_ns))

    def acknowledge(self, ack: int) -> int | None:
        """Return when the last of what is acknowledged now was sent, None if that is not known."""
        sent = None
        while self._waiting and not _is_after(self._waiting[0][0], ack):
            sent = self._waiting.popleft()[1]
        return sent


def _is_after(one: int, other: int) -> bool:
    """Whether a sequence number is after another (RFC 9293 section 3.4)."""
    return 0 < (one - other) % (2 * HALF) < HALF


def round_trips(index: Index, connection: int) -> dict[str, Any] | None:
    """Return the round trips of a connection as columns, in order of time; None if there is no such
    connection. ``sender`` is the side that acknowledged."""
    if connection >= len(index.tracer.connections):
        return None
    known = index.tracer.connections[connection]
    found = list(_found(index, known.packets[:MAX_PACKETS]))
    return {
        "time": [seconds(one.time_ns) for one in found],
        "seconds": [one.seconds for one in found],
        "packet": [one.packet for one in found],
        "sender": [SENDERS[known.sender(one.direction)] for one in found],
    }


def _found(index: Index, numbers: list[int]) -> Iterator[RoundTrip]:
    sides = (Sent(), Sent())
    for number, place in zip(numbers, index.tracer.table.of(numbers), strict=True):
        time_ns, _, _, _, _, _, payload, end, flags, _, direction, _, seq, ack = place
        if flags & ACK:
            sent = sides[1 - direction].acknowledge(ack)
            if sent is not None:
                yield RoundTrip(time_ns, number, direction, (time_ns - sent) / 1e9)
        length = end - payload
        if flags & ENDS:
            length += bool(flags & SYN) + bool(flags & FIN)
        if length:
            sides[direction].send(seq, length, time_ns)
