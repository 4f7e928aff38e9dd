"""Rows of one kind as columns: a few thousand at once, field by field.

Strategy: rows wait as the structs that they are, and become arrays together: a tuple each, columns
by one ``zip``, an array for each column. To look each field up by its name costs three times as
much, and to wait longer would hold what rows say beside their columns, payloads above all. A column
that says the same in all of them, as most do, is that one value until then.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, compress
from operator import attrgetter, not_
from typing import Any, NamedTuple

import msgspec
from parsers.records import SseEventRecord

from .layouts import Layout, names
from .types import Column

astuple = msgspec.structs.astuple
PAYLOAD = attrgetter("data")


class Alike(NamedTuple):
    """A cell that so many rows have: most columns of a type of rows hardly change."""

    value: Any
    rows: int


class Some:
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
        """What each column has: arrays of Arrow's, and :class:`Alike` instead of one."""

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
                self.cells[column.name].append(settled(column, cells))
        self.waiting = []

    def alike(self, name: str) -> list[Any] | None:
        """Return the values of a column, where each of its pieces has but one; else None."""
        cells = self.cells.get(name)
        if cells is None:
            return [None]
        found = [one.value for one in cells if isinstance(one, Alike)]
        return found if len(found) == len(cells) else None

    def arrays(self, column: Column) -> list[Any]:
        """Return a column, in pieces."""
        cells = self.cells.get(column.name)
        if cells is None:
            return [repeated(None, column.type, self.count)]
        return [
            repeated(one.value, column.type, one.rows) if isinstance(one, Alike) else one
            for one in cells
        ]

    def clear(self) -> None:
        self.count = 0
        for cells in self.cells.values():
            cells.clear()


def settled(column: Column, cells: tuple[Any, ...]) -> Any:
    """Return what a column holds: an array, or the cell that all rows have."""
    import pyarrow as pa

    first, count = cells[0], len(cells)
    # What differs does so at once or in the end; it would take as long to compare as to convert.
    if cells[-1] == first and cells[count // 2] == first and cells.count(first) == count:
        return Alike(first if column.convert is None else column.convert(first), count)
    if column.has_pairs:
        return pairs(column.type, cells)
    if column.type == pa.int64() and (numbers := integers(cells)) is not None:
        return numbers
    held = cells if column.convert is None else list(map(column.convert, cells))
    return pa.array(held, type=column.type)


def integers(cells: tuple[Any, ...]) -> Any:
    """Return integers as Arrow's array, None if others are among them: in half of the time that
    Arrow takes, which looks at each for what it may be."""
    import pyarrow as pa

    try:
        found = array("q", cells)
    except (TypeError, OverflowError):
        return None
    return pa.Array.from_buffers(pa.int64(), len(found), [None, pa.py_buffer(found)])


def pairs(kind: Any, cells: Sequence[Any]) -> Any:
    """Return lists of [name, value] as Arrow's array: of each name and value alone, it takes a
    fourth of the time that a dictionary for each of them would."""
    import pyarrow as pa

    ends = list(accumulate([len(some) if some else 0 for some in cells], initial=0))
    if None in cells:
        starts = [None if some is None else start for start, some in zip(ends, cells, strict=False)]
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


def payload_size(record: msgspec.Struct) -> int:
    """Return how many characters a record's payload has, about.

    Those of an event's fields, some of which are its data; one that was not dispatched has no data.
    """
    if isinstance(record, SseEventRecord):
        return sum(len(value) for _, value in record.fields or ()) + len(record.data or "")
    return len(getattr(record, "data", None) or "")
