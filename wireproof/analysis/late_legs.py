"""Whether an exchange is a leg behind a proxy, for those that were judged before that is known.

Strategy: :mod:`.legs` knows whom a proxy asked for once the connections of all that may belong
together are over. So what was made of an exchange waits for these, MAX_PAST at most: links are
remembered no longer. Then the one that has waited longest goes, as none that is known to be a leg.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from .legs import Leg, connection_to_come, near_leg
from .links import MAX_PAST

T = TypeVar("T")


class Told(NamedTuple, Generic[T]):
    """What was made of an exchange, and whether that is a leg behind a proxy."""

    number: int
    """Of the exchange in its capture."""
    thing: T
    is_behind_proxy: bool


class LateLegs(Generic[T]):
    """Keeps what was made of exchanges until it is known whether they are legs behind a proxy."""

    def __init__(self, max_waiting: int = MAX_PAST) -> None:
        self._max_waiting = max_waiting
        self._order: dict[int, int] = {}
        """The connection that each exchange waits for, by its number; the first one first."""
        self._waiting: dict[int, dict[int, tuple[Leg, T]]] = {}
        """Those that wait for a connection."""

    def wait(self, leg: Leg, thing: T) -> list[Told[T]]:
        """Take what was made of an exchange; return what waits no more."""
        if (connection := connection_to_come(leg)) is None:
            return [_told(leg, thing)]
        self._put(connection, leg, thing)
        return [self._pop(next(iter(self._order)))] if len(self._order) > self._max_waiting else []

    def over(self, connection: int) -> list[Told[T]]:
        """Take note that a connection has ended; return what waits no more."""
        known = []
        for leg, thing in self._waiting.pop(connection, {}).values():
            if (other := connection_to_come(leg)) is None:
                del self._order[leg.about.number]
                known.append(_told(leg, thing))
            else:
                self._put(other, leg, thing)
        return known

    def finish(self) -> list[Told[T]]:
        """Take note that no record follows; return the rest."""
        return [self._pop(number) for number in list(self._order)]

    def _put(self, connection: int, leg: Leg, thing: T) -> None:
        self._order[leg.about.number] = connection
        self._waiting.setdefault(connection, {})[leg.about.number] = leg, thing

    def _pop(self, number: int) -> Told[T]:
        connection = self._order.pop(number)
        leg, thing = self._waiting[connection].pop(number)
        if not self._waiting[connection]:
            del self._waiting[connection]
        return _told(leg, thing)


def _told(leg: Leg, thing: T) -> Told[T]:
    return Told(leg.about.number, thing, near_leg(leg) is not None)
