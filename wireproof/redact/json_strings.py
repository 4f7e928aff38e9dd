"""Secrets in the strings of JSON, those of each key one after the other.

Strategy: a model writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``),
so the values of a key are one text, wherever they stand. What is kept is a few hundred characters
for each of at most MAX_KEYS keys. Many pieces are looked at together first, with one search in each
key's values; only where something is found they are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parsers.expressions import every

from .patterns import USUAL, Patterns, Span
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
UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
WHOLE_STRINGS = re.compile(every(rf"[^\"]*+\"{STRING}."), re.DOTALL)


class JsonStrings:
    """Finds secrets in the values of JSON that go on in the next value of the same key."""

    __slots__ = (
        *("_finders", "_is_inside", "_is_escaped", "_is_value", "_key", "_text"),
        *("_nothing_yet", "_patterns"),
    )

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._patterns = patterns
        self._nothing_yet = Finder(patterns)
        """What a key has whose first value comes; it is given nothing."""
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
        if len(self._finders.keys() | values.keys()) > MAX_KEYS or any(map(_is_escaped, values)):
            return position
        after = {
            key: self._finders.get(key, self._nothing_yet).context_behind("".join(texts))
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
        if self._is_value and _is_escaped(self._key):
            # What the key says shows to nobody else.
            self._finder(self._key).feed(f'"{_unescaped(self._key)}": "')
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
            finder = self._finders[key] = Finder(self._patterns)
        return finder


def _is_escaped(key: str) -> bool:
    return "\\u" in key


def _unescaped(key: str) -> str:
    """Return a key without its escapes, as far as it is JSON (RFC 8259 section 7)."""
    return UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), key)
