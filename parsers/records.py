"""The records of the contract: what every view, export and test gets.

Field names and meanings are fixed; fields may be added. All of a record's values are what JSON
can hold: text, numbers, true, false, null, lists of them, and lists of objects made of them.
"""

from __future__ import annotations

from base64 import b64encode
from operator import attrgetter
from typing import ClassVar, Literal, TypedDict

from .diagnostics import Severity
from .provenance import Close, Element, Layer

Sender = Literal["client", "server"]
Encoding = Literal["utf-8", "base64"]
Framing = Literal[
    "chunked", "content-length", "close", "none", "upgrade", "http/2", "http/3"
]  # fmt: skip
Transport = Literal["chunked", "sse", "websocket", "http"]
MessageType = Literal["text", "binary"]
EndedBy = Literal[
    "last-chunk", "content-length", "close", "reset", "capture-end", "end-stream", "rst-stream",
    "goaway", "close-notify-missing",
]  # fmt: skip
Fields = list[tuple[str, str]]


FIRST_QUIC_CONNECTION = 1_000_000_000
"""The number of the first QUIC connection. Those of TCP are Wireshark's, which count from 0 by
themselves; so neither depends on how many there are of the other, however far a capture goes."""


def is_quic(connection: int) -> bool:
    """Whether a number is that of a QUIC connection."""
    return connection >= FIRST_QUIC_CONNECTION


PLACE = attrgetter("last_packet", "offset")
"""The contract's order among the records of one direction, but for those of bodies."""


def text_or_base64(data: bytes) -> tuple[str, Encoding]:
    """Return bytes as text if they are valid UTF-8, else in base64, and which it was."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(data).decode("ascii"), "base64"


class ByteSpace(Element, frozen=True, kw_only=True, omit_defaults=True):
    """What every record of something that was sent can say about its place, and rarely needs to.

    These fields stand after all others, and are not in JSON where they have their defaults. No
    other field of these records may have a default: it would be left out too.
    """

    layer: Layer = "tcp"
    """The byte space that ``offset``, ``length`` and ``extents`` count in: ``tcp``, the bytes of
    its sender's TCP stream; ``tls``, what its sender sent, decrypted; ``quic``, the bytes of one
    QUIC stream."""
    stream_id: int | None = None
    """The stream of HTTP/2 (RFC 9113 section 5.1.1) or of QUIC (RFC 9000 section 2.1) that it
    belongs to."""
    extents: list[tuple[int, int]] | None = None
    """[start, end) of each run of its bytes, where they are not contiguous: then ``offset`` and
    ``length`` are their hull, and other bytes lie between them."""


class Sent(ByteSpace, frozen=True):
    """What every record of a part of a message says: whose it is, and what carried it."""

    connection: int
    """The TCP connection, from 0 in order of first packet: Wireshark's ``tcp.stream``. A QUIC
    connection has 1,000,000,000 and Wireshark's ``quic.connection.number``, from 0 as well."""
    exchange: int
    """Request and response on this connection, from 0; what follows a switch of protocols (RFC 9110
    section 7.8) belongs to the exchange that agreed on it."""
    sender: Sender
    """Who sent it: ``client`` is the end that sends requests, or opened the connection."""
    first_packet: int
    """The packet in which its first byte arrived first, from 1: Wireshark's ``frame.number``."""
    last_packet: int
    """The packet whose arrival completed it in order."""
    first_time: float
    """Of ``first_packet`` in the capture, in seconds since the epoch."""
    last_time: float
    """Of ``last_packet`` in the capture, in seconds since the epoch."""
    offset: int
    """Where it begins in its sender's byte stream, in bytes: 0 is the first one after the SYN
    (RFC 9293 section 3.4)."""
    length: int
    """How many bytes it takes there, its framing included."""


class End(TypedDict):
    """A FIN (RFC 9293 section 3.6) or a RST (section 3.5.2) that its receiver took."""

    sender: Sender
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    kind: Literal["fin", "reset", "connection-close"]
    """``fin``: its sender sends no more; ``reset``: it gave the connection up, or refused it;
    ``connection-close``: it closed a QUIC connection (RFC 9000 section 10.2)."""


