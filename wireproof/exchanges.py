"""The one fold from records to exchanges, which every view, export, verdict and test reads.

Strategy: records come in the contract's order. Each is added to the :class:`.exchange.Exchange` of
its (connection, exchange). What a view wants to know beside that stands in a state of its own,
which the fold keeps beside the exchange and hands back with it. So memory is that of the exchanges
that are open, whatever they carry.

Who is over is one rule, of :mod:`.open_exchanges`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
)

from .exchange import ConnectionEnd, Exchange
from .open_exchanges import Key, OpenExchanges

S = TypeVar("S")
HEADS = frozenset((RequestRecord, ResponseRecord))


class Exchanges(Generic[S]):
    """Turns records into exchanges, each beside a state that ``state`` makes for it.

    ``max_open`` bounds how many are open at once; None: what the memory allows.
    """

    def __init__(self, state: Callable[[Exchange], S], max_open: int | None = None) -> None:
        self.count = 0
        """How many exchanges have begun."""
        self._state = state
        self._ends: dict[int, ConnectionEnd] = {}
        self._open: OpenExchanges[tuple[Exchange, S]] = OpenExchanges(
            self._begin, max_open, idle_since=_last_packet, let_go=_let_go
        )

    def add(self, record: Record) -> tuple[Exchange, S] | None:
        """Take the next record, and return its exchange with the state beside it.

        None for what belongs to no exchange, or to one that is over: a fault that shows late.
        """
        if isinstance(record, ConnectionRecord):
            self._end_connection(record)
            return None
        opened = self._open
        if opened.over:
            opened.over = []
        found = opened.known.get((record.connection, record.exchange))
        if found is None:
            if record.connection is None or record.exchange is None:
                return None
            found = opened.find(record.connection, record.exchange, record.stream_id)
            if found is None:
                return None
        found[0].add(record)
        if record.stream_id is not None:
            if found[0].has_ended:
                self._open.end(found[0].key)
        elif type(record) in HEADS and record.sender is not None:
            opened.go_on(*found[0].key, record.sender)
        return found

    def add_event(self, exchange: Exchange, chunk: ChunkRecord, event: SseEventRecord) -> None:
        """Take a usual chunk and the event in it (:func:`is_usual_event`) of an exchange that is
        open: what :meth:`add` does for each, in a third of the time."""
        if self._open.over:
            self._open.over = []
        exchange.add_event(chunk, event)

    def _end_connection(self, record: ConnectionRecord) -> None:
        self._open.end_connection(record.connection)
        if (end := self._ends.pop(record.connection, None)) is not None:
            end.record = record

    def known(self, connection: int, exchange: int) -> tuple[Exchange, S] | None:
        """Return an exchange that is open with the state beside it, None if it is not."""
        return self._open.known.get((connection, exchange))

    def over(self) -> list[tuple[Exchange, S]]:
        """Return the exchanges that are over since the last record came, in their order; once."""
        found = self._open.over
        if found:
            self._open.over = []
        return found

    def open(self) -> Iterator[tuple[Exchange, S]]:
        """Iterate over the exchanges that are open, in the order in which they began."""
        return iter(self._open)

    def end(self, exchange: Exchange) -> None:
        """Take an open exchange for over: a view has no use for more, or no room.

        What still comes of it begins it again.
        """
        self._open.end(exchange.key)

    def finish(self) -> list[tuple[Exchange, S]]:
        """Take note that no record follows; return the exchanges that were still open."""
        return self._open.finish()

    def _begin(self, key: Key) -> tuple[Exchange, S]:
        end = self._ends.setdefault(key.connection, ConnectionEnd())
        exchange = Exchange(key, self.count, end=end)
        self.count += 1
        end.last = max(end.last, key.exchange)
        return exchange, self._state(exchange)


def _last_packet(found: tuple[Exchange, object]) -> int:
    return found[0].last_packet


def _let_go(found: tuple[Exchange, object]) -> None:
    found[0].is_let_go = True


def is_usual_event(chunk: ChunkRecord, event: SseEventRecord) -> bool:
    """Whether the event after a chunk came in the same packet as all of it, in the same exchange of
    a connection that has one after the other."""
    packet = chunk.last_packet
    return (
        chunk.first_packet == packet == event.first_packet == event.last_packet
        and chunk.exchange == event.exchange
        and chunk.connection == event.connection
        and event.stream_id is None
    )
