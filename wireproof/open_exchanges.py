"""Which exchanges are open, and the one rule by which one is over.

Each side of an HTTP/1.1 connection sends its messages in the order of the requests (RFC 9112
section 9.3.2): when both sides have begun a later exchange, nothing more comes of an earlier one. A
stream of HTTP/2 is over by itself, when both sides have ended it. The end of a connection ends all
of its exchanges. And past MAX_PIPELINED of one connection the one that began first is taken for
over; past ``max_open`` of all, those that have been idle for longest, a quarter of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Generic, NamedTuple, TypeVar, cast

from parsers import Memory
from parsers.limits import MAX_PIPELINED, KiB
from parsers.records import Sender

T = TypeVar("T")

EXCHANGE_COST = 32 * KiB
"""Bytes of the memory that is allowed for each exchange that may be open: what is decoded of it
takes the most, and a few KiB what is kept to judge it."""


def max_open() -> int:
    """Return how many exchanges may be open at once, of all connections: 8,192 in 256 MiB."""
    return max(Memory.usual // EXCHANGE_COST, 1)


class Key(NamedTuple):
    """Which exchange: of which connection, and which there, both from 0."""

    connection: int
    exchange: int


@dataclass(slots=True)
class _Connection:
    """How far each side has come, and the exchanges that are open."""

    asked: int = -1
    """The exchange of the last request."""
    answered: int = -1
    """The exchange of the last response."""
    last: int = -1
    """The exchange with the highest number that has begun."""
    skipped: dict[int, None] = field(default_factory=dict)
    """Those before it that have not: where packets are missing, a stream's number may be taken
    before that of another whose records come first. The last MAX_PIPELINED of them."""
    open: dict[int, None] = field(default_factory=dict)

    def is_over(self, exchange: int) -> bool:
        return exchange < self.asked and exchange < self.answered

    def begin(self, exchange: int) -> None:
        """Take note that an exchange begins."""
        if exchange == self.last + 1 and not self.skipped:
            self.last = exchange  # as nearly every time
            return
        self.skipped.pop(exchange, None)
        before = range(max(self.last + 1, exchange - MAX_PIPELINED), exchange)
        self.skipped.update(dict.fromkeys(before))
        while len(self.skipped) > MAX_PIPELINED:
            del self.skipped[next(iter(self.skipped))]
        self.last = max(self.last, exchange)

    def has_been(self, exchange: int) -> bool:
        """Whether that of a stream has been, if it is not open: they are numbered as they begin."""
        return exchange <= self.last and exchange not in self.skipped


class OpenExchanges(Generic[T]):
    """What is kept of each exchange that is open, and the rule by which it is over.

    ``make`` makes what is kept; ``limit`` bounds of how many at once: None, what the memory allows.
    ``idle_since`` says which packet one of them had last, and ``let_go`` is called with each that
    had to make room for others.
    """

    def __init__(
        self,
        make: Callable[[Key], T],
        limit: int | None = None,
        *,
        idle_since: Callable[[T], int] = lambda _: 0,
        let_go: Callable[[T], object] = lambda _: None,
    ) -> None:
        self.over: list[T] = []
        """Of those that are over since :meth:`find` or :meth:`end_connection` was last called."""
        self._make = make
        self._limit = max_open() if limit is None else limit
        self._idle_since = idle_since
        self._let_go = let_go
        self.known: dict[tuple[int | None, int | None], T] = {}
        """What is kept of those that are open, by connection and exchange."""
        self._connections: dict[int, _Connection] = {}

    def __iter__(self) -> Iterator[T]:
        """Iterate over what is open, in the order in which it began."""
        return iter(self.known.values())

    def find(self, connection: int, exchange: int, stream_id: int | None = None) -> T | None:
        """Return what is kept of an exchange, which may begin with that; None if it is over.

        ``stream_id`` is its stream's, if that has one.
        """
        if self.over:
            self.over = []
        found = self.known.get((connection, exchange))
        if found is None:
            return self._begin(Key(connection, exchange), stream_id is not None)
        return found

    def go_on(self, connection: int, exchange: int, sender: Sender) -> None:
        """Note that a side has begun its message; end what both sides have left behind them."""
        known = self._connections[connection]
        asked, answered = known.asked, known.answered
        if sender == "client" and exchange > asked:
            asked = known.asked = exchange
        elif sender == "server" and exchange > answered:
            answered = known.answered = exchange
        # Without min(), for every head of every view.
        if (asked if asked < answered else answered) > next(iter(known.open), asked):
            for number in list(takewhile(known.is_over, known.open)):
                self.end((connection, number))

    def end_connection(self, connection: int) -> None:
        """End all exchanges of a connection."""
        known = self._connections.pop(connection, None)
        self.over = [self.known.pop((connection, number)) for number in known.open] if known else []

    def end(self, key: tuple[int, int]) -> None:
        """End one exchange; what still comes of it begins it again."""
        self.over.append(self.known.pop(key))
        del self._connections[key[0]].open[key[1]]

    def finish(self) -> list[T]:
        """End all, and return what was kept of them."""
        found = list(self)
        self.known.clear()
        self._connections.clear()
        return found

    def _begin(self, key: Key, is_stream: bool) -> T | None:
        connection = self._connections.get(key.connection)
        if connection is None:
            connection = self._connections[key.connection] = _Connection()
        if connection.is_over(key.exchange) or (is_stream and connection.has_been(key.exchange)):
            return None
        connection.begin(key.exchange)
        if len(connection.open) >= MAX_PIPELINED:
            self.end((key.connection, next(iter(connection.open))))
        elif len(self.known) >= self._limit:
            self._make_room()
        found = self.known[key] = self._make(key)
        connection.open[key.exchange] = None
        return found

    def _make_room(self) -> None:
        """End those that have been idle for longest, so many that it pays to look for them."""
        known = self.known
        idle = sorted(known, key=lambda key: self._idle_since(known[key]))
        for key in idle[: max(self._limit // 4, 1)]:
            self._let_go(known[key])
            self.end(cast(Key, key))
