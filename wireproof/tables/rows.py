"""Rows of one table, gathered until they are worth a record batch.

Strategy: rows of one type stand together as tuples, which become columns by one ``zip`` and arrays
by one call each: looking each field up by its name costs five times as much. A table of several
types has its rows back in their order by one ``take`` of Arrow's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple

import msgspec

from ..export.parquet import payload_size
from .kinds import DATA, LAYOUTS, ORIGIN, TIMES, Column, Kind, Layout, columns, names, schema

GROUP_ROWS = 65_536
"""Rows of one record batch, which is a row group of a file, at most: enough for a scan to skip by,
few enough to hold those of all tables at once."""
GROUP_SIZE = 4 << 20
"""Characters of payload in one record batch, about: Arrow and Parquet hold them some more times."""
ROW = 64
"""Characters that a row without payload counts as."""
LATEST = float((1 << 63) - 1024)
"""Microseconds since the epoch that a column of times may hold; what is later is null there."""
astuple = msgspec.structs.astuple


class Origin(NamedTuple):
    """Whose rows they are: the first columns of every table."""

    capture: str
    """Its name, as it was given; of a ring of files what their names share."""
    capture_sha256: str
    host: str


class _Some:
    """Rows of one type."""

    __slots__ = ("names", "tag", "tuples", "places")

    def __init__(self, layout: Layout) -> None:
        self.names = names(layout)
        self.tag: str | None = getattr(layout[0], "record", None)
        self.tuples: list[tuple[Any, ...]] = []
        self.places: list[int] = []

    def by_name(self) -> dict[str, tuple[Any, ...]]:
        """Return what each field holds, row by row."""
        return dict(zip(self.names, zip(*self.tuples, strict=True), strict=True))


class Rows:
    """Gathers the rows of one table."""

    def __init__(self, kind: Kind, origin: Origin, *, keep_data: bool = False) -> None:
        self.kind = kind
        self._origin = origin
        self._keep_data = keep_data
        self._some = {layout[0]: _Some(layout) for layout in LAYOUTS[kind]}
        self._count = self._size = 0

    def add(self, parts: Sequence[msgspec.Struct]) -> Iterator[Any]:
        """Take a row; yield the record batch that it fills."""
        some = self._some[type(parts[0])]
        row = astuple(parts[0])
        size = payload_size(parts[0])
        if self._keep_data:
            self._size += size
        elif size > ROW:  # what is left out need not be held until the batch is whole
            cells = zip(some.names, row, strict=False)  # names are those of all parts
            row = tuple([None if name in DATA else cell for name, cell in cells])
        some.tuples.append(row if len(parts) == 1 else tuple(chain(*map(astuple, parts))))
        some.places.append(self._count)
        self._count += 1
        self._size += ROW
        if self._count >= GROUP_ROWS or self._size >= GROUP_SIZE:
            yield from self.finish()

    def finish(self) -> Iterator[Any]:
        """Yield a record batch of the rows that are left, if there are any."""
        if self._count:
            yield self._batch()
            self._count = self._size = 0
            for some in self._some.values():
                some.tuples, some.places = [], []

    def _batch(self) -> Any:
        import pyarrow as pa

        found = [some for some in self._some.values() if some.tuples]
        by_name = [some.by_name() for some in found]
        arrays = [self._column(column, found, by_name) for column in columns(self.kind)]
        if (order := _order(found)) is not None:
            arrays = [array.take(order) for array in arrays]
        place = [column.name for column in columns(self.kind)].index(TIMES[self.kind])
        origin = [pa.repeat(pa.scalar(text, pa.string()), self._count) for text in self._origin]
        assert len(origin) == len(ORIGIN)
        return pa.record_batch([*origin, *arrays, moments(arrays[place])], schema=schema(self.kind))

    def _column(
        self, column: Column, found: list[_Some], by_name: list[dict[str, tuple[Any, ...]]]
    ) -> Any:
        import pyarrow as pa

        parts = []
        is_left_out = not self._keep_data and self.kind == "elements" and column.name in DATA
        for some, values in zip(found, by_name, strict=True):
            cells = None if is_left_out else values.get(column.name)
            if column.name == "record":
                parts.append(pa.repeat(pa.scalar(some.tag, pa.string()), len(some.tuples)))
            elif cells is None:
                parts.append(pa.nulls(len(some.tuples), column.type))
            else:
                held = cells if column.convert is None else list(map(column.convert, cells))
                parts.append(pa.array(held, type=column.type))
        return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _order(found: list[_Some]) -> Any:
    """Return where each row stands among those that were put together by type; None if all stand
    where they should."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = list(chain.from_iterable(some.places for some in found))
    if all(first < second for first, second in pairwise(places)):
        return None
    return pc.sort_indices(pa.array(places, pa.int64()))


def moments(seconds: Any) -> Any:
    """Return seconds since the epoch as an array of points in time, to the microsecond."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.round(pc.multiply(seconds, 1e6))
    in_range = pc.less_equal(pc.abs(found), LATEST)
    return pc.if_else(in_range, found, None).cast(pa.int64()).cast(pa.timestamp("us", tz="UTC"))
