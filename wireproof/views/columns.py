"""The columns of a connection's table: packets, direction, time, gap, size, type, data.

Strategy: every row has the same fixed columns, so that rows can be printed as they come; what
is wider than its column pushes the rest to the right, and the data column takes what is left. Where
that is too little to read anything in, data stand on the lines below their row.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import Sender

from ..text.wording import duration, span
from .lines import Line, fit, measure

ARROWS: dict[str, str] = {"client": "→", "server": "←"}
"""Towards the right is towards the server, as in a sequence diagram."""

PACKET, TIME, GAP, SIZE, TYPE = 7, 8, 8, 6, 10
"""Widths in cells."""

INDENT = PACKET + 1 + 1 + 1 + TIME + 1 + GAP + 1 + SIZE + 2 + TYPE + 1
"""Where the data column begins."""
MAX_DURATION = 9_999
"""Seconds below which a duration fits in its column."""
MIN_DATA = 20
"""Cells of the data column; with fewer left, data have lines of their own."""
INDENT_BELOW = 4
"""Where data begin on lines of their own."""


class Row(NamedTuple):
    """What stands before the data of a row."""

    sender: Sender
    first_packet: int
    last_packet: int
    time: float
    """Seconds since the request."""
    gap: float | None
    """Seconds since the row before; None in the first row."""
    size: int
    type: str


class Cells(NamedTuple):
    """A row up to its data."""

    line: Line
    width: int
    """In cells of the terminal."""

    def is_narrow(self, width: int) -> bool:
        """Return whether a table of ``width`` cells has too little room for data beside this."""
        return width - max(self.width, INDENT) < MIN_DATA


def heading() -> Line:
    """Return the names of the columns."""
    return [
        (f"{'Packet':>{PACKET}}   {'Time':>{TIME}} {'Gap':>{GAP}} {'Size':>{SIZE}}  ", "heading"),
        (f"{'Type':<{TYPE}} Data", "heading"),
    ]


def cells(row: Row) -> Cells:
    """Return a row up to its data."""
    sender, first, last, time, gap, size, kind = row
    line = [
        (f"{span(first, last):>{PACKET}} ", "faint"),
        (f"{ARROWS[sender]} ", sender),
        (f"{duration(time):>{TIME}} ", ""),
        (f"{'' if gap is None else duration(gap):>{GAP}} ", "faint"),
        (f"{size:>{SIZE}}  ", ""),
        (f"{kind:<{TYPE}} ", "type"),
    ]
    return Cells(line, sum([len(text) for text, _ in line]))  # no character takes two


def plain_cells(row: Row) -> str:
    """Return the text of a row up to its data in one step: a sixth of the time of
    :func:`cells`, for rows without colours."""
    sender, first, last, time, gap, size, kind = row
    return (
        f"{span(first, last):>{PACKET}} {ARROWS[sender]} {duration(time):>{TIME}} "
        f"{'' if gap is None else duration(gap):>{GAP}} {size:>{SIZE}}  {kind:<{TYPE}} "
    )


def has_usual_width(row: Row) -> bool:
    """Whether a row takes INDENT cells up to its data: no column is wider than it was made."""
    _, first, last, time, gap, size, kind = row
    return (
        first == last < 10**PACKET
        and 0 <= time < MAX_DURATION
        and (gap is None or 0 <= gap < MAX_DURATION)
        and size < 10**SIZE
        and len(kind) <= TYPE
    )


def beside(first: Cells, data: list[Line], width: int) -> list[Line]:
    """Return lines: ``first``, and the lines of ``data`` in the data column, from there down.

    In a narrow table they are all below it.
    """
    if not data:
        return [fit(first.line, width)]
    if first.is_narrow(width):
        below = [_indented(INDENT_BELOW, line, width) for line in data]
        return [fit(first.line, width), *below]
    below = [_indented(INDENT, line, width) for line in data[1:]]
    row = [*first.line, *data[0]]
    return [row if first.width + measure(data[0]) <= width else fit(row, width), *below]


def data_width(first: Cells, width: int) -> int:
    """Return how many cells there are for data, beside ``first`` or below it."""
    if first.is_narrow(width):
        return max(width - INDENT_BELOW, 1)
    return width - max(first.width, INDENT)


def _indented(indent: int, line: Line, width: int) -> Line:
    return fit([(" " * indent, ""), *line], width)