class ClosedWindow(TypedDict):
    """A time during which one end could take no more bytes (RFC 9293 section 3.8.6)."""

    sender: Sender
    """Who closed its window, and so did not read: the other end had to wait."""
    packet: int
    """The packet that advertised a window of 0."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    opened_by: int | None
    """The packet that opened it again, null if none did."""
    seconds: float | None
    """From the one to the other, null if it was not opened again."""


class Hole(TypedDict):
    """Bytes that were not there yet when later ones came: lost on the way, or overtaken."""

    sender: Sender
    """Whose bytes they are."""
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """Its bytes when it was seen."""
    packet: int
    """The packet that came after it."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    filled_by: int | None
    """The packet that brought the last of its bytes; null if none did: then there is a gap."""
    seconds: float | None
    """From the one to the other, for which all later bytes waited; null if it was not filled."""


class DuplicateAcks(TypedDict):
    """Acknowledgements that only repeat the one before (RFC 5681 section 2): bytes after it came
    and it did not."""

    sender: Sender
    """Who sent them: the end that waits for bytes of the other."""
    offset: int
    """Which byte of the other side's stream it waits for."""
    count: int
    """How many repeat it; three make a sender send again (RFC 5681 section 3.2)."""
    first_packet: int
    """The first of them, from 1."""
    last_packet: int
    """The last of them, from 1."""
    first_time: float
    """Of ``first_packet`` in the capture, in seconds since the epoch."""
    last_time: float
    """Of ``last_packet`` in the capture, in seconds since the epoch."""


class Resent(TypedDict):
    """A segment whose bytes had been sent before (RFC 9293 section 3.8.1)."""

    sender: Sender
    """Who sent it again."""
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """Its bytes."""
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class QuicClose(TypedDict):
    """A CONNECTION_CLOSE frame (RFC 9000 section 19.19)."""

    sender: Sender
    """Who closed the connection."""
    error_code: str
    """The code's name, ``H3_NO_ERROR``; its number in hexadecimal where it has none."""
    is_application: bool
    """Whether the application protocol closed it, and not QUIC."""
    reason: str
    """The reason phrase; bytes that are no UTF-8 are a character each."""
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class QuicLoss(TypedDict):
    """A packet that was captured and lost after that: never acknowledged, while three later ones
    were (RFC 9002 section 6.1.1)."""

    sender: Sender
    """Who sent it."""
    packet_number: int
    """Its number in its packet number space (RFC 9000 section 12.3)."""
    packet: int
    """The packet of the capture that it came in, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    shown_by: int
    """The packet whose acknowledgements show that it was lost."""


class TlsAlert(TypedDict):
    """An alert, in the clear or decrypted (RFC 8446 section 6)."""

    sender: Sender
    """Who sent it."""
    level: Literal["warning", "fatal"]
    """How grave its sender says it is."""
    description: int
    """Its number: 70."""
    name: str
    """Its name: ``protocol_version``; the number where there is none."""
    packet: int
    """The packet that completed it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class ConnectionRecord(Element, frozen=True, tag_field="record", tag="connection"):
    """One TCP connection (RFC 9293) or QUIC connection (RFC 9000), when it has ended or the
    capture has."""

    record: ClassVar[Literal["connection"]] = "connection"
    connection: int
    """From 0 in order of first packet: Wireshark's ``tcp.stream``. Of QUIC, 1,000,000,000 and
    Wireshark's ``quic.connection.number``: so neither number depends on the other protocol."""
    client: str
    """Address and port of the client: ``127.0.0.1:49152``, ``[::1]:49152``."""
    server: str
    """Address and port of the server."""
    protocol: str
    """``http/1.1``, ``websocket``, ``tls``, ``http/2``, ``http/3``, ``quic``, ``socks`` or
    ``unknown``; after a switch of protocols or in a tunnel what follows, as far as that is known.
    Where the sides speak different ones, the client's."""
    first_packet: int
    """Its first packet, from 1: Wireshark's ``frame.number``."""
    last_packet: int
    """Its last packet: the one that ended it, or the last one of the capture."""
    first_time: float
    """Of ``first_packet`` in the capture, in seconds since the epoch."""
    last_time: float
    """Of ``last_packet`` in the capture, in seconds since the epoch."""
    packets: int
    """How many packets it took, of both directions, copies included."""
    client_bytes: int
    """Length of the client's byte stream, in bytes: each counts once, missing ones too."""
    server_bytes: int
    """Length of the server's byte stream, in bytes."""
    retransmissions: int
    """Segments whose bytes had been sent before (RFC 9293 section 3.8.1); copies are none."""
    out_of_order: int
    """Segments that came after later ones, as the network reorders them."""
    closed_by: Sender | None
    """Who ended it: the sender of the first FIN, or of the RST; null if nobody did, or if it cannot
    be told because only one direction was captured."""
    close: Close
    """How it ended: by FIN (RFC 9293 section 3.6), by RST (section 3.5.2), ``refused`` by a RST
    that answered its SYN (section 3.5.2), by CONNECTION_CLOSE (``connection-close``, RFC 9000
    section 10.2), or ``open``: not at all."""
    midstream: bool
    """Whether its beginning was not captured."""
    client_fin: int | None = None
    """The packet that carried the client's FIN, null if none was seen."""
    server_fin: int | None = None
    """The packet that carried the server's FIN, null if none was seen."""
    recorded_by: str | None = None
    """``relay`` if its packets are not the kernel's, but what a relay read; else null."""
    tunnel: str | None = None
    """What its first packet came through, the outermost first, ``vxlan 42 10.0.0.1 → 10.0.0.2``:
    name, network, session or labels, and the outer addresses; several are separated by commas.
    Null if it came through nothing."""
    ends: list[End] = []
    """Every FIN and RST, in their order, also those that were sent again; 64 at most."""
    rtt: float | None = None
    """Seconds that the handshake took, from the SYN to the ACK that ended it (RFC 9293 section
    3.5); null if it was not captured whole, or its SYN was sent again."""
    closed_windows: list[ClosedWindow] = []
    """When an end had its window closed, 256 at most."""
    holes: list[Hole] = []
    """Bytes that came late or not at all, 256 at most."""
    duplicate_acks: list[DuplicateAcks] = []
    """Runs of acknowledgements that repeat one, 256 at most."""
    copies: int = 0
    """Packets that the capture holds twice: they are not retransmissions, but a recording of
    several interfaces or of both ports of a mirror."""
    resent: list[Resent] = []
    """The segments that ``retransmissions`` counts, 256 at most."""
    server_rtt: float | None = None
    """Seconds of ``rtt`` from the SYN to the SYN, ACK: the part of the round trip between the place
    of the capture and the server; null if either was not captured, or the SYN was sent again."""


