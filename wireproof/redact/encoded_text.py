"""Secrets of which something is encoded: in percents, once or more often, for HTML, or in JSON.

Strategy: what is encoded is decoded, and read as text; where a character came from is kept. A
stream of content is read so from the first character on that is encoded.
"""

from __future__ import annotations

import re

from .patterns import MAX_CONTEXT, USUAL, Patterns, Span
from .rewritten import Rewritten
from .secrets import Finder, behind, find

# RFC 3986 section 2.1; "%" itself is encoded where all of that is encoded once more.
# HTML section 13.1.4: character references. RFC 8259 section 7: escapes of JSON.
_ENCODED = (
    r"%(?:25){0,3}([2-9A-Fa-f][0-9A-Fa-f]|0[9AaDd])|\\u00([2-7][0-9A-Fa-f]|0[9AaDd])"
    r"|&(?:amp;){0,2}(?:#x([2-7][0-9A-Fa-f])|#0?(\d{2,3})|(quot|lt|gt|apos));|\\{1,15}(/)"
)
IS_ENCODED = re.compile(_ENCODED)
# In a form "+" is a space: beside another or what is encoded, or between words; base64 has it too.
_SPACE = (
    r"(?:(?<=%[0-9A-Fa-f]{2})|(?<=\+)|(?<=[a-z][a-z.,;:!?)])(?=\+[a-z])|(?<=[A-Z]{2})(?=\+[a-z]{2}))\+"
    r"|\+(?=[%+]|--[a-z]|[A-Za-z]{1,16}[+%.,])"
)
_NEXT_FIELD = r"&(?=[\w.%[\]-]{1,64}=)"
ENCODED = re.compile(rf"{_ENCODED}|{_SPACE}|{_NEXT_FIELD}")
CUT = re.compile(
    r"(?:\+*+%(?:25){0,3}(?:2|[0-9A-Fa-f]?)|\\{1,15}(?:u(?:0(?:0[02-7]?)?)?)?"
    r"|&(?:amp;){0,2}(?:#x?\w{0,3}|[a-z]{0,4})|\++)\Z"
)
BEFORE = 3
"""Characters before one that may tell what it stands for."""
MAY_BE = re.compile(r"%|\+\Z|&[#qlga]|&\Z|\\(?:/|u00)|\\(?:u0?)?\Z")
PLAIN = {"+": " ", "&": "\n"}
NAMED = {"quot": '"', "lt": "<", "gt": ">", "apos": "'"}


class Decoded(Rewritten):
    """A text without its encoding, from a place on."""

    __slots__ = ()

    def __init__(self, text: str, at: int = 0) -> None:
        found = ENCODED.finditer(text, at)
        super().__init__(text, ((match.span(), _character(match)) for match in found), at)


def _character(match: re.Match[str]) -> str:
    if match.lastindex is None:
        return PLAIN[match[0]]
    if match[5] is not None:
        return NAMED[match[5]]
    if match[6] is not None:
        return match[6]
    code = int(match[4]) if match[4] is not None else int(match[match.lastindex], 16)
    return chr(code) if code < 256 else "?"


def find_encoded(text: str, patterns: Patterns = USUAL) -> list[Span]:
    """Return where the secrets of a whole text are, as it stands and without its encoding."""
    spans = find(text, patterns)
    if IS_ENCODED.search(text) is None:
        return spans
    plain = Decoded(text)
    return spans + [plain.span(a, b) for a, b in find(plain.text, patterns) if b > a]


class EncodedText:
    """Finds secrets in percent encoding in one stream of text."""

    __slots__ = ("_before", "_tail", "_last", "_finder", "_is_encoded", "_patterns")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._patterns = patterns
        self._finder = Finder(patterns)
        self._is_encoded = False
        self._before = ""
        """What came last, before anything was encoded."""
        self._tail = ""
        """Of an octet that is not whole yet."""
        self._last = ""
        """The last characters before that."""

    @property
    def is_open(self) -> bool:
        return self._finder.is_open

    def go_on_behind(self, context: str) -> None:
        """Remember this alone of what came."""
        self._before = context
        self._finder.go_on_behind(context)

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text, as :meth:`Finder.feed_fast` does."""
        if not self._is_encoded and MAY_BE.search(self._tail + text) is None:
            self._before = (self._before + self._tail + text)[-MAX_CONTEXT:]
            self._last, self._tail = (self._last + self._tail + text)[-BEFORE:], ""
            return []
        return self.feed(text)

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        text = self._last + self._tail + piece
        last = len(self._last)
        before = last + len(self._tail)
        cut = CUT.search(text, last)
        self._tail = "" if cut is None else cut[0]
        text = text[: len(text) - len(self._tail)]
        self._last = text[-BEFORE:]
        if not self._is_encoded:
            if IS_ENCODED.search(text, last) is None:
                self._before = (self._before + text[last:])[-MAX_CONTEXT:]
                return []
            self._is_encoded = True
            self._finder.feed(self._before)
        plain = Decoded(text, last)
        spans = [plain.span(a, b) for a, b in self._finder.feed(plain.text) if b > a]
        return behind(before, spans)
