"""``--format csv``: a table of all records for spreadsheets and data frames.

Strategy: one row a record under one header. The columns are the fields of all kinds of
records, common ones first, in the order in which the kinds declare them, so they are the same
for every capture. A cell is empty where a record has no such field or it is null; true, false
and lists are written as JSON. RFC 4180 but for the line ends, which are LF as everywhere here.

Most columns of a row are empty: each kind of record has a row of its own into which its fields are
put, a field of many records at a time: most have the same value in all of them, or numbers, or
nothing that has to be put in quotes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import Any, BinaryIO, get_args

import msgspec
from parsers.records import Record, field_names

from . import Buffer


def _columns() -> list[str]:
    """Return the union of all records' fields; those that most kinds have come first."""
    kinds = get_args(Record)
    had_by = Counter(name for kind in kinds for name in field_names(kind))
    in_order = list(had_by)
    common = [name for name in in_order if had_by[name] >= len(kinds) - 1]
    return common + [name for name in in_order if name not in common]


COLUMNS = _columns()

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


# RFC 4180 section 2, rule 6: what must be in quotes. A bare CR ends a row for some readers, too.
NEEDS_QUOTES = re.compile(r'[",\r\n]').search
IS_PLAIN = re.compile(
    r"(?! *[" + re.escape("".join(FORMULA)) + r'])[^",\r\n]*', re.DOTALL
).fullmatch
"""Whether a text is its cell as it stands: no formula, and nothing that must be in quotes."""


SHORT, MAX_KNOWN = 24, 1_024
"""Characters of a text that is known again when it comes, and how many are."""


def _quoted(text: str) -> str:
    if NEEDS_QUOTES(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


@lru_cache(MAX_KNOWN)
def _short_text(text: str) -> str:
    return text if IS_PLAIN(text) else _quoted(str(without_formula(text)))


def _text(text: str) -> str:
    if len(text) <= SHORT:
        return _short_text(text)  # nearly always a name that comes again
    return text if IS_PLAIN(text) else _quoted(str(without_formula(text)))


def _json(value: object) -> str:
    return _quoted(msgspec.json.encode(value).decode())


def _named(value: dict[str, Any]) -> str:
    return _quoted(str(value))


Cells = dict[type, Callable[[Any], str]]
"""How values of each type are written, but for numbers, which Python writes as they are."""
RAW: Cells = {
    str: _quoted, bool: {False: "false", True: "true"}.__getitem__, list: _json, dict: _named,
    type(None): lambda _: "",
}  # fmt: skip
SAFE: Cells = RAW | {str: _text}
NUMBERS, TEXT = frozenset((int, float)), frozenset((str,))
BEFORE_FORMULA = frozenset((*FORMULA, " "))
"""How a text begins that may be one."""


@cache
def _layout(kind: type[Record]) -> tuple[str, Callable[[Record], tuple[Any, ...]]]:
    """Return the row of a kind of record, with a place for each field, and what takes the fields.

    Both in the order of the columns.
    """
    names = sorted(field_names(kind), key=COLUMNS.index)
    row = ",".join("%s" if name in names else "" for name in COLUMNS)
    return f"{row}\n", attrgetter(*names)


def _encoded(records: Sequence[Record], cells: Cells) -> tuple[bytes, list[int]]:
    of_kind: dict[type[Record], list[Record]] = {}
    for record in records:
        of_kind.setdefault(type(record), []).append(record)
    made = {kind: _rows(kind, some, cells) for kind, some in of_kind.items()}
    rows = [next(made[type(record)]) for record in records]
    return b"".join(rows), list(accumulate(map(len, rows)))


def _rows(kind: type[Record], records: Sequence[Record], cells: Cells) -> Iterator[bytes]:
    """Return the rows of records of one kind: made column by column, in two thirds of the time."""
    row, fields = _layout(kind)
    columns = [_column(values, cells) for values in zip(*map(fields, records), strict=True)]
    return ((row % values).encode() for values in zip(*columns, strict=True))


def _column(values: Sequence[Any], cells: Cells) -> Sequence[Any]:
    """Return the cells of a field; of numbers these are the values."""
    kinds = set(map(type, values))
    if kinds <= NUMBERS:
        return values
    if kinds == TEXT:
        if values.count(values[0]) == len(values):
            return [cells[str](values[0])] * len(values)
        if BEFORE_FORMULA & {value[:1] for value in values}:
            return list(map(cells[str], values))
        return values if NEEDS_QUOTES("".join(values)) is None else list(map(_quoted, values))
    return [value if (of := type(value)) in NUMBERS else cells[of](value) for value in values]


class CsvView:
    """Writes a header, then a row for each record, in UTF-8: no cell from the wire is a formula."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.write_encoded([",".join(COLUMNS).encode() + b"\n"])

    @staticmethod
    def encode(records: Sequence[Record], /) -> tuple[bytes, list[int]]:
        """Return the rows of the records, and where each ends; a cell may hold line ends."""
        return _encoded(records, SAFE)

    def write(self, records: Sequence[Record]) -> None:
        """Write a row for each of the records."""
        self._stream.write(self.encode(records)[0])

    def write_encoded(self, parts: Sequence[Buffer]) -> None:
        """Write rows."""
        self._stream.writelines(parts)

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Flush: a row needs no end but its own."""
        self._stream.flush()


class RawCsvView(CsvView):
    """The same with cells as they are, formulas of a spreadsheet or not."""

    @staticmethod
    def encode(records: Sequence[Record], /) -> tuple[bytes, list[int]]:
        """Return the rows of the records, and where each ends."""
        return _encoded(records, RAW)
