"""What one process tells of the exchanges whose records it folds, so that another can judge them.

Strategy: only judges need all connections. So whoever has the records of some of them folds these,
and says what each moment has brought about: heads and ends of bodies as they come, and of an
exchange that is over what judges ask of it, which is as large whatever it carried. What concerns
one connection alone is finished here: TLS that was not decrypted, and in which exchanges a text is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from parsers import Indivisible
from parsers.records import (
    ConnectionRecord,
    GapRecord,
    Http2FrameRecord,
    Http3FrameRecord,
    Record,
    WebSocketFrameRecord,
)

from ..dialects.payload import Kind
from ..exchange import Counts, Exchange
from ..open_exchanges import Key
from .choice import Choice
from .company import Company
from .event_ids import EventIds
from .exchange_filter import ExchangeFilter
from .folding import Folding, Found, Moment
from .http2_facts import Http2Facts
from .keyless.sealed import MAX_KEPT, TAKEN
from .outcomes import Held, Sealed, SealedOutcomes
from .past import Word
from .payload_ids import MAX_HELD, MAX_OPEN, Ids, PayloadReader
from .trace import Trace


class Whole(NamedTuple):
    """What is known of an exchange that is over beside its heads, which were told."""

    counts: Counts
    closing: Sequence[WebSocketFrameRecord]
    reset: Http2FrameRecord | Http3FrameRecord | None
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    is_let_go: bool

    @classmethod
    def of(cls, exchange: Exchange) -> Whole:
        return cls(*(getattr(exchange, name) for name in cls._fields))

    def give(self, exchange: Exchange) -> None:
        """Let an exchange know it."""
        for name, value in zip(self._fields, self, strict=True):
            setattr(exchange, name, value)


class Over(NamedTuple):
    """An exchange that is over."""

    key: Key
    whole: Whole
    trace: Trace
    """Without its exchange and its company, once it has been sent."""
    is_multiplexed: bool
    """Whether its connection has streams, and so shares something."""


class Remembered(NamedTuple):
    """What is remembered of an exchange whose answer has ended; None: there is nothing."""

    last_time: float
    ids: EventIds | None = None
    words: Mapping[Kind, Word] | None = None
    gaps: Sequence[GapRecord] | None = None

    @classmethod
    def of(cls, found: Found) -> Remembered | None:
        """Return it; None if the answer goes on."""
        exchange, trace = found
        if exchange.response_body is None:
            return None
        known = vars(trace)
        return cls(exchange.last_time, *(known.get(name) for name in cls._fields[1:]))

    def give(self, found: Found) -> None:
        """Let an exchange know it."""
        exchange, trace = found
        exchange.last_time = self.last_time
        trace.ids = self.ids or trace.ids
        trace.words = self.words or trace.words
        trace.gaps = self.gaps or trace.gaps
        trace.is_remembered = True


class Told(NamedTuple):
    """A :class:`.folding.Moment`."""

    record: Record | None
    key: Key | None
    """Of the exchange that it belongs to."""
    ended: tuple[Over, ...]
    has_begun: bool
    remembered: Remembered | None


class Shared(NamedTuple):
    """What the streams of a connection share; told before that ends."""

    connection: int
    facts: Http2Facts


class Searched(NamedTuple):
    """The text that is looked for was in an exchange."""

    key: Key


Message = Told | Shared | Searched | Held | Sealed | Ids


class Teller:
    """Folds the records of some connections, and tells of them; ``of`` share what may be kept."""

    def __init__(self, wanted: ExchangeFilter, *, with_ids: bool, of: int) -> None:
        self._folding = Folding(Company())
        self._search = Choice(wanted).search
        self._reader = PayloadReader(MAX_HELD // of, MAX_OPEN // of) if with_ids else None
        self._sealed = SealedOutcomes(Choice(wanted), MAX_KEPT // of)
        self._is_one_of_several = of > 1
        self._open: dict[int, list[Key]] = {}
        """The exchanges that have begun, by their connection, until that ends."""
        self._at = 0
        """Which record of those at hand is being taken."""

    def tell(self, records: list[Record]) -> Iterator[tuple[int, Message]]:
        """Take the next records; yield what they bring about, each with the index of its record.

        What is told may change with the record after it: so it is to be taken as it comes. Raises
        Indivisible if more is to be kept than one of several processes may.
        """
        looks_at_each = self._search is not None or self._reader is not None
        if not looks_at_each and self._folding.takes_at_once(records):
            return
        looks_at_each |= not TAKEN.isdisjoint(map(type, records))
        seen: list[tuple[int, Message]] = []
        passed = self._looked_at(records, seen) if looks_at_each else self._counted(records)
        for moment in self._folding.add_all(passed):
            yield from seen
            seen.clear()
            for message in self._told(moment):
                yield self._at, message
        yield from seen
        has_lost = self._sealed.has_lost or (self._reader is not None and self._reader.has_lost)
        if has_lost and self._is_one_of_several:
            raise Indivisible("more is kept than one of several processes may", is_for_one=True)

    def _counted(self, records: list[Record]) -> Iterator[Record]:
        for self._at, record in enumerate(records):
            yield record

    def _looked_at(
        self, records: list[Record], seen: list[tuple[int, Message]]
    ) -> Iterator[Record]:
        """Yield records; on the way add what is known of them before they are folded."""
        search, reader, sealed = self._search, self._reader, self._sealed
        for self._at, record in enumerate(records):
            if reader is not None and (ids := reader.add(record)) is not None:
                seen.append((self._at, ids))
            if search is not None and (key := search.add(record)) is not None:
                seen.append((self._at, Searched(key)))
            if type(record) in TAKEN and (told := sealed.take(record)) is not None:
                seen.append((self._at, told))
            yield record

    def _told(self, moment: Moment) -> Iterator[Message]:
        record, found, ended = moment.record, moment.found, moment.ended
        key = None if found is None else found[0].key
        if moment.has_begun and key is not None:
            self._open.setdefault(key.connection, []).append(key)
        over = tuple(map(self._over, ended))
        if type(record) is ConnectionRecord:
            yield from self._end(record.connection)
        goes_on = found is not None and found not in ended
        remembered = Remembered.of(found) if found is not None and goes_on else None
        yield Told(record, key, over, moment.has_begun, remembered)

    def _over(self, found: Found) -> Over:
        exchange, trace = found
        shared = self._folding.shared(exchange.key.connection)
        return Over(exchange.key, Whole.of(exchange), trace, shared is not None)

    def _end(self, connection: int) -> Iterator[Shared]:
        """Forget a connection, and tell what its streams shared."""
        if (facts := self._folding.shared(connection)) is not None:
            yield Shared(connection, facts)
        self._folding.let_go(connection)
        for key in self._open.pop(connection, ()):
            if self._search is not None:
                self._search.take(key)
            if self._reader is not None:
                self._reader.forget(key)
