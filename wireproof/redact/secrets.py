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
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from parsers import Memory

from .colours import has_colours, without_colours
from .found import FoundSecrets
from .patterns import MAX_CONTEXT, USUAL, Patterns, Span, opening_of
from .rewritten import Rewritten
from .values import spans_of

Policy = Literal["headers", "all", "none", "structure"]
CHUNK_BORDER = re.compile(r"\r\n[0-9A-Fa-f]{1,8}(?:;[^\r\n]*)?\r\n")
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
    holes: int = 0
    """Holes in texts: what they cut may name what follows them."""
    unread: int = 0
    """Runs of frames of HTTP/2 that could not be read, and were masked whole."""
    found: FoundSecrets = field(default_factory=FoundSecrets)
    """What was masked, as far as packets were looked at: to be looked for again."""
    memory: Memory = field(default_factory=Memory)
    """What all coded bodies together unfold to, which has the decoder's bounds."""


class Named(NamedTuple):
    """A secret, and where what tells it begins in the text: negative for what stands before that,
    or if nothing but itself does."""

    name: int
    span: Span


class Finder:
    """Finds secrets in one stream of text."""

    __slots__ = ("_context", "_patterns", "is_open", "named")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._patterns = patterns
        self._context = ""
        self.named: list[Named] = []
        """What was found last."""
        self.is_open = False
        """Whether what has come last may be inside a secret, or goes on in one."""

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text as :meth:`feed` does, but look at it once, if it holds nothing."""
        context = self.context_behind(text)
        if context is None:
            return self.feed(text)
        self.go_on_behind(context)
        self.named = []
        return []

    def context_behind(self, text: str) -> str | None:
        """Return what is to be remembered after ``text``; None if there may be a secret in it."""
        text = self._context + text
        if self._patterns.may_hold_secret(text):
            return None
        if has_colours(text) and self._patterns.may_hold_secret(without_colours(text).text):
            return None
        return text[-MAX_CONTEXT:]

    def go_on_behind(self, context: str) -> None:
        """Remember what :meth:`context_behind` has returned."""
        self._context, self.is_open = context, False

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece; return which parts of it are secret, or may become so."""
        text = self._context + piece
        before = len(self._context)
        self.named = []
        opening: re.Match[str] | None = None
        opens_at = len(text)
        for match, plain in self._matches(text):
            spans, name = spans_of(match), match.start()
            if plain is not None:
                spans = [plain.span(*one) for one in spans if one[1] > one[0]]
                name = plain.place(name)[0]
            self.named += [Named(name - before, one) for one in behind(before, spans)]
            if match.end() == len(match.string) and name < opens_at:
                opening, opens_at = match, name
        self.named += [Named(-1, one) for one in behind(before, self._patterns.scanned(text))]
        self.is_open = opening is not None
        self._context = text[-MAX_CONTEXT:] if opening is None else opening_of(opening)
        return [span for _, span in self.named]

    def _matches(self, text: str) -> Iterator[tuple[re.Match[str], Rewritten | None]]:
        """Yield what is found in a text, and what is found without its colours, each with that."""
        for match in self._patterns.matches(text):
            yield match, None
        if has_colours(text):
            plain = without_colours(text)
            for match in self._patterns.matches(plain.text):
                yield match, plain


def behind(before: int, spans: Iterable[Span]) -> list[Span]:
    """Return what of spans lies behind the first ``before`` characters, counted from there."""
    return [(max(a - before, 0), b - before) for a, b in spans if b > max(a, before)]


class Scattered:
    """A text of which the parts stand apart in another."""

    __slots__ = ("_ends", "_starts", "_texts")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._starts: list[int | None] = []
        self._ends: list[int] = []

    def add(self, text: str, start: int | None) -> None:
        """Take the next part, and where it stands: None if that is nowhere."""
        self._texts.append(text)
        self._starts.append(start)
        self._ends.append(len(text) + (self._ends[-1] if self._ends else 0))

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._texts)

    def place(self, at: int) -> int:
        """Return where a character stands; -1 for what is before the text."""
        index = bisect_right(self._ends, at)
        start = self._starts[index] if at >= 0 and index < len(self._starts) else None
        return -1 if start is None else start + at - self._ends[index] + len(self._texts[index])

    def places(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Yield where parts of the text stand."""
        for first, last in spans:
            for index in range(bisect_right(self._ends, first), len(self._ends)):
                begin = self._ends[index] - len(self._texts[index])
                if begin >= last:
                    break
                start = self._starts[index]
                if start is not None:
                    a, b = max(first, begin) - begin, min(last, self._ends[index]) - begin
                    yield start + a, start + b


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


def spans_across_chunks(text: str, patterns: Patterns) -> list[Span]:
    """Return the secrets of a text that may be chunked, where no head says that it is."""
    finder = Finder(patterns)
    spans: list[Span] = []
    position = 0
    borders = [match.span() for match in CHUNK_BORDER.finditer(text)]
    for start, end in [*borders, (len(text), len(text))] if borders else []:
        found = finder.feed(text[position:start])
        spans += [(position + first, position + last) for first, last in found]
        position = end
    return spans
