"""Secrets in texts that go on from one element to the next, and where their parts lie.

Strategy: a text (:mod:`.said`) is searched as any other is, each of its pieces as it comes. Where
something is found, the window of its latest pieces is searched once more as one text: so what began
in earlier elements is masked in all of them. Where an element lies is looked up only then, in the
latest content of its stream.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

from .patterns import Patterns, Span
from .secrets import Finder, find, merged

WINDOW = 512
"""Characters of a text that are searched again when more of it comes."""
MAX_PIECES = 128
"""Its pieces that are, however short: one character each, of the longest value looked for."""
MAX_THREADS = 64
"""Texts of one stream that grow at the same time; then the one that did so first is forgotten."""
E = TypeVar("E")


class Part(NamedTuple):
    """A secret's part in one element."""

    start: int
    end: int
    """Of the element, in its stream."""
    text: str
    """What the element says."""
    first: int
    last: int
    """Of the part, in that."""


class _Piece(NamedTuple):
    start: int
    end: int
    text: str


class Thread:
    """A text that grows, and the elements that brought its latest pieces."""

    __slots__ = ("_before", "_finder", "_found", "_patterns", "_pieces", "_text", "secrets")

    def __init__(self, patterns: Patterns) -> None:
        self.secrets: list[str] = []
        """What was found last."""
        self._patterns = patterns
        self._finder = Finder(patterns)
        self._pieces: list[_Piece] = []
        self._text = ""
        """That of these."""
        self._before = 0
        """Characters of the whole before that."""
        self._found: list[Span] = []
        """What has been found in it, in the whole."""

    @property
    def start(self) -> int | None:
        """Where the first element lies that may get a mask yet."""
        return self._pieces[0].start if self._pieces else None

    def feed(
        self, texts: Sequence[str], elements: Sequence[E], place: Callable[[E], Span]
    ) -> list[Part]:
        """Take the next pieces, each of an element; return what of all is secret.

        ``place`` tells where an element lies.
        """
        new = "".join(texts)
        context = self._finder.context_behind(new)
        if context is not None:
            self._finder.go_on_behind(context)
            self._keep(texts, elements, place)
            return []
        whole, size = self._text + new, len(self._text)
        spans = [(size + a, size + b) for a, b in self._finder.feed(new)]
        found = self._new(merged(spans + find(whole, self._patterns)))
        self.secrets = [whole[start:end] for start, end in found]
        pieces = self._pieces + [
            _Piece(*place(one), text) for one, text in zip(elements, texts, strict=True)
        ]
        self._keep(texts, elements, place)
        return _parts(pieces, found)

    def _new(self, spans: list[Span]) -> list[Span]:
        """Return what of spans has not been found before."""
        base = self._before
        whole = [(base + a, base + b) for a, b in spans]
        fresh = [(a, b) for a, b in whole if not any(c <= a and b <= d for c, d in self._found)]
        self._found = merged([one for one in self._found if one[1] > base] + fresh)
        return [(a - base, b - base) for a, b in fresh]

    def _keep(
        self, texts: Sequence[str], elements: Sequence[E], place: Callable[[E], Span]
    ) -> None:
        """Keep the latest pieces: as many as the window has."""
        self._before += len(self._text) + sum(map(len, texts))
        first, size = len(texts), 0
        while first and size < WINDOW and len(texts) - first < MAX_PIECES:
            first -= 1
            size += len(texts[first])
        latest = [_Piece(*place(elements[at]), texts[at]) for at in range(first, len(texts))]
        at = 0 if first else len(self._pieces)
        while at and size < WINDOW and len(self._pieces) - at + len(latest) < MAX_PIECES:
            at -= 1
            size += len(self._pieces[at].text)
        self._pieces = latest if first else self._pieces[at:] + latest
        self._text = "".join([piece.text for piece in self._pieces])
        self._before -= len(self._text)


def _parts(pieces: list[_Piece], spans: list[Span]) -> list[Part]:
    """Return what of spans is in which piece."""
    ends = list(accumulate(len(piece.text) for piece in pieces))
    found: list[Part] = []
    for start, end in spans:
        index = bisect_right(ends, start)
        while index < len(pieces) and ends[index] - len(pieces[index].text) < end:
            begin = ends[index] - len(pieces[index].text)
            first, last = max(start - begin, 0), min(end, ends[index]) - begin
            if first < last:
                found.append(Part(*pieces[index], first, last))
            index += 1
    return found