class RequestRecord(Sent, frozen=True, tag_field="record", tag="request"):
    """A request line and its header section (RFC 9112 section 3)."""

    record: ClassVar[Literal["request"]] = "request"
    method: str
    """As sent: case is significant (RFC 9110 section 9.1)."""
    target: str
    """As sent, in any of its forms (RFC 9112 section 3.2)."""
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    headers: Fields
    """[name, value] of each field line in wire order, without the white space around values
    (RFC 9112 section 5); bytes that are no UTF-8 are a character each."""
    framing: Framing
    """How the decoder found its body to be framed (RFC 9112 section 6.3); ``none`` if it has none,
    or if where it ends cannot be known."""
    codings: list[str]
    """Content and transfer codings of its framed content, in lower case, in the order in which
    they are undone: the one that was applied last comes first (RFC 9110 section 8.4, RFC 9112
    section 6.1)."""


class ResponseRecord(Sent, frozen=True, tag_field="record", tag="response"):
    """A status line and its header section (RFC 9112 section 4); 1xx ones too."""

    record: ClassVar[Literal["response"]] = "response"
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    status: int
    """The status code (RFC 9110 section 15)."""
    reason: str
    """The reason phrase, empty if there is none (RFC 9112 section 4)."""
    headers: Fields
    """[name, value] of each field line in wire order, without the white space around values
    (RFC 9112 section 5); bytes that are no UTF-8 are a character each."""
    framing: Framing
    """How the decoder found its body to be framed (RFC 9112 section 6.3); ``upgrade`` if another
    protocol follows."""
    codings: list[str]
    """Content and transfer codings of its framed content, in lower case, in the order in which
    they are undone (RFC 9110 section 8.4, RFC 9112 section 6.1)."""
    transport: Transport
    """What it streams by: ``websocket``, a switch to it, or the refusal of one (its ``framing`` is
    not ``upgrade`` then); ``sse``, an event stream, however framed; ``chunked``, other content in
    chunks; ``http``, anything else."""


