"""Rows of one table, gathered until they are worth a record batch.

Strategy: rows wait and become arrays type by type (:mod:`.cells`). A record batch puts the arrays
of all types together; rows are back in their order by one ``take`` of Arrow's. It may hold the rows
of many captures, those of one after those of the one before.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import msgspec
from parsers.limits import MiB

from ..text.moments import MICROSECONDS
from .cells import Some, astuple, payload_size, repeated
from .layouts import Table
from .types import Column

GROUP_ROWS = 16_384
"""Rows of one record batch, at first: enough for a scan to skip by, few enough to hold, each of a
hundred columns, while they are written."""
MANY_GROUPS, LARGEST_GROUP = 64, 65_536
"""After so many record batches they have twice as many rows, and so on, up to so many: as long as a
Parquet file is written, each of its row groups takes a kilobyte of memory for each column."""
GROUP_SIZE = 4 * MiB
"""Characters of payload in one record batch, about, and in rows that wait: Arrow and Parquet hold
them some more times."""
STEP_ROWS = 4_096
"""Rows of one type that wait to become arrays: enough for a call of Arrow's to cost nothing."""


class Rows:
    """Gathers the rows of one table, of one capture after the other.

    Columns whose names are ``left_out`` are null in all of them.
    """

    def __init__(self, table: Table, *, left_out: Container[str] = ()) -> None:
        wanted = {one.name: one for one in table.columns if one.name not in left_out}
        self._table = table
        self._keep_data = "data" in wanted
        self._some = {layout[0]: Some(layout, wanted) for layout in table.layouts}
        self._numbers = {first: number for number, first in enumerate(self._some)}
        self.taken = 0
        """Rows that have come, of all captures."""
        self._kinds = bytearray()
        """The type of each row that the next record batch has, by its number."""
        self._waiting = 0
        self._size = self._waiting_size = 0
        self._group_rows = GROUP_ROWS
        self._groups = 0
        self._origins: list[tuple[Sequence[str], int]] = [] if table.origin else [((), 0)]
        """What the table's columns of origin say, each with the place of its first row."""

    def begin(self, origin: Sequence[str]) -> None:
        """Take note whose the next rows are."""
        if self._origins and self._origins[-1][1] == len(self._kinds):
            self._origins.pop()
        self._origins.append((origin, len(self._kinds)))

    def join(self, rows: Sequence[tuple[msgspec.Struct, msgspec.Struct]]) -> Iterator[Any]:
        """Take rows of two structs each, of one layout; yield the record batches that they fill."""
        if not rows:
            return
        kind = type(rows[0][0])
        joined = [astuple(first) + astuple(second) for first, second in rows]
        start = 0
        while start < len(joined):
            end = min(start + self._group_rows - len(self._kinds), start + STEP_ROWS, len(joined))
            self._some[kind].take(joined[start:end])
            self._count([self._numbers[kind]] * (end - start))
            start = end
            yield from self._full()

    def extend(self, rows: Sequence[msgspec.Struct]) -> Iterator[Any]:
        """Take rows of one struct each; yield the record batches that they fill."""
        start = 0
        while start < len(rows):
            end = self._end(rows, start)
            self._take(rows[start:end])
            start = end
            yield from self._full()

    def _end(self, rows: Sequence[msgspec.Struct], start: int) -> int:
        """Return how many of the rows, from one of them on, are to be taken at once."""
        end = min(start + self._group_rows - len(self._kinds), start + STEP_ROWS, len(rows))
        if self._keep_data:
            sizes = accumulate(map(payload_size, rows[start:end]))
            full = (number for number, size in enumerate(sizes, start + 1) if size >= GROUP_SIZE)
            end = next(full, end)
        return end

    def _take(self, rows: Sequence[msgspec.Struct]) -> None:
        kinds = list(map(type, rows))
        some: list[msgspec.Struct]
        for kind in dict.fromkeys(kinds):
            some = [row for row in rows if type(row) is kind]
            self._waiting_size += self._some[kind].take(some)
        self._count(list(map(self._numbers.__getitem__, kinds)))

    def _count(self, numbers: Sequence[int]) -> None:
        """Take note of rows that have come, by the numbers of their types."""
        self._kinds.extend(numbers)
        self._waiting += len(numbers)
        self.taken += len(numbers)

    def _full(self) -> Iterator[Any]:
        if self._waiting >= STEP_ROWS or self._waiting_size >= GROUP_SIZE:
            self.settle()
        if len(self._kinds) >= self._group_rows or self._size >= GROUP_SIZE:
            yield from self.finish()
            self._groups += 1
            if self._groups % MANY_GROUPS == 0:
                self._group_rows = min(2 * self._group_rows, LARGEST_GROUP)

    def settle(self) -> None:
        """Make arrays of the rows that wait: then nothing else of them is held."""
        for some in self._some.values():
            some.settle()
        self._size += self._waiting_size if self._keep_data else 0
        self._waiting = self._waiting_size = 0

    def finish(self) -> Iterator[Any]:
        """Yield a record batch of the rows that are left, if there are any."""
        if self._kinds:
            self.settle()
            yield self._batch()
            self._origins = [(self._origins[-1][0], 0)]
            self._kinds = bytearray()
            self._size = 0
            for some in self._some.values():
                some.clear()

    def _batch(self) -> Any:
        import pyarrow as pa

        found = [some for some in self._some.values() if some.count]
        order = None if len(found) == 1 else _order(self._kinds)
        nothing: dict[Any, Any] = {}  # of each type an array without values, for all its columns
        columns = self._table.columns
        arrays = [self._column(one, found, order, nothing) for one in columns]
        place = [column.name for column in columns].index(self._table.time)
        return pa.record_batch(
            [*self._origin(), *arrays, moments(arrays[place])], schema=self._table.schema
        )

    def _origin(self) -> Iterator[Any]:
        """Yield the columns that say whose the rows are."""
        import pyarrow as pa

        ends = [start for _, start in self._origins[1:]] + [len(self._kinds)]
        numbers = array("i")  # of each row; small captures are many
        for number, ((_, start), end) in enumerate(zip(self._origins, ends, strict=True)):
            numbers.extend(array("i", (number,)) * (end - start))
        places = pa.Array.from_buffers(pa.int32(), len(numbers), [None, pa.py_buffer(numbers)])
        for number in range(len(self._table.origin)):
            told = pa.array([origin[number] for origin, _ in self._origins], pa.string())
            yield told.take(places)

    def _column(
        self, column: Column, found: list[Some], order: Any, nothing: dict[Any, Any]
    ) -> Any:
        import pyarrow as pa

        count = len(self._kinds)
        if column.name == "record":
            tags = pa.array([one.tag for one in self._some.values()], pa.string())
            return tags.take(_bytes(self._kinds))
        values = [one.alike(column.name) for one in found]
        first = values[0][0] if values[0] else None
        if all(one is not None and one.count(first) == len(one) for one in values):
            if first is not None:
                return repeated(first, column.type, count)
            if column.type not in nothing:
                nothing[column.type] = repeated(None, column.type, count)
            return nothing[column.type]
        parts = list(chain.from_iterable(one.arrays(column) for one in found))
        whole = parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
        return whole if order is None else whole.take(order)


def _bytes(values: bytearray) -> Any:
    """Return bytes as Arrow's array; they are not to be changed as long as that is needed."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.uint8(), len(values), [None, pa.py_buffer(values)])


def _order(kinds: bytearray) -> Any:
    """Return where each row stands among those that are put together type by type."""
    import pyarrow.compute as pc

    # Both sort without changing the order of what is equal, and the second turns the first around.
    return pc.array_sort_indices(pc.array_sort_indices(_bytes(kinds)))


def moments(seconds: Any) -> Any:
    """Return seconds since the epoch as an array of points in time, to the microsecond."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.round(pc.multiply(seconds, 1e6))
    first, last = map(float, MICROSECONDS)
    in_range = pc.and_(pc.greater_equal(found, first), pc.less(found, last))
    return pc.if_else(in_range, found, None).cast(pa.int64()).cast(pa.timestamp("us", tz="UTC"))
