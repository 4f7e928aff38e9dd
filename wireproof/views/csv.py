"""``--format csv``: a table of all records for spreadsheets and data frames.

Strategy: one row a record under one header. The columns are the fields of all kinds of
records, common ones first, in the order in which the kinds declare them, so they are the same
for every capture. A cell is empty where a record has no such field or it is null; true, false
and lists are written as JSON. RFC 4180 but for the line ends, which are LF as everywhere here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, get_args

import msgspec
from parsers.records import Record, field_names


def _columns() -> list[str]:
    """Return the union of all records' fields; those that most kinds have come first."""
    kinds = get_args(Record)
    had_by = Counter(name for kind in kinds for name in field_names(kind))
    in_order = list(had_by)
    common = [name for name in in_order if had_by[name] >= len(kinds) - 1]
    return common + [name for name in in_order if name not in common]


COLUMNS = _columns()

PLACES = {
    kind: [(name, COLUMNS.index(name)) for name in field_names(kind)] for kind in get_args(Record)
}
"""The column of each field of each kind: most columns of a row are empty, and need no look."""


FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""What begins a formula, or white space that is dropped before one; in full width too."""


def without_formula(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV Injection).

    Such a text gets an apostrophe before it, which spreadsheets do not show. Numbers are ours and
    need none; lists are JSON, which begins with a bracket.
    """
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA):
        return f"'{cell}"
    return cell


class CsvView:
    """Writes a header, then a row for each record, in UTF-8: no cell from the wire is a formula."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.write_encoded(_encode([COLUMNS]))

    @staticmethod
    def encode(records: Sequence[Record], /) -> list[bytes]:
        """Return the row of each record with its line end; a cell may hold others."""
        return _encode(map(_row, records))

    def write(self, records: Sequence[Record]) -> None:
        """Write a row for each of the records."""
        self.write_encoded(self.encode(records))

    def write_encoded(self, parts: Sequence[bytes]) -> None:
        """Write rows."""
        self._stream.writelines(parts)

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Flush: a row needs no end but its own."""
        self._stream.flush()


class _Rows(list[bytes]):
    """What a csv.writer takes for a file: it calls ``write`` once for each row."""

    def write(self, row: str) -> None:
        self.append(row.removesuffix("\r\n").encode() + b"\n")


def _encode(rows: Iterable[Sequence[Any]]) -> list[bytes]:
    encoded = _Rows()
    # A cell is put in quotes for what ends a row here: readers take a bare CR for that too.
    csv.writer(encoded, lineterminator="\r\n").writerows(rows)
    return encoded


def _row(record: Record) -> list[Any]:
    return list(map(without_formula, _raw_row(record)))


def _raw_row(record: Record) -> list[Any]:
    row: list[Any] = [None] * len(COLUMNS)
    for name, place in PLACES[type(record)]:
        value = getattr(record, name)
        if isinstance(value, bool | list):
            value = msgspec.json.encode(value).decode()
        row[place] = value
    return row


class RawCsvView(CsvView):
    """The same with cells as they are, formulas of a spreadsheet or not."""

    @staticmethod
    def encode(records: Sequence[Record], /) -> list[bytes]:
        """Return the row of each record with its line end."""
        return _encode(map(_raw_row, records))
