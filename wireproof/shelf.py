"""Things that are over and seldom asked for: put aside in a spool, and brought back when they are.

Strategy: as many of them as MAX_OVER stay in memory as they are, those that were asked for last; of
all others memory has where they lie, a number, whatever they hold. Types say how a thing is
encoded. Whoever asks does not see where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from .pings import Pings
from .spool import Spool

T = TypeVar("T")
A = TypeVar("A")
MAX_OVER = 512
"""Things of one sort that are over and stay in memory: more than a page of them shows."""
SIZE = 32
"""Bits of a place that say how long it is."""


class Shelf(Generic[T]):
    """Things of one type, each by its number."""

    def __init__(self, kind: type[T], spool: Spool) -> None:
        self._spool = spool
        self._encode = msgspec.msgpack.Encoder(enc_hook=_nothing_of).encode
        self._decode = msgspec.msgpack.Decoder(kind, dec_hook=_made_anew).decode
        self._places: dict[int, int] = {}

    def put(self, number: int, thing: T) -> None:
        """Put a thing aside, in the place of what was there. Raises OSError if there is no room."""
        encoded = self._encode(thing)
        if self._read(self._places.get(number, 0)) != encoded:
            self._places[number] = self._spool.append(encoded) << SIZE | len(encoded)

    def get(self, number: int) -> T | None:
        """Return a thing as it was when it was put aside, None if there is none."""
        place = self._places.get(number)
        return None if place is None else self._decode(self._read(place))

    def _read(self, place: int) -> bytes:
        return self._spool.read(place >> SIZE, place & (1 << SIZE) - 1)


class Resting(Generic[T, A]):
    """Things that go on, which stay in memory, and those that are over, which need not.

    ``aside`` makes of a thing what is encoded, of type ``kind``, and ``back`` a thing of that and
    of its number.
    """

    def __init__(
        self, kind: type[A], spool: Spool, aside: Callable[[T], A], back: Callable[[int, A], T]
    ) -> None:
        self._aside = aside
        self._back = back
        self.here: dict[int, T] = {}
        """Those in memory, by number."""
        self._over: dict[int, None] = {}
        """Those of them that are over, of which nothing was asked for longest first."""
        self._shelf = Shelf(kind, spool)

    def begin(self, number: int, thing: T) -> None:
        """Add a thing that goes on."""
        self.here[number] = thing

    def end(self, number: int) -> None:
        """Take note that a thing is over. Raises OSError if there is no room for what is put
        aside."""
        if number in self.here:
            self._over[number] = None
            self._make_room(MAX_OVER)

    def get(self, number: int) -> T:
        """Return a thing, brought back if it was put aside. Raises KeyError if there is none."""
        thing = self.here.get(number)
        if thing is None:
            aside = self._shelf.get(number)
            if aside is None:
                raise KeyError(number)
            thing = self.here[number] = self._back(number, aside)
            self.end(number)
        elif number in self._over:
            del self._over[number]
            self._over[number] = None
        return thing

    def rest(self) -> None:
        """Put aside all that is over: processes that are forked then share a spool that none of
        them adds to, for what comes back unchanged stays where it lies."""
        self._make_room(0)

    def _make_room(self, kept: int) -> None:
        while len(self._over) > kept:
            number = next(iter(self._over))
            del self._over[number]
            self._shelf.put(number, self._aside(self.here.pop(number)))


def _nothing_of(thing: object) -> None:
    """Pings are of no use to what is over."""
    if not isinstance(thing, Pings):
        raise NotImplementedError(f"{type(thing).__name__} is not put aside")


def _made_anew(kind: type[Any], _: object) -> object:
    return kind()
