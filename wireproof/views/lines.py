"""Lines for a terminal: pieces of text with a style each, measured in cells.

Strategy: a line is a list of (text, style) and stays one until it is painted, so that text from
the wire never stands where a style or a markup would be read. Widths are counted in terminal
cells: a CJK character takes two, a combining mark none. What does not fit is cut, with ``…``
in its place; prose is broken between units instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
"""Text without control characters, and the name of its style in :data:`.painter.STYLES`."""
Line = list[Piece]


def measure(line: Line) -> int:
    """Return how many cells a line takes; most text is ASCII, and costs a tenth so."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in line])


def fit(line: Line, width: int) -> Line:
    """Return a line that takes at most ``width`` cells: itself, or its beginning and ``…``."""
    if measure(line) <= width:
        return line
    room = max(width - 1, 0)
    fitted: Line = []
    for text, style in line:
        cells = min(cell_len(text), room)
        if cells:
            fitted.append((set_cell_size(text, cells), style))
        room -= cells
    return [*fitted, ("…", "faint")] if width > 0 else []


def flow(units: Iterable[Line], width: int, space: str) -> list[Line]:
    """Put units on as few lines of ``width`` cells as they fill in order, ``space`` between them.

    A unit is never broken: one that is wider than a line is cut.
    """
    lines: list[Line] = []
    used = 0
    for unit in units:
        cells = measure(unit)
        piece = unit
        if cells > width:
            piece = fit(unit, width)
            cells = measure(piece)
        if lines and used + len(space) + cells <= width:
            lines[-1] += [(space, ""), *piece]
            used += len(space) + cells
        else:
            lines.append(list(piece))
            used = cells
    return lines


def filled(text: str, width: int) -> list[str] | None:
    """Return the lines that :func:`flow` makes of the words of a text, a blank between them.

    None if a word is wider than a line, or characters may take more than a cell. No unit is made of
    each word: that takes a tenth of the time.
    """
    if not text.isascii():
        return None
    lines, rest = [], " ".join(text.split())
    while len(rest) > width:
        end = rest.rfind(" ", 0, width + 1)
        if end < 0:
            return None
        lines.append(rest[:end])
        rest = rest[end + 1 :]
    return [*lines, rest] if rest else lines


def words(text: str, style: str, width: int) -> Iterable[Line]:
    """Yield the words of ``text`` as units, one wider than ``width`` in parts of that width."""
    for word in text.split():
        while cell_len(word) > width:
            part = set_cell_size(word, width)
            # A wide character that does not fit is replaced by a blank: it begins the next part.
            part = part if word.startswith(part) else part[:-1]
            if not part:
                break
            yield [(part, style)]
            word = word[len(part) :]
        yield [(word, style)]


def right(line: Line, note: Piece, width: int) -> Line:
    """Return the line with ``note`` at the right edge; the line is cut where they would meet."""
    room = width - cell_len(note[0])
    line = fit(line, room - 2)
    return [*line, (" " * (room - measure(line)), ""), note]
