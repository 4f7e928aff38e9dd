"""Which exchanges are of a transport, and the choice of their records from a stream of records.

Strategy: what an exchange is, its response says; until then its records wait, and everything
behind them, so that the order of records stays what it was. Records stand in one queue beside
the verdict on their exchange; whoever decides a verdict lets the queue run up to the next
record without one. The queue is bounded: past its limits the exchange that stands first is
judged by what is known of it. Each record is queued and taken out once: the time is linear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

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

Transport = Literal["chunked", "sse", "websocket"]

MAX_HELD_RECORDS = 65_536
"""Records that wait until it is known what their exchange is."""
MAX_HELD_DATA = 64 * 1024 * 1024
"""Characters of ``data`` that those records may hold together."""
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


class Selection:
    """Chooses the records of the exchanges of one transport, and of their connections."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._connections: dict[int, _Connection] = {}
        self._queue: deque[tuple[Record, _Verdict]] = deque()
        self._held_data = 0

    def add(self, record: Record) -> Iterator[Record]:
        """Take the next record and yield those that are now known to be chosen."""
        self._queue.append((record, self._verdict(record)))
        self._held_data += _data_size(record)
        yield from self._decided()
        while len(self._queue) > MAX_HELD_RECORDS or self._held_data > MAX_HELD_DATA:
            self._decide_first()
            yield from self._decided()

    def finish(self) -> Iterator[Record]:
        """Yield the rest: what is not known by now is judged by what is."""
        while self._queue:
            self._decide_first()
            yield from self._decided()

    def _decided(self) -> Iterator[Record]:
        queue = self._queue
        while queue and (kept := queue[0][1].kept) is not None:
            record, _ = queue.popleft()
            self._held_data -= _data_size(record)
            if kept:
                yield record

    def _decide_first(self) -> None:
        record, verdict = self._queue[0]
        assert record.connection is not None  # faults of the file do not wait
        self._decide(self._connections.get(record.connection, _Connection()), verdict)

    def _connection(self, number: int) -> _Connection:
        connection = self._connections.get(number)
        if connection is None:
            connection = self._connections[number] = _Connection()
        return connection

    def _verdict(self, record: Record) -> _Verdict:
        """Return the verdict that a record waits for, which it may decide."""
        if record.connection is None:
            return _Verdict(kept=True)  # a fault of the file concerns everyone
        connection = self._connection(record.connection)
        if isinstance(record, ConnectionRecord):
            return self._end(connection, record.connection)
        if record.exchange is None:
            return _Verdict(kept=True) if connection.selected else connection.own
        verdict = _exchange(connection, record.exchange)
        match record:
            case RequestRecord():
                verdict.asked = asked_for(record)
            case ResponseRecord() if record.status >= 200 or record.framing == "upgrade":
                verdict.found = _found(record, verdict.asked)
                self._decide(connection, verdict)
            case SseEventRecord():
                verdict.found = "sse"
                self._decide(connection, verdict)
            case WebSocketFrameRecord():
                verdict.found = "websocket"
                self._decide(connection, verdict)
            case ChunkRecord() if verdict.found is None:
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


def select(records: Iterable[Record], transport: Transport) -> Iterator[Record]:
    """Yield the records of exchanges of ``transport``, of their connections and of the file."""
    selection = Selection(transport)
    for record in records:
        yield from selection.add(record)
    yield from selection.finish()


def _exchange(connection: _Connection, number: int) -> _Verdict:
    verdict = connection.exchanges.get(number)
    if verdict is None:
        if len(connection.exchanges) >= MAX_EXCHANGES:
            del connection.exchanges[next(iter(connection.exchanges))]
        verdict = connection.exchanges[number] = _Verdict()
    return verdict


def _found(response: ResponseRecord, asked: Transport | None) -> Transport | None:
    """Return what an exchange is by its response: a refused upgrade is what it asked to be."""
    transport = transport_of(response)
    return asked if transport == "chunked" and asked == "websocket" else transport


def _data_size(record: Record) -> int:
    data = getattr(record, "data", None)
    return len(data) if data else 0
