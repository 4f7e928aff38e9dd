"""``--format csv``: a table of all records for spreadsheets and data frames.

Strategy: one row a record under one header. The columns are the fields of all kinds of
records, common ones first, in the order in which the kinds declare them, so they are the same
for every capture. A cell is empty where a record has no such field or it is null; true, false
and lists are written as JSON. RFC 4180 but for the line ends, which are LF as everywhere here.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import fields
from io import TextIOWrapper
from typing import Any, BinaryIO, get_args

import msgspec

from parsers.records import Record


def _columns() -> list[str]:
    """Return the union of all records' fields; those that most kinds have come first."""
    kinds = get_args(Record)
    in_order = dict.fromkeys(field.name for kind in kinds for field in fields(kind))
    had_by = {name: sum(name in kind.__slots__ for kind in kinds) for name in in_order}
    common = [name for name in in_order if had_by[name] >= len(kinds) - 1]
    return common + [name for name in in_order if name not in common]


COLUMNS = _columns()

PLACES = {
    kind: [(field.name, COLUMNS.index(field.name)) for field in fields(kind)]
    for kind in get_args(Record)
}
"""The column of each field of each kind: most columns of a row are empty, and need no look."""


class CsvView:
    """Writes a header, then a row for each record, in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, records: Sequence[Record]) -> None:
        """Write a row for each of the records."""
        self._writer.writerows(map(_row, records))

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._text.flush()

    def close(self) -> None:
        """Flush, and let go of the stream, which stays open."""
        self._text.flush()
        self._text.detach()


def _row(record: Record) -> list[Any]:
    row: list[Any] = [None] * len(COLUMNS)
    for name, place in PLACES[type(record)]:
        value = getattr(record, name)
        if isinstance(value, bool | list):
            value = msgspec.json.encode(value).decode()
        row[place] = value
    return row
