"""Secrets of which something is encoded: in percents, once or more often, for HTML, or in JSON.

Strategy: what is encoded is decoded, and read as text; where a character came from is kept. A
stream of content is read so from the first character on that is encoded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from .patterns import MAX_CONTEXT, USUAL, Patterns, Span
from .secrets import Finder, behind, fed_one_by_one, find

# RFC 3986 section 2.1, of ASCII; "%" itself is encoded where all of that is encoded once more.
# HTML section 13.1.4: character references. RFC 8259 section 7: escapes of JSON.
ENCODED = re.compile(
    r"(?:%(?:25){0,3}|\\u00)([2-7][0-9A-Fa-f])"
    r"|&(?:amp;){0,2}(?:#x([2-7][0-9A-Fa-f])|#0?(\d{2,3})|(quot|lt|gt|apos));"
)
CUT = re.compile(
    r"(?:%(?:25){0,3}(?:2|[2-7]?)|\\(?:u(?:0(?:0[2-7]?)?)?)?|&(?:amp;){0,2}(?:#x?\w{0,3}|[a-z]{0,4}))\Z"
)
MAY_BE = re.compile(r"%|&[#qlga]|&\Z|\\u00|\\(?:u0?)?\Z")
NAMED = {"quot": '"', "lt": "<", "gt": ">", "apos": "'"}


class Decoded:
    """A text without its encoding, and where its characters were."""

    def __init__(self, text: str) -> None:
        plain: list[str] = []
        self._ends: list[int] = []
        """Where each character that was encoded ends in ``text``, and where it was in what was
        given."""
        self._starts: list[int] = []
        self._behind: list[int] = []
        at = size = 0
        for match in ENCODED.finditer(text):
            start, end = match.span()
            plain += [text[at:start], _character(match)]
            size += start - at + 1
            self._ends.append(size)
            self._starts.append(start)
            self._behind.append(end)
            at = end
        plain.append(text[at:])
        self.text = "".join(plain)

    def span(self, start: int, end: int) -> Span:
        """Return where ``text[start:end]`` was, which is not empty."""
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> Span:
        """Return where the character at ``at`` was."""
        index = bisect_right(self._ends, at)
        if index < len(self._ends) and self._ends[index] == at + 1:
            return self._starts[index], self._behind[index]
        start = at + (self._behind[index - 1] - self._ends[index - 1] if index else 0)
        return start, start + 1


def _character(match: re.Match[str]) -> str:
    if match[4] is not None:
        return NAMED[match[4]]
    code = int(match[3]) if match[3] is not None else int(match[1] or match[2], 16)
    return chr(code) if code < 128 else "?"


def find_encoded(text: str, patterns: Patterns = USUAL) -> list[Span]:
    """Return where the secrets of a whole text are, as it stands and without its encoding."""
    spans = find(text, patterns)
    if ENCODED.search(text) is None:
        return spans
    plain = Decoded(text)
    return spans + [plain.span(a, b) for a, b in find(plain.text, patterns) if b > a]


class EncodedText:
    """Finds secrets in percent encoding in one stream of text."""

    __slots__ = ("_before", "_tail", "_finder", "_is_encoded", "_patterns")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._patterns = patterns
        self._finder = Finder(patterns)
        self._is_encoded = False
        self._before = ""
        """What came last, before anything was encoded."""
        self._tail = ""
        """Of an octet that is not whole yet."""

    @property
    def is_open(self) -> bool:
        return self._finder.is_open

    def go_on_behind(self, context: str) -> None:
        """Remember this alone of what came."""
        self._before = context
        self._finder.go_on_behind(context)

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`Finder.feed_all` does."""
        if not self._is_encoded and MAY_BE.search(self._tail + text) is None:
            self._before = (self._before + self._tail + text)[-MAX_CONTEXT:]
            self._tail = ""
            return []
        return fed_one_by_one(self.feed, pieces)

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        text = self._tail + piece
        before = len(self._tail)
        cut = CUT.search(text)
        self._tail = "" if cut is None else cut[0]
        text = text[: len(text) - len(self._tail)]
        if not self._is_encoded:
            if ENCODED.search(text) is None:
                self._before = (self._before + text)[-MAX_CONTEXT:]
                return []
            self._is_encoded = True
            self._finder.feed(self._before)
        plain = Decoded(text)
        spans = [plain.span(a, b) for a, b in self._finder.feed(plain.text) if b > a]
        return behind(before, spans)
