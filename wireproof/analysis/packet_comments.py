"""What can be said of single packets: records in, comments on packets out.

Strategy: each record gives its comments at once: what the packet that completed it carries, and,
where it took several, what the packet that began it carries. What is only known later (how many
chunks a body has, when a Ping is answered) is kept under a key that the comment names, for whoever
still has the comment by then. Which event it is, and which Pings a Pong answers, its exchange says.

Chunks and events are numbered from 0, as in the records. Text from the wire is escaped and cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
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

from ..exchanges import CLOSE, CONTINUATION, PING, PONG, Exchange, Exchanges
from ..pings import Answer
from ..text.escape import preview
from ..text.wording import (
    ELEMENT_NAMES,
    body_end,
    close_code,
    connection_end,
    count,
    data_chunks,
    duration,
)
from .silence import silence_before_end

EXCERPT = 40
"""Characters of a payload, a name or a target that a comment shows; escapes may double them."""

About = tuple[str, int, int, Sender, int]
"""What a later finding is about: its kind, connection, exchange, sender, and a Ping's offset."""


class PacketComment(NamedTuple):
    """What a packet carries."""

    packet: int
    text: str
    about: About | None = None
    """Where :attr:`PacketComments.later` has more to say, None if nowhere."""
    tail: str = ""
    """What follows that."""
    completes: bool = True
    """Whether the packet completes something; otherwise a later one does."""

    def said(self, later: Mapping[About, str]) -> str:
        """Return all of it."""
        more = "" if self.about is None else later.get(self.about, "")
        return f"{self.text}{more}{self.tail}"


class PacketComments:
    """Turns records into comments.

    ``later`` holds what was found out after a comment was made; who has no use for it clears it.
    """

    def __init__(self) -> None:
        self.later: dict[About, str] = {}
        self._exchanges: Exchanges[None] = Exchanges(lambda _: None)

    def add(self, record: Record) -> Iterator[PacketComment]:
        """Yield what the packets of a record carry, that which began it first."""
        if isinstance(record, WebSocketMessageRecord) and _is_its_frame(record):
            return
        found = self._exchanges.add(record)
        if isinstance(record, ConnectionRecord):
            yield from self._silences()
        text, about, tail = self._say(record, None if found is None else found[0])
        first, last = record.first_packet, record.last_packet
        if not _has_parts(record) or first == last:
            yield PacketComment(last, text, about, tail)
            return
        yield PacketComment(first, text, None, f" begins here, completes in frame {last}", False)
        done = f" completes here, begun in frame {first}"
        yield PacketComment(last, text, about, done + tail.removeprefix(" completes here"))

    def _silences(self) -> Iterator[PacketComment]:
        """Yield how long nothing came before the end of what that cut off."""
        for exchange, _ in self._exchanges.over():
            if (silence := silence_before_end(exchange)) is not None:
                yield PacketComment(silence.packet, str(silence))

    def _say(self, record: Record, exchange: Exchange | None) -> tuple[str, About | None, str]:
        """Return what a record is called, where there is more to say, and what follows it."""
        match record:
            case RequestRecord():
                return f"request {shown(f'{record.method} {record.target}')}", None, ""
            case ResponseRecord():
                return f"response {shown(f'{record.status} {record.reason}')}", None, ""
            case ChunkRecord():
                return _chunk(record, exchange)
            case BodyRecord():
                return self._body(record), None, ""
            case SseEventRecord():
                return _event(record, exchange)
            case DataRecord():
                return f"data, {count(record.size, 'byte')}", None, _content(record, exchange)
            case BodyElement():
                name = f"{ELEMENT_NAMES[record.record]} {record.index}"
                return name, None, f" completes here{excerpt(record.data, record.encoding)}"
            case WebSocketFrameRecord():
                return self._frame(record, exchange)
            case WebSocketMessageRecord():
                return _message(record)
            case GapRecord():
                return f"{count(record.missing, 'byte')} not captured before this", None, ""
            case DiagnosticRecord():
                text = f"! {record.severity}: {shown(record.summary, 160)} ({record.code})"
                return text, None, ""
            case ConnectionRecord():
                return f"connection {record.connection} {connection_end(record)}", None, ""
        raise TypeError(f"nothing is known to be said of {record!r}")

    def _body(self, body: BodyRecord) -> str:
        if body.chunks is not None and body.complete:
            about: About = ("chunks", body.connection, body.exchange, body.sender, 0)
            self.later[about] = f" of {data_chunks(body):,}"
        return f"body {body_end(body)}: {count(body.size, 'byte')}"

    def _frame(
        self, frame: WebSocketFrameRecord, exchange: Exchange | None
    ) -> tuple[str, About | None, str]:
        text = frame.opcode_name.capitalize()
        if frame.opcode == PING:
            about = _ping(frame)
            self.later[about] = ", not answered"
            return text, about, ""
        if frame.opcode == PONG:
            answer = Answer() if exchange is None else exchange.answer
            return text, None, self._answer(answer, frame)
        if frame.opcode == CLOSE:
            return text, None, f" {close_code(frame.close_code)}{excerpt(frame.close_reason)}"
        size = f", {count(frame.payload_length, 'byte')}"
        if frame.fin and frame.opcode != CONTINUATION:
            if frame.rsv1:
                return text, None, f", compressed{size}"
            return text, None, f"{size}{excerpt(frame.data, frame.encoding)}"
        return text, None, f", {'last ' * frame.fin}fragment{size}"

    def _answer(self, answer: Answer, pong: WebSocketFrameRecord) -> str:
        """Say of each Ping that it is answered, and return which one the Pong repeats."""
        for ping in answer.answered:
            after = milliseconds(pong.last_time - ping.last_time)
            self.later[_ping(ping)] = f", answered in frame {pong.last_packet} after {after}"
        if answer.ping is None:
            return ", unasked"
        after = milliseconds(pong.last_time - answer.ping.last_time)
        return f", answers frame {answer.ping.last_packet} after {after}"


