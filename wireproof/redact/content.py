"""Secrets in content as it comes: as it stands, in what an event stream puts together, in JSON.

Strategy: a stream of content is read as several texts at once, each with a finder of its own:
the content itself; the values of ``data`` lines, one after the other, since a key may go on in
the next event; and the strings of JSON, those of each key one after the other, since a model
writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``). Pieces may be cut
anywhere. What is kept is a few hundred characters for each finder, of which there are at most
MAX_KEYS and three.

Pieces are small and many, and hardly any holds a secret or a word that may begin one. So many are
looked at together first: one search in the whole, one in each key's values. Only where something is
found they are read one by one; a test shows that both come to the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parsers.expressions import every

from .patterns import Span
from .secrets import Finder, fed_one_by_one

MAX_KEYS = 32
"""Keys of JSON whose values are followed from one piece to the next; then the oldest is dropped."""
MAX_KEY = 64
"""Characters of a key that tell it from others."""

STRING_REST = re.compile(r"[^\"\\\r\n]*+" + every(r"\\(?:[^\r\n]|\Z)[^\"\\\r\n]*+"))
STRING = r"[^\"\\\r\n]*+" + every(r"\\[^\r\n][^\"\\\r\n]*+") + r"(?=\"|[\r\n]|\\[\r\n])"
# What stands between strings, as far as it tells whether a value comes: a colon before white space.
STRINGS = re.compile(
    r"[^\":]*+" + every(r":(?!\s*+\")[^\":]*+") + rf"(:?)\s*+\"({STRING}).", re.DOTALL
)
WHOLE_STRINGS = re.compile(every(rf"[^\"]*+\"{STRING}."), re.DOTALL)
DATA_VALUES = re.compile(r"(?<![^\r\n])data:(?: |(?! ))([^\r\n]++)")
LINE_PIECE = re.compile(r"[^\r\n]+|[\r\n]+")
DATA_FIELD = re.compile(r"data(?:: ?|\Z)")


NOTHING_YET = Finder()
"""What a key has whose first value comes; it is given nothing."""


class JsonStrings:
    """Finds secrets in the values of JSON that go on in the next value of the same key."""

    __slots__ = ("_finders", "_is_inside", "_is_escaped", "_is_value", "_key", "_text")

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = {}
        self._is_inside = False
        self._is_escaped = False
        self._is_value = False
        """Whether the string that is read, or comes next, stands after a colon."""
        self._key = ""
        self._text = ""

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`Finder.feed_all` does."""
        if len(pieces) > 1 and not self._is_inside and self._skim(text, 0, is_whole=True):
            return []
        return fed_one_by_one(self._feed_skimming, pieces)

    def _feed_skimming(self, piece: str) -> list[Span]:
        """Do as :meth:`feed` does, but skim what it can."""
        spans: list[Span] = []
        start = self._read_string(piece, 0, spans) if piece and self._is_inside else 0
        start = self._skim(piece, start, is_whole=False)
        return spans + [(start + first, start + last) for first, last in self.feed(piece[start:])]

    def _skim(self, piece: str, position: int, *, is_whole: bool) -> int:
        """Read from ``position``, outside of strings, if no value there can be secret.

        Return up to where it was read: to the end if ``is_whole``, else to that of the last string
        that is whole; ``position`` if a value may be secret, or the state would not be right.
        """
        match = WHOLE_STRINGS.match(piece, position)
        assert match is not None
        end = match.end()
        if end == position or self._is_value or (is_whole and '"' in piece[end:]):
            return position
        key = self._key
        values: dict[str, list[str]] = {}
        for colon, text in STRINGS.findall(piece, position, end + 1):
            if colon:
                values.setdefault(key, []).append(text)
            else:
                key = text[:MAX_KEY]
        if len(self._finders.keys() | values.keys()) > MAX_KEYS:
            return position
        after = {
            key: self._finders.get(key, NOTHING_YET).context_behind("".join(texts))
            for key, texts in values.items()
        }
        if None in after.values():
            return position
        for key_of_value, context in after.items():
            self._finder(key_of_value).go_on_behind(context or "")
        self._key = key
        return self._read_between(piece, end) if is_whole else end

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
            found = self._finder(self._key).feed(text)
            spans += [(start + first, start + last) for first, last in found]
        elif len(self._text) < MAX_KEY:
            self._text = (self._text + text)[:MAX_KEY]
        if end == len(piece):
            return end
        if not self._is_value:
            self._key = self._text
        self._is_inside = self._is_value = False
        return end + 1

    def _finder(self, key: str) -> Finder:
        finder = self._finders.get(key)
        if finder is None:
            if len(self._finders) >= MAX_KEYS:
                del self._finders[next(iter(self._finders))]
            finder = self._finders[key] = Finder()
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

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`Finder.feed_all` does."""
        is_between = self._is_data is None and not self._head
        if is_between and text[-1:] in ("\r", "\n"):
            values = "".join(DATA_VALUES.findall(text))
            if (context := self._finder.context_behind(values)) is not None:
                self._finder.go_on_behind(context)
                return []
        return fed_one_by_one(self.feed, pieces)

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

    def feed(self, *pieces: str) -> list[Span]:
        """Take the next pieces; return which parts of them are secret, not in order.

        Places are those in all pieces together. Whether it gets them at once or one by one makes no
        difference but in speed.
        """
        spans: list[Span] = []
        text = "".join(pieces)
        for part in self._parts:
            spans += part.feed_all(pieces, text)
        return spans
