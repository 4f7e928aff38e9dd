"""Secrets in content as it comes: as it stands, in what an event stream puts together, in JSON.

Strategy: a stream of content is read as several texts at once, each with a finder of its own:
the content itself; the values of ``data`` lines, one behind the other, since a key may go on in
the next event; and the strings of JSON, those of each key one behind the other, since a model
writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``). Pieces may be cut
anywhere. What is kept is a few hundred characters for each finder, of which there are at most
MAX_KEYS and three.
"""

from __future__ import annotations

import re

from .secrets import Finder, Span

MAX_KEYS = 32
"""Keys of JSON whose values are followed from one piece to the next; then the oldest is dropped."""
MAX_KEY = 64
"""Characters of a key that tell it from others."""

STRING_REST = re.compile(r"(?:[^\"\\\r\n]|\\(?:[^\r\n]|\Z))*+")
LINE_PIECE = re.compile(r"[^\r\n]+|[\r\n]+")
DATA_FIELD = re.compile(r"data(?:: ?|\Z)")


class JsonStrings:
    """Finds secrets in the values of JSON that go on in the next value of the same key."""

    __slots__ = ("_finders", "_is_inside", "_is_escaped", "_is_value", "_key", "_text")

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = {}
        self._is_inside = False
        self._is_escaped = False
        self._is_value = False
        """Whether the string that is read, or comes next, stands behind a colon."""
        self._key = ""
        self._text = ""

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        spans: list[Span] = []
        position = 0
        while position < len(piece):
            if self._is_inside:
                position = self._read_string(piece, position, spans)
            else:
                position = self._read_between(piece, position)
        return spans

    def _read_between(self, piece: str, position: int) -> int:
        """Read up to a string: whether it is a value, the last character before it tells."""
        quote = piece.find('"', position)
        between = piece[position : len(piece) if quote < 0 else quote].rstrip()
        if between:
            self._is_value = between.endswith(":")
        if quote < 0:
            return len(piece)
        self._is_inside = True
        self._text = ""
        return quote + 1

    def _read_string(self, piece: str, position: int, spans: list[Span]) -> int:
        """Read on in a string; a line's end, which no string of JSON holds, ends it too."""
        start = position
        if self._is_escaped:
            position += 1
        match = STRING_REST.match(piece, position)
        assert match is not None
        end = match.end()
        text = piece[start:end]
        backslashes = len(match[0]) - len(match[0].rstrip("\\"))
        self._is_escaped = end == len(piece) and backslashes % 2 == 1
        if self._is_value:
            found = self._finder().feed(text)
            spans += [(start + first, start + last) for first, last in found]
        elif len(self._text) < MAX_KEY:
            self._text = (self._text + text)[:MAX_KEY]
        if end == len(piece):
            return end
        if not self._is_value:
            self._key = self._text
        self._is_inside = self._is_value = False
        return end + 1

    def _finder(self) -> Finder:
        finder = self._finders.get(self._key)
        if finder is None:
            if len(self._finders) >= MAX_KEYS:
                del self._finders[next(iter(self._finders))]
            finder = self._finders[self._key] = Finder()
        return finder


class DataLines:
    """Finds secrets in the ``data`` lines of an event stream that go on in the next such line."""

    __slots__ = ("_finder", "_head", "_is_data")

    def __init__(self) -> None:
        self._finder = Finder()
        self._head = ""
        """The beginning of a line, as long as it may become ``data: ``."""
        self._is_data: bool | None = None
        """Of the line that is read; None while its beginning does not tell."""

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        spans: list[Span] = []
        for match in LINE_PIECE.finditer(piece):
            start, end = match.span()
            if piece[start] in "\r\n":
                self._head, self._is_data = "", None
                continue
            if self._is_data is None:
                start = self._begin(match[0], start)
            if self._is_data and start < end:
                found = self._finder.feed(piece[start:end])
                spans += [(start + first, start + last) for first, last in found]
        return spans

    def _begin(self, text: str, start: int) -> int:
        """Read a line's beginning; return where its value begins in the piece."""
        before = len(self._head)
        self._head += text[: 6 - before]
        match = DATA_FIELD.match(self._head)
        if match is not None and len(self._head) >= 6:
            self._is_data = True
            return start + match.end() - before
        if not "data: ".startswith(self._head[:6]) and not match:
            self._is_data = False
        return start


class ContentFinder:
    """Finds secrets in the content of one body, or in what one side of a WebSocket sends."""

    __slots__ = ("_parts",)

    def __init__(self, *, is_event_stream: bool) -> None:
        self._parts: list[Finder | JsonStrings | DataLines] = [Finder(), JsonStrings()]
        if is_event_stream:
            self._parts.append(DataLines())

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece; return which parts of it are secret, not in order."""
        spans: list[Span] = []
        for part in self._parts:
            spans += part.feed(piece)
        return spans
