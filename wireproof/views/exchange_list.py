"""A line for each exchange: a table for people, JSON for scripts, CSV for spreadsheets.

Strategy: columns have fixed widths, so that each line is printed as it comes; the request takes
what a terminal has to spare, and the verdict, which is longest, stands last. After the lines stand
the sessions that several of them belong to.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Protocol, TextIO

import msgspec
from rich.console import Console

from ..analysis.keyless.holes import LACKS
from ..analysis.listing import Listed
from ..analysis.sessions import Group, Session, Sessions
from ..analysis.verdict import tone
from ..text.escape import escape, preview
from .csv import without_formula
from .kinds import table_width
from .lines import Line, Piece, fit, flow, measure, words
from .painter import Painter
from .verdicts.table import STYLES
from .verdicts.words import request_line

NUMBER, PORTS, STATUS, TRANSPORT, TIME, COUNT, VERDICT = 4, 11, 3, 9, 7, 6, 25
"""Widths in cells."""
FIXED = NUMBER + PORTS + STATUS + TRANSPORT + 2 * TIME + COUNT + VERDICT + 8
"""Cells of a line without its request."""
MIN_REQUEST = 16
"""Cells of the request, however narrow the terminal is."""
MESSAGE_WIDTH = 40
"""Cells of what a call of gRPC says of its failure."""
SESSION_WIDTH = 40
"""Cells of a session's name."""


class ListView(Protocol):
    """What every list of exchanges is."""

    def add(self, source: str, listed: Listed) -> None:
        """Take the next exchange of a file."""

    def close(self) -> None:
        """Write what ends the format. The stream stays open."""


def brief(seconds: float | None) -> str:
    """Return a time in three digits and at most seven characters: ``12.8 ms``."""
    if seconds is None:
        return ""
    size = abs(seconds)
    if size < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"
    if size < 0.0995:
        return f"{seconds * 1e3:.1f} ms"
    if size < 0.9995:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.2f} s" if size < 99.95 else f"{seconds:.0f} s"


class TableList:
    """Prints a table for each file; ``width`` overrides the console's."""

    def __init__(self, console: Console, width: int | None = None, *, named: bool = False) -> None:
        self._painter = Painter(console, width)
        self._named = named
        self._sessions = Sessions()
        self._source: str | None = None

    def add(self, source: str, listed: Listed) -> None:
        if source != self._source:
            self._begin(source)
        names = [Session(one.field, one.id) for one in listed.sessions]
        if listed.number is not None:
            self._sessions.add(listed.number, names)
        self._print(rows(listed, self._painter.width))

    def close(self) -> None:
        self._end()
        self._painter.flush()

    def _begin(self, source: str) -> None:
        self._end()
        lines: list[Line] = [] if self._source is None else [[]]
        if self._named:
            lines.append([(escape(source), "title")])
        self._source = source
        self._print([*lines, heading(self._painter.width)])

    def _end(self) -> None:
        """Print the sessions of a file."""
        groups = self._sessions.groups()
        self._sessions = Sessions()
        if groups:
            self._print([[], *(group_line(group, self._painter.width) for group in groups)])

    def _print(self, lines: list[Line]) -> None:
        self._painter.print(self._painter.paint(lines))


def heading(width: int) -> Line:
    """Return the names of the columns."""
    names = (
        f"{'#':>{NUMBER}} {'Ports':<{PORTS}} {'Request':<{_request_width(width)}} "
        f"{'':<{STATUS}} {'Transport':<{TRANSPORT}} {'First':>{TIME}} {'Last':>{TIME}} "
        f"{'Count':>{COUNT}} {'Verdict, end':<{VERDICT}}"
    )
    return fit([(names, "heading")], width)


def grpc_text(listed: Listed) -> str:
    """Return ``INTERNAL 'worker died'``, what a call of gRPC failed with; empty if it did not."""
    if listed.grpc_status in (None, "OK"):
        return ""
    said = preview(listed.grpc_message or "", "utf-8", MESSAGE_WIDTH)
    return f"{listed.grpc_status} '{said}'" if said else str(listed.grpc_status)


