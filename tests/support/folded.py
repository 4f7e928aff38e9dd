"""Records, folded into exchanges beside the records of each."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.records import Record
from wireproof.exchange import Exchange
from wireproof.exchanges import Exchanges


def fold() -> Exchanges[list[Record]]:
    """A fold whose state is the records of an exchange."""
    return Exchanges(lambda _: [])


def folded(records: Iterable[Record]) -> list[tuple[Exchange, list[Record]]]:
    """The exchanges of records, in the order in which they were over."""
    exchanges = fold()
    found = []
    for record in records:
        if (one := exchanges.add(record)) is not None:
            one[1].append(record)
        found += exchanges.over()
    return found + exchanges.finish()


def only(records: Iterable[Record]) -> Exchange:
    """The one exchange of them."""
    [(exchange, _)] = folded(records)
    return exchange
