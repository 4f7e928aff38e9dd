"""Records folded into exchanges and their traces: all that concerns one connection alone.

Strategy: of what streams nobody has to know before its exchange is over, and it is most of all
there is. So it is put aside until there is more of it: taken together it costs a third. Only what
others may have to know is told, as a :class:`Moment`, in the order of the records: that an exchange
has begun or is over, its heads and the ends of its bodies, whatever comes after the end of its
answer, faults, and what is known of a connection. Who judges takes moments, and needs no other
records; whoever folds needs no other connections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from msgspec import Struct
from parsers.records import (
    AwsEventRecord,
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    StallRecord,
    TlsConnectionRecord,
)

from ..exchange import Exchange
from ..exchanges import HEADS, Exchanges
from .company import Company
from .http2_facts import Http2Facts
from .together import EVENTFUL, FRAMED, Streaming, add_stream
from .trace import Trace

Found = tuple[Exchange, Trace]
"""An exchange, and what judges see of it."""
STREAMING: frozenset[type[Any]] = EVENTFUL | FRAMED
MULTIPLEXED = frozenset((Http2DataRecord, Http3DataRecord, Http2FrameRecord, StallRecord))
"""Records that tell something of a connection of HTTP/2 or HTTP/3 as a whole."""
TOLD: frozenset[type[Any]] = frozenset(
    (RequestRecord, ResponseRecord, BodyRecord)
    + (DiagnosticRecord, ConnectionRecord, TlsConnectionRecord)
)
"""Records that others may have to know."""
WITHIN = (
    *(DiagnosticRecord, GapRecord),
    *(JsonLineRecord, PartRecord, AwsEventRecord, GrpcMessageRecord),
)
"""Records that neither end an exchange nor begin one that is known."""
MAX_ASIDE = 4 << 20
"""Bytes of records that are put aside, so that they can be taken together."""
AT_ONCE = 192
"""Records of one exchange that are taken together without waiting for more of them."""
PORTION = 128 << 10
"""Bytes of records after which it is looked what there is much of: small enough for a cache."""
RECORD = 512
"""Bytes that a record takes besides its data."""


class Moment(Struct, frozen=True):
    """What a record has brought about: a struct, for a tuple takes three times as long."""

    record: Record | None
    """If it is one of TOLD."""
    found: Found | None
    """What it belongs to, which has taken it already."""
    ended: Sequence[Found] = ()
    """What is over with it."""
    has_begun: bool = False
    """Whether the exchange that it belongs to has begun with it."""


class Folding:
    """Turns records into moments; traces look for ``company`` at what else happened meanwhile."""

    def __init__(self, company: Company) -> None:
        self._exchanges: Exchanges[Trace] = Exchanges(lambda about: Trace(about, company))
        self._http2: defaultdict[int, Http2Facts] = defaultdict(Http2Facts)
        """What the streams of a connection share."""
        self._aside: defaultdict[tuple[int, int], list[Streaming]] = defaultdict(list)
        """Records that have not been taken yet, by their exchange, which is open."""
        self._room = MAX_ASIDE
        """Bytes that may still be put aside until all is taken."""

    @property
    def begun(self) -> int:
        """How many exchanges have begun."""
        return self._exchanges.count

    def add_all(self, records: Iterable[Record]) -> Iterator[Moment]:
        """Take the next records; yield what they bring about, one after the other."""
        if not isinstance(records, list) or not self.takes_at_once(records):
            yield from self._add_each(records)

    def takes_at_once(self, records: list[Record]) -> bool:
        """Take the next records if they are of one exchange, and bring nothing about; return
        whether they are."""
        if not self._are_of_one(records):
            return False
        for start in range(0, len(records), AT_ONCE):
            self._put_aside(cast("list[Streaming]", records[start : start + AT_ONCE]))
        return True

    def shared(self, connection: int) -> Http2Facts | None:
        """Return what the streams of a connection share, None if it has none."""
        return self._http2.get(connection)

    def let_go(self, connection: int) -> None:
        """Forget what is known of a connection that has ended."""
        self._http2.pop(connection, None)

    def finish(self) -> list[Found]:
        """Take note that no record follows; return the exchanges that were still open."""
        self._take_all()
        return self._exchanges.finish()

    def _are_of_one(self, records: list[Any]) -> bool:
        """Whether records are of one open exchange without a stream, and may be put aside.

        Asked of all of them, question by question, that takes half of what it takes record by
        record.
        """
        if not STREAMING.issuperset(map(type, records)) or not records:
            return False
        if {record.connection for record in records} != {records[0].connection}:
            return False
        is_one = {record.exchange for record in records} == {records[0].exchange}
        if not is_one or {record.stream_id for record in records} != {None}:
            return False
        found = self._exchanges.known(records[0].connection, records[0].exchange)
        return found is not None and found[0].response_body is None

    def _put_aside(self, some: Sequence[Streaming]) -> None:
        """Put records of one exchange aside."""
        self._aside[some[0].connection, some[0].exchange] += some
        self._settle(sum([record.length for record in some]) + RECORD * len(some))

    def _add_each(self, records: Iterable[Record]) -> Iterator[Moment]:
        """Take the next records, of whatever exchanges they are."""
        aside, portion, connection, exchange = self._aside, PORTION, -1, -1
        some: list[Streaming] | None = None
        found: Found | None = None
        one: Any  # of Streaming: a call of cast() would cost a fifth of all that is done here
        for one in records:
            if type(one) not in STREAMING:
                if (moment := self._add(one)) is not None:
                    yield moment
                connection = -1
                continue
            if one.exchange != exchange or one.connection != connection:
                connection, exchange = one.connection, one.exchange
                some = aside.get((connection, exchange))
                if some is None:
                    found = self._exchanges.known(connection, exchange)
                    if found is None or not _waits(found, one):
                        if (moment := self._add(one)) is not None:
                            yield moment
                        connection = -1
                        continue
                    if found[1].takes_together:
                        some = aside[connection, exchange]
            if some is None:
                found[0].add(one)  # type: ignore[index]
                found[1].add(one)  # type: ignore[index]
                continue
            some.append(one)
            if type(one) is Http2DataRecord:
                self._http2[connection].add(one)
            portion -= one.length + RECORD
            if portion < 0:
                self._settle(PORTION - portion)
                portion, connection = PORTION, -1
        self._room -= PORTION - portion

    def _add(self, record: Record) -> Moment | None:
        """Take a record, and before it whatever has to be taken first."""
        if self._aside:
            self._make_way(record)
        kind = type(record)
        if kind in MULTIPLEXED and record.connection is not None:
            self._http2[record.connection].add(record)
        elif kind is GapRecord and (shared := self._http2.get(record.connection or 0)) is not None:
            shared.add(record)
        exchanges = self._exchanges
        begun = exchanges.count
        found = exchanges.add(record)
        if found is not None and kind not in HEADS:
            found[1].add(record)
        ended = exchanges.over()
        is_told, has_begun = kind in TOLD, exchanges.count > begun
        is_answered = found is not None and found[0].response_body is not None
        if ended or is_told or has_begun or is_answered:
            return Moment(record if is_told else None, found, ended, has_begun)
        return None  # as with nearly every record

    def _make_way(self, record: Record) -> None:
        """Take what is aside and has to be taken before a record.

        That is all, if the record may begin an exchange or end one; else what is of its own.
        """
        key = self._within(record)
        if key is None:
            self._take_all()
        elif (some := self._aside.pop(key, None)) is not None:
            self._take(key, some)

    def _within(self, record: Record) -> tuple[int, int] | None:
        """Return the open exchange that a record belongs to, if it surely leaves that open."""
        if not isinstance(record, WITHIN) or record.stream_id is not None:
            return None
        connection, exchange = record.connection, record.exchange
        if connection is None or exchange is None:
            return None
        return (connection, exchange) if self._exchanges.known(connection, exchange) else None

    def _settle(self, size: int) -> None:
        """Take what there is much of, when ``size`` bytes more have been put aside."""
        self._room -= size
        if self._room < 0:
            self._take_all()
        for key in [key for key, some in self._aside.items() if len(some) >= AT_ONCE]:
            self._take(key, self._aside.pop(key))

    def _take_all(self) -> None:
        aside, self._room = list(self._aside.items()), MAX_ASIDE
        self._aside.clear()
        for key, some in aside:
            self._take(key, some)

    def _take(self, key: tuple[int, int], some: Sequence[Streaming]) -> None:
        found = self._exchanges.known(*key)
        assert found is not None  # whatever may end it takes what is aside before
        add_stream(found[1], some)


def _waits(found: Found, record: Streaming) -> bool:
    """Whether a record of an exchange that is open may be put aside: nothing is told of it, and it
    ends nothing."""
    exchange, trace = found
    if exchange.response_body is not None:  # nobody expects more
        return False
    return record.stream_id is None or (trace.takes_together and not exchange.has_ended)
