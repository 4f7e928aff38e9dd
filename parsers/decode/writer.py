"""From events to records: what was decoded, and the packets that carried it.

A writer belongs to one direction of one connection, or to one of the streams that it carries. It
looks up the packets of an event when the event is made, while the source map still holds them, and
writes the contract's record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from ..diagnostics import Diagnostic
from ..http1.chunked import Chunk
from ..http1.decoder import Request, Response
from ..http1.field_lines import FieldLines
from ..memory import Account, Memory
from ..provenance import Arrival, Completion, Layer, SourceMap
from ..records import (
    ChunkRecord,
    DiagnosticRecord,
    Fields,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    Transport,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
    text_or_base64,
)
from ..sse.stream import ServerSentEvent
from ..wants import EVERYTHING, Wants

if TYPE_CHECKING:
    from ..websocket.frames import Frame
    from ..websocket.messages import Message

P = ParamSpec("P")
R = TypeVar("R", bound=Record)
Peers = tuple[str | None, str | None]
"""Addresses and ports of a connection's client and server, where requests are to say them."""
UNKNOWN: Peers = (None, None)


def wire_text(data: bytes) -> str:
    """Return bytes of a head as text: UTF-8 where they are, else each byte as its own character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def wire_fields(fields: list[tuple[bytes, bytes]]) -> Fields:
    """Return field lines as text, a list of one's own; of those of a known head, once for all."""
    if not isinstance(fields, FieldLines):
        return _texts(fields)
    if fields.texts is None:
        fields.texts = _texts(fields)
    return fields.texts.copy()


def _texts(fields: list[tuple[bytes, bytes]]) -> Fields:
    try:
        return [(name.decode(), value.decode()) for name, value in fields]
    except UnicodeDecodeError:
        return [(wire_text(name), wire_text(value)) for name, value in fields]


