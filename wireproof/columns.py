"""Columns of numbers that grow for hours: rows of a fixed size, of which the last ones stand in
memory and all others on disk.

Strategy: what is added waits in memory with what waits of all other columns of a spool, and is put
aside block by block (:mod:`.spool`). Which block has a row is a bisection; a row is one reading.

Questions come in runs: the block that had the last answer is looked into first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import eq
from struct import Struct
from typing import Any, overload

from .spool import MAX_PIECE, MAX_WAITING, Block, Spool

NO_BLOCK: Block = 0, 0, b""
RowsAside = tuple[list[int], list[int]]
"""Where the blocks of rows end, and where each lies."""


class Rows:
    """Rows of one layout, in the order in which they were added, from 0."""

    __slots__ = ("_layout", "_size", "_spool", "_ends", "_places", "_before", "_tail")

    def __init__(self, layout: Struct, spool: Spool) -> None:
        self._layout = layout
        self._size = layout.size
        self._spool = spool
        self._ends = array("q")
        """Where each block ends, in bytes from the first row on."""
        self._places = array("q")
        """Where it lies in the spool."""
        self._before = 0  # bytes in blocks
        self._tail = bytearray()

    def __len__(self) -> int:
        return (self._before + len(self._tail)) // self._size

    def aside(self) -> RowsAside:
        """Put all aside and return where it lies: it takes less than this object."""
        self.put_aside()
        return self._ends.tolist(), self._places.tolist()

    def bring_back(self, aside: RowsAside) -> None:
        """Have the rows that were put aside, of which these are none yet."""
        ends, places = aside
        self._ends.extend(ends)
        self._places.extend(places)
        self._before = ends[-1] if ends else 0

    def add(self, row: bytes) -> None:
        """Add a row as it is packed, or several. Raises OSError if there is no room."""
        spool = self._spool
        if not self._tail:
            spool.note(self)
        self._tail += row
        spool.waits += len(row)
        if len(self._tail) > MAX_PIECE:
            self.put_aside()
        elif spool.waits > MAX_WAITING:
            spool.put_aside()

    def put_aside(self) -> None:
        """Keep nothing in memory."""
        tail, self._tail = self._tail, bytearray()
        if tail:
            self._spool.forget(self, len(tail))
            self._places.append(self._spool.append(tail))
            self._before += len(tail)
            self._ends.append(self._before)

    def row(self, number: int) -> tuple[Any, ...]:
        """Return a row. Raises IndexError if there is none of that number."""
        start = number * self._size
        recent = self._spool.recent.get(self)
        if recent is not None and recent[0] <= start < recent[1]:
            return self._layout.unpack_from(recent[2], start - recent[0])
        if not 0 <= number < len(self):
            raise IndexError(f"no row {number:,} of {len(self):,}")
        if start >= self._before:
            return self._layout.unpack_from(self._tail, start - self._before)
        begin, _, data = self._remembered(bisect_right(self._ends, start))
        return self._layout.unpack_from(data, start - begin)

    def rows(self, numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of these numbers. Raises IndexError if there is none of one of them."""
        unpack, size, row = self._layout.unpack_from, self._size, self.row
        recent = self._spool.recent
        begin, end, data = 0, 0, b""
        for number in numbers:
            start = number * size
            if begin <= start < end:
                yield unpack(data, start - begin)
            else:
                yield row(number)
                begin, end, data = recent.get(self, NO_BLOCK)

    def replace(self, number: int, row: bytes) -> None:
        """Put another row in the place of one."""
        start = number * self._size
        if start >= self._before:
            start -= self._before
            self._tail[start : start + len(row)] = row
        else:
            self._spool.replace(self._place(start), row)

    def put(self, number: int, row: bytes, empty: bytes) -> None:
        """Put a row in its place; those between the last one and it are ``empty``."""
        missing = number - len(self)
        if not missing:
            self.add(row)
        elif missing > 0:
            self.add(empty * missing + row)
        else:
            self.replace(number, row)

    def between(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """Yield rows [first, last), a block at a time."""
        start, end = first * self._size, min(last, len(self)) * self._size
        while start < min(end, self._before):
            block = bisect_right(self._ends, start)
            upto = min(end, self._ends[block])
            yield from self._layout.iter_unpack(self._spool.read(self._place(start), upto - start))
            start = upto
        if start < end:
            start, end = start - self._before, end - self._before
            yield from self._layout.iter_unpack(bytes(self._tail[start:end]))

    def after(self, number: int) -> int:
        """Return how many rows are at most ``number``, of rows that are numbers in ascending order:
        which block that is tells its last one, and only that block is looked through."""
        if (recent := self._spool.recent.get(self)) is not None:
            found = memoryview(recent[2]).cast("q")
            if number >= found[-1]:
                if recent[1] == self._before and not self._tail:
                    return self._before // self._size
            elif found[0] <= number:
                return recent[0] // self._size + bisect_right(found, number)
        first, last = 0, len(self._ends)
        while first < last:
            middle = (first + last) // 2
            if memoryview(self._block(middle)[2]).cast("q")[-1] <= number:
                first = middle + 1
            else:
                last = middle
        if first == len(self._ends):
            found = memoryview(self._tail).cast("q")
            return self._before // self._size + bisect_right(found, number)
        begin, _, data = self._remembered(first)
        return begin // self._size + bisect_right(memoryview(data).cast("q"), number)

    def _remembered(self, block: int) -> Block:
        found = self._block(block)
        self._spool.remember(self, found)
        return found

    def _block(self, block: int) -> Block:
        begin, end = self._ends[block - 1] if block else 0, self._ends[block]
        return begin, end, self._spool.block(self._places[block], end - begin)

    def _place(self, start: int) -> int:
        block = bisect_right(self._ends, start)
        return self._places[block] + start - (self._ends[block - 1] if block else 0)


def follow_one_another(first: int, numbers: Sequence[int]) -> bool:
    """Whether there are numbers, and each is one more than the one before, from ``first`` on."""
    count = len(numbers)
    if not count or numbers[0] != first or numbers[-1] != first + count - 1:
        return False
    return all(map(eq, numbers, range(first, first + count)))


NUMBER = Struct("=q")
"""As this machine has them, for it alone reads them."""
NO_NUMBER = bytes(NUMBER.size)
MAX_AT_ONCE = 8_192
"""Numbers that are packed together."""


class Numbers(Sequence[int]):
    """Numbers of 64 bits, in the order in which they were added."""

    __slots__ = ("_rows",)

    def __init__(self, spool: Spool) -> None:
        self._rows = Rows(NUMBER, spool)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> list[int]: ...

    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, int):
            found: int = self._rows.row(at + len(self) if at < 0 else at)[0]
            return found
        first, last, step = at.indices(len(self))
        if step != 1:
            raise ValueError("numbers that follow one another only")
        return [number for (number,) in self._rows.between(first, last)]

    def __iter__(self) -> Iterator[int]:
        return (number for (number,) in self._rows.between(0, len(self)))

    def aside(self) -> RowsAside:
        """Put all aside and return where it lies."""
        return self._rows.aside()

    def bring_back(self, aside: RowsAside) -> None:
        """Have the numbers that were put aside, of which these are none yet."""
        self._rows.bring_back(aside)

    def after(self, number: int) -> int:
        """Return how many are at most ``number``, of numbers in ascending order, as
        ``bisect_right`` does, but a block at a time."""
        return self._rows.after(number)

    def at(self, places: Iterable[int]) -> Iterator[int]:
        """Yield the numbers that stand in these places."""
        return (number for (number,) in self._rows.rows(places))

    def append(self, number: int) -> None:
        """Add a number. Raises OSError if there is no room."""
        self._rows.add(NUMBER.pack(number))

    def extend(self, numbers: Sequence[int]) -> None:
        """Add many numbers. Raises OSError if there is no room."""
        for first in range(0, len(numbers), MAX_AT_ONCE):
            self._rows.add(array("q", numbers[first : first + MAX_AT_ONCE]).tobytes())

    def put(self, at: int, number: int) -> None:
        """Put a number in its place; those between the last one and it are 0."""
        self._rows.put(at, NUMBER.pack(number), NO_NUMBER)
