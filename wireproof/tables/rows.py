"""Rows of one table, gathered until they are worth a record batch.

Strategy: rows wait as the structs that they are, and become arrays a few thousand at once, type by
type: a tuple each, columns by one ``zip``, an array for each column. To look each field up by its
name costs three times as much, and to wait longer would hold what rows say beside their columns,
payloads above all. A column that says the same in all of them, as most do, is that one value until
then. A record batch puts the arrays of all types together; rows are back in their order by one
``take`` of Arrow's. It may hold the rows of many captures, those of one after those of the one
before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, compress, repeat
from operator import attrgetter, not_
from typing import Any, NamedTuple

import msgspec
from parsers.records import SseEventRecord

from ..export.parquet import GROUP_ROWS, payload_size
from ..text.moments import MICROSECONDS
from .kinds import DATA, LAYOUTS, ORIGIN, TIMES, Column, Kind, Layout, columns, names, schema

GROUP_SIZE = 4 << 20
"""Characters of payload in one record batch, about, and in rows that wait: Arrow and Parquet hold
them some more times."""
STEP_ROWS = 4_096
"""Rows of one type that wait to become arrays: enough for a call of Arrow's to cost nothing."""
astuple = msgspec.structs.astuple
PAYLOAD = attrgetter("data")


class Origin(NamedTuple):
    """Whose rows they are: the first columns of every table."""

    capture: str
    """Its name, as it was given; of a ring of files what their names share."""
    capture_sha256: str
    host: str


class _Alike(NamedTuple):
    """A cell that so many rows have: most columns of a type of rows hardly change."""

    value: Any
    rows: int


class _Some:
    """Rows of one type."""

    __slots__ = ("waiting", "count", "cells", "has_payload", "tag", "_layout", "_columns")

    def __init__(self, layout: Layout, wanted: dict[str, Column]) -> None:
        self.waiting: list[Any] = []
        """Structs; of a layout of several, the values of those that stand in one row."""
        self.count = 0
        """Rows that have come since the last record batch."""
        self.has_payload = "data" in names(layout)
        self.tag: str | None = getattr(layout[0], "record", None)
        self._layout = layout
        self._columns = [wanted.get(name) for name in names(layout)]
        self.cells: dict[str, list[Any]] = {one.name: [] for one in self._columns if one}
        """What each column has: arrays of Arrow's, and :class:`_Alike` instead of one."""

    def take(self, rows: Sequence[Any]) -> int:
        """Take rows; return how many characters of payload they have, about."""
        self.waiting += rows
        self.count += len(rows)
        return payloads(rows) if self.has_payload else 0

    def settle(self) -> None:
        """Make arrays of what waits."""
        if not self.waiting:
            return
        tuples = self.waiting if len(self._layout) > 1 else map(astuple, self.waiting)
        for column, cells in zip(self._columns, zip(*tuples, strict=True), strict=True):
            if column is not None:
                self.cells[column.name].append(_settled(column, cells))
        self.waiting = []

    def alike(self, name: str) -> list[Any] | None:
        """Return the values of a column, where each of its pieces has but one; else None."""
        cells = self.cells.get(name)
        if cells is None:
            return [None]
        found = [one.value for one in cells if isinstance(one, _Alike)]
        return found if len(found) == len(cells) else None

    def arrays(self, column: Column) -> list[Any]:
        """Return a column, in pieces."""
        cells = self.cells.get(column.name)
        if cells is None:
            return [repeated(None, column.type, self.count)]
        return [
            repeated(one.value, column.type, one.rows) if isinstance(one, _Alike) else one
            for one in cells
        ]

    def clear(self) -> None:
        self.count = 0
        for cells in self.cells.values():
            cells.clear()


