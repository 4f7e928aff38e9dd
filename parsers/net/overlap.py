"""Pieces of one direction's stream, and what came of it before, to compare late copies with.

Strategy: offsets count the bytes of the stream, 0 being the first byte after SYN; sequence
numbers are turned into them once, by a signed 32-bit difference, so nothing here wraps. Data
that comes in order is final, as in every receiver, and passes through here only to be kept for a
while: bytes that arrive twice are compared with what is kept of the first version, and a difference
is reported with both. Overlaps are how an inspector is made to see another stream than the
application (Ptacek and Newsham, 1998).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from .. import limits
from ..diagnostics import Diagnostic, diagnose

SHOWN_CONFLICT = 32
"""How many bytes of each version of a conflict are shown."""


class Piece(Struct, frozen=True, gc=False):
    """The payload of one segment, or what is left of it."""

    start: int
    data: bytes
    packet: int
    time_ns: int
    missing: int
    """Bytes after ``data`` that were sent but cut off by the capture's snapshot length."""
    fin: bool = False
    """Whether a FIN comes after it, which takes a sequence number of its own."""
    stamp: int | None = None
    """Its sender's clock (RFC 7323 section 3.2), if it did not come in order."""

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    @property
    def end_with_fin(self) -> int:
        return self.start + len(self.data) + self.fin

    def between(self, start: int, end: int) -> Piece:
        """Return the bytes of this piece in [start, end), which lies inside it."""
        data = self.data[start - self.start : end - self.start]
        return Piece(start, data, self.packet, self.time_ns, 0, stamp=self.stamp)

    def after(self, offset: int) -> Piece:
        """Return the part of this piece from ``offset`` on: its data, and what is missing."""
        cut = offset - self.start
        if cut <= 0:
            return self
        missing = max(self.missing - max(offset - self.end, 0), 0)
        return replace(self, start=offset, data=self.data[cut:], missing=missing)


class History:
    """The last pieces that were put in order, to compare late copies with."""

    __slots__ = ("size", "_most", "_pieces")

    def __init__(self) -> None:
        # An empty deque takes 760 bytes, in each direction of every open connection.
        self._pieces: list[tuple[int, bytes]] = []
        self.size = 0
        """Bytes of them."""
        self._most = limits.MAX_HISTORY

    def append(self, start: int, data: bytes) -> None:
        """Keep a piece, or its end if it is longer than all that may be kept."""
        size, most = len(data), self._most
        if size > most:
            excess, size = size - most, most
            start, data = start + excess, data[excess:]
        pieces = self._pieces
        pieces.append((start, data))
        self.size += size
        while self.size > most or len(pieces) > limits.MAX_HISTORY_SEGMENTS:
            self.size -= len(pieces.pop(0)[1])

    def stop(self) -> None:
        """Keep nothing, now or later."""
        self._pieces.clear()
        self.size = self._most = 0

    def overlapping(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield the kept (start, data) that hold bytes of [start, end)."""
        for begin, data in self._pieces:
            if begin < end and begin + len(data) > start:
                yield begin, data


def find_conflict(piece: Piece, versions: Iterator[tuple[int, bytes]]) -> Diagnostic | None:
    """Return the first place where ``piece`` and an earlier version of its bytes differ."""
    for begin, data in versions:
        start = max(begin, piece.start)
        end = min(begin + len(data), piece.end)
        earlier = data[start - begin : end - begin]
        later = piece.data[start - piece.start : end - piece.start]
        if earlier != later:
            return diagnose(
                "tcp-overlap-conflict",
                start,
                end,
                f"first {earlier[:SHOWN_CONFLICT]!r}, then in packet {piece.packet}"
                f" {later[:SHOWN_CONFLICT]!r}",
            )
    return None