class RecordWriter:
    """Writes the records of one direction."""

    __slots__ = (
        "connection",
        "sender",
        "origins",
        "keeps_data",
        "layer",
        "stream_id",
        "account",
        "wants",
        "peers",
    )

    def __init__(
        self,
        connection: int,
        sender: Sender,
        origins: SourceMap[Arrival],
        keep_data: bool,
        layer: Layer = "tcp",
        stream_id: int | None = None,
        account: Account | None = None,
        wants: Wants = EVERYTHING,
        peers: Peers = UNKNOWN,
    ) -> None:
        self.wants = wants
        self.peers = peers
        self.account = Account(Memory()) if account is None else account
        """What the connection holds is charged to it."""
        self.connection = connection
        self.sender = sender
        self.origins = origins
        self.keeps_data = keep_data
        self.layer = layer
        self.stream_id = stream_id

    def for_stream(self, stream_id: int) -> RecordWriter:
        """Return what writes the records of a stream that the direction carries."""
        return RecordWriter(
            self.connection,
            self.sender,
            self.origins,
            self.keeps_data,
            self.layer,
            stream_id,
            self.account,
            self.wants,
            self.peers,
        )

    def within(self, kind: Callable[P, R]) -> Callable[P, R]:
        """Return what makes records of ``kind`` in this byte space, for those made by the thousand.

        That is ``kind`` itself where its defaults say it: each keyword costs a tenth of a record.
        """
        if self.layer == "tcp" and self.stream_id is None:
            return kind
        make: Callable[..., R] = kind
        return cast(Callable[P, R], partial(make, layer=self.layer, stream_id=self.stream_id))

    def place(self, start: int, end: int) -> Arrival:
        """Return the packets and times of [start, end) of this direction's stream."""
        if not self.origins.size:
            return 0, 0, 0.0, 0.0
        first, last = self.origins.span(start, end)
        if first is last:
            return first
        return first[0], last[1], first[2], last[3]

    def request(self, found: Request, exchange: int) -> RequestRecord:
        return RequestRecord(
            self.connection,
            exchange,
            self.sender,
            *self.place(found.start, found.end),
            found.start,
            found.end - found.start,
            wire_text(found.method),
            wire_text(found.target),
            wire_text(found.version),
            wire_fields(found.headers),
            found.framing,
            list(found.codings),
            *self.peers,
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def response(self, found: Response, exchange: int, transport: Transport) -> ResponseRecord:
        return ResponseRecord(
            self.connection,
            exchange,
            self.sender,
            *self.place(found.start, found.end),
            found.start,
            found.end - found.start,
            wire_text(found.version),
            found.status,
            wire_text(found.reason),
            wire_fields(found.headers),
            found.framing,
            list(found.codings),
            transport,
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def chunk(self, found: Chunk, exchange: int) -> ChunkRecord:
        data, encoding = (None, None) if found.data is None else text_or_base64(found.data)
        first_packet, last_packet, first_time, last_time = self.place(found.start, found.end)
        trailers = found.trailers
        return ChunkRecord(
            self.connection,
            exchange,
            self.sender,
            first_packet,
            last_packet,
            first_time,
            last_time,
            found.start,
            found.end - found.start,
            found.index,
            found.size,
            wire_text(found.extension) if found.extension else "",
            data,
            encoding,
            None if trailers is None else wire_fields(trailers),
            found.content_start,
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def sse_event(
        self,
        found: ServerSentEvent,
        exchange: int,
        start: int,
        end: int,
        first_chunk: int | None,
        last_chunk: int | None,
        extents: list[tuple[int, int]] | None = None,
    ) -> SseEventRecord:
        """Write an event that lies at [start, end) of the direction's stream, or in parts there."""
        first_packet, last_packet, first_time, last_time = self.place(start, end)
        keeps_data = self.keeps_data
        return SseEventRecord(
            self.connection,
            exchange,
            self.sender,
            first_packet,
            last_packet,
            first_time,
            last_time,
            start,
            end - start,
            found.type,
            found.data if keeps_data else None,
            found.last_event_id,
            found.retry,
            found.dispatched,
            found.fields if keeps_data else None,
            first_chunk,
            last_chunk,
            layer=self.layer,
            stream_id=self.stream_id,
            extents=extents,
        )

    def frame(self, found: Frame, exchange: int) -> WebSocketFrameRecord:
        data, encoding = (None, None) if found.payload is None else text_or_base64(found.payload)
        first_packet, last_packet, first_time, last_time = self.place(found.start, found.end)
        key = found.masking_key
        return WebSocketFrameRecord(
            self.connection,
            exchange,
            self.sender,
            first_packet,
            last_packet,
            first_time,
            last_time,
            found.start,
            found.end - found.start,
            found.fin,
            found.rsv1,
            found.rsv2,
            found.rsv3,
            found.opcode,
            found.opcode_name,
            found.masked,
            None if key is None else key.hex(),
            found.payload_length,
            data,
            encoding,
            found.close_code,
            found.close_reason,
            found.end - found.payload_length,  # a frame ends with its payload
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def message(self, found: Message, exchange: int) -> WebSocketMessageRecord:
        data, encoding = text_or_base64(found.data) if self.keeps_data else (None, None)
        first_packet, last_packet, first_time, last_time = self.place(found.start, found.end)
        return WebSocketMessageRecord(
            self.connection,
            exchange,
            self.sender,
            first_packet,
            last_packet,
            first_time,
            last_time,
            found.start,
            found.end - found.start,
            found.type,
            found.size,
            data,
            encoding,
            found.frames,
            found.compressed,
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def gap(self, start: int, length: int, exchange: int | None) -> GapRecord:
        return GapRecord(
            self.connection,
            exchange,
            self.sender,
            *self.place(start, start + length),
            start,
            length,
            length,
            layer=self.layer,
            stream_id=self.stream_id,
        )

    def diagnostic(
        self, found: Diagnostic, exchange: int | None, shown: Completion | None = None
    ) -> DiagnosticRecord:
        """Write a fault; one at the very end of the stream is shown with its last packet.

        ``shown`` is the packet of a fault of TCP, which its place in the stream does not tell:
        nothing may have been put in order there yet.
        """
        if shown is None:
            place = self.place(found.start, found.end)
        else:
            packet, time = shown
            place = packet, packet, time, time
        return DiagnosticRecord(
            self.connection,
            exchange,
            self.sender,
            *place,
            found.start,
            found.end - found.start,
            found.severity,
            found.code,
            found.summary,
            found.reference,
            layer=self.layer,
            stream_id=self.stream_id,
        )
