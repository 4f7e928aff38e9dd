"""A table of many connections at once, for people who watch: rows as their records come.

Strategy: each open connection has its :class:`~.connection.ConnectionTable`, which makes the same
lines as when connections are shown one by one. Here they are printed in the order in which they
come, each behind the number of its connection, as ``docker compose logs`` does. Nothing waits: what
a table holds for the second half of its row is let go before another connection has its turn, and
at the end of a batch. What is kept is one table for each connection that is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from parsers.records import ConnectionRecord, DiagnosticRecord, Record

from .connection import ConnectionTable, diagnostic_lines
from .lines import Line, Piece
from .painter import Painter

GUTTER = 3
"""Digits of a connection's number that fit before its rows; a longer one moves them."""
COLOURS = 5
"""Connections that are told apart by colour: see :data:`.painter.STYLES`."""


class LiveTableView:
    """Prints rows on a rich console; ``width`` overrides the console's.

    ``known`` returns the record of a connection that is open, as it is by now.
    """

    def __init__(
        self,
        console: Console,
        known: Callable[[int], ConnectionRecord | None] = lambda _: None,
        width: int | None = None,
    ) -> None:
        self._painter = Painter(console, width)
        self._known = known
        self._tables: dict[int, ConnectionTable] = {}
        self._current: int | None = None  # the connection whose table may hold something

    def write(self, records: Sequence[Record]) -> None:
        """Print what the records give."""
        width = self._painter.width
        for record in records:
            number = record.connection
            if number != self._current:
                self._release()
            if number is None:
                assert isinstance(record, DiagnosticRecord)  # nothing else is of no connection
                lines = diagnostic_lines(record, width - len(_gutter(None)[0]))
            else:
                lines = self._lines(number, record, width)
            self._print(number, lines)
        self._release()

    def flush(self) -> None:
        """Hand all that is printed to the terminal."""
        self._painter.flush()

    def close(self) -> None:
        """Flush: nothing waits."""
        self._painter.flush()

    def _lines(self, number: int, record: Record, width: int) -> list[Line]:
        """Return a record's lines, behind those that begin its table if it is the first."""
        self._current = number
        room = width - len(_gutter(number)[0])
        table = self._tables.get(number)
        begin: list[Line] = []
        if table is None:
            table = self._tables[number] = ConnectionTable(number, room)
            begin = table.title(self._about(number))
        table.width = room
        lines = table.add(record)
        if isinstance(record, ConnectionRecord):
            del self._tables[number]
            self._current = None
        return begin + lines

    def _about(self, number: int) -> str:
        """Return whom a connection is between, as far as it is known."""
        found = self._known(number)
        if found is None:
            return ""
        began = ", which began earlier" if found.midstream else ""
        return f"{found.client} → {found.server}{began}"

    def _release(self) -> None:
        """Print what the current table holds."""
        number, self._current = self._current, None
        if number is not None:
            self._print(number, self._tables[number].release())

    def _print(self, number: int | None, lines: list[Line]) -> None:
        gutter = _gutter(number)
        self._painter.print(self._painter.paint([[gutter, *line] for line in lines]))


def _gutter(number: int | None) -> Piece:
    """Return what stands before the rows of a connection, or of none."""
    if number is None:
        return " " * GUTTER + " │ ", "faint"
    return f"{number:>{GUTTER}} │ ", f"connection {number % COLOURS}"