class ChunkRecord(Sent, frozen=True, tag_field="record", tag="chunk"):
    """One chunk (RFC 9112 section 7.1); the one of size 0 carries the trailers."""

    record: ClassVar[Literal["chunk"]] = "chunk"
    index: int
    """From 0 in its body."""
    size: int
    """Of its data, in bytes, as its line says; 0 in the last chunk."""
    extension: str
    """Its extensions as sent, empty if there are none (RFC 9112 section 7.1.1)."""
    data: str | None
    """Its data as it lies in the chunk, still coded; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    trailers: Fields | None
    """[name, value] of each field of the trailer section (RFC 9112 section 7.1.2); null but in the
    last chunk."""
    content_offset: int
    """Where its data begins, after its line; in the last chunk, its trailer section. In bytes, as
    ``offset``."""


class BodyRecord(Sent, frozen=True, tag_field="record", tag="body"):
    """The end of a body, whole or not. ``first_*``, ``offset`` and ``length`` span the body."""

    record: ClassVar[Literal["body"]] = "body"
    size: int
    """Of the content, in bytes, without its framing, still coded."""
    decoded_size: int
    """Of the content, in bytes, when its codings are undone."""
    content_encoding: str | None
    """The codings that were undone, in the order in which they were applied (RFC 9110 section 8.4);
    null if there were none."""
    sha256: str
    """Of the decoded content, in hexadecimal (FIPS 180-4)."""
    chunks: int | None
    """How many chunks it had, the last one included; null if it is not chunked."""
    complete: bool
    """Whether all of it is in the capture, up to the end that its framing says (RFC 9112
    section 8)."""
    ended_by: EndedBy
    """What ended it (RFC 9112 section 6.3, RFC 9113 sections 6.4, 6.8 and 8.1); ``capture-end`` if
    only the capture did. ``close`` of a complete body in TLS is close_notify (RFC 9112 section
    9.8)."""
    trailers: Fields | None = None
    """[name, value] of each field of the trailer section of HTTP/2 (RFC 9113 section 8.1); left out
    where there is none, and in HTTP/1.1, whose last chunk has them."""


class SseEventRecord(Sent, frozen=True, tag_field="record", tag="sse_event"):
    """One block of an event stream (WHATWG HTML section 9.2.6)."""

    record: ClassVar[Literal["sse_event"]] = "sse_event"
    event: str
    """Its type: ``message`` where the block names none."""
    data: str | None
    """Its data: the values of its ``data`` fields, joined by line feeds; null if not kept."""
    id: str
    """The last event ID after it: its own, or the one that still holds."""
    retry: int | None
    """The reconnection time that it sets, in milliseconds, or null."""
    dispatched: bool
    """Whether a browser would dispatch it: not a block without data, nor an unfinished one."""
    fields: Fields | None
    """[name, value] of each line in wire order, a comment as ``["", text]``; null if not kept."""
    first_chunk: int | None
    """The index of the chunk that holds its first byte, null if the body is not chunked."""
    last_chunk: int | None
    """The index of the chunk that holds its last byte, null if the body is not chunked."""


class DataRecord(Sent, frozen=True, tag_field="record", tag="data"):
    """A run of a body that has no framing of its own, as one packet put it in order.

    Bodies that Content-Length or closing ends have them (RFC 9112 section 6.3), as chunked ones
    have chunks: so what came when is known of every body. So has what follows a switch of protocols
    and is not decoded: it belongs to the exchange that agreed on it.
    """

    record: ClassVar[Literal["data"]] = "data"
    size: int
    """In bytes, still coded."""
    data: str | None
    """The run, still coded; null if not kept, as beyond the first 16 MiB of a body."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""


