"""What can be said of single packets: records in, remarks about packets out.

Strategy: each record gives its remarks at once: what the packet that completed it carries, and,
where it took several, what the packet that began it carries. What is only known later (how many
chunks a body has, when a Ping is answered) is kept under a key that the remark names, for whoever
still has the remark by then. Events are counted for each exchange; what is kept is one number for
each exchange of an open connection, and the Pings that wait. Each record is looked at once.

Chunks and events are numbered from 0, as in the records. Text from the wire is escaped and cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..text.escape import preview
from ..text.wording import body_end, close_code, connection_end, count, duration
from ..views.websocket import CLOSE, CONTINUATION, PING, PONG, Pings
from .selection import transport_of

EXCERPT = 40
"""Characters of a payload, a name or a target that a remark shows; escapes may double them."""
MAX_EXCHANGES = 1_024
"""Exchanges of one connection whose events are counted: as many as may be pipelined."""

About = tuple[str, int, int, Sender, int]
"""What a later finding is about: its kind, connection, exchange, sender, and a Ping's offset."""


InExchange = ResponseRecord | ChunkRecord | SseEventRecord | WebSocketFrameRecord


class Remark(NamedTuple):
    """What a packet carries."""

    packet: int
    text: str
    about: About | None = None
    """Where :attr:`Remarks.later` has more to say, None if nowhere."""
    tail: str = ""
    """What follows that."""
    completes: bool = True
    """Whether the packet completes something; otherwise a later one does."""

    def said(self, later: Mapping[About, str]) -> str:
        """Return all of it."""
        more = "" if self.about is None else later.get(self.about, "")
        return f"{self.text}{more}{self.tail}"


@dataclass(slots=True)
class _Exchange:
    is_event_stream: bool = False
    events: int = 0
    """Events that were dispatched so far."""
    pings: Pings = field(default_factory=Pings)


class Remarks:
    """Turns records into remarks.

    ``later`` holds what was found out after a remark was made; whoever has no use for it clears it.
    """

    def __init__(self) -> None:
        self.later: dict[About, str] = {}
        self._connections: dict[int | None, dict[int | None, _Exchange]] = {}

    def add(self, record: Record) -> Iterator[Remark]:
        """Yield what the packets of a record carry, that which began it first."""
        if isinstance(record, WebSocketMessageRecord) and _is_its_frame(record):
            return
        text, about, tail = self._say(record)
        first, last = record.first_packet, record.last_packet
        if not _has_parts(record) or first == last:
            yield Remark(last, text, about, tail)
            return
        yield Remark(first, text, None, f" begins here, completes in frame {last}", False)
        done = f" completes here, begun in frame {first}"
        yield Remark(last, text, about, done + tail.removeprefix(" completes here"))

    def _say(self, record: Record) -> tuple[str, About | None, str]:
        """Return what a record is called, where there is more to say, and what follows it."""
        match record:
            case RequestRecord():
                return f"request {shown(f'{record.method} {record.target}')}", None, ""
            case ResponseRecord():
                self._exchange(record).is_event_stream = transport_of(record) == "sse"
                return f"response {shown(f'{record.status} {record.reason}')}", None, ""
            case ChunkRecord():
                return self._chunk(record)
            case BodyRecord():
                return self._body(record), None, ""
            case SseEventRecord():
                return self._event(record)
            case WebSocketFrameRecord():
                return self._frame(record)
            case WebSocketMessageRecord():
                return _message(record)
            case GapRecord():
                return f"{count(record.missing, 'byte')} not captured before this", None, ""
            case DiagnosticRecord():
                text = f"! {record.severity}: {shown(record.summary, 160)} ({record.code})"
                return text, None, ""
            case _:
                number = record.connection
                self._connections.pop(number, None)
                return f"connection {number} {connection_end(record)}", None, ""

    def _exchange(self, record: InExchange) -> _Exchange:
        exchanges = self._connections.setdefault(record.connection, {})
        exchange = exchanges.get(record.exchange)
        if exchange is None:
            if len(exchanges) >= MAX_EXCHANGES:
                del exchanges[next(iter(exchanges))]
            exchange = exchanges[record.exchange] = _Exchange()
        return exchange

    def _body(self, body: BodyRecord) -> str:
        if body.chunks is not None and body.complete:
            about: About = ("chunks", body.connection, body.exchange, body.sender, 0)
            self.later[about] = f" of {body.chunks:,}"
        return f"body {body_end(body)}: {count(body.size, 'byte')}"

    def _chunk(self, chunk: ChunkRecord) -> tuple[str, About | None, str]:
        if not chunk.size:
            trailers = f" with {count(len(chunk.trailers), 'trailer')}" if chunk.trailers else ""
            return f"last chunk{trailers}", None, ""
        tail = f", {count(chunk.size, 'byte')}"
        if not self._exchange(chunk).is_event_stream:  # there, events say what it holds
            tail += excerpt(chunk.data, chunk.encoding)
        about = "chunks", chunk.connection, chunk.exchange, chunk.sender, 0
        return f"chunk {chunk.index}", about, tail

    def _event(self, event: SseEventRecord) -> tuple[str, About | None, str]:
        if not event.dispatched:
            fields = event.fields or []
            if fields and not any(name for name, _ in fields):
                return "SSE comment", None, excerpt(fields[0][1])
            return "SSE block that is not dispatched", None, ""
        exchange = self._exchange(event)
        number = exchange.events
        exchange.events += 1
        tail = f" completes here{excerpt(event.data)}"
        return f"SSE event {number} `{shown(event.event)}`", None, tail

    def _frame(self, frame: WebSocketFrameRecord) -> tuple[str, About | None, str]:
        pings = self._exchange(frame).pings
        text = frame.opcode_name.capitalize()
        if frame.opcode == PING:
            pings.sent(frame)
            about = _ping(frame)
            self.later[about] = ", not answered"
            return text, about, ""
        if frame.opcode == PONG:
            return text, None, self._answer(pings.question(frame), frame)
        if frame.opcode == CLOSE:
            return text, None, f" {close_code(frame.close_code)}{excerpt(frame.close_reason)}"
        size = f", {count(frame.payload_length, 'byte')}"
        if frame.fin and frame.opcode != CONTINUATION:
            if frame.rsv1:
                return text, None, f", compressed{size}"
            return text, None, f"{size}{excerpt(frame.data, frame.encoding)}"
        return text, None, f", {'last ' * frame.fin}fragment{size}"

    def _answer(self, ping: WebSocketFrameRecord | None, pong: WebSocketFrameRecord) -> str:
        if ping is None:
            return ", unasked"
        after = milliseconds(pong.last_time - ping.last_time)
        self.later[_ping(ping)] = f", answered in frame {pong.last_packet} after {after}"
        return f", answers frame {ping.last_packet} after {after}"


