"""What was made of exchanges before it is known whether they are legs behind a proxy.

Strategy: :mod:`.leg_pairs` knows it once all that may belong together are over. So what was made of
an exchange waits for these, MAX_LATE at most: then the one that has waited longest goes, by what is
known of it.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from .leg_pairs import LegPairs

T = TypeVar("T")
MAX_LATE = 1_024
"""Things that wait, of all connections."""


class Told(NamedTuple, Generic[T]):
    """What was made of an exchange, and whether that is a leg behind a proxy."""

    number: int
    """Of the exchange in its capture."""
    thing: T
    is_behind_proxy: bool


class LateLegs(Generic[T]):
    """Keeps what was made of exchanges until it is known whether they are legs behind a proxy."""

    def __init__(self, pairs: LegPairs, max_waiting: int = MAX_LATE) -> None:
        self._pairs = pairs
        self._max_waiting = max_waiting
        self._waiting: dict[int, T] = {}
        """By the number of the exchange; the first one first."""

    def wait(self, number: int, thing: T) -> list[Told[T]]:
        """Take what was made of an exchange; return what waits no more."""
        if self._pairs.known(number) is not None:
            return [self._told(number, thing)]
        known = self.known() if len(self._waiting) >= self._max_waiting else []
        self._waiting[number] = thing
        if len(self._waiting) > self._max_waiting:
            known.append(self._pop(next(iter(self._waiting))))
        return known

    def known(self) -> list[Told[T]]:
        """Return what waits no more."""
        decided = self._pairs.decided()
        return [self._pop(number) for number in decided if number in self._waiting]

    def finish(self) -> list[Told[T]]:
        """Take note that no record follows; return the rest."""
        return [self._pop(number) for number in list(self._waiting)]

    def _pop(self, number: int) -> Told[T]:
        return self._told(number, self._waiting.pop(number))

    def _told(self, number: int, thing: T) -> Told[T]:
        return Told(number, thing, self._pairs.take(number))
