"""Which exchanges are of a transport, and the choice of their records from a stream of records.

Strategy: what an exchange is, its response says; until then its records wait, and everything
behind them, so that the order of records stays what it was. Records stand in one queue beside
the verdict on their exchange; whoever decides a verdict lets the queue run up to the next
record without one. The queue is bounded: past its limits the exchange that stands first is
judged by what is known of it. Each record is queued and taken out once: the time is linear.

What a record says about its exchange is its :class:`Clue`. The choice looks at nothing else, so
that it can be made where the records themselves are not: ``--jobs`` has them encoded already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
)

T = TypeVar("T")
Transport = Literal["chunked", "sse", "websocket"]
Kind = Literal["request", "response", "element", "chunk", "end", "other"]

MAX_HELD_RECORDS = 65_536
"""Records that wait until it is known what their exchange is."""
MAX_HELD_DATA = 64 * 1024 * 1024
"""Characters of ``data`` that those records may hold together."""
MAX_HELD_RECORDS_LIVE = 1_024
MAX_HELD_DATA_LIVE = 1024 * 1024
"""The same for the records of one connection, where each waits for itself."""
MAX_EXCHANGES = 1_024
"""Exchanges of one connection that are remembered: as many as may be pipelined."""


def field_value(fields: Fields, name: str) -> str | None:
    """Return the value of the first field of that name (in lower case), None if there is none."""
    return next((value for key, value in fields if key.lower() == name), None)


def transport_of(response: ResponseRecord) -> Transport | None:
    """Return what a response streams by; an event stream is ``sse`` in whatever framing."""
    if response.framing == "upgrade":
        upgrade = field_value(response.headers, "upgrade") or ""
        return "websocket" if upgrade.lower() == "websocket" else None
    content_type = field_value(response.headers, "content-type") or ""
    if content_type.partition(";")[0].strip().lower() == "text/event-stream":
        return "sse"
    return "chunked" if response.framing == "chunked" else None


def asked_for(request: RequestRecord) -> Transport | None:
    """Return what a request asks for or streams by, which counts if the response does not say.

    So a refused upgrade is ``websocket``, and what EventSource got instead of events is ``sse``.
    """
    if (field_value(request.headers, "upgrade") or "").lower() == "websocket":
        return "websocket"
    if (field_value(request.headers, "transfer-encoding") or "").lower() == "chunked":
        return "chunked"
    # EventSource accepts nothing else (WHATWG HTML section 9.2.2); clients that name it beside
    # other types take either.
    return "sse" if field_value(request.headers, "accept") == "text/event-stream" else None


class Clue(NamedTuple):
    """What a record says about the exchange that it belongs to."""

    connection: int | None
    exchange: int | None
    kind: Kind
    """A final ``response``; an ``element`` that only one transport has; the ``end`` of the
    connection."""
    transport: Transport | None
    """What a request asks for, what a response or an element is of."""
    size: int
    """Characters of the record's ``data``."""


def clue(record: Record) -> Clue:
    """Return what a record says about its exchange."""
    exchange = None if isinstance(record, ConnectionRecord) else record.exchange
    kind, transport = _says(record)
    data: str | None = getattr(record, "data", None)
    return Clue(record.connection, exchange, kind, transport, len(data) if data else 0)


def _says(record: Record) -> tuple[Kind, Transport | None]:
    match record:
        case ChunkRecord():
            return "chunk", None
        case SseEventRecord():
            return "element", "sse"
        case WebSocketFrameRecord():
            return "element", "websocket"
        case RequestRecord():
            return "request", asked_for(record)
        case ResponseRecord() if record.status >= 200 or record.framing == "upgrade":
            return "response", transport_of(record)
        case ConnectionRecord():
            return "end", None
    return "other", None


@dataclass(slots=True)
class _Verdict:
    """Whether the records that wait for it are kept; None until that is known."""

    kept: bool | None = None
    asked: Transport | None = None
    found: Transport | None = None


@dataclass(slots=True)
class _Connection:
    exchanges: dict[int, _Verdict] = field(default_factory=dict)
    own: _Verdict = field(default_factory=_Verdict)
    """On records of the connection itself: decided with its next exchange."""
    selected: bool = False


