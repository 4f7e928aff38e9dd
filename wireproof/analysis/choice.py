"""The choice of explained exchanges: every criterion of a filter, when an exchange is over."""

from __future__ import annotations

from parsers.records import Record

from ..open_exchanges import Key
from .exchange_filter import EVERYTHING, ExchangeFilter, heads_of
from .judges import Explained
from .keyless.sealed import SealedConnection
from .listing import longest_gap
from .text_search import TextSearch
from .verdict import words_of


class Choice:
    """Chooses exchanges that are over; it has looked at their records before."""

    def __init__(self, wanted: ExchangeFilter = EVERYTHING) -> None:
        self._wanted = wanted
        self.search = None if wanted.grep is None else TextSearch(wanted.grep)
        """Looks at each record, if a text is looked for."""

    def look(self, record: Record) -> None:
        """Look at the next record."""
        if self.search is not None:
            self.search.add(record)

    def note(self, key: Key) -> None:
        """Take note that the text was in an exchange, as somebody else has seen."""
        if self.search is not None:
            self.search.note(key)

    def takes(self, explained: Explained) -> bool:
        """Whether an exchange is wanted; asked once, and then what it held is forgotten."""
        wanted, exchange = self._wanted, explained.exchange
        has_text = self.search is not None and self.search.take(exchange.key)
        if wanted.is_empty:
            return True
        return wanted.takes_heads(heads_of(exchange)) and wanted.takes_end(
            exchange.connection,
            words_of(explained.verdicts),
            longest_gap(explained.trace),
            has_text,
        )

    def takes_sealed(self, found: SealedConnection) -> bool:
        """Whether a TLS connection is wanted whose exchanges nobody can read."""
        gaps = [gap for answer in found.answers for gap in (answer.first or 0.0, *answer.gaps)]
        return self._wanted.takes_sealed(
            found.connection, words_of(found.verdicts), max(gaps, default=0.0)
        )