def rows(listed: Listed, width: int) -> list[Line]:
    """Return the line of an exchange; a verdict that is longer than its column goes on below."""
    room = _request_width(width)
    ports = f"{_port(listed.client)}→{_port(listed.server)}"
    status = "" if listed.status is None else str(listed.status)
    style = STYLES[tone(listed.verdict, listed.severity)]
    lacks = LACKS if listed.tls is not None and listed.tls.missing_bytes else ""
    line: Line = [
        (f"{'' if listed.number is None else listed.number:>{NUMBER}} ", "faint"),
        (f"{ports:<{PORTS}} ", "faint"),
        *_padded((request_line(listed, room), ""), room),
        (f" {status:<{STATUS}} ", "error" if (listed.status or 0) >= 400 else ""),
        (f"{listed.transport:<{TRANSPORT}} ", "type"),
        (f"{brief(listed.first):>{TIME}} {brief(listed.last):>{TIME}} ", ""),
        (f"{listed.count:>{COUNT}} ", "faint"),
    ]
    said = ", ".join(filter(None, (listed.verdict, lacks, listed.end, grpc_text(listed))))
    if width < FIXED + MIN_REQUEST:
        return [fit([*line, (said, style)], width)]
    before = measure(line)
    first, *below = flow(words(said, style, width - before), width - before, " ") or [[]]
    return [[*line, *first], *([(" " * before, ""), *more] for more in below)]


def _request_width(width: int) -> int:
    return max(width - FIXED, MIN_REQUEST)


def _padded(piece: Piece, width: int) -> Line:
    """Return a piece that takes exactly so many cells."""
    line = fit([piece], width)
    return [*line, (" " * (width - measure(line)), "")]


def _port(end: str | None) -> str:
    return "?" if end is None else end.rpartition(":")[2]


def group_line(group: Group, width: int) -> Line:
    """Return which exchanges are of a session: ``mcp-session-id 7f3a: exchanges 0, 2, 3``."""
    name = preview(group.session.id, "utf-8", SESSION_WIDTH)
    numbers = ", ".join(map(str, group.numbers))
    more = group.count - len(group.numbers)
    said = f"exchanges {numbers}" + (f" and {more:,} more" if more else "")
    return fit([(f"{group.session.field} {name}: ", "field"), (said, "")], width)


class ListedRow(Listed, frozen=True, kw_only=True):
    """An exchange of a file."""

    file: str
    """Its name as it was given."""


class JsonList:
    """Writes one JSON array, an exchange a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before = "[\n"

    def add(self, source: str, listed: Listed) -> None:
        found = ListedRow(**msgspec.structs.asdict(listed), file=source)
        self._stream.write(self._before + msgspec.json.encode(found).decode())
        self._before = ",\n"

    def close(self) -> None:
        self._stream.write("[]\n" if self._before == "[\n" else "\n]\n")
        self._stream.flush()


class CsvList:
    """Writes a row for each exchange under one header; lists are JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(ListedRow.__struct_fields__)

    def add(self, source: str, listed: Listed) -> None:
        sessions = msgspec.json.encode(listed.sessions).decode()
        tls = "" if listed.tls is None else msgspec.json.encode(listed.tls).decode()
        fields = msgspec.structs.asdict(listed) | {"sessions": sessions, "tls": tls, "file": source}
        row = [without_formula(fields[name]) for name in ListedRow.__struct_fields__]
        self._writer.writerow(row)

    def close(self) -> None:
        self._stream.flush()


def open_table(stream: TextIO, *, named: bool) -> TableList:
    """Return the table on a text stream; ``named`` if each file's name stands above its own."""
    console = Console(file=stream)
    return TableList(console, table_width(console), named=named)


FORMATS: dict[str, Callable[[TextIO, bool], ListView]] = {
    "table": lambda stream, named: open_table(stream, named=named),
    "json": lambda stream, _: JsonList(stream),
    "csv": lambda stream, _: CsvList(stream),
}
"""Every format, and what opens it on a text stream; the flag says if there are several files."""
