"""What is said of exchanges at the moment at which they end, while their connections go on.

Strategy: a watcher does not wait for the end of a connection, which may be hours away. An exchange
is judged when both sides have sent all of it, or when it is over in any other way, whichever comes
first, and only once: of what the connection's record tells (round trips, losses, who closed) only
that is known which is known by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from parsers.provenance import CLOSED
from parsers.records import Record

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter, heads_of
from ..analysis.judges import Explained, judge
from ..analysis.trace import Trace
from ..exchange import Exchange
from ..exchanges import Exchanges
from ..open_exchanges import Key

BY_CONNECTION = (*CLOSED, "reset", "capture-end")
"""``ended_by`` of bodies that the end of their connection ended."""


class LiveVerdicts:
    """Turns records into the wanted exchanges with what is said of them, as these end."""

    def __init__(self, wanted: ExchangeFilter = EVERYTHING) -> None:
        self._wanted = wanted
        self._exchanges: Exchanges[Trace] = Exchanges(Trace)
        self._told: set[Key] = set()
        """The open exchanges about which everything has been said."""

    def add(self, records: Iterable[Record]) -> Iterator[Explained]:
        """Take the next records; yield the exchanges that they end."""
        for record in records:
            found = self._exchanges.add(record)
            if found is not None:
                exchange, trace = found
                trace.add(record)
                if exchange.key not in self._told and _has_ended(exchange):
                    self._told.add(exchange.key)
                    yield from self._tell(exchange, trace)
            for exchange, trace in self._exchanges.over():
                if exchange.key in self._told:
                    self._told.remove(exchange.key)
                else:
                    yield from self._tell(exchange, trace)

    def _tell(self, exchange: Exchange, trace: Trace) -> Iterator[Explained]:
        if self._wanted.takes_heads(heads_of(exchange)):
            yield Explained(exchange, trace, judge(trace))


def _has_ended(exchange: Exchange) -> bool:
    """Whether both sides have sent all of it, and no end of the connection had to say so."""
    body = exchange.response_body
    if body is not None and body.ended_by in BY_CONNECTION:
        return False  # whose record is the next to come
    return exchange.has_ended or len(exchange.closing) == 2
