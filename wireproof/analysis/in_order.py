"""Things that come out of order, given back in the order of their numbers as soon as that can be.

Strategy: what comes early waits for what has a lower number. At most ``max_waiting`` wait: then the
one with the lowest number goes first, whatever is missing before it. A place can be held before a
number for something that has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_WAITING = 16_384
"""Lines or blocks that wait for an exchange that began earlier: about 16 MB."""


class InOrder(Generic[T]):
    """Orders things by their numbers, which count from 0 without a gap."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting: list[tuple[int, int, T | None]] = []
        """Number, less than 0 for what goes before the thing of that number, and the thing."""
        self._held: set[tuple[int, int]] = set()
        self._next = 0
        self._places = 0

    def add(self, number: int, thing: T | None) -> Iterable[T]:
        """Take the thing of a number, None if there is none; return those whose turn it is."""
        if number == self._next and not self._waiting and not self._held:
            self._next = number + 1
            return () if thing is None else (thing,)
        return self._put(number, 0, thing)

    def hold(self, number: int) -> tuple[int, int]:
        """Hold a place before the thing of a number, after the places that are held there."""
        self._places += 1
        place = number, self._places - (1 << 62)
        self._held.add(place)
        return place

    def fill(self, place: tuple[int, int], thing: T | None) -> Iterator[T]:
        """Put a thing in a place that was held, None if there is none; yield as ``add``."""
        self._held.discard(place)
        yield from self._put(*place, thing)

    def _put(self, number: int, rank: int, thing: T | None) -> Iterator[T]:
        heappush(self._waiting, (number, rank, thing))
        while self._waiting and (self._is_due() or len(self._waiting) > self._max_waiting):
            yield from self._pop()

    def _is_due(self) -> bool:
        number, rank, _ = self._waiting[0]
        return number <= self._next and not (self._held and min(self._held) < (number, rank))

    def finish(self) -> Iterator[T]:
        """Yield the rest."""
        while self._waiting:
            yield from self._pop()

    def _pop(self) -> Iterator[T]:
        number, rank, thing = heappop(self._waiting)
        self._next = max(self._next, number if rank else number + 1)
        if thing is not None:
            yield thing
