"""Lines, onto a console: in the colours that it has, or in none.

Strategy: a line's pieces name their styles; here they become what a terminal obeys, and nothing
else on the way to it does. Text has been escaped before (:mod:`..escape`), and is never read as
markup. The width is asked anew when it matters, for a window may be resized.
"""

from __future__ import annotations

from rich.color import ColorSystem
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
        self._colors = _color_system(console)
        self._styles = {name: Style.parse(style) for name, style in STYLES.items()}

    @property
    def width(self) -> int:
        """How many cells a line may take, now."""
        return max(self._fixed or self._console.width, MIN_WIDTH)

    def paint(self, lines: list[Line]) -> list[str]:
        """Return lines as the console takes them: our styles, and text that is escaped."""
        colors, styles = self._colors, self._styles
        if colors is None:
            return ["".join([text for text, _ in line]).rstrip() for line in lines]
        return [
            "".join([styles[style].render(text, color_system=colors) for text, style in line])
            for line in lines
        ]

    def print(self, lines: list[str]) -> None:
        """Write lines that are painted."""
        if lines:
            self._file.write("\n".join(lines) + "\n")

    def flush(self) -> None:
        """Hand all that is written to the system."""
        self._file.flush()


def _color_system(console: Console) -> ColorSystem | None:
    """Return how colours are written on a console; None for not at all (a pipe, NO_COLOR)."""
    if console.color_system is None or console.no_color:
        return None
    return COLOR_SYSTEMS[console.color_system]
