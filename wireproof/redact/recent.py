"""The latest content of a stream, and where it lies: what is found late is masked in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from .patterns import Span

MAX_RECENT = 64 * 1024
"""Characters that are kept; what lies further back is not masked, and the proof names it."""


class Recent:
    """Pieces of content with their places in the stream."""

    __slots__ = ("_keys", "_places", "_texts")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._places: list[int] = []
        self._keys: dict[int, bytes] = {}
        """What pieces are masked with, by where they began."""

    def __bool__(self) -> bool:
        return bool(self._texts)

    @property
    def size(self) -> int:
        """How many characters there are."""
        return sum(map(len, self._texts))

    @property
    def start(self) -> int | None:
        """Where the first of them lies, None if there are none."""
        return self._places[0] if self._places else None

    def add(self, texts: Sequence[str], places: Sequence[int], keys: Mapping[int, bytes]) -> None:
        """Take the next pieces, and what they are masked with."""
        self._texts += texts
        self._places += places
        self._keys |= keys

    def forget(self, upto: int) -> None:
        """Forget what lies before ``upto``, and what is too much."""
        most = MAX_RECENT
        at = len(self._texts)
        while at and most > 0 and self._places[at - 1] + len(self._texts[at - 1]) > upto:
            at -= 1
            most -= len(self._texts[at])
        for place in self._places[:at]:
            self._keys.pop(place, None)
        del self._texts[:at], self._places[:at]
        if most < 0:
            self._cut(-most)

    def _cut(self, size: int) -> None:
        """Forget as many characters of the first piece."""
        key = self._keys.pop(self._places[0], None)
        self._texts[0] = self._texts[0][size:]
        self._places[0] += size
        if key is not None:
            self._keys[self._places[0]] = key[size % 4 :] + key[: size % 4]

    def within(self, start: int, end: int) -> Recent:
        """Return the part in [start, end) of the stream."""
        found = Recent()
        for text, place in zip(self._texts, self._places, strict=True):
            first, last = max(start - place, 0), min(end - place, len(text))
            if first < last:
                found.add([text[first:last]], [place + first], {})
        return found

    def latest(self, size: int) -> Recent:
        """Return the last ``size`` characters, or all if there are fewer."""
        found = Recent()
        at = len(self._texts)
        while at and size > 0:
            at -= 1
            size -= len(self._texts[at])
        found.add(self._texts[at:], self._places[at:], {})
        return found

    @property
    def text(self) -> str:
        """All of it as one text."""
        return "".join(self._texts)

    def places(self, spans: Sequence[Span]) -> Iterator[Span]:
        """Yield where parts of the text lie in the stream."""
        base = 0
        for text, place in zip(self._texts, self._places, strict=True):
            end = base + len(text)
            for first, last in spans:
                if first < end and last > base:
                    yield place + max(first, base) - base, place + min(last, end) - base
            base = end

    def key_at(self, place: int) -> tuple[bytes, int] | None:
        """Return what a byte is masked with, and how far in its piece it is; None if it is not."""
        at = bisect_right(self._places, place) - 1
        key = self._keys.get(self._places[at]) if at >= 0 else None
        return None if key is None else (key, place - self._places[at])
