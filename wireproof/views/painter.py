"""Lines, onto a console: in the colours that it has, or in none.

Strategy: a line's pieces name their styles; here they become what a terminal obeys, and nothing
else on the way to it does. Text has been escaped before (:mod:`..text.escape`), and is never read
as markup. The width is asked anew when it matters, for a window may be resized.
"""

from __future__ import annotations

from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style

from .lines import Line

STYLES = {
    "": "",
    "title": "bold",
    "start-line": "bold",
    "heading": "dim underline",
    "faint": "dim",
    "client": "bold cyan",
    "server": "bold green",
    "type": "cyan",
    "field": "blue",
    "mask": "magenta",
    "note": "cyan",
    "good": "green",
    "warning": "yellow",
    "error": "bold red",
    "connection 0": "yellow",
    "connection 1": "cyan",
    "connection 2": "magenta",
    "connection 3": "green",
    "connection 4": "blue",
}
"""What each style looks like, in rich's words: colours of the terminal's own theme."""

MIN_WIDTH = 40
"""Cells; a narrower terminal breaks the lines."""


class Painter:
    """Prints lines on a rich console, which knows width and colours; ``width`` overrides its."""

    def __init__(self, console: Console, width: int | None = None) -> None:
        self._console = console
        self._file = console.file
        self._fixed = width
        self._codes = _codes(console)

    @property
    def width(self) -> int:
        """How many cells a line may take, now."""
        return max(self._fixed or self._console.width, MIN_WIDTH)

    @property
    def is_plain(self) -> bool:
        """Whether styles show nothing."""
        return self._codes is None

    def paint(self, lines: list[Line]) -> list[str]:
        """Return lines as the console takes them: our styles, and text that is escaped."""
        codes = self._codes
        if codes is None:
            return ["".join([text for text, _ in line]).rstrip() for line in lines]
        painted = []
        for line in lines:
            parts: list[str] = []
            for text, style in line:
                parts += codes[style][0], text, codes[style][1]
            painted.append("".join(parts))
        return painted

    def print(self, lines: list[str]) -> None:
        """Write lines that are painted."""
        if lines:
            self._file.write("\n".join(lines) + "\n")

    def flush(self) -> None:
        """Hand all that is written to the system."""
        self._file.flush()


def _codes(console: Console) -> dict[str, tuple[str, str]] | None:
    """Return what begins and ends each style on a console; None for no colours (a pipe, NO_COLOR).

    They are made once: rich takes three times as long for each piece.
    """
    if console.color_system is None or console.no_color:
        return None
    system = COLOR_SYSTEMS[console.color_system]
    codes = {}
    for name, style in STYLES.items():
        begin, _, end = Style.parse(style).render("x", color_system=system).partition("x")
        codes[name] = begin, end
    return codes
