"""Secrets in base64 that stands in text: as AWS Bedrock's events hold what a model says.

Strategy: a run of characters of base64, or of its form for URLs, that is as long as words hardly
ever are, is decoded as it comes. If that is text, it is read as any content is: as it stands, and
by the strings of its JSON, which go on from one run to the next. What stands for a secret is masked
by whole quanta of four characters. Before a run is long enough nothing of it is looked at: eleven
bytes show at most.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache

from .json_strings import JsonStrings
from .patterns import USUAL, Patterns, Span
from .secrets import Finder, behind

LEAST = 16
"""Characters of a run that is looked at."""
RUN = re.compile(r"[A-Za-z0-9+/_-]+")
LONG_RUN = re.compile(rf"([A-Za-z0-9+/_-]{{{LEAST}}})[A-Za-z0-9+/_-]*+")
"""Gives its beginning."""
AS_RUN = bytes(97 if RUN.fullmatch(chr(code)) else 32 for code in range(256))
"""Makes all characters of base64 one, and all others another: a run is found at once in that."""
LAST_RUN = re.compile(r"[A-Za-z0-9+/_-]*\Z")
# RFC 4648 section 5: the alphabet for URLs and file names.
FROM_URL = str.maketrans("-_", "+/")
NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CUT_CHARACTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}\Z")

NEXT_RUN = "\n"
"""Ends a string of JSON that a run has left open."""


class Base64Runs:
    """Finds secrets in what stands in base64 in one stream of text."""

    __slots__ = ("_tail", "_is_open", "_is_text", "_is_secret", "_rest", "_finder", "_json")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._tail = ""
        """Of the run at the end: all of one that is too short yet, else what is no quantum yet."""
        self._is_open = False
        """Whether the text ends in a run that is long enough."""
        self._is_text = True
        """Whether what has been decoded of that is text."""
        self._is_secret = False
        """Whether the last quantum is inside a secret, which may go on."""
        self._rest = b""
        """Of a character that the last quantum has cut."""
        self._finder = Finder(patterns)
        self._json = JsonStrings(patterns)

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text, as :meth:`Finder.feed_fast` does."""
        if not self._is_open:
            joined = self._tail + text
            runs = _long_runs(joined)
            last = LAST_RUN.search(joined[-LEAST:])
            assert last is not None
            if len(last[0]) < LEAST and not any(map(_begins_as_text, runs)):
                if runs:
                    self._json.feed(NEXT_RUN)
                self._tail = last[0]
                return []
        return self.feed(text)

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        if not piece:
            return []
        text = self._tail + piece
        before = len(self._tail)
        goes_on, self._tail, self._is_open = self._is_open, "", False
        spans: list[Span] = []
        for match in RUN.finditer(text):
            start, end = match.span()
            is_open = goes_on and start == 0
            if not is_open and end - start >= LEAST:
                self._begin()
                is_open = True
            if end == len(text):
                self._is_open = is_open
                whole = (end - start) // 4 * 4 if is_open else 0
                self._tail = text[start + whole :]
                end = start + whole
            if is_open:
                spans += self._read(text[start:end], start)
                if self._is_open and self._is_secret:
                    spans.append((end, len(text)))
        return behind(before, spans)

    def _begin(self) -> None:
        self._is_text = True
        self._is_secret = False
        self._rest = b""
        self._json.feed(NEXT_RUN)

    def _read(self, characters: str, start: int) -> list[Span]:
        """Read quanta, the last of which may be short; return which of them hold a secret."""
        usable = len(characters) - (len(characters) % 4 == 1)
        padded = characters[:usable].translate(FROM_URL) + "=" * (-usable % 4)
        decoded = b64decode(padded) if self._is_text else b""
        self._is_text = self._is_text and self._goes_on_as_text(decoded)
        if not decoded:
            return []
        text = decoded.decode("latin-1") if self._is_text else ""
        spans = self._finder.feed(text) + self._json.feed(text)
        self._is_secret = any(end == len(decoded) for _, end in spans)
        return [(start + a // 3 * 4, start + min(-(-b // 3) * 4, usable)) for a, b in spans]

    def _goes_on_as_text(self, decoded: bytes) -> bool:
        is_text, self._rest = _as_text(self._rest + decoded)
        return is_text


def _long_runs(text: str) -> list[str]:
    """Return how the runs of a text begin that are long enough, of which most texts have none."""
    plain = text.encode("latin-1", "replace").translate(AS_RUN)
    return LONG_RUN.findall(text) if b"a" * LEAST in plain else []


def _as_text(data: bytes) -> tuple[bool, bytes]:
    """Return whether bytes are text, and what of a character their end has cut."""
    cut = CUT_CHARACTER.search(data)
    rest = b"" if cut is None else cut[0]
    try:
        data[: len(data) - len(rest)].decode()
    except UnicodeDecodeError:
        return False, b""
    return NO_TEXT.search(data) is None, rest


@lru_cache(1_024)  # many are identifiers, which come again and again
def _begins_as_text(run: str) -> bool:
    return _as_text(b64decode(run.translate(FROM_URL)))[0]
