"""A table of many connections at once, for people who watch: rows as their records come.

Strategy: each open connection has its :class:`~.connection.ConnectionTable`, which makes the same
lines as when connections are shown one by one. Here they are printed in the order in which they
come, each after the number of its connection, as ``docker compose logs`` does. Nothing waits: what
a table holds for the second half of its row is let go before another connection has its turn, and
at the end of a batch. What is kept is one table for each connection that is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parsers.records import ConnectionRecord, DiagnosticRecord, Record
from rich.console import Console

from ..analysis.outcomes import Outcome
from ..dialects.reader import DialectReader, Readers
from ..text.moments import clock
from .connection import ConnectionTable
from .endings import diagnostic_lines
from .lines import Line, Piece
from .painter import Painter
from .verdicts.table import outcome_lines

DIGITS = 3
"""Of a connection's number that fit before its rows; a longer one moves them."""
COLOURS = 5
"""Connections that are told apart by colour: see :data:`.painter.STYLES`."""
NOBODY: Piece = (" " * DIGITS + " │ ", "faint")
"""What stands before what concerns no connection."""


class _Live:
    """A connection that is open, and what stands before its rows."""

    def __init__(self, number: int, width: int, readers: Readers) -> None:
        self.gutter: Piece = (f"{number:>{DIGITS}} │ ", f"connection {number % COLOURS}")
        self.table = ConnectionTable(number, self.room(width), readers)

    def room(self, width: int) -> int:
        """Return how much of a line is left for a row."""
        return width - len(self.gutter[0])

    def prefixed(self, lines: list[Line]) -> list[Line]:
        """Return lines with what stands before them."""
        return [[self.gutter, *line] for line in lines]


class LiveTableView:
    """Prints rows on a rich console; ``width`` overrides the console's.

    ``known`` returns the record of a connection that is open, as it is by now.
    """

    def __init__(
        self,
        console: Console,
        known: Callable[[int], ConnectionRecord | None] = lambda _: None,
        width: int | None = None,
        readers: Readers = DialectReader,
    ) -> None:
        self._readers = readers
        self._painter = Painter(console, width)
        self._known = known
        self._open: dict[int, _Live] = {}
        self._current: _Live | None = None  # whose table may hold something
        self._ended: dict[int, ConnectionRecord] = {}  # the ends of this batch

    def write(self, records: Sequence[Record]) -> None:
        """Print what the records give."""
        width = self._painter.width
        ends = [record for record in records if isinstance(record, ConnectionRecord)]
        self._ended = {end.connection: end for end in ends}
        lines: list[Line] = []
        for record in records:
            if record.connection is None:
                assert isinstance(record, DiagnosticRecord)  # nothing else is of no connection
                lines += self._release()
                lines += _of_nobody(record, width)
            else:
                lines += self._of_connection(record.connection, record, width)
        lines += self._release()
        self._painter.print(self._painter.paint(lines))

    def tell(self, outcome: Outcome) -> None:
        """Print what came of an exchange."""
        number = outcome.listed.connection
        width = self._painter.width
        live = self._open.get(number) or _Live(number, width, self._readers)
        lines = live.prefixed(outcome_lines(outcome, live.room(width)))
        self._painter.print(self._painter.paint([*self._release(), *lines]))

    def flush(self) -> None:
        """Hand all that is printed to the terminal."""
        self._painter.flush()

    def close(self) -> None:
        """Flush: nothing waits."""
        self._painter.flush()

    def _of_connection(self, number: int, record: Record, width: int) -> list[Line]:
        """Return a record's lines, after those that begin its table if it is the first."""
        lines: list[Line] = []
        connection = self._open.get(number)
        if connection is not self._current:
            lines += self._release()
        if connection is None:
            connection = self._open[number] = _Live(number, width, self._readers)
            lines += connection.prefixed(connection.table.title(self._about(number)))
        connection.table.width = connection.room(width)
        lines += connection.prefixed(connection.table.add(record))
        self._current = connection
        if isinstance(record, ConnectionRecord):
            del self._open[number]
            self._current = None
        return lines

    def _about(self, number: int) -> str:
        """Return whom a connection is between, and since when, by local time."""
        found = self._known(number) or self._ended.get(number)
        if found is None:
            return ""
        when = "before" if found.midstream else "at"
        since = clock(found.first_time, "%H:%M:%S", None)
        return f"{found.client} → {found.server}, begun {when} {since}"

    def _release(self) -> list[Line]:
        """Return what the current table holds."""
        current, self._current = self._current, None
        return [] if current is None else current.prefixed(current.table.release())


def _of_nobody(record: DiagnosticRecord, width: int) -> list[Line]:
    lines = diagnostic_lines(record, width - len(NOBODY[0]))
    return [[NOBODY, *line] for line in lines]
