"""A request and what came back: what is known of it, and how a record adds to that.

Strategy: heads and ends of bodies are kept, elements are counted, so an exchange is as large
whatever it carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    Http3FrameRecord,
    JsonLineRecord,
    PartRecord,
    QuicPacketRecord,
    QuicRecord,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    Transport,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from .heads import asked_for_by, fields_by_name, has_switched, is_chosen, is_final
from .open_exchanges import Key
from .pings import NO_ANSWER, Answer, Pings

Exchanged = (
    RequestRecord
    | ResponseRecord
    | ChunkRecord
    | BodyRecord
    | SseEventRecord
    | DataRecord
    | JsonLineRecord
    | PartRecord
    | AwsEventRecord
    | GrpcMessageRecord
    | WebSocketFrameRecord
    | WebSocketMessageRecord
    | TlsConnectionRecord
    | TlsRecordRecord
    | Http2DataRecord
    | Http2FrameRecord
    | QuicRecord
    | QuicPacketRecord
    | Http3DataRecord
    | Http3FrameRecord
    | StallRecord
    | GapRecord
    | DiagnosticRecord
)
"""What may belong to an exchange: every record but that of a connection."""

UNSURE = "http-response-unsure"
"""The fault of a response if it is unknown which request it answers."""
SAID = frozenset(("last-chunk", "content-length", "end-stream"))
"""``ended_by`` of a body whose sender said that it ends."""
RESETS = frozenset(("RST_STREAM", "RESET_STREAM", "STOP_SENDING"))
"""Frames that give a stream up (RFC 9113 section 6.4, RFC 9000 sections 19.4 and 19.5)."""
MAX_INTERIM = 16
"""Interim responses of one exchange that are kept; of more, the first ones are forgotten."""

CONTINUATION: Final = 0x0
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
"""Opcodes (RFC 6455 section 5.2)."""
DATA_FRAMES: Final = frozenset((0x1, 0x2))
"""Opcodes of the frames that begin a message, text or binary."""


class Counts(Struct, gc=False):
    """How many elements of an exchange came."""

    chunks: int = 0
    """Of the response, the last one not counted: it carries nothing."""
    events: int = 0
    """Those that were dispatched."""
    blocks: int = 0
    """Of the event stream: events, and what is not dispatched."""
    runs: int = 0
    """Of a response that has no framing of its own: what its packets brought."""
    elements: int = 0
    """Of a response whose content is a stream of them, other than server-sent events."""
    element_kind: str = ""
    """The kind of their records."""
    frames: int = 0
    pings: int = 0
    pongs: int = 0
    messages: int = 0
    errors: int = 0
    """Diagnostics of that severity."""


class ConnectionEnd(Struct, eq=False):
    """How a connection ended, which all of its exchanges share."""

    record: ConnectionRecord | None = None
    last: int = -1
    """The last exchange of it that has begun."""
    answered: int = -1
    """The last one of which a response came."""
    is_unsure: bool = False
    """Whether one was given a response that may answer another: bytes before it are missing."""


class Exchange(Struct, eq=False):
    """A request and what came back, as far as it is known: right at any time, also while it runs.

    Times are seconds since the epoch, packets count from 1; those of an exchange without any are 0.
    """

    key: Key
    number: int
    """From 0, in the order in which the exchanges of the capture began."""
    request: RequestRecord | None = None
    response: ResponseRecord | None = None
    """The final one; until it comes the last interim one."""
    interim: Sequence[ResponseRecord] = ()
    """The responses before it (1xx), the last MAX_INTERIM of them."""
    request_body: BodyRecord | None = None
    response_body: BodyRecord | None = None
    """The end of the response's body, whole or not; a WebSocket has none."""
    counts: Counts = field(default_factory=Counts)
    closing: Sequence[WebSocketFrameRecord] = ()
    """The first Close frame, and the other side's (RFC 6455 section 5.5.1)."""
    reset: Http2FrameRecord | Http3FrameRecord | None = None
    """The first frame that gave its stream up, whoever sent it."""
    answer: Answer = NO_ANSWER
    """What the last frame answers, if that is a Pong."""
    first_packet: int = 0
    last_packet: int = 0
    first_time: float = 0.0
    last_time: float = 0.0
    is_let_go: bool = False
    """Whether too many were open, and it had been idle for longest: what came later is unknown."""
    end: ConnectionEnd = field(default_factory=ConnectionEnd)
    _pings: Pings | None = None
    """Few have any."""
    _fields: tuple[Mapping[str, str] | None, Mapping[str, str] | None] = (None, None)
    """Those of the request and of the response by their names, once they have been asked for."""

    def __repr__(self) -> str:
        shown = [
            name for name in self.__struct_fields__ if name not in ("end", "_pings", "_fields")
        ]
        return f"Exchange({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    @property
    def connection(self) -> ConnectionRecord | None:
        """The record of its connection, once that has ended or the capture has.

        Whoever keeps an exchange that is over finds it here when it comes.
        """
        return self.end.record

    @property
    def peers(self) -> tuple[str, str] | None:
        """Address and port of its client and of its server; None as long as they are not known."""
        said = self.connection or self.request
        if said is None or said.client is None or said.server is None:
            return None
        return said.client, said.server

    @property
    def transport(self) -> Transport:
        """What it streams by, under the one name that it has everywhere.

        A response says it; until there is one, and if it was not captured, what came does, or what
        the request asks for.
        """
        response = self.response
        if response is not None and (response.status >= 200 or is_final(response)):
            # Of a head that is not known whole, the content tells more.
            return "sse" if self.counts.blocks else response.transport
        if self.counts.blocks:
            return "sse"
        if self.counts.frames:
            return "websocket"
        return self.asked or ("chunked" if self.counts.chunks else "http")

    @property
    def stream_id(self) -> int | None:
        """Its stream of HTTP/2 or HTTP/3; None if it has none, or is not known."""
        heads = self.response, self.request, self.response_body
        return next((one.stream_id for one in heads if one is not None), None)

    @property
    def asked(self) -> Transport | None:
        """What the request asks for or streams by, None if it does neither or is not known."""
        return None if self.request is None else asked_for_by(self.request, self.request_fields)

    @property
    def is_refused(self) -> bool:
        """Whether an upgrade to WebSocket was asked for, and the response does not switch to it."""
        response = self.response
        return (
            response is not None
            and response.transport == "websocket"
            and not has_switched(response)
        )

    @property
    def is_websocket(self) -> bool:
        """Whether frames can have come: an upgrade was asked for and not refused."""
        return self.transport == "websocket" and not self.is_refused

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it is known but what is wrong nearby: then nobody asked or answered.

        A fault of the layers below stands with the exchange that it came before.
        """
        heads = self.request, self.response, self.request_body, self.response_body
        return heads == (None,) * len(heads) and self.counts == Counts(errors=self.counts.errors)

    @property
    def is_last(self) -> bool:
        """Whether no later exchange of its connection has begun."""
        return self.key.exchange == self.end.last

    @property
    def is_bodiless(self) -> bool:
        """Whether its response is one that has no body, whatever its fields say.

        So are those to HEAD, and 204 and 304 (RFC 9112 section 6.3, rule 1); of HTTP/2 and HTTP/3
        also where only a later frame was to end the stream.
        """
        response, request, body = self.response, self.request, self.response_body
        if response is None or not is_final(response):
            return False
        is_framed = response.stream_id is not None and (body is None or not body.length)
        if response.framing != "none" and not is_framed:
            return False
        is_head = request is not None and request.method == "HEAD"
        return is_head or response.status in (204, 304)

    @property
    def has_ended(self) -> bool:
        """Whether both sides have sent their messages to the end."""
        request, response = self.request, self.response
        if request is None or response is None or not is_final(response):
            return False
        is_asked = self.request_body is not None or request.framing == "none"
        if self.response_body is not None and self.response_body.ended_by not in SAID:
            return False  # what says why comes after it
        return is_asked and (self.response_body is not None or response.framing == "none")

    @property
    def asked_time(self) -> float:
        """When the request was there, from which the times of its answer count.

        That is its last byte, but its first one where the answer's content began before that: a
        call that streams both ways. 0 if nothing of the request was captured.
        """
        request, asked, answered = self.request, self.request_body, self.response_body
        if request is None:
            return 0.0
        if asked is not None and answered is not None and answered.first_time < asked.last_time:
            return request.first_time
        return (asked or request).last_time

    def is_of(self, transport: Transport) -> bool:
        """Whether a choice of that transport has it: it streams so, or asked to and does not."""
        return is_chosen(transport, self.transport, self.asked)

    def header(self, name: str) -> str | None:
        """Return a field of the response's header, None if there is none of that name."""
        return self.response_fields.get(name.lower())

    def request_header(self, name: str) -> str | None:
        """Return a field of the request's header, None if there is none of that name."""
        return self.request_fields.get(name.lower())

    @property
    def request_fields(self) -> Mapping[str, str]:
        """The fields of the request's header by their names, in lower case; of each the first."""
        known = self._fields[0]
        if known is None and self.request is not None:
            known = fields_by_name(self.request.headers)
            self._fields = known, self._fields[1]
        return known or {}

    @property
    def response_fields(self) -> Mapping[str, str]:
        """Those of the response's."""
        known = self._fields[1]
        if known is None and self.response is not None:
            known = fields_by_name(self.response.headers)
            self._fields = self._fields[0], known
        return known or {}

    def add(self, record: Exchanged) -> None:
        """Take the next record, and reach over its packets; a record of packet 0 has none."""
        first = record.first_packet
        if first > 0:
            # A call for this would cost half as much again, for each record of each view.
            if first < self.first_packet or not self.first_packet:
                self.first_time = self.first_time if self.first_packet else record.first_time
                self.first_packet = first
            if record.first_time < self.first_time:
                self.first_time = record.first_time
            if record.last_packet > self.last_packet:
                self.last_packet = record.last_packet
            if record.last_time > self.last_time:
                self.last_time = record.last_time
        _TAKE[type(record)](self, record)

    def add_event(self, chunk: ChunkRecord, event: SseEventRecord) -> None:
        """Take a chunk and the event that came in the same packet, as :meth:`add` takes each."""
        packet, time = chunk.last_packet, chunk.last_time
        if 0 < self.first_packet <= self.last_packet <= packet and self.last_time <= time:
            self.last_packet, self.last_time = packet, time  # as nearly always
            counts = self.counts
            counts.chunks += chunk.size > 0 and chunk.sender == "server"
            counts.blocks += 1
            counts.events += event.dispatched
        else:
            self.add(chunk)
            self._add_block(event)

    def add_streamed(self, chunks: Sequence[ChunkRecord], events: Sequence[SseEventRecord]) -> None:
        """Take what the server streams, as :meth:`add` takes each; all of it came in packets."""
        records = [*chunks, *events]
        self.reach_over(
            min([record.first_packet for record in records]),
            max([record.last_packet for record in records]),
            min([record.first_time for record in records]),
            max([record.last_time for record in records]),
        )
        self.counts.chunks += len(chunks) - [chunk.size for chunk in chunks].count(0)
        self.counts.blocks += len(events)
        self.counts.events += [event.dispatched for event in events].count(True)

    def reach_over(self, first: int, last: int, first_time: float, last_time: float) -> None:
        """Reach over records of which somebody else has counted what they are.

        From their first packet, which is one, to their last, and from the first time to the last.
        """
        if first < self.first_packet or not self.first_packet:
            self.first_time = self.first_time if self.first_packet else first_time
            self.first_packet = first
        self.first_time = min(self.first_time, first_time)
        self.last_packet = max(self.last_packet, last)
        self.last_time = max(self.last_time, last_time)

    def add_frames(self, frames: int) -> None:
        """Count data frames, as :meth:`add` counts each of them."""
        self.counts.frames += frames
        self.answer = NO_ANSWER

    def _add_chunk(self, chunk: ChunkRecord) -> None:
        self.counts.chunks += chunk.size > 0 and chunk.sender == "server"

    def _add_block(self, block: SseEventRecord) -> None:
        self.counts.blocks += 1
        self.counts.events += block.dispatched

    def _add_run(self, run: DataRecord | Http2DataRecord | Http3DataRecord) -> None:
        self.counts.runs += run.sender == "server"

    def _add_element(self, element: BodyElementRecord) -> None:
        if element.sender == "server":
            self.counts.elements += 1
            self.counts.element_kind = element.record

    def _add_message(self, _: WebSocketMessageRecord) -> None:
        self.counts.messages += 1

    def _add_request(self, request: RequestRecord) -> None:
        self.request = request
        self._fields = None, self._fields[1]

    def _add_body(self, body: BodyRecord) -> None:
        if body.sender == "client":
            self.request_body = body
        else:
            self.response_body = body

    def _add_fault(self, fault: DiagnosticRecord) -> None:
        self.counts.errors += fault.severity == "error"
        if fault.code == UNSURE:
            self.end.is_unsure = True

    def _add_control_frame(self, frame: Http2FrameRecord | Http3FrameRecord) -> None:
        if frame.type in RESETS and self.reset is None:
            self.reset = frame

    def _pass(
        self,
        _: GapRecord
        | TlsConnectionRecord
        | TlsRecordRecord
        | StallRecord
        | QuicRecord
        | QuicPacketRecord,
    ) -> None:
        """It is only where it is, and tells nothing of what an exchange carries."""

    def _add_response(self, response: ResponseRecord) -> None:
        self.end.answered = max(self.end.answered, self.key.exchange)
        if self.response is not None:
            self.interim = [*self.interim, self.response][-MAX_INTERIM:]
        self.response = response
        self._fields = self._fields[0], None

    def _add_frame(self, frame: WebSocketFrameRecord) -> None:
        self.counts.frames += 1
        self.answer = NO_ANSWER
        if frame.opcode < CLOSE:
            return
        if frame.opcode == PING:
            self.counts.pings += 1
            self._pings = self._pings or Pings()
            self._pings.sent(frame)
        elif frame.opcode == PONG:
            self.counts.pongs += 1
            self.answer = NO_ANSWER if self._pings is None else self._pings.answer(frame)
        elif frame.opcode == CLOSE and frame.sender not in [one.sender for one in self.closing]:
            self.closing = [*self.closing, frame]


