"""What a secret looks like, and a finder of secrets in text that comes in pieces.

Strategy: a table says how secrets and the names of secrets begin, and gives each a regular
expression, which also accepts the end of what has come so far in place of what is missing. So a
piece that ends inside a secret is masked up to its end at once, and nothing has to wait; the rest
of that match is remembered, so that the next piece goes on inside it. What can show is the
beginning of a key's own prefix (``s`` of ``sk-``), which tells nothing. Between pieces at most
MAX_OPEN characters are kept, and all quantifiers are possessive or bounded: time is linear.

It errs on the side of masking: a word that looks like a key is masked, and costs a reader a look
into the capture; a key that is not masked cannot be taken back.

Text is matched character by character, and bytes as Latin-1: their places are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from parsers import Memory

from .found import FoundSecrets
from .patterns import MAX_CONTEXT, USUAL, Patterns, Span, opening_of, spans_of

Policy = Literal["headers", "all", "none"]
MASK = "*"
"""Stands for each byte of a secret. It needs no escape in JSON, HTML, URLs or headers."""
NUMBER_MASK = "9"
"""Stands for each digit of a number of JSON, which then is one still."""


@dataclass
class Report:
    """What was done, for whoever tells a user."""

    masked: int = 0
    """Places that were masked: a secret that spans two records counts twice."""
    left_out: int = 0
    """Payloads that were left out whole, because their coding hides what they hold."""
    unread: int = 0
    """Runs of frames of HTTP/2 that could not be read, and were masked whole."""
    found: FoundSecrets = field(default_factory=FoundSecrets)
    """What was masked, as far as packets were looked at: to be looked for again."""
    memory: Memory = field(default_factory=Memory)
    """What all coded bodies together unfold to, which has the decoder's bounds."""


class Finder:
    """Finds secrets in one stream of text."""

    __slots__ = ("_context", "_patterns", "is_open")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._patterns = patterns
        self._context = ""
        self.is_open = False
        """Whether what has come last may be inside a secret, or goes on in one."""

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`feed` does one by one; ``text`` is all of them.

        Returns places in that.
        """
        before = len(self._context)
        context = self.context_behind(text)
        if context is None:
            # Of what has no name before it, all may be found in the whole.
            whole = self._patterns.scanned(self._context + text)
            return fed_one_by_one(self.feed, pieces) + behind(before, whole)
        self.go_on_behind(context)
        return []

    def context_behind(self, text: str) -> str | None:
        """Return what is to be remembered after ``text``; None if there may be a secret in it."""
        text = self._context + text
        return None if self._patterns.may_hold_secret(text) else text[-MAX_CONTEXT:]

    def go_on_behind(self, context: str) -> None:
        """Remember what :meth:`context_behind` has returned."""
        self._context, self.is_open = context, False

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece; return which parts of it are secret, or may become so."""
        text = self._context + piece
        spans: list[Span] = []
        opening: re.Match[str] | None = None
        for match in self._patterns.matches(text):
            spans += spans_of(match)
            is_open = match.end() == len(text)
            if is_open and (opening is None or match.start() < opening.start()):
                opening = match
        spans += self._patterns.scanned(text)
        before = len(self._context)
        self.is_open = opening is not None
        self._context = text[-MAX_CONTEXT:] if opening is None else opening_of(opening)
        return behind(before, spans)


def behind(before: int, spans: Iterable[Span]) -> list[Span]:
    """Return what of spans lies behind the first ``before`` characters, counted from there."""
    return [(max(a - before, 0), b - before) for a, b in spans if b > max(a, before)]


def fed_one_by_one(feed: Callable[[str], list[Span]], pieces: Sequence[str]) -> list[Span]:
    """Return what ``feed`` finds in each piece, as places in all of them together."""
    spans: list[Span] = []
    base = 0
    for piece in pieces:
        spans += [(base + start, base + end) for start, end in feed(piece)]
        base += len(piece)
    return spans


def find(text: str, patterns: Patterns = USUAL) -> list[Span]:
    """Return where the secrets of a whole text are."""
    return merged(Finder(patterns).feed(text))


def merged(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that touch as one."""
    if len(spans) < 2:
        return spans
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def mask_spans(text: str, spans: list[Span], mask: str = MASK) -> str:
    """Return ``text`` with its spans masked: as many characters as they have bytes of UTF-8."""
    for start, end in reversed(merged(spans)):
        secret = text[start:end]
        size = len(secret) if secret.isascii() else len(secret.encode(errors="surrogatepass"))
        text = text[:start] + mask * size + text[end:]
    return text


def masked_values(value: Any, patterns: Patterns) -> Any:
    """Return a value of JSON with the secrets in its texts masked."""
    if isinstance(value, str):
        return mask_text(value, patterns)
    if isinstance(value, dict):
        return {name: masked_values(inner, patterns) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(inner, patterns) for inner in value]
    return value


def mask_text(text: str, patterns: Patterns = USUAL) -> str:
    """Return a whole text with its secrets masked.

    >>> mask_text("key sk-abcdefghijklmnop")
    'key *******************'
    """
    return mask_spans(text, find(text, patterns))
