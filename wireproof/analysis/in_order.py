"""Things that come out of order, given back in the order of their numbers as soon as that can be.

Strategy: what comes early waits for what has a lower number. At most ``max_waiting`` wait: then the
one with the lowest number goes first, whatever is missing before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_WAITING = 16_384
"""Lines or blocks that wait for an exchange that began earlier: about 16 MB."""


class InOrder(Generic[T]):
    """Orders things by their numbers, which count from 0 without a gap."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting: list[tuple[int, T | None]] = []
        self._next = 0

    def add(self, number: int, thing: T | None) -> Iterator[T]:
        """Take the thing of a number, None if there is none; yield those whose turn it is."""
        heappush(self._waiting, (number, thing))
        while self._waiting and (
            self._waiting[0][0] <= self._next or len(self._waiting) > self._max_waiting
        ):
            yield from self._pop()

    def finish(self) -> Iterator[T]:
        """Yield the rest."""
        while self._waiting:
            yield from self._pop()

    def _pop(self) -> Iterator[T]:
        number, thing = heappop(self._waiting)
        self._next = max(self._next, number + 1)
        if thing is not None:
            yield thing
