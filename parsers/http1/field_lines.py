"""Field lines of a head in which nothing is wrong, with what is asked of them more than once.

Strategy: a client sends nearly the same head with every request, and so does a server. A section
that has come before is known by its bytes, and with it all that was worked out of it: so a head
costs a look-up. One that is new is put together of lines, most of which have come before. What is
known is forgotten all at once when there is much of it: limits bound both.
"""

from __future__ import annotations

from typing import Any

from ..limits import (
    MAX_KNOWN_FRAMINGS,
    MAX_KNOWN_LINE,
    MAX_KNOWN_LINES,
    MAX_KNOWN_SECTION,
    MAX_KNOWN_SECTIONS,
)

Line = tuple[bytes, bytes]
"""A field's name and its value."""


class FieldLines(list[Line]):
    """The lines of one or more equal heads: a list that nobody changes."""

    __slots__ = ("by_name", "texts", "media_type", "framings")

    def __init__(self, lines: list[Line]) -> None:
        super().__init__(lines)
        self.by_name = grouped(lines)
        self.texts: list[tuple[str, str]] | None = None
        """The same as records have them, once they have been asked for."""
        self.media_type: tuple[bytes, bytes] | None = None
        """The type of the content and its parameters, once they have been asked for."""
        self.framings: dict[tuple[object, ...], Any] = {}
        """What a head with them says, by what else is asked; see :mod:`.framing`."""

    def remember(self, asked: tuple[object, ...], said: object) -> None:
        """Keep an answer, if there are not too many: versions may be anything."""
        if len(self.framings) < MAX_KNOWN_FRAMINGS:
            self.framings[asked] = said


def grouped(lines: list[Line]) -> dict[bytes, list[bytes]]:
    """Return the values of field lines by their names in lower case."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        found.setdefault(name.lower(), []).append(value)
    return found


KNOWN_SECTIONS: dict[bytes, FieldLines] = {}
KNOWN_LINES: dict[bytes, Line] = {}
"""By their bytes, without the line's end."""


def know_section(section: bytes, lines: list[Line]) -> FieldLines:
    """Return the lines of a section in which nothing is wrong, and know it again."""
    found = FieldLines(lines)
    if len(section) <= MAX_KNOWN_SECTION:
        if len(KNOWN_SECTIONS) >= MAX_KNOWN_SECTIONS:
            KNOWN_SECTIONS.clear()
        KNOWN_SECTIONS[section] = found
    return found


def know_line(text: bytes, line: Line) -> None:
    """Know a line again in which nothing is wrong."""
    if len(text) <= MAX_KNOWN_LINE:
        if len(KNOWN_LINES) >= MAX_KNOWN_LINES:
            KNOWN_LINES.clear()
        KNOWN_LINES[text] = line


def forget() -> None:
    """Know nothing any more."""
    KNOWN_SECTIONS.clear()
    KNOWN_LINES.clear()
