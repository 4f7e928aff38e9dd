"""Bytes that are put aside and read again by place: packets, encoded records, content of bodies.

Strategy: one temporary file without a name, only ever appended to. So a compressed capture, a pipe
and a recording that goes on are all alike, memory holds numbers only, and nothing is left behind
however the process ends. Of what comes bit by bit, of many at the same time, as much waits in
memory as is worth a write, and of all together no more than MAX_WAITING.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol, TypeAlias

from parsers.limits import KiB, MiB

from .output import scratch

BUFFER = 256 * KiB
"""Bytes that wait in memory before they are written, and that are read at once."""
MAX_WAITING = 8 * MiB
"""Bytes of all parts of a spool that wait in memory."""
MAX_PIECE = 64 * KiB
"""Bytes of one of them that do."""
HAS_PREAD = hasattr(os, "pread")
"""Whether a place in a file is read without going there: processes that share it must."""
AHEAD = 16 * KiB
"""Bytes that are read at once where what lies beside them is asked for next."""
GAP = 2 * KiB
"""Bytes between what is asked for that are read with it: a reading takes as long as they do."""
MAX_KEPT = 16 * MiB
"""Bytes of blocks that stay in memory after they were read: of a hundred connections at once, all
that stand where questions have come to."""
OF_A_BLOCK = 256
"""Bytes that a block takes beside what it holds, about."""


Block: TypeAlias = tuple[int, int, bytes]
"""Where a block of a part begins and ends in that part, and what it holds."""
Places: TypeAlias = "array[int]"
"""Where runs of bytes lie, and the size of each, one after the other."""


class Part(Hashable, Protocol):
    """What grows bit by bit, and waits in memory for a while."""

    def put_aside(self) -> None:
        """Keep nothing in memory."""


class Spool:
    """Takes bytes and gives them back. One thread at a time."""

    def __init__(self) -> None:
        self._file = scratch()
        self._written = 0
        self._waiting = bytearray()
        self._blocks: dict[int, bytes] = {}
        self._kept = 0  # bytes that these take
        self.recent: dict[Part, Block] = {}
        """Of parts that were asked last, the block that had the answer."""
        self._remembered = 0  # bytes that these take
        self._ahead = 0, b""
        """Where that lies which was read beside what was asked for, and what it is."""
        self._parts: dict[Part, None] = {}
        self.waits = 0
        """Bytes of parts that wait in memory."""

    @property
    def size(self) -> int:
        """Where the next bytes will lie."""
        return self._written + len(self._waiting)

    def append(self, data: bytes | bytearray) -> int:
        """Put bytes aside and return where they lie. Raises OSError if there is no room."""
        place = self.size
        if len(data) > BUFFER:
            self.flush()
            self._write(data)
            return place
        self._waiting += data
        if len(self._waiting) > BUFFER:
            self.flush()
        return place

    def read(self, place: int, size: int) -> bytes:
        """Return ``size`` bytes at ``place``."""
        if place + size > self._written:
            self.flush()
        if HAS_PREAD:
            return os.pread(self._file.fileno(), size, place)
        self._file.seek(place)
        return self._file.read(size)

    def together(self, places: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """Yield what lies in places, of each where and how many bytes: neighbours are read at
        once."""
        first, count = 0, len(places)
        while first < count:
            begin, size = places[first]
            end, last = begin + size, first + 1
            while last < count and end <= places[last][0] <= end + GAP and end - begin < BUFFER:
                end = sum(places[last])
                last += 1
            data = self.read(begin, end - begin)
            for place, size in places[first:last]:
                yield data[place - begin : place - begin + size]
            first = last

    def near(self, place: int, size: int) -> bytes:
        """Return the same as :meth:`read`, of what lies beside what was asked for before: as of
        packets, which are put aside one after the other."""
        begin, data = self._ahead
        start = place - begin
        if start < 0 or start + size > len(data):
            self._ahead = place, self.read(place, max(size, AHEAD))
            begin, data = self._ahead
            start = 0
        return data[start : start + size]

    def runs(self, places: Places) -> Iterator[bytes]:
        """Yield what lies in places, piece by piece."""
        numbers = iter(places)
        for place, size in zip(numbers, numbers, strict=True):
            for start in range(0, size, BUFFER):
                yield self.read(place + start, min(BUFFER, size - start))

    def close(self) -> None:
        """Give the room back."""
        self._file.close()

    def block(self, place: int, size: int) -> bytes:
        """Return the same as :meth:`read`, of what is often asked for again: the last few stay."""
        found = self._blocks.get(place)
        if found is None or len(found) < size:
            if found is not None:
                self._kept -= len(found) + OF_A_BLOCK
            found = self._blocks[place] = self.read(place, size)
            self._kept += size + OF_A_BLOCK
            while self._kept > MAX_KEPT:
                self._kept -= len(self._blocks.pop(next(iter(self._blocks)))) + OF_A_BLOCK
        return found

    def remember(self, part: Part, block: Block) -> None:
        """Keep the block of a part that had the answer: the next question is likely about it."""
        if (before := self.recent.get(part)) is not None:
            self._remembered -= len(before[2]) + OF_A_BLOCK
        self.recent[part] = block
        self._remembered += len(block[2]) + OF_A_BLOCK
        while self._remembered > MAX_KEPT:
            oldest = self.recent.pop(next(iter(self.recent)))
            self._remembered -= len(oldest[2]) + OF_A_BLOCK

    def replace(self, place: int, data: bytes) -> None:
        """Put other bytes in the place of some."""
        self.flush()
        self._blocks.clear()
        self.recent.clear()
        self._kept = self._remembered = 0
        self._ahead = 0, b""
        self._file.seek(place)
        self._file.write(data)

    def note(self, part: Part) -> None:
        """Take note that bytes of ``part`` wait from now on; it adds them to :attr:`waits`, and
        when these are too many, none are to wait."""
        self._parts[part] = None

    def put_aside(self) -> None:
        """Have no bytes of any part wait."""
        for one in list(self._parts):
            one.put_aside()

    def forget(self, part: Part, size: int) -> None:
        """Take note that the ``size`` bytes of ``part`` that waited do so no more."""
        del self._parts[part]
        self.waits -= size

    def flush(self) -> None:
        """Write what waits in memory: then it can be read by processes that are forked."""
        waiting, self._waiting = self._waiting, bytearray()
        self._write(waiting)

    def _write(self, data: bytes | bytearray) -> None:
        self._file.seek(self._written)
        view = memoryview(data)
        while view:
            done = self._file.write(view)
            self._written += done
            view = view[done:]


class Pieces:
    """Bytes that come bit by bit, put aside in a spool; iterating gives them in their order."""

    __slots__ = ("size", "_spool", "_places", "_waiting")

    def __init__(self, spool: Spool) -> None:
        self.size = 0
        """How many bytes there are."""
        self._spool = spool
        self._places = array("q")
        """Where each piece lies that was put aside, and its size."""
        self._waiting = bytearray()

    def add(self, data: bytes) -> None:
        """Add bytes. Raises OSError if there is no room."""
        if not data:
            return
        self.size += len(data)
        spool = self._spool
        if not self._waiting:
            spool.note(self)
        self._waiting += data
        spool.waits += len(data)
        if len(self._waiting) > MAX_PIECE:
            self.put_aside()
        elif spool.waits > MAX_WAITING:
            spool.put_aside()

    def take(self, other: Pieces) -> None:
        """Add all that another of the same spool has, which is of no use any more."""
        if other._places:
            self.put_aside()
            self._places += other._places
            self.size += other.size - len(other._waiting)
        waiting, other._waiting = other._waiting, bytearray()
        if waiting:
            self._spool.forget(other, len(waiting))
            self.add(bytes(waiting))

    def put_aside(self) -> None:
        """Keep nothing in memory."""
        waiting, self._waiting = self._waiting, bytearray()
        if waiting:
            self._spool.forget(self, len(waiting))
            self._places.extend((self._spool.append(waiting), len(waiting)))

    def __iter__(self) -> Iterator[bytes]:
        yield from self._spool.runs(self._places)
        if self._waiting:
            yield bytes(self._waiting)

    def end(self) -> Places:
        """Return where all of it lies: less than this object, of which there may be thousands."""
        self.put_aside()
        return self._places

    def discard(self) -> None:
        """Be of no use any more: what waits in memory is given up."""
        if self._waiting:
            self._spool.forget(self, len(self._waiting))
            self._waiting = bytearray()


class PlacesList:
    """Where many things lie, in the order in which they were put aside: 32 bytes for most of them,
    where a list of :data:`Places` would take 200."""

    def __init__(self) -> None:
        self._ends = array("q")
        self._runs: Places = array("q")

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, places: Places) -> None:
        """Add where one more thing lies."""
        self._runs += places
        self._ends.append(len(self._runs))

    def __getitem__(self, index: int) -> Places:
        return self._runs[self._ends[index - 1] if index else 0 : self._ends[index]]
