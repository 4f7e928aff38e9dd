"""Every judge asked about every exchange, as soon as what it needs is known.

Strategy: an exchange is judged when it is over and its connection is, for the facts of the path are
in the connection's record; on a connection that goes on up to MAX_WAITING exchanges wait for it, of
all connections as many as may be open, and more are judged without those facts. One that failed or
was held waits also for the end of a proxy's other leg, if that may be in the capture. A judge is a
function from a trace to a verdict, or to None where its question does not arise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from parsers.diagnostics import diagnose
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
)

from ..exchange import Exchange
from ..open_exchanges import max_open
from .company import Company
from .disconnect import judge_disconnect
from .ending import judge_ending
from .folding import Folding, Found, Moment
from .gaps import judge_gap
from .hazards import judge_hazards
from .http2_facts import Http2Facts
from .leg_pairs import LegPairs
from .legs import connections_to_come, may_hide_cut
from .links import Links
from .other_leg import judge_stream, may_be_told
from .premature import is_failed
from .reconnect import judge_reconnect
from .trace import MAX_FAULTS, Trace
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
MAX_WAITING = 1_024
"""Exchanges of one connection that are over and wait for its end."""


class Fold(Protocol):
    """Who has folded the records of exchanges: this process, or others."""

    @property
    def begun(self) -> int:
        """How many exchanges have begun."""

    def shared(self, connection: int) -> Http2Facts | None:
        """Return what the streams of a connection share, None if it has none."""

    def let_go(self, connection: int) -> None:
        """Forget what is known of a connection that has ended."""

    def finish(self) -> list[Found]:
        """Take note that no record follows; return the exchanges that were still open."""


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
    what happens now does not: then what only that tells is not judged. ``pairs`` is told of what
    was asked for and what is over.
    """

    def __init__(
        self,
        judges: Sequence[Judge] | None = None,
        *,
        waits: bool = True,
        pairs: LegPairs | None = None,
    ) -> None:
        self._judges = judges
        self._pairs = pairs
        self._max_waiting = MAX_WAITING if waits else 0
        self.company = Company()
        self._folding = Folding(self.company)
        self._fold: Fold = self._folding
        self._waiting: dict[int, list[Found]] = {}
        """Those that are over and wait for the end of their connection."""
        self._waiting_count = 0
        self._max_all = max_open()
        """How many of them there may be, of all connections."""
        self._around: dict[int, list[DiagnosticRecord]] = {}
        """Faults of a connection as a whole."""
        self._links = Links()
        self._failed: dict[int, list[Trace]] = {}
        """Those that failed or were held, by a connection that may be another leg of their way."""

    def follow(self, fold: Fold) -> None:
        """Judge what somebody else folds, whose moments are taken one by one."""
        self._fold = fold

    @property
    def begun(self) -> int:
        """How many exchanges have begun."""
        return self._fold.begun

    def add(self, record: Record) -> list[Explained]:
        """Take the next record; return the exchanges that can be judged now."""
        return list(self.add_all((record,)))

    def add_all(self, records: Iterable[Record]) -> Iterator[Explained]:
        """Take the next records; yield the exchanges that can be judged, as soon as they can."""
        for moment in self._folding.add_all(records):
            if explained := self.take(moment):
                yield from explained

    def take(self, moment: Moment) -> Sequence[Explained]:
        """Take what a record has brought about; return the exchanges that can be judged now."""
        record, found, ended = moment.record, moment.found, moment.ended
        if found is None:
            self._note(record)
        elif type(record) is RequestRecord:
            self._links.ask(found[1], record)
            if self._pairs is not None:
                self._pairs.ask(found[1])
        elif type(record) is BodyRecord or type(record) is ResponseRecord:
            self.company.add(record, found[0])
            if self._pairs is not None and record.sender == "server":
                self._pairs.answer(found[1])
        if not ended and type(record) is not ConnectionRecord:
            return ()  # as with nearly every record
        return self._over(record, ended)

    def _over(self, record: Record | None, ended: Sequence[Found]) -> list[Explained]:
        """Take those that are over, and the end of their connection; return what can be judged."""
        if self._pairs is not None:
            self._tell(self._pairs, record, ended)
        ready = [found for found in map(self._wait, ended) if found is not None]
        over: list[Trace] = []
        if type(record) is ConnectionRecord:
            done = self._waiting.pop(record.connection, [])
            self._waiting_count -= len(done)
            ready += done
            failed = self._failed.pop(record.connection, [])
            over = [trace for trace in failed if not self._waits_for_leg(trace)]
        if not ready and not over and type(record) is not ConnectionRecord:
            return []
        over += [trace for _, trace in ready if not self._waits_for_leg(trace)]
        explained = [self._explain(trace) for trace in over if not _is_empty(trace)]
        if type(record) is ConnectionRecord:
            self._around.pop(record.connection, None)
            self._fold.let_go(record.connection)
        return explained

    def _tell(self, pairs: LegPairs, record: Record | None, ended: Sequence[Found]) -> None:
        for _, trace in ended:
            pairs.over(trace)
        if type(record) is ConnectionRecord:
            pairs.end(record.connection)

    def _wait(self, ended: Found) -> Found | None:
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

    def _note(self, record: Record | None) -> None:
        """Keep what is said of a connection, and belongs to none of its exchanges."""
        if type(record) is not DiagnosticRecord or record.exchange is not None:
            return
        if record.connection is not None:
            known = self._around.setdefault(record.connection, [])
            if len(known) < MAX_FAULTS:
                known.append(record)

    def _waits_for_leg(self, trace: Trace) -> bool:
        """Whether it failed or was held, and another leg of a proxy that may tell why goes on."""
        connection = trace.about.key.connection
        trace.around = self._around.get(connection, ())
        trace.http2 = self._fold.shared(connection)
        goes_on = connections_to_come(trace) if self._max_waiting else []
        if not goes_on:
            return False
        if sum(map(len, self._failed.values())) >= MAX_WAITING:
            for leg in trace.asked_meanwhile:
                leg.check_here()
            return False
        trace.short = judge_short(trace)
        if trace.short is not None or not _may_be_told_by_a_leg(trace):
            return False
        self._failed.setdefault(goes_on[0], []).append(trace)
        return True

    def finish(self) -> list[Explained]:
        """Take note that no record follows; return the rest in the order in which they began."""
        last = self._fold.finish()
        if self._pairs is not None:
            self._tell(self._pairs, None, last)
        rest = [trace for waiting in self._waiting.values() for _, trace in waiting]
        rest += [trace for waiting in self._failed.values() for trace in waiting]
        rest += [trace for _, trace in last]
        rest.sort(key=lambda one: one.about.number)
        return [self._explain(trace) for trace in rest if not _is_empty(trace)]

    def _explain(self, trace: Trace) -> Explained:
        trace.around = trace.around or self._around.get(trace.about.key.connection, ())
        trace.http2 = trace.http2 or self._fold.shared(trace.about.key.connection)
        found = Explained(trace.about, trace, judge(trace, self._judges))
        self._links.over(trace)
        trace.end()
        return found


def _fault_of_room(exchange: Exchange) -> DiagnosticRecord:
    """Return what is said of an exchange that was open, and had to make room for others."""
    key, packet, time = exchange.key, exchange.last_packet, exchange.last_time
    detail = f"too many exchanges are open, and this one was idle since packet {packet:,}"
    fault = diagnose("memory-limit", 0, 0, detail)
    return DiagnosticRecord(
        key.connection, key.exchange, None, packet, packet, time, time, None, None,
        fault.severity, fault.code, fault.summary, fault.reference,
    )  # fmt: skip


def _may_be_told_by_a_leg(trace: Trace) -> bool:
    """Whether an exchange failed, was held, or may be whole for its client alone."""
    return may_hide_cut(trace) or is_failed(trace) or may_be_told(trace)


def _is_empty(trace: Trace) -> bool:
    """Whether nothing came that could be explained."""
    return trace.about.is_empty and not trace.gaps


def explain(records: Iterable[Record]) -> Iterator[Explained]:
    """Yield every exchange with what is said of it; those of a connection when that has ended."""
    explanations = Explanations()
    yield from explanations.add_all(records)
    yield from explanations.finish()
