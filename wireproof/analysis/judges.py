"""Every judge asked about every exchange, as soon as what it needs is known.

Strategy: an exchange is judged when it is over and its connection is, for the facts of the path are
in the connection's record; on a connection that goes on up to MAX_WAITING exchanges wait for it, of
all connections as many as may be open, and more are judged without those facts. One that failed or
was held waits also for the end of the leg behind a proxy, if that is in the capture. A judge is a
function from a trace to a verdict, or to None where its question does not arise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from parsers.diagnostics import diagnose
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
)

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..open_exchanges import max_open
from .company import Company
from .disconnect import judge_disconnect
from .ending import judge_ending
from .gaps import judge_gap
from .hazards import judge_hazards
from .http2_facts import Http2Facts
from .links import Links
from .other_leg import judge_stream, may_be_told
from .premature import is_failed
from .reconnect import judge_reconnect
from .trace import EVENTFUL, FRAMED, MAX_FAULTS, Streaming, Trace
from .uploads import judge_upload
from .verdict import Verdict
from .websocket import judge_websocket
from .whole import judge_short

Judge = Callable[[Trace], Verdict | None]
JUDGES: Sequence[Judge] = (
    judge_stream,
    judge_upload,
    judge_ending,
    judge_gap,
    judge_websocket,
    judge_disconnect,
    judge_reconnect,
    judge_hazards,
)
"""In the order in which their answers are given."""
STREAMING: frozenset[type[Any]] = EVENTFUL | FRAMED
MULTIPLEXED = frozenset((Http2DataRecord, Http3DataRecord, Http2FrameRecord, StallRecord))
"""Records that tell something of a connection of HTTP/2 or HTTP/3 as a whole."""
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
MAX_WAITING = 1_024
"""Exchanges of one connection that are over and wait for its end."""


class Explained(NamedTuple):
    """An exchange and what is said of it."""

    exchange: Exchange
    trace: Trace
    verdicts: list[Verdict]

    @property
    def is_fault(self) -> bool:
        """Whether anything is not as it should be."""
        return any(verdict.is_fault for verdict in self.verdicts)


def judge(trace: Trace, judges: Sequence[Judge] | None = None) -> list[Verdict]:
    """Return the answers about one exchange."""
    if judges is None and (short := trace.short or judge_short(trace)) is not None:
        return short
    found = []
    for one in JUDGES if judges is None else judges:
        if (verdict := one(trace)) is not None:
            found.append(verdict)
    return found


class Explanations:
    """Turns records into explained exchanges.

    ``waits``: whether an exchange that is over waits for the end of its connection. Whoever shows
    what happens now does not: then what only that tells is not judged.
    """

    def __init__(self, judges: Sequence[Judge] | None = None, *, waits: bool = True) -> None:
        self._judges = judges
        self._max_waiting = MAX_WAITING if waits else 0
        self._company = Company()
        self._exchanges: Exchanges[Trace] = Exchanges(lambda about: Trace(about, self._company))
        self._waiting: dict[int, list[tuple[Exchange, Trace]]] = {}
        """Those that are over and wait for the end of their connection."""
        self._waiting_count = 0
        self._max_all = max_open()
        """How many of them there may be, of all connections."""
        self._around: dict[int, list[DiagnosticRecord]] = {}
        """Faults of a connection as a whole."""
        self._http2: dict[int, Http2Facts] = {}
        """What the streams of a connection share."""
        self._links = Links()
        self._aside: defaultdict[tuple[int, int], list[Streaming]] = defaultdict(list)
        """Records that have not been taken yet, by their exchange."""
        self._room = MAX_ASIDE
        """Bytes that may still be put aside until all is taken."""
        self._ended: list[tuple[Exchange, Trace]] = []
        """Those that had to make room for what was put aside."""
        self._failed: dict[int, list[Trace]] = {}
        """Those that failed or were held, by the connection of their upstream leg."""

    @property
    def begun(self) -> int:
        """How many exchanges have begun."""
        return self._exchanges.count

    def add(self, record: Record) -> list[Explained]:
        """Take the next record; return the exchanges that can be judged now."""
        return list(self.add_all((record,)))

    def add_all(self, records: Iterable[Record]) -> Iterator[Explained]:
        """Take the next records; yield the exchanges that can be judged, as soon as they can.

        What streams is put aside until there is more of it: taken together it costs a third.
        """
        if isinstance(records, list) and _are_of_one(records):
            for start in range(0, len(records), AT_ONCE):
                self._put_aside(records[start : start + AT_ONCE])
        else:
            yield from self._add_each(records)

    def _put_aside(self, some: Sequence[Streaming]) -> None:
        """Put records of one exchange aside."""
        self._aside[some[0].connection, some[0].exchange] += some
        self._settle(sum([record.length for record in some]) + RECORD * len(some))

    def _add_each(self, records: Iterable[Record]) -> Iterator[Explained]:
        """Take the next records, of whatever exchanges they are."""
        aside, portion, connection, exchange = self._aside, PORTION, -1, -1
        some: list[Streaming] | None = None
        found: tuple[Exchange, Trace] | None = None
        one: Any  # of Streaming: a call of cast() would cost a fifth of all that is done here
        for one in records:
            if type(one) not in STREAMING or one.stream_id is not None:
                if explained := self._add(one):
                    yield from explained
                connection = -1
                continue
            if one.exchange != exchange or one.connection != connection:
                connection, exchange = one.connection, one.exchange
                some = aside.get((connection, exchange))
                found = None if some is not None else self._one_by_one(connection, exchange)
                if some is None and found is None:
                    some = aside[connection, exchange]
            if found is not None:
                found[0].add(one)
                found[1].add(one)
                continue
            some.append(one)  # type: ignore[union-attr]
            portion -= one.length + RECORD
            if portion < 0:
                self._settle(PORTION - portion)
                portion, connection = PORTION, -1
        self._room -= PORTION - portion

    def _one_by_one(self, connection: int, exchange: int) -> tuple[Exchange, Trace] | None:
        """Return an open exchange of which nothing is taken together."""
        found = self._exchanges.known(connection, exchange)
        return None if found is None or found[1].takes_together else found

    def _add(self, record: Record) -> Sequence[Explained]:
        if self._aside:
            self._make_way(record)
        kind = type(record)
        if kind in MULTIPLEXED:
            self._add_multiplexed(record)
        found = self._exchanges.add(record)
        if found is None:
            self._note(record)
        else:
            exchange, trace = found
            if kind is not RequestRecord and kind is not ResponseRecord:
                trace.add(record)
            if type(record) is RequestRecord:
                self._links.ask(trace, record)
            elif kind is BodyRecord or kind is ResponseRecord:
                self._company.add(record, exchange)
        ended = self._exchanges.over()
        if self._ended:
            ended, self._ended = [*self._ended, *ended], []
        if not ended and kind is not ConnectionRecord:
            return ()  # as with nearly every record
        return self._over(record, ended)

    def _over(self, record: Record, ended: list[tuple[Exchange, Trace]]) -> list[Explained]:
        """Take those that are over, and the end of their connection; return what can be judged."""
        ready = [found for found in map(self._wait, ended) if found is not None]
        over: list[Trace] = []
        if type(record) is ConnectionRecord:
            done = self._waiting.pop(record.connection, [])
            self._waiting_count -= len(done)
            ready += done
            over = self._failed.pop(record.connection, [])
        if not ready and not over and type(record) is not ConnectionRecord:
            return []
        over += [trace for _, trace in ready if not self._waits_for_upstream(trace)]
        explained = [self._explain(trace) for trace in over if not _is_empty(trace)]
        if type(record) is ConnectionRecord:
            self._around.pop(record.connection, None)
            self._http2.pop(record.connection, None)
        return explained

    def _add_multiplexed(self, record: Record) -> None:
        """Note what the streams of a connection share."""
        if record.connection is not None:
            self._http2.setdefault(record.connection, Http2Facts()).add(record)

    def _wait(self, ended: tuple[Exchange, Trace]) -> tuple[Exchange, Trace] | None:
        """Let an exchange wait for the end of its connection; return one that does so no more.

        One that had to make room for others is judged at once, and says so.
        """
        exchange, trace = ended
        if exchange.is_let_go:
            trace.add(_fault_of_room(exchange))
            return ended
        waiting = self._waiting.setdefault(exchange.key.connection, [])
        waiting.append(ended)
        self._waiting_count += 1
        if len(waiting) <= self._max_waiting:
            if self._waiting_count <= self._max_all:
                return None
            waiting = next(some for some in self._waiting.values() if some)
        self._waiting_count -= 1
        return waiting.pop(0)

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
        if found is not None:
            found[1].add_stream(some)
            return
        for record in some:
            begun = self._exchanges.add(record)
            self._ended += self._exchanges.over()
            if begun is not None:
                begun[1].add(record)

    def _note(self, record: Record) -> None:
        """Keep what is said of a connection, and belongs to none of its exchanges."""
        if type(record) is not DiagnosticRecord or record.exchange is not None:
            return
        if record.connection is not None:
            known = self._around.setdefault(record.connection, [])
            if len(known) < MAX_FAULTS:
                known.append(record)

    def _waits_for_upstream(self, trace: Trace) -> bool:
        """Whether it failed or was held, and a leg behind a proxy that may tell why goes on."""
        upstream, connection = trace.upstream, trace.about.key.connection
        trace.around = self._around.get(connection, ())
        trace.http2 = self._http2.get(connection)
        if upstream is None or upstream.about.connection is not None or not self._max_waiting:
            return False
        if sum(map(len, self._failed.values())) >= MAX_WAITING:
            return False
        trace.short = judge_short(trace)
        if trace.short is not None or not (is_failed(trace) or may_be_told(trace)):
            return False
        self._failed.setdefault(upstream.about.key.connection, []).append(trace)
        return True

    def finish(self) -> list[Explained]:
        """Take note that no record follows; return the rest in the order in which they began."""
        self._take_all()
        rest = [trace for waiting in self._waiting.values() for _, trace in waiting]
        rest += [trace for waiting in self._failed.values() for trace in waiting]
        rest += [trace for _, trace in (*self._ended, *self._exchanges.finish())]
        rest.sort(key=lambda one: one.about.number)
        return [self._explain(trace) for trace in rest if not _is_empty(trace)]

    def _explain(self, trace: Trace) -> Explained:
        trace.around = trace.around or self._around.get(trace.about.key.connection, ())
        trace.http2 = trace.http2 or self._http2.get(trace.about.key.connection)
        found = Explained(trace.about, trace, judge(trace, self._judges))
        self._links.over(trace)
        trace.end()
        return found


def _are_of_one(records: list[Any]) -> bool:
    """Whether records are of one exchange without a stream, and may be put aside.

    Asked of all of them, question by question, that takes half of what it takes record by record.
    """
    if not STREAMING.issuperset(map(type, records)) or not records:
        return False
    if {record.connection for record in records} != {records[0].connection}:
        return False
    is_one = {record.exchange for record in records} == {records[0].exchange}
    return is_one and {record.stream_id for record in records} == {None}


def _fault_of_room(exchange: Exchange) -> DiagnosticRecord:
    """Return what is said of an exchange that was open, and had to make room for others."""
    key, packet, time = exchange.key, exchange.last_packet, exchange.last_time
    detail = f"too many exchanges are open, and this one was idle since packet {packet:,}"
    fault = diagnose("memory-limit", 0, 0, detail)
    return DiagnosticRecord(
        key.connection, key.exchange, None, packet, packet, time, time, None, None,
        fault.severity, fault.code, fault.summary, fault.reference,
    )  # fmt: skip


def _is_empty(trace: Trace) -> bool:
    """Whether nothing came that could be explained."""
    return trace.about.is_empty and not trace.gaps


def explain(records: Iterable[Record]) -> Iterator[Explained]:
    """Yield every exchange with what is said of it; those of a connection when that has ended."""
    explanations = Explanations()
    yield from explanations.add_all(records)
    yield from explanations.finish()