class BodyElement(Sent, frozen=True):
    """An element of content that is a stream of them, server-sent events aside."""

    index: int
    """From 0 in its body."""
    size: int
    """Of the element itself, in bytes, without what frames it."""
    data: str | None
    """The element itself; null if not kept."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""


class JsonLineRecord(BodyElement, frozen=True, tag_field="record", tag="json_line"):
    """One value of JSON lines, a JSON text sequence (RFC 7464), or a streamed JSON array."""

    record: ClassVar[Literal["json_line"]] = "json_line"


class PartRecord(BodyElement, frozen=True, tag_field="record", tag="part"):
    """One part of a multipart body (RFC 2046 section 5.1), from its delimiter on."""

    record: ClassVar[Literal["part"]] = "part"
    headers: Fields
    """[name, value] of each field of its header, in wire order."""


class AwsEventRecord(BodyElement, frozen=True, tag_field="record", tag="aws_event"):
    """One message of ``application/vnd.amazon.eventstream``."""

    record: ClassVar[Literal["aws_event"]] = "aws_event"
    headers: Fields
    """[name, value] of each header in wire order: numbers in decimal, byte arrays in base64,
    timestamps as ISO 8601."""
    crc_ok: bool
    """Whether the message's CRC is that of its bytes."""


class GrpcMessageRecord(BodyElement, frozen=True, tag_field="record", tag="grpc_message"):
    """One length-prefixed message of gRPC or gRPC-Web, or the trailers that end the latter."""

    record: ClassVar[Literal["grpc_message"]] = "grpc_message"
    compressed: bool
    """Whether its compressed flag is set: ``data`` is as framed."""
    trailers: Fields | None
    """[name, value] of each trailer, null if it is a message."""


class WebSocketFrameRecord(Sent, frozen=True, tag_field="record", tag="websocket_frame"):
    """One frame (RFC 6455 section 5.2), as it was framed: not put together, not inflated."""

    record: ClassVar[Literal["websocket_frame"]] = "websocket_frame"
    fin: bool
    """Whether it is the last of its message."""
    rsv1: bool
    """Whether its message is compressed, where permessage-deflate was agreed (RFC 7692
    section 6)."""
    rsv2: bool
    """Of an extension that was agreed, else false."""
    rsv3: bool
    """Of an extension that was agreed, else false."""
    opcode: int
    """What its payload is (RFC 6455 section 11.8)."""
    opcode_name: str
    """``continuation``, ``text``, ``binary``, ``close``, ``ping``, ``pong``; else ``reserved-`` and
    the opcode."""
    masked: bool
    """Whether its payload was masked, as a client's must be (RFC 6455 section 5.3)."""
    masking_key: str | None
    """The 4 bytes of the key in hexadecimal, null if it was not masked."""
    payload_length: int
    """In bytes, as its header says."""
    data: str | None
    """Its payload, unmasked; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    close_code: int | None
    """The status code of a close frame that has one (RFC 6455 section 7.4)."""
    close_reason: str | None
    """The reason after the status code, empty if there is none (RFC 6455 section 7.1.6)."""
    content_offset: int
    """Where its payload begins, after its header; in bytes, as ``offset``."""


class WebSocketMessageRecord(Sent, frozen=True, tag_field="record", tag="websocket_message"):
    """One whole message (RFC 6455 section 5.6), put together and inflated."""

    record: ClassVar[Literal["websocket_message"]] = "websocket_message"
    type: MessageType
    """By the opcode of its first frame."""
    size: int
    """Of the message, in bytes, decompressed."""
    data: str | None
    """The message, decompressed (RFC 7692 section 7.2.2); null if not kept."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    frames: int
    """How many frames it came in (RFC 6455 section 5.4)."""
    compressed: bool
    """Whether it was compressed by permessage-deflate (RFC 7692 section 6)."""