class Selection(Generic[T]):
    """Chooses the records of the exchanges of one transport, and of their connections.

    A record may be had in whatever form: it is given back as it came.
    """

    def __init__(
        self,
        transport: Transport,
        max_records: int | None = None,
        max_data: int | None = None,
    ) -> None:
        self._transport = transport
        self._max_records = max_records or MAX_HELD_RECORDS
        self._max_data = max_data or MAX_HELD_DATA
        self._connections: dict[int, _Connection] = {}
        self._queue: deque[tuple[T, Clue, _Verdict]] = deque()
        self._held_data = 0

    def add(self, record: T, clue: Clue) -> Iterator[T]:
        """Take the next record and yield those that are now known to be chosen."""
        self._queue.append((record, clue, self._verdict(clue)))
        self._held_data += clue.size
        yield from self._decided()
        while len(self._queue) > self._max_records or self._held_data > self._max_data:
            self._decide_first()
            yield from self._decided()

    def finish(self) -> Iterator[T]:
        """Yield the rest: what is not known by now is judged by what is."""
        while self._queue:
            self._decide_first()
            yield from self._decided()

    def _decided(self) -> Iterator[T]:
        queue = self._queue
        while queue and (kept := queue[0][2].kept) is not None:
            record, clue, _ = queue.popleft()
            self._held_data -= clue.size
            if kept:
                yield record

    def _decide_first(self) -> None:
        _, clue, verdict = self._queue[0]
        assert clue.connection is not None  # faults of the file do not wait
        self._decide(self._connections.get(clue.connection, _Connection()), verdict)

    def _connection(self, number: int) -> _Connection:
        connection = self._connections.get(number)
        if connection is None:
            connection = self._connections[number] = _Connection()
        return connection

    def _verdict(self, clue: Clue) -> _Verdict:
        """Return the verdict that a record waits for, which it may decide."""
        if clue.connection is None:
            return _Verdict(kept=True)  # a fault of the file concerns everyone
        connection = self._connection(clue.connection)
        if clue.kind == "end":
            return self._end(connection, clue.connection)
        if clue.exchange is None:
            return _Verdict(kept=True) if connection.selected else connection.own
        verdict = _exchange(connection, clue.exchange)
        match clue.kind:
            case "request":
                verdict.asked = clue.transport
            case "response":
                verdict.found = _found(clue.transport, verdict.asked)
                self._decide(connection, verdict)
            case "element":
                verdict.found = clue.transport
                self._decide(connection, verdict)
            case "chunk" if verdict.found is None:
                verdict.found = verdict.asked or "chunked"
        return verdict

    def _decide(self, connection: _Connection, verdict: _Verdict) -> None:
        if verdict.kept is not None:
            return
        verdict.kept = (verdict.found or verdict.asked) == self._transport
        connection.selected |= verdict.kept
        if connection.own.kept is None:
            connection.own.kept = connection.selected
        connection.own = _Verdict()

    def _end(self, connection: _Connection, number: int) -> _Verdict:
        """Decide all that is open on a connection that is over, and return whether it is kept."""
        for verdict in connection.exchanges.values():
            self._decide(connection, verdict)
        connection.own.kept = connection.selected
        del self._connections[number]
        return _Verdict(kept=connection.selected)


class LiveSelection:
    """The choice of records that are wanted at once: each connection waits for itself alone.

    So an answer that takes a minute holds back nothing of other connections; their records may
    overtake its own.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._connections: dict[int, Selection[Record]] = {}

    def choose(self, records: Iterable[Record]) -> list[Record]:
        """Take the next records, and return those that are now known to be chosen."""
        chosen: list[Record] = []
        for record in records:
            number = record.connection
            if number is None:
                chosen.append(record)  # a fault of the file concerns everyone
                continue
            selection = self._connections.get(number)
            if selection is None:
                limits = MAX_HELD_RECORDS_LIVE, MAX_HELD_DATA_LIVE
                selection = self._connections[number] = Selection(self._transport, *limits)
            chosen += selection.add(record, clue(record))
            if isinstance(record, ConnectionRecord):
                del self._connections[number]  # its end has decided all that waited
        return chosen


def select(records: Iterable[Record], transport: Transport) -> Iterator[Record]:
    """Yield the records of exchanges of ``transport``, of their connections and of the file."""
    selection: Selection[Record] = Selection(transport)
    for record in records:
        yield from selection.add(record, clue(record))
    yield from selection.finish()


def _exchange(connection: _Connection, number: int) -> _Verdict:
    verdict = connection.exchanges.get(number)
    if verdict is None:
        if len(connection.exchanges) >= MAX_EXCHANGES:
            del connection.exchanges[next(iter(connection.exchanges))]
        verdict = connection.exchanges[number] = _Verdict()
    return verdict


def _found(answered: Transport | None, asked: Transport | None) -> Transport | None:
    """Return what an exchange is by its response: a refused upgrade is what it asked to be."""
    return asked if answered == "chunked" and asked == "websocket" else answered
