"""``--format table``: one table per connection, for people.

Strategy: the oldest connection that is open prints its lines as they come; the lines of the
others wait until it ends, then the next one prints what it has and goes on live. Lines are
painted when they are made, cut to the width of the terminal, so a waiting line is one short
string. How many may wait is bounded: past that, lines are counted instead of kept, and the
place where they are missing says how many they were and which command shows them.

Text from the wire reaches the terminal through :mod:`..text.escape` only, and never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    SseEventRecord,
)
from rich.console import Console

from ..dialects.reader import DialectReader, Readers
from ..text.escape import escape
from ..text.wording import count
from .connection import ConnectionTable
from .endings import diagnostic_lines
from .lines import Line, flow, words
from .painter import Painter

MAX_WAITING_LINES = 20_000
"""Lines that wait for an older connection to end: about 4 MB at 100 columns."""


@dataclass(slots=True)
class _Waiting:
    """A connection that has not printed all of its lines."""

    table: ConnectionTable
    lines: list[str] = field(default_factory=list)
    left_out: int = 0
    """Lines that came when too many waited."""
    ended: bool = False


class TableView:
    """Prints the tables of all connections on a rich console, which knows width and colours.

    ``source`` is the name of the capture for messages; ``width`` overrides the console's.
    """

    def __init__(
        self,
        console: Console,
        source: str = "FILE",
        width: int | None = None,
        readers: Readers = DialectReader,
    ) -> None:
        self._readers = readers
        self._painter = Painter(console, width)
        self._width = self._painter.width
        self._paint, self._print = self._painter.paint, self._painter.print
        self._source = escape(source)
        self._connections: dict[int, _Waiting] = {}  # in order; the first one prints live
        self._waiting = 0  # lines that wait in all of them together
        self._unseen = 0  # records of connections that came when too many lines waited

    def write(self, records: Sequence[Record]) -> None:
        """Print what the records give, or let it wait for its turn."""
        chunk: ChunkRecord | None = None
        for record in records:
            if chunk is not None:
                if isinstance(record, SseEventRecord) and self._add_event(chunk, record):
                    chunk = None
                    continue
                self._add(chunk.connection, chunk)
                chunk = None
            if isinstance(record, ChunkRecord):
                chunk = record
            elif record.connection is None:
                assert isinstance(record, DiagnosticRecord)  # nothing else is of the file
                self._print(self._paint(diagnostic_lines(record, self._width)))
            else:
                self._add(record.connection, record)
        if chunk is not None:
            self._add(chunk.connection, chunk)

    def flush(self) -> None:
        """Print what the first connection still holds, and hand it to the terminal."""
        for waiting in list(self._connections.values())[:1]:
            self._print(self._paint(waiting.table.release()))
        self._painter.flush()

    def close(self) -> None:
        """Print all that waits."""
        for number, waiting in self._connections.items():
            self._print(waiting.lines)
            self._print(self._paint(waiting.table.release()))
            self._print(self._left_out(number, waiting))
        self._connections.clear()
        self._print_unseen()
        self._painter.flush()

    def _add(self, number: int, record: Record) -> None:
        ended = isinstance(record, ConnectionRecord)
        waiting = self._connections.get(number)
        if waiting is None:
            if self._waiting >= MAX_WAITING_LINES:
                self._unseen += 1
                return
            waiting = self._begin(number)
        lines = waiting.table.add(record)
        if lines or ended:
            self._show(number, waiting, lines, ended)

    def _add_event(self, chunk: ChunkRecord, event: SseEventRecord) -> bool:
        """Take a chunk and an event together, if they stand in one row; return whether they do."""
        number = chunk.connection
        waiting = self._connections.get(number) if number == event.connection else None
        if waiting is None:
            return False
        if self._waiting >= MAX_WAITING_LINES and next(iter(self._connections)) != number:
            left_out = waiting.table.skip_event(chunk, event)
            waiting.left_out += left_out or 0
            return left_out is not None
        lines = waiting.table.add_event(chunk, event)
        if lines is not None:
            self._show(number, waiting, lines, ended=False)
        return lines is not None

    def _show(self, number: int, waiting: _Waiting, lines: list[Line], ended: bool) -> None:
        """Print lines, or have them wait, and count those for which there is no room."""
        if next(iter(self._connections)) == number:
            self._print(self._paint(lines))
            if ended:
                self._next()
        elif self._waiting < MAX_WAITING_LINES:
            waiting.lines += self._paint(lines)
            self._waiting += len(lines)
        else:
            waiting.left_out += len(lines)
        waiting.ended |= ended

    def _begin(self, number: int) -> _Waiting:
        """Give a connection its place; its table begins at once if no other is open."""
        is_plain = self._painter.is_plain
        table = ConnectionTable(number, self._width, self._readers, is_plain=is_plain)
        waiting = self._connections[number] = _Waiting(table)
        title = self._paint(table.title())
        if len(self._connections) == 1:
            self._print(title)
        else:
            waiting.lines += title
            self._waiting += len(title)
        return waiting

    def _next(self) -> None:
        """End the first table, and let the next ones print up to the first that is open."""
        del self._connections[next(iter(self._connections))]
        self._print([""])
        while self._connections:
            number, waiting = next(iter(self._connections.items()))
            self._print(waiting.lines)
            self._waiting -= len(waiting.lines)
            waiting.lines = []
            self._print(self._left_out(number, waiting))
            if not waiting.ended:
                return
            del self._connections[number]
            self._print([""])
        self._print_unseen()

    def _left_out(self, number: int, waiting: _Waiting) -> list[str]:
        """Return the line that stands for those that were not kept, and forget them."""
        if not waiting.left_out:
            return []
        left_out, waiting.left_out = waiting.left_out, 0
        return self._note(
            f"… {count(left_out, 'line')} left out, more waited than are kept: "
            f"wireproof decode {self._source} --connection {number} shows them"
        )

    def _print_unseen(self) -> None:
        """Say how much there was of connections that had no place."""
        if not self._unseen:
            return
        left_out, self._unseen = self._unseen, 0
        note = (
            f"… {count(left_out, 'record')} of further connections left out, more lines waited "
            f"than are kept: wireproof decode {self._source} --format ndjson shows them"
        )
        self._print(self._note(note))

    def _note(self, text: str) -> list[str]:
        return self._paint(flow(words(text, "warning", self._width), self._width, " "))