class TlsConnectionRecord(ByteSpace, frozen=True, tag_field="record", tag="tls"):
    """What is known of TLS on one connection (RFC 8446, RFC 5246); just before the connection's."""

    record: ClassVar[Literal["tls"]] = "tls"
    connection: int
    exchange: int | None
    """The exchange in whose tunnel it is, null if it is in none."""
    sender: Sender | None
    """Always null: it is about both."""
    first_packet: int
    """The packet that brought the first byte of it."""
    last_packet: int
    """The connection's last packet."""
    first_time: float
    last_time: float
    offset: int | None
    """Always null."""
    length: int | None
    """Always null."""
    version: str | None
    """``TLSv1.3``, ``TLSv1.2``: what ServerHello chose (RFC 8446 section 4.2.1), null without
    one."""
    cipher: str | None
    """The cipher suite that ServerHello chose, by its name in IANA's registry, or its number in
    hexadecimal; null without one."""
    sni: str | None
    """The host name that ClientHello asks for (RFC 6066 section 3), null if it names none, or is
    not in the capture; the outer one where ``ech``."""
    alpn: str | None
    """The protocol that the server chose (RFC 7301); null if none, or if it was not decrypted: in
    TLS 1.3 it is encrypted."""
    alpn_offered: list[str]
    """The protocols that ClientHello offers, the preferred one first."""
    resumed: bool | None
    """Whether it goes on with an earlier session or a key that both knew (RFC 8446 section 2.2, RFC
    5077); null if that is not known."""
    retried: bool
    """Whether the server asked for another ClientHello (RFC 8446 section 4.1.4)."""
    early_data: bool | None
    """Whether the client sent data before the server's answer (RFC 8446 section 4.2.10); whether
    that was taken is encrypted. Null without a ClientHello."""
    ech: bool | None
    """Whether ClientHello has an encrypted one in it (RFC 9849); many clients send one that holds
    nothing. Null without a ClientHello."""
    decrypted: Literal["yes", "no", "part"]
    """How much of it was decrypted."""
    reason: str | None
    """Why not all of it was decrypted."""
    client_close_notify: bool | None
    """Whether the client said that it sends no more (RFC 8446 section 6.1); null if that is not
    known, for it was not decrypted, or the end is not in the capture."""
    server_close_notify: bool | None
    """Whether the server said that it sends no more, as ``client_close_notify``."""
    client_ends_with_alert: bool | None
    """Whether the client's last record is an alert or, in TLS 1.3, as long as one without padding:
    then it most likely is a close_notify. Null if the end was not captured."""
    server_ends_with_alert: bool | None
    """The same of the server's last record."""
    alert: TlsAlert | None
    """The first fatal alert, in the clear or decrypted."""
    client_hello_time: float | None
    """When the first ClientHello was complete, in seconds since the epoch."""
    server_hello_time: float | None
    """When the ServerHello was complete, in seconds since the epoch."""
    client_finished_time: float | None
    """When the client's Finished was complete, in seconds since the epoch: if it was not decrypted
    in TLS 1.3 by its length, null where that does not tell."""
    server_finished_time: float | None
    """When the server's Finished was complete, in seconds since the epoch; null if it was not
    decrypted in TLS 1.3, where nothing else tells."""
    client_records: int
    """How many records of the client were seen."""
    server_records: int
    """How many records of the server were seen."""


class Placed(ByteSpace, frozen=True):
    """What a record says that may belong to no exchange: where it is, as :class:`Sent` does."""

    connection: int
    exchange: int | None
    """The exchange that it belongs to, or in whose tunnel it is; null if it is of the connection,
    or if that is not known."""
    sender: Sender
    """Who sent it; of a stall, who was held."""
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """How many bytes it takes there."""


class TlsRecordRecord(Placed, frozen=True, tag_field="record", tag="tls_record"):
    """One TLS record (RFC 8446 section 5.1); only where records are asked for."""

    record: ClassVar[Literal["tls_record"]] = "tls_record"
    type: str
    """``handshake``, ``application_data``, ``alert``, ``change_cipher_spec``, ``heartbeat``, as its
    header says: in TLS 1.3 all that is encrypted is ``application_data``."""
    size: int
    """Bytes of its fragment, which follows its header; encrypted ones are longer than what they
    hold."""
    missing: int
    """How many bytes of it the capture lacks."""
    decrypted: Literal["yes", "no"]
    """Whether it was decrypted."""
    content_type: str | None
    """What it holds, as ``type`` says it: in TLS 1.3 that is encrypted; null if it was not
    decrypted."""
    content_size: int | None
    """How many bytes it holds, without padding; null if it was not decrypted."""
    plaintext_offset: int | None
    """Where its content begins in what its sender sent, decrypted: in the byte space that ``layer``
    calls ``tls``. Null if it holds nothing of that, or was not decrypted."""


