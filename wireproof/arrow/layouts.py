"""What a table is made of: the structs of its rows, and the columns that these give.

Strategy: a row is a struct, or several beside each other; a table has the fields of every kind of
its rows, null where a kind has none, so that every capture gives the same columns. After them
stands ``time``, for queries and charts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import Any, cast

import msgspec
from msgspec import inspect

from .types import Column, column_of, without_null

Layout = tuple[type[msgspec.Struct], ...]
"""What a row is made of."""


def fields(layout: Layout) -> Iterator[tuple[str, inspect.Type]]:
    """Yield the fields of a row with their types, in order."""
    for part in layout:
        found = cast(inspect.StructType, inspect.type_info(part))
        yield from ((field.name, without_null(field.type)) for field in found.fields)


@cache
def names(layout: Layout) -> tuple[str, ...]:
    """Return the names of a row's fields, in order."""
    return tuple(name for name, _ in fields(layout))


class Table:
    """The rows of ``layouts``; ``time`` is the field that a point in time is made of.

    ``order`` is that of the columns; None: as the layouts have them. ``origin`` are the columns
    before them that say whose a row is. With ``is_tagged`` a row's type is told by its tag, in the
    column ``record``.
    """

    def __init__(
        self,
        layouts: Sequence[Layout],
        *,
        time: str,
        order: Sequence[str] | None = None,
        origin: tuple[str, ...] = (),
        is_tagged: bool = False,
    ) -> None:
        self.layouts = layouts
        self.time = time
        self.origin = origin
        self._order = order
        self._is_tagged = is_tagged

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that rows give, in order."""
        found = {name: of for layout in self.layouts for name, of in fields(layout)}
        order = list(found) if self._order is None else [one for one in self._order if one in found]
        rows = [column_of(name, found[name]) for name in order if name != "record"]
        if not self._is_tagged:
            return tuple(rows)
        return (column_of("record", inspect.StrType()), *rows)

    @cached_property
    def schema(self) -> Any:
        """All columns, as a pyarrow.Schema."""
        import pyarrow as pa

        origin = [pa.field(name, pa.string()) for name in self.origin]
        own = [pa.field(column.name, column.type) for column in self.columns]
        return pa.schema([*origin, *own, pa.field("time", pa.timestamp("us", tz="UTC"))])
