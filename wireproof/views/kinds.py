"""Every view in one table: its name, what it is, and the function that opens it.

Strategy: ``--view`` and ``--format`` choose from this table, and nothing else knows which views
there are. A function imports its view when it is called: ``table`` needs rich, the others do not,
and ``--help`` needs none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Generic, Literal, TextIO, TypeVar

from ..output import format_by_ending

if TYPE_CHECKING:
    from rich.console import Console

    from ..dialects.reader import Readers
    from . import Export, View
    from .packet_list import PacketList
    from .target import Target

TABLE_WIDTH = 100
"""Cells of a table that goes to no terminal, unless COLUMNS says otherwise."""
LEAST_WIDTH = 40
"""Cells that a line may take on any terminal."""

V = TypeVar("V")
ExportName = Literal["ndjson", "json", "csv"]
Name = Literal["table", "wireshark", "devtools"] | ExportName
ENDINGS: dict[str, Name] = {
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv",
}  # fmt: skip
"""The view that a suffix of an output file asks for; a file without any gets ndjson."""


class ExportKind:
    """A view for programs, which each process can encode for itself."""

    def __init__(self, name: ExportName, summary: str, load: Callable[[], type[Export]]) -> None:
        self.name: ExportName = name
        self.summary = summary
        self.load = load

    def open(self, target: Target) -> View:
        return self.load()(target.stream())


class _ForPeople(Generic[V]):
    """A view for people."""

    def __init__(
        self, name: Name, summary: str, open: Callable[[Target], V], *, has_filters: bool = False
    ) -> None:
        self.name: Name = name
        self.summary = summary
        self.open = open
        self.has_filters = has_filters


class RecordsKind(_ForPeople["View"]):
    """A view for people, made of records."""


class PacketsKind(_ForPeople["PacketList"]):
    """A view for people, made of packets and of what they carry."""


def _ndjson() -> type[Export]:
    from .ndjson import NdjsonView

    return NdjsonView


def _json() -> type[Export]:
    from .json import JsonView

    return JsonView


def _csv() -> type[Export]:
    from .csv import CsvView

    return CsvView


def _table(target: Target) -> View:
    return open_table(target.source, target.text(), target.readers)


def open_table(source: str, stream: TextIO | None = None, readers: Readers | None = None) -> View:
    """Return a table on standard output or on a text stream; ``source`` names the capture."""
    from rich.console import Console

    from ..dialects.reader import DialectReader
    from .table import TableView

    console = Console(file=stream or sys.stdout)
    return TableView(console, source, table_width(console), readers or DialectReader)


def _devtools(target: Target) -> View:
    from ..dialects.reader import DialectReader
    from .devtools import DevToolsView

    text = target.text()
    readers = target.readers or DialectReader
    return DevToolsView(text, line_width(text), filters=target.filters, readers=readers)


def _wireshark(target: Target) -> PacketList:
    from ..dialects.reader import DialectReader
    from .packet_list import ListedPackets, PacketList

    rows = ListedPackets(
        connection=target.connection,
        filters=target.filters,
        keep_data=target.keep_data,
        shows_records=target.shows_records,
        readers=target.readers or DialectReader,
    )
    text = target.text()
    return PacketList(text, line_width(text), rows)


EXPORTS = (
    ExportKind("ndjson", "one JSON record per line", _ndjson),
    ExportKind("json", "the same records in an array", _json),
    ExportKind("csv", "a table of all records, for spreadsheets", _csv),
)
KINDS: tuple[ExportKind | RecordsKind | PacketsKind, ...] = (
    RecordsKind("table", "one table per connection", _table),
    *EXPORTS,
    PacketsKind("wireshark", "tshark's packet list", _wireshark, has_filters=True),
    RecordsKind("devtools", "the panels of a browser's DevTools", _devtools, has_filters=True),
)
VIEWS: dict[str, ExportKind | RecordsKind | PacketsKind] = {kind.name: kind for kind in KINDS}
LIVE_VIEWS: tuple[Name, ...] = ("table", *(kind.name for kind in EXPORTS))
"""Those that show records as they arrive."""


def export(name: ExportName) -> type[Export]:
    """Return the class of the view for programs that has that name."""
    return next(kind for kind in EXPORTS if kind.name == name).load()


def open_export(name: ExportName, stream: BinaryIO) -> Export:
    """Return the view for programs of that name over a binary stream."""
    return export(name)(stream)


def default_view(output: str | None) -> Name:
    """Return the view that nobody chose of an output; None and ``-`` are standard output.

    Raises ValueError for any other suffix: what is called .xlsx should not hold ndjson.
    """
    if output is None or output == "-":
        return "table" if sys.stdout.isatty() else "ndjson"
    return format_by_ending(output, ENDINGS, "ndjson")


def line_width(text: TextIO) -> int | None:
    """Return how many cells a line may take on a terminal; None, no limit, for anything else."""
    from shutil import get_terminal_size  # slow to load: it knows archives too

    return max(get_terminal_size().columns, LEAST_WIDTH) if text.isatty() else None


def table_width(console: Console) -> int | None:
    """Return how many cells a table takes, None for as many as the terminal has."""
    return None if console.is_terminal else int(os.environ.get("COLUMNS", TABLE_WIDTH))
