"""Secrets in the strings of JSON, those of each key one after the other.

Strategy: a model writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``),
so the values of a key are one text, wherever they stand. What is kept is a few hundred characters
for each of at most MAX_KEYS keys. Values that come at once are looked at together: whether there is
anything, one search in each key's tells; only where there may be, strings are read one by one.
"""

from __future__ import annotations

import re

from parsers.expressions import every

from .json_text import as_latin1
from .patterns import USUAL, Patterns, Span
from .secrets import Finder, Scattered

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
        *("_nothing_yet", "_patterns", "_values"),
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
        self._values: dict[str, Scattered] = {}
        """Those of each key in the text at hand."""

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text as :meth:`feed` does, but skim what of it can be."""
        position = self._read_string(text, 0) if text and self._is_inside else 0
        return self.feed(text, self._skim(text, position))

    def _skim(self, text: str, position: int) -> int:
        """Read from ``position``, outside of strings, if no value there may be secret.

        Return up to where it was read: to the end of the last string that is whole; ``position`` if
        a value may be secret, or the state would not be right.
        """
        match = WHOLE_STRINGS.match(text, position)
        assert match is not None
        end = match.end()
        if end == position or self._is_value or self._is_inside:
            return position
        key = self._key
        values = {one: [said.text] for one, said in self._values.items()}
        for colon, string in STRINGS.findall(text, position, end + 1):
            if colon:
                values.setdefault(key, []).append(string)
            else:
                key = string[:MAX_KEY]
        if len(self._finders.keys() | values.keys()) > MAX_KEYS or any(map(_is_escaped, values)):
            return position
        after = {
            key: self._finders.get(key, self._nothing_yet).context_behind("".join(strings))
            for key, strings in values.items()
        }
        if None in after.values():
            return position
        for key_of_value, context in after.items():
            self._finder(key_of_value).go_on_behind(context or "")
        self._key, self._values = key, {}
        return end

    def feed(self, text: str, position: int = 0) -> list[Span]:
        """Take the next text of content, from ``position`` on; return which parts are secret."""
        while position < len(text):
            if self._is_inside:
                position = self._read_string(text, position)
            else:
                position = self._read_between(text, position)
        values, self._values = self._values, {}
        spans: list[Span] = []
        for key, said in values.items():
            spans += said.places(self._finder(key).feed(said.text))
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
            self._values_of(self._key).add(f'"{_unescaped(self._key)}": "', None)
        return quote + 1

    def _read_string(self, piece: str, position: int) -> int:
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
            self._values_of(self._key).add(text, start)
        elif len(self._text) < MAX_KEY:
            self._text = (self._text + text)[:MAX_KEY]
        if end == len(piece):
            return end
        if not self._is_value:
            self._key = self._text
        self._is_inside = self._is_value = False
        return end + 1

    def _values_of(self, key: str) -> Scattered:
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = Scattered()
        return found

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
    """Return a key without its escapes, as far as it is JSON (RFC 8259 section 7), in UTF-8."""
    return UNICODE_ESCAPE.sub(lambda match: as_latin1(chr(int(match[1], 16))), key)
