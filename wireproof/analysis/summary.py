"""One line for each exchange: what arrived, over what time, whole or not, and how it ended.

Strategy: records are counted as they pass; an exchange is one small tally, whatever its length.
The lines are made at the end, when the connection has said who closed it.
"""

from __future__ import annotations

from dataclasses import dataclass

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..text.escape import preview
from ..text.wording import body_end, close_code, connection_end, count, duration, recorded_by
from .selection import transport_of

TARGET_WIDTH = 40
"""Cells of a request line in a summary."""
NO_END = "no end seen"


@dataclass(slots=True)
class Tally:
    """What has been seen of one exchange."""

    transport: str = "http"
    request: str = "request not captured"
    status: int | None = None
    chunks: int = 0
    events: int = 0
    messages: int = 0
    frames: int = 0
    pings: int = 0
    pongs: int = 0
    bytes: int = 0
    first_time: float | None = None
    last_time: float = 0.0
    end: str = NO_END
    errors: int = 0

    def arrived(self, size: int, record: ChunkRecord | WebSocketFrameRecord) -> None:
        """Count the bytes of an element, and the time that it took."""
        self.bytes += size
        if self.first_time is None:
            self.first_time = record.first_time
        self.last_time = record.last_time


class Summary:
    """Counts records, and says in a line for each exchange what they came to."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[int, int], Tally] = {}
        self._ends: dict[int, str] = {}

    def add(self, record: Record) -> None:
        """Count a record."""
        if isinstance(record, ConnectionRecord):
            said = (connection_end(record), recorded_by(record))
            self._ends[record.connection] = "; ".join(filter(None, said))
        elif record.connection is not None and record.exchange is not None:
            key = record.connection, record.exchange
            tally = self._tallies.get(key)
            if tally is None:
                tally = self._tallies[key] = Tally()
            _count(tally, record)

    def lines(self) -> list[str]:
        """Return a line for each exchange, in the order in which they began."""
        return [
            _line(tally, self._ends.get(connection))
            for (connection, _), tally in self._tallies.items()
        ]


def _count(tally: Tally, record: Record) -> None:
    match record:
        case RequestRecord():
            tally.request = preview(f"{record.method} {record.target}", "utf-8", TARGET_WIDTH)
        case ResponseRecord():
            tally.status = record.status
            tally.transport = transport_of(record) or "http"
        case ChunkRecord(sender="server"):
            tally.chunks += record.size > 0
            tally.arrived(record.size, record)
        case SseEventRecord():
            tally.events += record.dispatched
        case WebSocketMessageRecord():
            tally.messages += 1
        case WebSocketFrameRecord():
            _count_frame(tally, record)
        case BodyRecord(sender="server"):
            tally.bytes, tally.end = record.size, body_end(record)
            tally.first_time, tally.last_time = record.first_time, record.last_time
        case DiagnosticRecord(severity="error"):
            tally.errors += 1


def _count_frame(tally: Tally, frame: WebSocketFrameRecord) -> None:
    tally.transport = "websocket"
    tally.frames += 1
    tally.pings += frame.opcode_name == "ping"
    tally.pongs += frame.opcode_name == "pong"
    tally.arrived(frame.payload_length, frame)
    if frame.opcode_name == "close" and tally.end == NO_END:
        tally.end = f"{close_code(frame.close_code)}, by the {frame.sender}"


def _line(tally: Tally, connection: str | None) -> str:
    over = tally.last_time - (tally.last_time if tally.first_time is None else tally.first_time)
    parts = [
        f"{tally.transport:<9}  {tally.request}: {_amount(tally)} over {duration(over)}",
        tally.end,
    ]
    if connection:
        parts.append(connection)
    if tally.errors:
        parts.append(count(tally.errors, "error"))
    return "; ".join(parts)


def _amount(tally: Tally) -> str:
    amount = count(tally.bytes, "byte")
    if tally.transport == "websocket":
        messages, frames = count(tally.messages, "message"), count(tally.frames, "frame")
        pings, pongs = count(tally.pings, "ping"), count(tally.pongs, "pong")
        return f"{messages} in {frames} ({pings}, {pongs}), {amount}"
    if tally.transport == "sse":
        events = count(tally.events, "event")
        chunks = f" in {count(tally.chunks, 'chunk')}" if tally.chunks else ""
        return f"{events}{chunks}, {amount}"
    return f"{count(tally.chunks, 'chunk')}, {amount}" if tally.chunks else amount