class QuicRecord(ByteSpace, frozen=True, tag_field="record", tag="quic"):
    """What is known of one QUIC connection (RFC 9000); just before the connection's own record."""

    record: ClassVar[Literal["quic"]] = "quic"
    connection: int
    exchange: int | None
    """Always null."""
    sender: Sender | None
    """Always null: it is about both."""
    first_packet: int
    """The connection's first packet."""
    last_packet: int
    """The connection's last packet."""
    first_time: float
    last_time: float
    offset: int | None
    """Always null."""
    length: int | None
    """Always null."""
    version: str
    """``QUIC v1`` (RFC 9000) or ``QUIC v2`` (RFC 9369)."""
    number: int
    """From 0 in order of first packet: Wireshark's ``quic.connection.number``."""
    client_ids: list[str]
    """The connection ids that the client may be addressed by, in hexadecimal, 64 at most."""
    server_ids: list[str]
    """The connection ids that the server may be addressed by; the first one is the client's
    choice (RFC 9000 section 7.2)."""
    retried: bool
    """Whether the server sent a Retry packet (RFC 9000 section 8.1.2)."""
    migrations: int
    """How often it went on between other addresses (RFC 9000 section 9)."""
    client_key_updates: int
    """How often the client updated its keys (RFC 9001 section 6)."""
    server_key_updates: int
    """How often the server updated its keys."""
    client_parameters: list[tuple[str, int]] | None
    """[name, value] of the client's transport parameters that are numbers, in wire order (RFC 9000
    section 18.2); null if they are not known."""
    server_parameters: list[tuple[str, int]] | None
    """The same of the server, which are encrypted."""
    losses: list[QuicLoss]
    """Packets that were lost after they had been captured, 256 at most."""
    client_uncaptured: int
    """Packets of the client that the server acknowledged, and that the capture does not have."""
    server_uncaptured: int
    """Packets of the server that the client acknowledged, and that the capture does not have."""
    client_unaccounted: int
    """Packet numbers of the client that nobody acknowledged and the capture does not have: lost
    before it, or skipped on purpose (RFC 9000 section 21.4)."""
    server_unaccounted: int
    """The same of the server."""
    unopened: int
    """Packets that no known key opened."""
    closed: QuicClose | None
    """How it was closed; null if no CONNECTION_CLOSE was seen."""


class Http3DataRecord(Sent, frozen=True, tag_field="record", tag="http3_data"):
    """One DATA frame of HTTP/3 (RFC 9114 section 7.2.1)."""

    record: ClassVar[Literal["http3_data"]] = "http3_data"
    index: int
    """From 0 among those that its sender sent in its stream."""
    size: int
    """Of its content, in bytes, still coded."""
    data: str | None
    """Its content, still coded; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    content_offset: int
    """Where its content begins, after its header; in bytes, as ``offset``."""


class Http3FrameRecord(Placed, frozen=True, tag_field="record", tag="http3_frame"):
    """A frame of control: of HTTP/3 (RFC 9114 section 7.2), or one of QUIC that gives up a stream
    (RFC 9000 sections 19.4 and 19.5); what its type does not have is left out."""

    record: ClassVar[Literal["http3_frame"]] = "http3_frame"
    type: str
    """Its type's name: ``SETTINGS``, ``GOAWAY``, ``RESET_STREAM``, ``STOP_SENDING``."""
    settings: list[tuple[str, int]] | None = None
    """[name, value] of each setting in wire order, without ``SETTINGS_`` (section 7.2.4)."""
    error_code: str | None = None
    """Of RESET_STREAM and STOP_SENDING: the code's name (section 8.1)."""
    identifier: int | None = None
    """Of GOAWAY, the first stream whose request was not processed (section 5.2); of others, the
    number of what they are about."""


