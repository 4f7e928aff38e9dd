"""Things that are over and seldom asked for: put aside in a spool, and brought back when they are.

Strategy: as many of them as MAX_OVER stay in memory as they are, those that were asked for last. Of
all others not even where they lie is in memory: that is a column of numbers, which is on disk
itself (:mod:`.columns`). Types say how a thing is encoded. Whoever asks does not see where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Generic, TypeVar

import msgspec
from parsers.records import FIRST_QUIC_CONNECTION

from .columns import Rows
from .pings import Pings
from .spool import Spool

T = TypeVar("T")
A = TypeVar("A")
MAX_OVER = 512
"""Things of one sort that are over and stay in memory: more than a page of them shows."""
PLACE = Struct("=QI")
"""Where a thing lies, and how many bytes it takes there: none, if there is nothing."""
NOWHERE = bytes(PLACE.size)


class Shelf(Generic[T]):
    """Things of one type, each by its number.

    Numbers follow one another, but for those of QUIC connections, which have a column of their own.
    """

    def __init__(self, kind: type[T], spool: Spool) -> None:
        self._spool = spool
        self._encode = msgspec.msgpack.Encoder(enc_hook=_nothing_of).encode
        self._decode = msgspec.msgpack.Decoder(kind, dec_hook=_made_anew).decode
        self._places = Rows(PLACE, spool), Rows(PLACE, spool)

    def put(self, number: int, thing: T) -> None:
        """Put a thing aside, in the place of what was there. Raises OSError if there is no room."""
        encoded = self._encode(thing)
        if self._read(number) != encoded:
            places, at = self._column(number)
            places.put(at, PLACE.pack(self._spool.append(encoded), len(encoded)), NOWHERE)

    def get(self, number: int) -> T | None:
        """Return a thing as it was when it was put aside, None if there is none."""
        encoded = self._read(number)
        return self._decode(encoded) if encoded else None

    def _read(self, number: int) -> bytes:
        places, at = self._column(number)
        return self._spool.read(*places.row(at)) if at < len(places) else b""

    def _column(self, number: int) -> tuple[Rows, int]:
        """Return the column of a number, and where it stands there."""
        is_quic, at = divmod(number, FIRST_QUIC_CONNECTION)
        return self._places[is_quic], at


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
        self._rests = False
        """Whether all that is over lies on the shelf as it is, and changes no more."""

    def begin(self, number: int, thing: T) -> None:
        """Add a thing that goes on."""
        self.here[number] = thing

    def end(self, number: int) -> None:
        """Take note that a thing is over. Raises OSError if there is no room for what is put
        aside."""
        if number in self.here:
            self._over[number] = None
            self._make_room(MAX_OVER)

    def goes_on(self, number: int) -> bool:
        """Whether a thing is not over, and so stays in memory."""
        return number in self.here and number not in self._over

    def get(self, number: int) -> T:
        """Return a thing, brought back if it was put aside. Raises KeyError if there is none."""
        thing = self.find(number)
        if thing is None:
            raise KeyError(number)
        return thing

    def find(self, number: int) -> T | None:
        """Return a thing, brought back if it was put aside; None if there is none."""
        thing = self.here.get(number)
        if thing is None:
            aside = self._shelf.get(number)
            if aside is None:
                return None
            thing = self.here[number] = self._back(number, aside)
            self.end(number)
        elif number in self._over:
            del self._over[number]
            self._over[number] = None
        return thing

    def rest(self) -> None:
        """Put aside all that is over, and changes no more: what is brought back from now on is let
        go without a look at it. So processes that are forked share a spool that none adds to."""
        self._make_room(0)
        self._rests = True

    def _make_room(self, kept: int) -> None:
        while len(self._over) > kept:
            number = next(iter(self._over))
            del self._over[number]
            thing = self.here.pop(number)
            if not self._rests:
                self._shelf.put(number, self._aside(thing))


def _nothing_of(thing: object) -> None:
    """Pings are of no use to what is over."""
    if not isinstance(thing, Pings):
        raise NotImplementedError(f"{type(thing).__name__} is not put aside")


def _made_anew(kind: type[Any], _: object) -> object:
    return kind()
