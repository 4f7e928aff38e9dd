"""Tables of several kinds of rows: one column for a field that they share."""

from __future__ import annotations

from typing import get_args

from msgspec import inspect

from parsers.records import Record
from wireproof.arrow.types import column_of, without_null
from wireproof.export.parquet import TABLE


def test_kinds_agree_on_the_types_of_the_fields_they_share() -> None:
    """Else the last kind's would be the column's, and the others' values would not fit."""
    shared = {column.name: column.type for column in TABLE.columns}
    for kind in get_args(Record):
        for field in inspect.type_info(kind).fields:
            own = column_of(field.name, without_null(field.type)).type
            assert shared[field.name] == own, (kind, field.name)
