"""Rows of any columns: a table for people, CSV for spreadsheets, JSON for scripts.

Strategy: rows come in batches of columns, and are written as they come. A table's widths are those
of its first batch, so that the others need not wait; what is wider is cut. Text may be from the
wire: it is escaped for people, and a cell that a spreadsheet would take for a formula is none.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, TextIO

import msgspec
from rich.console import Console

from ..text.escape import escape
from .csv import without_formula
from .kinds import table_width
from .lines import Line, fit, measure
from .painter import Painter

Row = Mapping[str, Any]
MAX_CELL = 60
"""Characters of a cell in a table; more are cut."""
BETWEEN = 2
"""Blanks between two columns."""


def shown(value: Any) -> str:
    """Return a value as people read it, with nothing in it that a terminal would obey."""
    value = _finite(value)
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
    else:
        text = encoded(value)
    cut = text[: MAX_CELL + 1]
    return escape(cut if len(text) <= MAX_CELL else cut[: MAX_CELL - 1] + "…")


def encoded(value: Any) -> str:
    """Return a value as JSON; what JSON has not (NaN, infinity) is null there."""
    return msgspec.json.encode(_finite(value), enc_hook=str).decode()


def _finite(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


class RowTable:
    """Prints a table; ``width`` is the terminal's."""

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        self._painter = Painter(console, table_width(console))
        self._width = self._painter.width

    def write(self, names: Sequence[str], batches: Iterable[Sequence[Row]]) -> int:
        """Write all rows; return how many."""
        widths: list[int] = []
        count = 0
        for rows in batches:
            cells = [[shown(row[name]) for name in names] for row in rows]
            if not widths:
                heads = [escape(name) for name in names]
                widths = [max(map(_width, column)) for column in zip(heads, *cells, strict=True)]
                self._print([_line(heads, widths, [""] * len(names), "heading")])
            kinds = [_kind(rows[0][name]) for name in names] if rows else []
            self._print([_line(one, widths, kinds, "") for one in cells])
            count += len(cells)
        self._painter.flush()
        return count

    def _print(self, lines: list[Line]) -> None:
        self._painter.print(self._painter.paint([fit(line, self._width) for line in lines]))


def _width(text: str) -> int:
    return measure([(text, "")])


def _kind(value: Any) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else ""


def _line(cells: Sequence[str], widths: Sequence[int], kinds: Sequence[str], style: str) -> Line:
    line: Line = []
    for cell, width, kind in zip(cells, widths, kinds, strict=True):
        blanks = " " * (width - _width(cell))
        padded = blanks + cell if kind == "number" else cell + blanks
        line += [(padded, style), (" " * BETWEEN, "")]
    return line[:-1]


class RowCsv:
    """Writes a header, and a line for each row; lists are JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, names: Sequence[str], batches: Iterable[Sequence[Row]]) -> int:
        writer = csv.writer(self._stream, lineterminator="\n")
        writer.writerow(map(without_formula, names))  # a pivot's are from the wire
        count = 0
        for rows in batches:
            writer.writerows([self._cell(row[name]) for name in names] for row in rows)
            count += len(rows)
        self._stream.flush()
        return count

    def _cell(self, value: Any) -> Any:
        value = _finite(value)
        if isinstance(value, datetime):
            return value.isoformat()
        return without_formula(value if isinstance(value, (str, int, float)) else self._text(value))

    def _text(self, value: Any) -> str:
        return "" if value is None else encoded(value)


class RowJson:
    """Writes one JSON array, a row a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, names: Sequence[str], batches: Iterable[Sequence[Row]]) -> int:
        count = 0
        for rows in batches:
            for row in rows:
                self._stream.write(",\n" if count else "[\n")
                self._stream.write(encoded(dict(row)))
                count += 1
        self._stream.write("\n]\n" if count else "[]\n")
        self._stream.flush()
        return count


FORMATS: dict[str, Callable[[TextIO], RowTable | RowCsv | RowJson]] = {
    "table": RowTable,
    "csv": RowCsv,
    "json": RowJson,
}
"""Every format of text, and what opens it on a stream."""