def milliseconds(seconds: float) -> str:
    """Return ``0.2 ms``; what is shorter than 0.1 ms in microseconds, longer than 1 s in seconds.

    >>> milliseconds(0.0002)
    '0.2 ms'
    """
    if 0.00005 <= seconds < 0.0009995:
        return f"{seconds * 1e3:.1f} ms"
    return duration(seconds)


def shown(text: str, width: int = EXCERPT) -> str:
    """Return the beginning of a text from the wire, escaped: ``2 * width`` characters at most."""
    cut = text if len(text) <= width else text[:width] + "…"
    escaped = preview(cut, "utf-8", width)
    return escaped if len(escaped) <= 2 * width else escaped[: 2 * width] + "…"


def excerpt(data: str | None, encoding: str | None = "utf-8") -> str:
    """Return the beginning of a payload behind a colon, nothing if there is none."""
    if not data:
        return ""
    # Four characters of base64 are three bytes: a cut there is a cut between bytes.
    return f": {shown(preview(data[: 4 * EXCERPT], encoding, EXCERPT))}"


def _is_its_frame(message: WebSocketMessageRecord) -> bool:
    """Whether the one frame of a message has said all of it."""
    return message.frames == 1 and not message.compressed


def _has_parts(record: Record) -> bool:
    """Whether its first packet and its last one are each worth a remark."""
    return not isinstance(record, BodyRecord | GapRecord | DiagnosticRecord | ConnectionRecord)


def _ping(ping: WebSocketFrameRecord) -> About:
    return "ping", ping.connection, ping.exchange, ping.sender, ping.offset


def _message(message: WebSocketMessageRecord) -> tuple[str, About | None, str]:
    how = ", inflated" if message.compressed else ""
    size = count(message.size, "byte")
    said = f" completes here, {size}{excerpt(message.data, message.encoding)}"
    return f"WebSocket message of {count(message.frames, 'frame')}{how}", None, said
