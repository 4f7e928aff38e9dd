"""One line for each exchange: what arrived, over what time, whole or not, and how it ended.

Strategy: an exchange has counted its elements; what is added here is how many bytes came and over
what time. Its line is made when its connection ends, and says who closed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Record,
    WebSocketFrameRecord,
)

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..text.escape import preview
from ..text.wording import (
    ELEMENT_NAMES,
    NO_BODY,
    body_end,
    close_code,
    connection_end,
    count,
    duration,
    recorded_by,
)
from .silence import silence_before_end

TARGET_WIDTH = 40
"""Cells of a request line in a summary."""


@dataclass(slots=True)
class Arrived:
    """What carried the content of an exchange."""

    bytes: int = 0
    first_time: float | None = None
    last_time: float = 0.0

    def add(self, record: Record) -> None:
        """Count the bytes of an element and the time that it took; a body's own are exact."""
        match record:
            case ChunkRecord(sender="server"):
                self._element(record.size, record)
            case DataRecord(sender="server"):
                self._element(record.size, record)
            case WebSocketFrameRecord():
                self._element(record.payload_length, record)
            case BodyRecord(sender="server"):
                self.bytes = record.size
                self.first_time, self.last_time = record.first_time, record.last_time

    def _element(self, size: int, record: ChunkRecord | DataRecord | WebSocketFrameRecord) -> None:
        self.bytes += size
        if self.first_time is None:
            self.first_time = record.first_time
        self.last_time = record.last_time

    @property
    def seconds(self) -> float:
        return 0.0 if self.first_time is None else self.last_time - self.first_time


class Summary:
    """Counts records, and says in a line for each exchange what they came to."""

    def __init__(self) -> None:
        self._exchanges: Exchanges[Arrived] = Exchanges(lambda _: Arrived())
        self._over: dict[int, list[tuple[Exchange, Arrived]]] = {}
        """The exchanges that are over, of connections that are not."""
        self._lines: list[tuple[int, str]] = []
        """Of the others, with their numbers."""

    def add(self, record: Record) -> None:
        """Count a record."""
        found = self._exchanges.add(record)
        if found is not None:
            found[1].add(record)
        for one in self._exchanges.over():
            self._over.setdefault(one[0].key.connection, []).append(one)
        if isinstance(record, ConnectionRecord):
            self._lines += map(_line, self._over.pop(record.connection, ()))

    def lines(self) -> list[str]:
        """Return a line for each exchange, in the order in which they began."""
        running = chain(self._exchanges.open(), *self._over.values())
        return [line for _, line in sorted([*self._lines, *map(_line, running)])]


def _line(found: tuple[Exchange, Arrived]) -> tuple[int, str]:
    exchange, arrived = found
    amount = f"{_amount(exchange, arrived.bytes)} over {duration(arrived.seconds)}"
    parts = [
        f"{exchange.transport:<9}  {_request(exchange)}: {amount}",
        _end(exchange),
        *_connection(exchange.connection),
    ]
    if exchange.counts.errors:
        parts.append(count(exchange.counts.errors, "error"))
    return exchange.number, "; ".join(parts)


def _request(exchange: Exchange) -> str:
    request = exchange.request
    if request is None:
        return "request not captured"
    return preview(f"{request.method} {request.target}", "utf-8", TARGET_WIDTH)


def _amount(exchange: Exchange, size: int) -> str:
    amount, counts = count(size, "byte"), exchange.counts
    if exchange.is_refused and exchange.response is not None:
        return f"refused with {exchange.response.status}, {amount}"
    if exchange.transport == "websocket":
        messages, frames = count(counts.messages, "message"), count(counts.frames, "frame")
        pings, pongs = count(counts.pings, "ping"), count(counts.pongs, "pong")
        return f"{messages} in {frames} ({pings}, {pongs}), {amount}"
    chunks = count(counts.chunks, "chunk")
    if exchange.transport == "sse":
        events = count(counts.events, "event")
        return f"{events} in {chunks}, {amount}" if counts.chunks else f"{events}, {amount}"
    if counts.elements:
        elements = count(counts.elements, ELEMENT_NAMES[counts.element_kind])
        return f"{elements} in {chunks}, {amount}" if counts.chunks else f"{elements}, {amount}"
    return f"{chunks}, {amount}" if counts.chunks else amount


def _end(exchange: Exchange) -> str:
    """Return how its body ended, or who closed a WebSocket."""
    silence = silence_before_end(exchange)
    said = _said_end(exchange)
    return said if silence is None else f"{said}; {silence}"


def _said_end(exchange: Exchange) -> str:
    if exchange.response_body is not None:
        return body_end(exchange.response_body)
    if exchange.closing:
        first = exchange.closing[0]
        return f"{close_code(first.close_code)}, by the {first.sender}"
    return NO_BODY if exchange.is_bodiless else "no end seen"


def _connection(record: ConnectionRecord | None) -> list[str]:
    said = () if record is None else (connection_end(record), recorded_by(record))
    return [part for part in said if part]
