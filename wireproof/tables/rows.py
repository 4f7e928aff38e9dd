"""Rows of one table, gathered until they are worth a record batch.

Strategy: rows wait as the structs that they are, and become arrays a few thousand at once, type by
type: a tuple each, columns by one ``zip``, an array for each column. To look each field up by its
name costs three times as much, and to wait longer would hold what rows say beside their columns,
payloads above all. A record batch puts the arrays of all types together; rows are back in their
order by one ``take`` of Arrow's. It may hold the rows of many captures, those of one after those of
the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import msgspec

from ..export.parquet import payload_size
from ..text.moments import MICROSECONDS
from .kinds import DATA, LAYOUTS, ORIGIN, TIMES, Column, Kind, Layout, columns, names, schema

GROUP_ROWS = 65_536
"""Rows of one record batch, which is a row group of a file, at most: enough for a scan to skip by,
few enough to hold those of all tables at once."""
GROUP_SIZE = 4 << 20
"""Characters of payload in one record batch, about, and in rows that wait: Arrow and Parquet hold
them some more times."""
STEP_ROWS = 4_096
"""Rows of one type that wait to become arrays: enough for a call of Arrow's to cost nothing."""
astuple = msgspec.structs.astuple
Row = Sequence[msgspec.Struct]
"""What stands in one row beside each other, of the types of a layout."""


class Origin(NamedTuple):
    """Whose rows they are: the first columns of every table."""

    capture: str
    """Its name, as it was given; of a ring of files what their names share."""
    capture_sha256: str
    host: str


class _Some:
    """Rows of one type."""

    __slots__ = ("waiting", "places", "arrays", "has_payload", "_layout", "_columns")

    def __init__(self, layout: Layout, wanted: dict[str, Column]) -> None:
        self.waiting: list[Any] = []
        """Structs; of a layout of several, the values of those that stand in one row."""
        self.places: list[int] = []
        self.has_payload = "data" in names(layout)
        self._layout = layout
        self._columns = [wanted.get(name) for name in names(layout)]
        self.arrays: dict[str, list[Any]] = {one.name: [] for one in self._columns if one}

    @property
    def tag(self) -> str | None:
        return getattr(self._layout[0], "record", None)

    def settle(self) -> None:
        """Make arrays of what waits."""
        import pyarrow as pa

        if not self.waiting:
            return
        tuples = self.waiting if len(self._layout) > 1 else map(astuple, self.waiting)
        for column, cells in zip(self._columns, zip(*tuples, strict=True), strict=True):
            if column is not None:
                held = cells if column.convert is None else list(map(column.convert, cells))
                self.arrays[column.name].append(pa.array(held, type=column.type))
        self.waiting = []

    def clear(self) -> None:
        self.places = []
        for arrays in self.arrays.values():
            arrays.clear()


