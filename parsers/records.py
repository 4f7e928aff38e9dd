"""The records of the contract: what every view, export and test gets.

Field names and meanings are fixed; fields may be added. All of a record's values are what JSON
can hold: text, numbers, true, false, null, and lists of them.
"""

from __future__ import annotations

from base64 import b64encode
from operator import attrgetter
from typing import ClassVar, Literal

from .provenance import Element, Layer

Sender = Literal["client", "server"]
Encoding = Literal["utf-8", "base64"]
Framing = Literal["chunked", "content-length", "close", "none", "upgrade"]
Transport = Literal["chunked", "sse", "websocket", "http"]
EndedBy = Literal["last-chunk", "content-length", "close", "reset", "capture-end"]
Fields = list[tuple[str, str]]


PLACE = attrgetter("last_packet", "offset")
"""The contract's order among the records of one direction, but for those of bodies."""


def text_or_base64(data: bytes) -> tuple[str, Encoding]:
    """Return bytes as text if they are valid UTF-8, else in base64, and which it was."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(data).decode("ascii"), "base64"


class Sent(Element, frozen=True, kw_only=True, omit_defaults=True):
    """What every record of something that was sent can say about its place, and rarely needs to.

    These fields stand behind all others, and are not in JSON where they have their defaults. No
    other field of these records may have a default: it would be left out too.
    """

    layer: Layer = "tcp"
    """The byte space that ``offset``, ``length`` and ``extents`` count in."""
    stream_id: int | None = None
    """The stream of HTTP/2 that it belongs to (RFC 9113 section 5.1.1)."""
    extents: list[tuple[int, int]] | None = None
    """[start, end) of each run of its bytes, where they are not contiguous: then ``offset`` and
    ``length`` are their hull, and other bytes lie between them."""


class ConnectionRecord(Element, frozen=True, tag_field="record", tag="connection"):
    """One TCP connection, when it has ended or the capture has."""

    record: ClassVar[Literal["connection"]] = "connection"
    connection: int
    """From 0 in order of first packet: Wireshark's ``tcp.stream``."""
    client: str
    server: str
    protocol: str
    """``http/1.1``, ``websocket``, ``tls``, ``http/2`` or ``unknown``."""
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    packets: int
    client_bytes: int
    server_bytes: int
    retransmissions: int
    out_of_order: int
    closed_by: Sender | None
    close: str
    """``fin``, ``reset`` or ``open``."""
    midstream: bool
    client_fin: int | None = None
    """The packet that carried the client's FIN, null if none was seen."""
    server_fin: int | None = None
    recorded_by: str | None = None
    """``relay`` if its packets are not the kernel's, but what a relay read; else null."""


class RequestRecord(Sent, frozen=True, tag_field="record", tag="request"):
    """A request line and its header section (RFC 9112 section 3)."""

    record: ClassVar[Literal["request"]] = "request"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    method: str
    target: str
    version: str
    headers: Fields
    framing: Framing
    """How the decoder found its body to be framed (RFC 9112 section 6.3); ``none`` if it has none,
    or if where it ends cannot be known."""
    codings: list[str]
    """Content and transfer codings of its framed content, in lower case, in the order in which
    they are undone: the one that was applied last comes first."""


class ResponseRecord(Sent, frozen=True, tag_field="record", tag="response"):
    """A status line and its header section (RFC 9112 section 4); 1xx ones too."""

    record: ClassVar[Literal["response"]] = "response"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    version: str
    status: int
    reason: str
    headers: Fields
    framing: Framing
    codings: list[str]
    """As of a request."""
    transport: Transport
    """What it streams by: see :func:`~parsers.decode.transport.transport_of`."""


class ChunkRecord(Sent, frozen=True, tag_field="record", tag="chunk"):
    """One chunk (RFC 9112 section 7.1); the one of size 0 carries the trailers."""

    record: ClassVar[Literal["chunk"]] = "chunk"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    index: int
    size: int
    extension: str
    data: str | None
    encoding: Encoding | None
    trailers: Fields | None
    content_offset: int
    """Where behind its line its data begins, or the last chunk's trailer section; as ``offset``."""


class BodyRecord(Sent, frozen=True, tag_field="record", tag="body"):
    """The end of a body, whole or not. ``first_*``, ``offset`` and ``length`` span the body."""

    record: ClassVar[Literal["body"]] = "body"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    size: int
    decoded_size: int
    content_encoding: str | None
    sha256: str
    chunks: int | None
    complete: bool
    ended_by: EndedBy


class SseEventRecord(Sent, frozen=True, tag_field="record", tag="sse_event"):
    """One block of an event stream (WHATWG HTML section 9.2.6)."""

    record: ClassVar[Literal["sse_event"]] = "sse_event"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    event: str
    data: str | None
    id: str
    retry: int | None
    dispatched: bool
    fields: Fields | None
    first_chunk: int | None
    last_chunk: int | None


class WebSocketFrameRecord(Sent, frozen=True, tag_field="record", tag="websocket_frame"):
    """One frame (RFC 6455 section 5.2)."""

    record: ClassVar[Literal["websocket_frame"]] = "websocket_frame"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    fin: bool
    rsv1: bool
    rsv2: bool
    rsv3: bool
    opcode: int
    opcode_name: str
    masked: bool
    masking_key: str | None
    payload_length: int
    data: str | None
    encoding: Encoding | None
    close_code: int | None
    close_reason: str | None
    content_offset: int
    """Where behind its header its payload begins; as ``offset``."""


class WebSocketMessageRecord(Sent, frozen=True, tag_field="record", tag="websocket_message"):
    """One whole message (RFC 6455 section 5.6), put together and inflated."""

    record: ClassVar[Literal["websocket_message"]] = "websocket_message"
    connection: int
    exchange: int
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    type: str
    size: int
    data: str | None
    encoding: Encoding | None
    frames: int
    compressed: bool


class GapRecord(Sent, frozen=True, tag_field="record", tag="gap"):
    """Bytes of the stream that the capture does not hold."""

    record: ClassVar[Literal["gap"]] = "gap"
    connection: int
    exchange: int | None
    sender: Sender
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    length: int
    missing: int


class DiagnosticRecord(Sent, frozen=True, tag_field="record", tag="diagnostic"):
    """A fault, its packets and its rule. ``connection`` is null for one of the file itself."""

    record: ClassVar[Literal["diagnostic"]] = "diagnostic"
    connection: int | None
    exchange: int | None
    sender: Sender | None
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int | None
    length: int | None
    severity: str
    code: str
    summary: str
    reference: str


Record = (
    ConnectionRecord
    | RequestRecord
    | ResponseRecord
    | ChunkRecord
    | BodyRecord
    | SseEventRecord
    | WebSocketFrameRecord
    | WebSocketMessageRecord
    | GapRecord
    | DiagnosticRecord
)


def field_names(kind: type[Record]) -> tuple[str, ...]:
    """Return the names of the fields that a kind of record has, in their order in JSON."""
    return ("record", *kind.__struct_fields__)
