"""The choice of exchanges whose records are wanted, from a stream of records.

Strategy: what an exchange is, its heads say, the response last; until that is known its records
wait, and everything after them, so that the order of records stays what it was. Records stand in
one queue beside the verdict on their exchange; whoever decides a verdict lets the queue run up to
the next record without one. The queue is bounded: past its limits the exchange that stands first is
judged by what is known of it. Each record is queued and taken out once: the time is linear.

What a record says about its exchange is its :class:`Clue`. The choice looks at nothing else, so
that it can be made where the records themselves are not: ``--jobs`` has them encoded already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace
from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    Transport,
    WebSocketFrameRecord,
)

from ..heads import asked_for, is_final
from ..open_exchanges import Key, OpenExchanges
from .exchange_filter import Heads

T = TypeVar("T")
Kind = Literal["request", "interim", "response", "element", "chunk", "end", "other"]

MAX_HELD_RECORDS = 65_536
"""Records that wait until it is known what their exchange is."""
MAX_HELD_DATA = 64 * 1024 * 1024
"""Characters of ``data`` that those records may hold together."""
MAX_HELD_RECORDS_LIVE = 1_024
MAX_HELD_DATA_LIVE = 1024 * 1024
"""The same for the records of one connection, where each waits for itself."""


SENDERS: dict[str, Sender] = {"request": "client", "interim": "server", "response": "server"}
"""Who sends a head of that kind."""


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
    request: tuple[str, str] | None = None
    """Method and target of a request."""
    status: int | None = None
    """Of a final response."""
    stream_id: int | None = None
    """Of HTTP/2 and HTTP/3, where exchanges go on beside each other."""


def clue(record: Record) -> Clue:
    """Return what a record says about its exchange."""
    kind, transport = _says(record)
    if isinstance(record, ConnectionRecord):
        return Clue(record.connection, None, kind, transport, 0)
    exchange, stream_id = record.exchange, record.stream_id
    data: str | None = getattr(record, "data", None)
    size = len(data) if data else 0
    if isinstance(record, RequestRecord):
        line = record.method, record.target
        return Clue(record.connection, exchange, kind, transport, size, line, None, stream_id)
    status = record.status if kind == "response" and isinstance(record, ResponseRecord) else None
    return Clue(record.connection, exchange, kind, transport, size, None, status, stream_id)


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
        case ResponseRecord():
            return ("response", record.transport) if is_final(record) else ("interim", None)
        case ConnectionRecord():
            return "end", None
    return "other", None


class Wanted(Protocol):
    """What says which exchanges are wanted."""

    def decided(self, heads: Heads) -> bool | None:
        """Whether an exchange is, by what came of its heads; None if that is open yet."""

    def takes_heads(self, heads: Heads) -> bool:
        """Whether an exchange is, by its heads."""


class Chosen:
    """Exchanges that were chosen before: in another reading of the same file."""

    def __init__(self, keys: Collection[Key]) -> None:
        self._keys = keys
        self._connections = {key.connection for key in keys}

    def has(self, connection: int, exchange: int | None) -> bool:
        """Whether an exchange was chosen, or, of a connection itself, one of its exchanges."""
        if exchange is None:
            return connection in self._connections
        return Key(connection, exchange) in self._keys

    def decided(self, heads: Heads) -> bool | None:
        return heads.key in self._keys

    def takes_heads(self, heads: Heads) -> bool:
        return heads.key in self._keys


@dataclass(slots=True)
class _Verdict:
    """Whether the records that wait for it are kept; None until that is known."""

    connection: int | None = None
    kept: bool | None = None
    heads: Heads | None = None
    """What is known of the exchange; None of records of a connection itself."""
    found: Transport | None = None
    """What the response is, or what came of it."""


@dataclass(slots=True)
class _Connection:
    own: _Verdict
    """On records of the connection itself: decided with its next exchange."""
    selected: bool = False
    chosen: bytearray = field(default_factory=bytearray)
    """For each exchange that was, or is, whether it is wanted: a byte, for there may be many."""

    def choose(self, exchange: int) -> None:
        """Take note that an exchange is wanted."""
        self.chosen.extend(bytes(max(exchange + 1 - len(self.chosen), 0)))
        self.chosen[exchange] = True

    def has(self, exchange: int) -> bool:
        """Whether an exchange that is over was wanted."""
        return exchange < len(self.chosen) and bool(self.chosen[exchange])


class Selection(Generic[T]):
    """Chooses the records of the exchanges that are wanted, and of their connections.

    A record may be had in whatever form: it is given back as it came.
    """

    def __init__(
        self,
        wanted: Wanted,
        max_records: int | None = None,
        max_data: int | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        """``numbers`` are those of exchanges as they begin, from 0 unless it is given."""
        self._wanted = wanted
        self._max_records = max_records or MAX_HELD_RECORDS
        self._max_data = max_data or MAX_HELD_DATA
        self._connections: dict[int, _Connection] = {}
        self._exchanges: OpenExchanges[_Verdict] = OpenExchanges(self._verdict_on)
        self._numbers = count() if numbers is None else numbers
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
        self._decide(self._queue[0][2])

    def _connection(self, number: int) -> _Connection:
        connection = self._connections.get(number)
        if connection is None:
            connection = self._connections[number] = _Connection(_Verdict(number))
        return connection

    def _verdict(self, clue: Clue) -> _Verdict:
        """Return the verdict that a record waits for, which it may decide."""
        number = clue.connection
        if number is None:
            return _Verdict(kept=True)  # a fault of the file concerns everyone
        connection = self._connection(number)
        if clue.kind == "end":
            return self._end(connection, number)
        if clue.exchange is None:
            return _Verdict(kept=True) if connection.selected else connection.own
        verdict = self._exchanges.find(number, clue.exchange, clue.stream_id)
        if verdict is None:
            return _Verdict(kept=connection.has(clue.exchange))
        self._learn(verdict, clue)
        if clue.kind in SENDERS and clue.stream_id is None:
            self._exchanges.go_on(number, clue.exchange, SENDERS[clue.kind])
        for over in self._exchanges.over:
            self._decide(over)
        return verdict

    def _learn(self, verdict: _Verdict, clue: Clue) -> None:
        """Take what a record says, which may decide its exchange."""
        heads = verdict.heads
        assert heads is not None  # it is of an exchange
        if clue.kind in ("response", "element"):
            verdict.found = clue.transport
            if clue.status is not None:
                verdict.heads = replace(heads, status=clue.status)
            self._decide(verdict)
        elif clue.request is not None:
            method, target = clue.request
            asked = clue.transport
            verdict.heads = replace(heads, asked=asked, method=method, target=target)
        elif clue.kind == "chunk" and verdict.found is None:
            verdict.found = heads.asked or "chunked"
        if verdict.kept is None and verdict.heads is not None:
            self._keep(verdict, self._wanted.decided(verdict.heads))

    def _decide(self, verdict: _Verdict) -> None:
        """Decide by what is known."""
        heads = verdict.heads
        if verdict.kept is not None:
            return
        if heads is None:
            assert verdict.connection is not None  # faults of the file do not wait
            self._keep(verdict, self._connection(verdict.connection).selected)
            return
        found = verdict.found or heads.asked or "http"
        self._keep(verdict, self._wanted.takes_heads(replace(heads, transport=found)))

    def _keep(self, verdict: _Verdict, kept: bool | None) -> None:
        """Let the records of an exchange go, or leave them out; None leaves it open."""
        if kept is None or verdict.connection is None:
            return
        verdict.kept = kept
        connection = self._connection(verdict.connection)
        connection.selected |= kept
        if kept and verdict.heads is not None:
            connection.choose(verdict.heads.key.exchange)
        if connection.own.kept is None:
            connection.own.kept = connection.selected
        connection.own = _Verdict(verdict.connection)

    def _verdict_on(self, key: Key) -> _Verdict:
        heads = Heads(key, next(self._numbers), None, "http", None, None, None)
        return _Verdict(key.connection, None, heads)

    def _end(self, connection: _Connection, number: int) -> _Verdict:
        """Decide all that is open on a connection that is over, and return whether it is kept."""
        self._exchanges.end_connection(number)
        for verdict in self._exchanges.over:
            self._decide(verdict)
        connection.own.kept = connection.selected
        del self._connections[number]
        return _Verdict(kept=connection.selected)


class LiveSelection:
    """The choice of records that are wanted at once: each connection waits for itself alone.

    So an answer that takes a minute holds back nothing of other connections; their records may
    overtake its own.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._connections: dict[int, Selection[Record]] = {}
        self._numbers = count()

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
                selection = Selection(self._wanted, *limits, self._numbers)
                self._connections[number] = selection
            chosen += selection.add(record, clue(record))
            if isinstance(record, ConnectionRecord):
                del self._connections[number]  # its end has decided all that waited
        return chosen


def select(records: Iterable[Record], wanted: Wanted) -> Iterator[Record]:
    """Yield the records of wanted exchanges, of their connections and of the file."""
    selection: Selection[Record] = Selection(wanted)
    for record in records:
        yield from selection.add(record, clue(record))
    yield from selection.finish()
