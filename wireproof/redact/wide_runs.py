"""Secrets in text of which each character has a zero byte beside it: UTF-16 that nothing declares.

Strategy: in both byte orders characters of ASCII take turns with zeros, so a run of such pairs is
read as text, whatever stands before it. It is read as any content is: as it stands, and by the
strings of its JSON. Before a run is long enough nothing of it is looked at: seven characters show
at most.
"""

from __future__ import annotations

import re

from .json_strings import JsonStrings
from .patterns import USUAL, Patterns, Span
from .secrets import Finder, behind

LEAST = 8
"""Characters of a run that is looked at."""
RUN = re.compile(r"(?:[\t\n\r -~]\0)+[\t\n\r -~]?")
LAST_RUN = re.compile(r"(?:[\t\n\r -~]\0)*[\t\n\r -~]?\Z")
NEXT_RUN = "\n"
"""Ends what a run has left open."""


class WideRuns:
    """Finds secrets in what stands in UTF-16 in one stream of bytes."""

    __slots__ = ("_tail", "_is_open", "_is_secret", "_finder", "_json")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._tail = ""
        """Of the run at the end: all of one that is too short yet, else what is no pair yet."""
        self._is_open = False
        """Whether the text ends in a run that is long enough."""
        self._is_secret = False
        """Whether its last character is inside a secret, which may go on."""
        self._finder = Finder(patterns)
        self._json = JsonStrings(patterns)

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text, as :meth:`Finder.feed_fast` does."""
        if not self._is_open and "\0" not in self._tail + text:
            last = LAST_RUN.search((self._tail + text)[-1:])
            self._tail = "" if last is None else last[0]
            return []
        return self.feed(text)

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        if not piece:
            return []
        text = self._tail + piece
        before = len(self._tail)
        goes_on, self._is_open = self._is_open, False
        last = LAST_RUN.search(text, max(len(text) - 2 * LEAST, 0))
        assert last is not None
        self._tail = last[0]
        if goes_on and last[0] == text and len(text) == 1:  # whose zero comes next
            self._is_open = True
            return [(0, 1)] if self._is_secret else []
        spans: list[Span] = []
        for match in RUN.finditer(text):
            start, end = match.span()
            is_open = goes_on and start == 0
            if not is_open and end - start < 2 * LEAST:
                continue
            if not is_open:
                self._finder.feed(NEXT_RUN)
                self._json.feed(NEXT_RUN)
            pairs = (end - start) // 2
            if end == len(text):
                self._is_open, self._tail = True, text[start + 2 * pairs :]
            elif (end - start) % 2:
                pairs += 1
            plain = text[start:end:2][:pairs]
            found = self._finder.feed(plain) + self._json.feed(plain) if plain else []
            spans += [(start + 2 * a, min(start + 2 * b, end)) for a, b in found]
            if plain:
                self._is_secret = any(b == len(plain) for _, b in found)
            if self._is_open and self._is_secret:
                spans.append((start + 2 * pairs, len(text)))
        return behind(before, spans)