class Http2DataRecord(Sent, frozen=True, tag_field="record", tag="http2_data"):
    """One DATA frame (RFC 9113 section 6.1)."""

    record: ClassVar[Literal["http2_data"]] = "http2_data"
    index: int
    """From 0 among those that its sender sent in its stream."""
    size: int
    """Of its content, in bytes, still coded."""
    padding: int
    """Bytes that its padding takes, the pad length's own included: flow control counts them."""
    end_stream: bool
    """Whether it ends its sender's message."""
    data: str | None
    """Its content, still coded; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    content_offset: int
    """Where its content begins, after its header and pad length; in bytes, as ``offset``."""


class Http2FrameRecord(Placed, frozen=True, tag_field="record", tag="http2_frame"):
    """A frame of control (RFC 9113 section 6); what its type does not have is left out."""

    record: ClassVar[Literal["http2_frame"]] = "http2_frame"
    type: str
    """Its type's name, ``SETTINGS``; of another type its number in hexadecimal."""
    ack: bool | None = None
    """Of SETTINGS and PING: whether it answers one."""
    settings: list[tuple[str, int]] | None = None
    """[name, value] of each setting in wire order, without ``SETTINGS_`` (section 6.5.2)."""
    error_code: str | None = None
    """Of RST_STREAM and GOAWAY: the code's name (section 7)."""
    last_stream_id: int | None = None
    """Of GOAWAY: the last stream that its sender may have processed (section 6.8)."""
    debug: str | None = None
    """Of GOAWAY: its debug data; bytes that are no UTF-8 are a character each."""
    increment: int | None = None
    """Of WINDOW_UPDATE: the bytes that may be sent in addition (section 6.9)."""
    ping: str | None = None
    """Of PING: its 8 bytes in hexadecimal (section 6.7)."""
    rtt: float | None = None
    """Of a PING that answers one: the seconds since then."""
    promised_stream_id: int | None = None
    """Of PUSH_PROMISE: the stream that is promised (section 6.6)."""
    size: int | None = None
    """Of any other type: its payload, in bytes."""


class StallRecord(Placed, frozen=True, tag_field="record", tag="stall"):
    """A sender that flow control held, with more to send (RFC 9113 section 6.9); its length is 0.

    Its first packet is that of the DATA frame that used the window up, or of the head of a message
    that found it used up, its last one that of the DATA that went on: ``opened_by`` lies between
    them. ``stream_id`` is left out where it was the connection's window: that held all streams.
    """

    record: ClassVar[Literal["stall"]] = "stall"
    window: Literal["stream", "connection"]
    """Which window was used up."""
    seconds: float
    """From the frame that used it up to the one that gave room; or up to the end, if none did."""
    opened_by: int | None
    """The packet of the WINDOW_UPDATE or SETTINGS that gave room; null if none did."""


class GapRecord(ByteSpace, frozen=True, tag_field="record", tag="gap"):
    """Bytes of the stream that the capture does not hold."""

    record: ClassVar[Literal["gap"]] = "gap"
    connection: int
    exchange: int | None
    """The exchange whose message lacks them; null if they belong to none, or to several."""
    sender: Sender
    first_packet: int
    """The packet that showed that they are missing."""
    last_packet: int
    """The packet that showed that they are missing."""
    first_time: float
    last_time: float
    offset: int
    length: int
    missing: int
    """How many bytes are missing: ``length``."""


class DiagnosticRecord(ByteSpace, frozen=True, tag_field="record", tag="diagnostic"):
    """A fault, its packets and its rule: [diagnostics.md](diagnostics.md) lists them."""

    record: ClassVar[Literal["diagnostic"]] = "diagnostic"
    connection: int | None
    """As in other records; null for a fault of the file itself."""
    exchange: int | None
    """As in other records; null for a fault outside of any."""
    sender: Sender | None
    """Whose bytes are at fault; null for a fault of the file itself."""
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int | None
    """As in other records; null for a fault of the file itself."""
    length: int | None
    """As in other records; null for a fault of the file itself."""
    severity: Severity
    """``note``: legal, but worth knowing; ``warning``: something deviates, and what it means is
    certain; ``error``: something is lost, wrong, or read differently by others."""
    code: str
    """Which fault: it does not change its meaning."""
    summary: str
    """What is wrong, in words for people: they may change."""
    reference: str
    """The rule that it breaks: ``RFC 9112 section 7.1``."""


BodyElementRecord = JsonLineRecord | PartRecord | AwsEventRecord | GrpcMessageRecord
"""Every kind of BodyElement."""
Record = (
    ConnectionRecord
    | RequestRecord
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
    | Http3DataRecord
    | Http3FrameRecord
    | StallRecord
    | GapRecord
    | DiagnosticRecord
)


def field_names(kind: type[Record]) -> tuple[str, ...]:
    """Return the names of the fields that a kind of record has, in their order in JSON."""
    return ("record", *kind.__struct_fields__)
