"""The records of the contract: what every view, export and test gets.

Field names and meanings are fixed; fields may be added. All of a record's values are what JSON
can hold: text, numbers, true, false, null, and lists of them.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import field
from typing import Literal

from .provenance import event

Sender = Literal["client", "server"]
Encoding = Literal["utf-8", "base64"]
Framing = Literal["chunked", "content-length", "close", "none", "upgrade"]
EndedBy = Literal["last-chunk", "content-length", "close", "reset", "capture-end"]
Fields = list[tuple[str, str]]


def text_or_base64(data: bytes) -> tuple[str, Encoding]:
    """Return bytes as text if they are valid UTF-8, else in base64, and which it was."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(data).decode("ascii"), "base64"


@event
class ConnectionRecord:
    """One TCP connection, when it has ended or the capture has."""

    record: str = field(init=False, default="connection")
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


@event
class RequestRecord:
    """A request line and its header section (RFC 9112 section 3)."""

    record: str = field(init=False, default="request")
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


@event
class ResponseRecord:
    """A status line and its header section (RFC 9112 section 4); 1xx ones too."""

    record: str = field(init=False, default="response")
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


@event
class ChunkRecord:
    """One chunk (RFC 9112 section 7.1); the one of size 0 carries the trailers."""

    record: str = field(init=False, default="chunk")
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


@event
class BodyRecord:
    """The end of a body, whole or not. ``first_*``, ``offset`` and ``length`` span the body."""

    record: str = field(init=False, default="body")
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


@event
class SseEventRecord:
    """One block of an event stream (WHATWG HTML section 9.2.6)."""

    record: str = field(init=False, default="sse_event")
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


@event
class WebSocketFrameRecord:
    """One frame (RFC 6455 section 5.2)."""

    record: str = field(init=False, default="websocket_frame")
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


@event
class WebSocketMessageRecord:
    """One whole message (RFC 6455 section 5.6), put together and inflated."""

    record: str = field(init=False, default="websocket_message")
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


@event
class GapRecord:
    """Bytes of the stream that the capture does not hold."""

    record: str = field(init=False, default="gap")
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


@event
class DiagnosticRecord:
    """A fault, its packets and its rule. ``connection`` is null for one of the file itself."""

    record: str = field(init=False, default="diagnostic")
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