_TAKE: dict[type[Any], Callable[[Exchange, Any], None]] = {
    ChunkRecord: Exchange._add_chunk,
    SseEventRecord: Exchange._add_block,
    DataRecord: Exchange._add_run,
    JsonLineRecord: Exchange._add_element,
    PartRecord: Exchange._add_element,
    AwsEventRecord: Exchange._add_element,
    GrpcMessageRecord: Exchange._add_element,
    WebSocketFrameRecord: Exchange._add_frame,
    WebSocketMessageRecord: Exchange._add_message,
    RequestRecord: Exchange._add_request,
    ResponseRecord: Exchange._add_response,
    BodyRecord: Exchange._add_body,
    DiagnosticRecord: Exchange._add_fault,
    GapRecord: Exchange._pass,
    TlsConnectionRecord: Exchange._pass,
    TlsRecordRecord: Exchange._pass,
    Http2DataRecord: Exchange._add_run,
    Http2FrameRecord: Exchange._add_control_frame,
    QuicRecord: Exchange._pass,
    QuicPacketRecord: Exchange._pass,
    Http3DataRecord: Exchange._add_run,
    Http3FrameRecord: Exchange._add_control_frame,
    StallRecord: Exchange._pass,
}
"""What an exchange does with each kind of record: a look-up costs less than the comparisons."""