def _chunk(chunk: ChunkRecord, exchange: Exchange | None) -> tuple[str, About | None, str]:
    if not chunk.size:
        trailers = f" with {count(len(chunk.trailers), 'trailer')}" if chunk.trailers else ""
        return f"last chunk{trailers}", None, ""
    tail = f", {count(chunk.size, 'byte')}{_content(chunk, exchange)}"
    about = "chunks", chunk.connection, chunk.exchange, chunk.sender, 0
    return f"chunk {chunk.index}", about, tail


def _content(record: ChunkRecord | DataRecord, exchange: Exchange | None) -> str:
    """Return the beginning of what a chunk or run holds, if no element says it."""
    has_elements = exchange is not None and (
        exchange.transport == "sse" or exchange.counts.elements > 0
    )
    return "" if has_elements else excerpt(record.data, record.encoding)


def _event(event: SseEventRecord, exchange: Exchange | None) -> tuple[str, About | None, str]:
    if not event.dispatched:
        fields = event.fields or []
        if fields and not any(name for name, _ in fields):
            return "SSE comment", None, excerpt(fields[0][1])
        return "SSE block that is not dispatched", None, ""
    number = "" if exchange is None else f" {exchange.counts.events - 1}"
    tail = f" completes here{excerpt(event.data)}"
    return f"SSE event{number} `{shown(event.event)}`", None, tail


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
    """Return the beginning of a payload after a colon, nothing if there is none."""
    if not data:
        return ""
    # Four characters of base64 are three bytes: a cut there is a cut between bytes.
    return f": {shown(preview(data[: 4 * EXCERPT], encoding, EXCERPT))}"


def _is_its_frame(message: WebSocketMessageRecord) -> bool:
    """Whether the one frame of a message has said all of it."""
    return message.frames == 1 and not message.compressed


def _has_parts(record: Record) -> bool:
    """Whether its first packet and its last one are each worth a comment."""
    return not isinstance(record, BodyRecord | GapRecord | DiagnosticRecord | ConnectionRecord)


def _ping(ping: WebSocketFrameRecord) -> About:
    return "ping", ping.connection, ping.exchange, ping.sender, ping.offset


def _message(message: WebSocketMessageRecord) -> tuple[str, About | None, str]:
    how = ", inflated" if message.compressed else ""
    size = count(message.size, "byte")
    said = f" completes here, {size}{excerpt(message.data, message.encoding)}"
    return f"WebSocket message of {count(message.frames, 'frame')}{how}", None, said
