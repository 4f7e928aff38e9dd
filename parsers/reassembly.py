"""Segments of one direction, put in order as the Linux kernel does (measured on 6.18).

Strategy: offsets count the bytes of the stream, 0 being the first byte after SYN; sequence
numbers are turned into them once, by a signed 32-bit difference, so nothing here wraps. Data
that comes in order never enters this module. What comes too early waits in blocks, sorted by
where they begin; neighbours are merged. The rules for overlaps are those of
``tcp_data_queue_ofo`` and ``tcp_ofo_queue``: data that was put in order is final; a segment
inside a waiting block is dropped; one that begins where a block begins and is longer replaces
it; otherwise, of two versions of a byte the one in the block that begins first wins.

Bytes that arrive twice are compared with what is kept of the first version, and a difference is
reported with both: overlaps are how an inspector is made to see another stream than the
application (Ptacek and Newsham, 1998).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from . import limits
from .diagnostics import Diagnostic, diagnose

SHOWN_CONFLICT = 32
"""How many bytes of each version of a conflict are shown."""


class Piece(NamedTuple):
    """The payload of one segment, or what is left of it."""

    start: int
    data: bytes
    packet: int
    time_ns: int
    missing: int
    """Bytes behind ``data`` that were sent but cut off by the capture's snapshot length."""

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def behind(self, offset: int) -> Piece:
        """Return the part of this piece from ``offset`` on: its data, and what is missing."""
        cut = offset - self.start
        if cut <= 0:
            return self
        missing = max(self.missing - max(offset - self.end, 0), 0)
        return self._replace(start=offset, data=self.data[cut:], missing=missing)


class Block:
    """Neighbouring pieces that wait together."""

    __slots__ = ("start", "end", "pieces")

    def __init__(self, piece: Piece) -> None:
        self.start = piece.start
        self.end = piece.end
        self.pieces = [piece]

    def append(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.end = piece.end


class OutOfOrderQueue:
    """What waits behind a hole. False while nothing does."""

    __slots__ = ("size", "segments", "_blocks", "_starts")

    def __init__(self) -> None:
        self.size = 0
        self.segments = 0
        self._blocks: list[Block] = []
        self._starts: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._blocks)

    @property
    def start(self) -> int:
        """Where the first block begins. Raises IndexError while nothing waits."""
        return self._starts[0]

    @property
    def first(self) -> Piece:
        """The first piece of the first block. Raises IndexError while nothing waits."""
        return self._blocks[0].pieces[0]

    @property
    def is_full(self) -> bool:
        return (
            self.size > limits.MAX_OUT_OF_ORDER or self.segments > limits.MAX_OUT_OF_ORDER_SEGMENTS
        )

    def insert(self, piece: Piece) -> bool:
        """Keep ``piece``; return False if every byte of it was there already."""
        index = bisect_right(self._starts, piece.start)
        before = self._blocks[index - 1] if index else None
        if before is not None and piece.start <= before.end:
            if piece.start == before.end:  # one without data says what is missing there
                before.append(piece)
                self._count(piece, 1)
                return True
            if piece.end <= before.end:
                return False
            if piece.start == before.start:
                index -= 1
                self._remove(index)
        self._blocks.insert(index, Block(piece))
        self._starts.insert(index, piece.start)
        self._count(piece, 1)
        while index + 1 < len(self._blocks) and self._blocks[index + 1].end <= piece.end:
            self._remove(index + 1)
        return True

    def take(self, offset: int) -> Iterator[Piece]:
        """Take out, in order, the pieces that continue the stream at ``offset``."""
        while self._blocks and self._starts[0] <= offset:
            block = self._blocks[0]
            self._remove(0)
            for piece in block.pieces:
                if piece.end + piece.missing > offset:
                    yield piece.behind(offset)
                    offset = max(offset, piece.end)

    def overlapping(self, start: int, end: int) -> Iterator[Piece]:
        """Yield the waiting pieces that hold bytes of [start, end)."""
        blocks = self._blocks
        # By index: a slice would copy all that follows, of which one or two are looked at.
        for index in range(max(bisect_right(self._starts, start) - 1, 0), len(blocks)):
            if self._starts[index] >= end:
                break
            pieces = blocks[index].pieces
            first = bisect_right(pieces, start, key=lambda piece: piece.end)
            for number in range(first, len(pieces)):
                if pieces[number].start >= end:
                    break
                yield pieces[number]

    def _remove(self, index: int) -> None:
        del self._starts[index]
        for piece in self._blocks.pop(index).pieces:
            self._count(piece, -1)

    def _count(self, piece: Piece, sign: int) -> None:
        self.size += sign * len(piece.data)
        self.segments += sign


class History:
    """The last pieces that were put in order, to compare late copies with."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        # An empty deque takes 760 bytes, in each direction of every open connection.
        self._pieces: list[tuple[int, bytes]] = []
        self._size = 0

    def append(self, start: int, data: bytes) -> None:
        """Keep a piece, or its end if it is longer than all that may be kept."""
        if (excess := len(data) - limits.MAX_HISTORY) > 0:
            start, data = start + excess, data[excess:]
        pieces = self._pieces
        pieces.append((start, data))
        self._size += len(data)
        while self._size > limits.MAX_HISTORY or len(pieces) > limits.MAX_HISTORY_SEGMENTS:
            self._size -= len(pieces.pop(0)[1])

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
