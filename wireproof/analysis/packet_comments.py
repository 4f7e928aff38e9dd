"""What can be said of single packets: records in, comments on packets out.

Strategy: each record gives its comments at once: what the packet that completed it carries, and,
where it took several, what the packet that began it carries. What is only known later (how many
chunks a body has, when a Ping is answered) is kept under a key that the comment names, for whoever
still has the comment by then. Which event it is, and which Pings a Pong answers, its exchange says.

Chunks and events are numbered from 0, as in the records. Text from the wire is escaped and cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from parsers.records import (
    BodyElement,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    Http3FrameRecord,
    QuicRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    Sent,
    SseEventRecord,
    StallRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..dialects.dialect import Dialect
from ..dialects.payload import OTHER, Payload
from ..dialects.reader import DialectReader, Reader, Readers, is_read
from ..dialects.wording import said, shared
from ..exchange import CLOSE, CONTINUATION, DATA_FRAMES, PING, PONG, Exchange
from ..exchanges import Exchanges, is_usual_event
from ..pings import Answer
from ..text.escape import preview
from ..text.quic import quic_facts
from ..text.tls import tls_facts
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

Frame = WebSocketFrameRecord | WebSocketMessageRecord
WHOLE = frozenset((BodyRecord, GapRecord, DiagnosticRecord, TlsConnectionRecord, ConnectionRecord))
"""What is said of the last packet alone."""

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


class EventComment(NamedTuple):
    """What a packet carries that brought a chunk and the event in it."""

    packet: int
    chunk: str
    about: About
    """Where there is more to say of the chunk."""
    size: str
    """Of the chunk, which follows that."""
    dialect: str
    """What the stream speaks, if the event tells that first; else empty."""
    event: str

    def said(self, later: Mapping[About, str]) -> str:
        """Return all of it."""
        dialect = f"{self.dialect}; " if self.dialect else ""
        return f"{self.chunk}{later.get(self.about, '')}{self.size}; {dialect}{self.event}"

    @property
    def parts(self) -> list[PacketComment]:
        """The same, one by one."""
        packet = self.packet
        chunk = PacketComment(packet, self.chunk, self.about, self.size)
        dialect = [PacketComment(packet, "", None, self.dialect)] if self.dialect else []
        return [chunk, *dialect, PacketComment(packet, self.event)]


class PacketComments:
    """Turns records into comments.

    ``later`` holds what was found out after a comment was made; who has no use for it clears it.
    """

    def __init__(self, readers: Readers = DialectReader) -> None:
        self.later: dict[About, str] = {}
        self._exchanges: Exchanges[Reader] = Exchanges(readers)

    def add(self, record: Record) -> list[PacketComment]:
        """Return what the packets of a record carry, that which began it first."""
        if isinstance(record, WebSocketMessageRecord) and _is_its_frame(record):
            return []
        found: list[PacketComment] = []
        exchange, payload = None, OTHER
        if (known := self._exchanges.add(record)) is not None:
            exchange, reader = known
            was_known = reader.dialect is not None
            payload = _payload(record, reader)
            if reader.dialect is not None and not was_known:
                found.append(PacketComment(record.last_packet, "", None, _named(reader.dialect)))
        elif isinstance(record, ConnectionRecord):
            found += self._silences()
        text, about, tail = self._say(record, exchange, payload)
        first, last = record.first_packet, record.last_packet
        if first == last or not _has_parts(record):
            found.append(PacketComment(last, text, about, tail))
            return found
        begun = f" begins here, completes in frame {last}"
        done = f" completes here, begun in frame {first}{tail.removeprefix(' completes here')}"
        found.append(PacketComment(first, text, None, begun, False))
        found.append(PacketComment(last, text, about, done))
        return found

    def add_event(self, chunk: ChunkRecord, event: SseEventRecord) -> EventComment | None:
        """Return what the packet carries that brought a chunk and the event after it, as nearly all
        do: what :meth:`add` returns for both, in less than half the time.

        None if they are not so usual: then neither has been taken.
        """
        if not (event.dispatched and chunk.size and chunk.sender == event.sender == "server"):
            return None
        known = self._exchanges.known(chunk.connection, chunk.exchange)
        if known is None:
            return None
        exchange, reader = known
        counts = exchange.counts
        is_stream = counts.blocks or exchange.transport == "sse"
        if not is_stream or reader.takes_pieces or not is_usual_event(chunk, event):
            return None
        self._exchanges.add_event(exchange, chunk, event)
        dialect = reader.dialect
        payload = reader.read(event)
        is_new = reader.dialect is not None and dialect is None
        return EventComment(
            chunk.last_packet,
            f"chunk {chunk.index}",
            ("chunks", chunk.connection, chunk.exchange, "server", 0),
            f", {count(chunk.size, 'byte')}",
            _named(reader.dialect) if is_new and reader.dialect is not None else "",
            f"SSE event {counts.events - 1} `{shown(event.event)}` completes here"
            f"{_said(event, payload)}",
        )

    def _silences(self) -> Iterator[PacketComment]:
        """Yield how long nothing came before the end of what that cut off."""
        for exchange, _ in self._exchanges.over():
            if (silence := silence_before_end(exchange)) is not None:
                yield PacketComment(silence.packet, str(silence))

    def _say(
        self, record: Record, exchange: Exchange | None, payload: Payload
    ) -> tuple[str, About | None, str]:
        """Return what a record is called, where there is more to say, and what follows it."""
        match record:
            case RequestRecord():
                return f"request {shown(f'{record.method} {record.target}')}", None, ""
            case ResponseRecord():
                return f"response {shown(f'{record.status} {record.reason}')}", None, ""
            case ChunkRecord():
                return _chunk(record, exchange, payload)
            case BodyRecord():
                return self._body(record), None, ""
            case SseEventRecord():
                return _event(record, exchange, payload)
            case DataRecord():
                content = _content(record, exchange, payload)
                return f"data, {count(record.size, 'byte')}", None, content
            case Http2DataRecord() | Http3DataRecord():
                size = count(record.size, "byte")
                return f"DATA of stream {record.stream_id}, {size}", None, ""
            case Http2FrameRecord():
                return _control(record), None, ""
            case Http3FrameRecord():
                return _control3(record), None, ""
            case QuicRecord():
                return "; ".join(quic_facts(record)), None, ""
            case StallRecord():
                return _stall(record), None, ""
            case BodyElement():
                name = f"{ELEMENT_NAMES[record.record]} {record.index}"
                return name, None, f" completes here{_said(record, payload)}"
            case WebSocketFrameRecord():
                return self._frame(record, exchange, payload)
            case WebSocketMessageRecord():
                return _message(record, payload)
            case GapRecord():
                return f"{count(record.missing, 'byte')} not captured before this", None, ""
            case DiagnosticRecord():
                text = f"! {record.severity}: {shown(record.summary, 160)} ({record.code})"
                return text, None, ""
            case TlsConnectionRecord():
                return ", ".join(tls_facts(record)), None, ""
            case TlsRecordRecord():
                return f"TLS record, {record.type}, {count(record.size, 'byte')}", None, ""
            case ConnectionRecord():
                return f"connection {record.connection} {connection_end(record)}", None, ""
        raise TypeError(f"nothing is known to be said of {record!r}")

    def _body(self, body: BodyRecord) -> str:
        if body.chunks is not None and body.complete:
            about: About = ("chunks", body.connection, body.exchange, body.sender, 0)
            self.later[about] = f" of {data_chunks(body):,}"
        return f"body {body_end(body)}: {count(body.size, 'byte')}"

    def _frame(
        self, frame: WebSocketFrameRecord, exchange: Exchange | None, payload: Payload
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
            return text, None, f"{size}{_said(frame, payload)}"
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


def with_events(records: Iterable[Record]) -> Iterator[tuple[Record, SseEventRecord | None]]:
    """Yield each chunk together with an event that follows it at once, completed by the same
    packet, and all others alone."""
    chunk: ChunkRecord | None = None
    for record in records:
        if chunk is not None:
            if isinstance(record, SseEventRecord) and record.last_packet == chunk.last_packet:
                yield chunk, record
                chunk = None
                continue
            yield chunk, None
            chunk = None
        if isinstance(record, ChunkRecord):
            chunk = record
        else:
            yield record, None
    if chunk is not None:
        yield chunk, None


def _payload(record: Record, reader: Reader) -> Payload:
    """Return what a record says; a frame that is all of a message, what the message does."""
    if isinstance(record, WebSocketFrameRecord):
        is_whole = record.fin and record.opcode in DATA_FRAMES and not record.rsv1
        return reader.read(_message_of(record)) if is_whole else OTHER
    return reader.read(record) if is_read(record, reader) else OTHER


def _message_of(frame: WebSocketFrameRecord) -> WebSocketMessageRecord:
    """Return the message that one frame is all of, as its record would be."""
    place = {name: getattr(frame, name) for name in Sent.__struct_fields__}
    return WebSocketMessageRecord(
        **place,
        type="text" if frame.opcode == 1 else "binary",
        size=frame.payload_length,
        data=frame.data,
        encoding=frame.encoding,
        frames=1,
        compressed=False,
    )


def _named(dialect: Dialect) -> str:
    """Return what a stream speaks, and what its elements share."""
    common = shared(dialect)
    return f"{dialect.title}{': ' if common else ''}{common}"


def _said(
    record: ChunkRecord | DataRecord | BodyElementRecord | SseEventRecord | Frame, payload: Payload
) -> str:
    """Return after a colon what a record says, else the beginning of what it holds."""
    words = None if payload is OTHER else said(payload, EXCERPT // 4)
    if words is not None:
        return f": {words}"
    encoding = "utf-8" if isinstance(record, SseEventRecord) else record.encoding
    return excerpt(record.data, encoding)


def _chunk(
    chunk: ChunkRecord, exchange: Exchange | None, payload: Payload
) -> tuple[str, About | None, str]:
    if not chunk.size:
        trailers = f" with {count(len(chunk.trailers), 'trailer')}" if chunk.trailers else ""
        return f"last chunk{trailers}", None, ""
    tail = f", {count(chunk.size, 'byte')}{_content(chunk, exchange, payload)}"
    about = "chunks", chunk.connection, chunk.exchange, chunk.sender, 0
    return f"chunk {chunk.index}", about, tail


def _content(record: ChunkRecord | DataRecord, exchange: Exchange | None, payload: Payload) -> str:
    """Return the beginning of what a chunk or run holds, if no element says it."""
    has_elements = exchange is not None and (
        exchange.transport == "sse" or exchange.counts.elements > 0
    )
    return "" if has_elements else _said(record, payload)


def _event(
    event: SseEventRecord, exchange: Exchange | None, payload: Payload
) -> tuple[str, About | None, str]:
    if not event.dispatched:
        fields = event.fields or []
        if fields and not any(name for name, _ in fields):
            return "SSE comment", None, excerpt(fields[0][1])
        return "SSE block that is not dispatched", None, ""
    number = "" if exchange is None else f" {exchange.counts.events - 1}"
    tail = f" completes here{_said(event, payload)}"
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
    if len(text) <= width and text.isprintable():  # as nearly all
        return text
    cut = text if len(text) <= width else text[:width] + "…"
    escaped = preview(cut, "utf-8", width)
    return escaped if len(escaped) <= 2 * width else escaped[: 2 * width] + "…"


def excerpt(data: str | None, encoding: str | None = "utf-8") -> str:
    """Return the beginning of a payload after a colon, nothing if there is none."""
    if not data:
        return ""
    if len(data) <= EXCERPT and encoding == "utf-8" and data.isprintable():  # as nearly all
        return f": {data}"
    # Four characters of base64 are three bytes: a cut there is a cut between bytes.
    return f": {shown(preview(data[: 4 * EXCERPT], encoding, EXCERPT))}"


def _is_its_frame(message: WebSocketMessageRecord) -> bool:
    """Whether the one frame of a message has said all of it."""
    return message.frames == 1 and not message.compressed


def _has_parts(record: Record) -> bool:
    """Whether its first packet and its last one are each worth a comment."""
    return type(record) not in WHOLE


def _ping(ping: WebSocketFrameRecord) -> About:
    return "ping", ping.connection, ping.exchange, ping.sender, ping.offset


def _message(message: WebSocketMessageRecord, payload: Payload) -> tuple[str, About | None, str]:
    how = ", inflated" if message.compressed else ""
    size = count(message.size, "byte")
    tail = f" completes here, {size}{_said(message, payload)}"
    return f"WebSocket message of {count(message.frames, 'frame')}{how}", None, tail


def _control3(frame: Http3FrameRecord) -> str:
    """Return a frame of control of HTTP/3: its type, its stream, and why it was sent."""
    where = "" if frame.exchange is None else f" of stream {frame.stream_id}"
    why = "" if frame.error_code is None else f", {shown(frame.error_code)}"
    return f"{shown(frame.type)}{where}{why}"


def _control(frame: Http2FrameRecord) -> str:
    """Say what a frame of control says."""
    stream = "" if frame.stream_id is None else f" of stream {frame.stream_id}"
    said = f"{frame.type}{' ACK' if frame.ack else ''}{stream}"
    if frame.error_code is not None:
        said += f": {frame.error_code}"
    if frame.debug:
        said += f", {shown(frame.debug)}"
    if frame.increment is not None:
        said += f": {count(frame.increment, 'byte')} more"
    if frame.rtt is not None:
        said += f", after {duration(frame.rtt)}"
    return said


def _stall(stall: StallRecord) -> str:
    """Say how long flow control held a sender."""
    stream = "the connection" if stall.stream_id is None else f"stream {stall.stream_id}"
    opened = f", until packet {stall.opened_by}" if stall.opened_by is not None else ""
    held = f"the {stall.sender} was held for {duration(stall.seconds)}"
    return f"{held} by the window of {stream}{opened}"