class Rows:
    """Gathers the rows of one table, of one capture after the other."""

    def __init__(self, kind: Kind, *, keep_data: bool = False) -> None:
        self.kind = kind
        is_left_out = kind == "elements" and not keep_data
        wanted = {one.name: one for one in columns(kind) if not (is_left_out and one.name in DATA)}
        self._keep_data = keep_data
        self._some = {layout[0]: _Some(layout, wanted) for layout in LAYOUTS[kind]}
        self.taken = 0
        """Rows that have come, of all captures."""
        self._count = self._waiting = 0
        self._size = self._waiting_size = 0
        self._origins: list[tuple[Origin, int]] = []
        """Each capture with the place of its first row."""

    def begin(self, origin: Origin) -> None:
        """Take note whose the next rows are."""
        if self._origins and self._origins[-1][1] == self._count:
            self._origins.pop()
        self._origins.append((origin, self._count))

    def add(self, row: Row) -> Iterator[Any]:
        """Take a row of a layout of several types; yield the record batch that it fills."""
        some = self._some[type(row[0])]
        some.waiting.append(tuple(chain.from_iterable(map(astuple, row))))
        some.places.append(self._count)
        self._add(1)
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
        end = min(start + GROUP_ROWS - self._count, start + STEP_ROWS, len(rows))
        if self._keep_data:
            sizes = accumulate(map(payload_size, rows[start:end]))
            full = (number for number, size in enumerate(sizes, start + 1) if size >= GROUP_SIZE)
            end = next(full, end)
        return end

    def _take(self, rows: Sequence[msgspec.Struct]) -> None:
        some = self._some
        for place, row in enumerate(rows, self._count):
            found = some[type(row)]
            found.waiting.append(row)
            found.places.append(place)
            if found.has_payload:
                self._waiting_size += len(row.data or "") or payload_size(row)  # type: ignore[attr-defined]
        self._add(len(rows))

    def _add(self, count: int) -> None:
        self.taken += count
        self._count += count
        self._waiting += count

    def _full(self) -> Iterator[Any]:
        if self._waiting >= STEP_ROWS or self._waiting_size >= GROUP_SIZE:
            self.settle()
        if self._count >= GROUP_ROWS or self._size >= GROUP_SIZE:
            yield from self.finish()

    def settle(self) -> None:
        """Make arrays of the rows that wait: then nothing else of them is held."""
        for some in self._some.values():
            some.settle()
        self._size += self._waiting_size if self._keep_data else 0
        self._waiting = self._waiting_size = 0

    def finish(self) -> Iterator[Any]:
        """Yield a record batch of the rows that are left, if there are any."""
        if self._count:
            self.settle()
            yield self._batch()
            self._origins = [(self._origins[-1][0], 0)]
            self._count = self._size = 0
            for some in self._some.values():
                some.clear()

    def _batch(self) -> Any:
        import pyarrow as pa

        found = [some for some in self._some.values() if some.places]
        order = _order(found)
        arrays = [self._column(column, found, order) for column in columns(self.kind)]
        place = [column.name for column in columns(self.kind)].index(TIMES[self.kind])
        return pa.record_batch(
            [*self._origin(), *arrays, moments(arrays[place])], schema=schema(self.kind)
        )

    def _origin(self) -> Iterator[Any]:
        """Yield the columns that say whose the rows are."""
        import pyarrow as pa

        ends = [start for _, start in self._origins[1:]] + [self._count]
        numbers = pa.concat_arrays(
            pa.repeat(pa.scalar(number, pa.int32()), end - start)
            for number, ((_, start), end) in enumerate(zip(self._origins, ends, strict=True))
        )
        for number in range(len(ORIGIN)):
            told = pa.array([origin[number] for origin, _ in self._origins], pa.string())
            yield told.take(numbers)

    def _column(self, column: Column, found: list[_Some], order: Any) -> Any:
        import pyarrow as pa

        if column.name == "record":
            parts = [pa.repeat(pa.scalar(one.tag, pa.string()), len(one.places)) for one in found]
        elif any(column.name in one.arrays for one in found):
            parts = []
            for one in found:
                parts += one.arrays.get(column.name) or [pa.nulls(len(one.places), column.type)]
        else:
            return pa.nulls(self._count, column.type)
        array = parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
        return array if order is None else array.take(order)


def _order(found: list[_Some]) -> Any:
    """Return where each row stands among those that were put together by type; None if all stand
    where they should."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = list(chain.from_iterable(some.places for some in found))
    if len(found) == 1 or all(first < second for first, second in pairwise(places)):
        return None
    return pc.sort_indices(pa.array(places, pa.int64()))


def moments(seconds: Any) -> Any:
    """Return seconds since the epoch as an array of points in time, to the microsecond."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.round(pc.multiply(seconds, 1e6))
    first, last = map(float, MICROSECONDS)
    in_range = pc.and_(pc.greater_equal(found, first), pc.less(found, last))
    return pc.if_else(in_range, found, None).cast(pa.int64()).cast(pa.timestamp("us", tz="UTC"))
