"""Lines of a view as texts, without their styles."""

from __future__ import annotations

from collections.abc import Iterable

from wireproof.views.lines import Line


def text_of(line: Line) -> str:
    """Return what a line says, with the blanks at its end."""
    return "".join(text for text, _ in line)


def texts_of(lines: Iterable[Line]) -> list[str]:
    """Return what each of several lines says, without blanks at their ends."""
    return [text_of(line).rstrip() for line in lines]
