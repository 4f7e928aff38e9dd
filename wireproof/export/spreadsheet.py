"""CSV that a spreadsheet can open: no cell from the wire is ever a formula.

Strategy: the rows are those of ``decode --format csv``. A text that a spreadsheet would take for a
formula gets an apostrophe before it, which spreadsheets do not show (OWASP, CSV Injection). Numbers
are ours and need none; lists are JSON, which begins with a bracket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from msgspec.structs import asdict, replace
from parsers.records import Record

from ..views.csv import CsvView

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""What begins a formula, or white space that is dropped before one; in full width too."""


class SafeCsv:
    """Writes a header, then a row for each record, in UTF-8."""

    def __init__(self, stream: BinaryIO, *, raw_cells: bool = False) -> None:
        self._view = CsvView(stream)
        self._raw_cells = raw_cells

    def write(self, records: Sequence[Record]) -> None:
        """Write a row for each of the records."""
        self._view.write(records if self._raw_cells else [*map(without_formulas, records)])

    def close(self) -> None:
        """Hand what is written to the system."""
        self._view.close()


def without_formulas(record: Record) -> Record:
    """Return a record none of whose texts is a formula; the record itself if none is."""
    changed: dict[str, Any] = {
        name: f"'{value}"
        for name, value in asdict(record).items()
        if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA)
    }
    return replace(record, **changed) if changed else record