def _settled(column: Column, cells: tuple[Any, ...]) -> Any:
    """Return what a column holds: an array, or the cell that all rows have."""
    import pyarrow as pa

    first, count = cells[0], len(cells)
    # What differs does so at once or in the end; it would take as long to compare as to convert.
    if cells[-1] == first and cells[count // 2] == first and cells.count(first) == count:
        return _Alike(first if column.convert is None else column.convert(first), count)
    if column.has_pairs:
        return _pairs(column.type, cells)
    if column.type == pa.int64() and (numbers := _numbers(cells)) is not None:
        return numbers
    held = cells if column.convert is None else list(map(column.convert, cells))
    return pa.array(held, type=column.type)


def _numbers(cells: tuple[Any, ...]) -> Any:
    """Return integers as Arrow's array, None if others are among them: in half of the time that
    Arrow takes, which looks at each for what it may be."""
    import pyarrow as pa

    try:
        found = array("q", cells)
    except (TypeError, OverflowError):
        return None
    return pa.Array.from_buffers(pa.int64(), len(found), [None, pa.py_buffer(found)])


def _pairs(kind: Any, cells: Sequence[Any]) -> Any:
    """Return lists of [name, value] as Arrow's array: of each name and value alone, it takes a
    fourth of the time that a dictionary for each of them would."""
    import pyarrow as pa

    ends = list(accumulate([len(pairs) if pairs else 0 for pairs in cells], initial=0))
    if None in cells:
        starts = [
            None if pairs is None else start for start, pairs in zip(ends, cells, strict=False)
        ]
        places = pa.array([*starts, ends[-1]], pa.int32())
    else:
        places = pa.array(ends, pa.int32())
    flat = list(chain.from_iterable(chain.from_iterable(filter(None, cells))))
    told = [pa.array(flat[number::2], field.type) for number, field in enumerate(kind.value_type)]
    return pa.ListArray.from_arrays(
        places, pa.StructArray.from_arrays(told, fields=list(kind.value_type)), type=kind
    )


def repeated(value: Any, kind: Any, count: int) -> Any:
    """Return an array of Arrow's with the same value everywhere."""
    import pyarrow as pa

    if value is None:
        return pa.nulls(count, kind)
    if pa.types.is_nested(kind):  # Arrow builds each anew, which takes it fifty times as long
        return pa.array([value], kind).take(pa.repeat(0, count))
    return pa.repeat(pa.scalar(value, kind), count)


def payloads(rows: Sequence[Any]) -> int:
    """Return how many characters of payload rows of one type have, about."""
    data = list(map(PAYLOAD, rows))
    size = sum(map(len, filter(None, data)))
    if isinstance(rows[0], SseEventRecord) and not all(data):
        size += sum(map(payload_size, compress(rows, map(not_, data))))
    return size


class Rows:
    """Gathers the rows of one table, of one capture after the other."""

    def __init__(self, kind: Kind, *, keep_data: bool = False) -> None:
        self.kind = kind
        is_left_out = kind == "elements" and not keep_data
        wanted = {one.name: one for one in columns(kind) if not (is_left_out and one.name in DATA)}
        self._keep_data = keep_data
        self._some = {layout[0]: _Some(layout, wanted) for layout in LAYOUTS[kind]}
        self._numbers = {first: number for number, first in enumerate(self._some)}
        self.taken = 0
        """Rows that have come, of all captures."""
        self._kinds = bytearray()
        """The type of each row that the next record batch has, by its number."""
        self._waiting = 0
        self._size = self._waiting_size = 0
        self._origins: list[tuple[Origin, int]] = []
        """Each capture with the place of its first row."""

    def begin(self, origin: Origin) -> None:
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
            end = min(start + GROUP_ROWS - len(self._kinds), start + STEP_ROWS, len(joined))
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
        end = min(start + GROUP_ROWS - len(self._kinds), start + STEP_ROWS, len(rows))
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
        if len(self._kinds) >= GROUP_ROWS or self._size >= GROUP_SIZE:
            yield from self.finish()

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
        arrays = [self._column(one, found, order, nothing) for one in columns(self.kind)]
        place = [column.name for column in columns(self.kind)].index(TIMES[self.kind])
        return pa.record_batch(
            [*self._origin(), *arrays, moments(arrays[place])], schema=schema(self.kind)
        )

    def _origin(self) -> Iterator[Any]:
        """Yield the columns that say whose the rows are."""
        import pyarrow as pa

        ends = [start for _, start in self._origins[1:]] + [len(self._kinds)]
        counts = [end - start for (_, start), end in zip(self._origins, ends, strict=True)]
        for number in range(len(ORIGIN)):
            told = [origin[number] for origin, _ in self._origins]
            yield pa.concat_arrays(map(repeated, told, repeat(pa.string()), counts))

    def _column(
        self, column: Column, found: list[_Some], order: Any, nothing: dict[Any, Any]
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
