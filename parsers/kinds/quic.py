"""QUIC and HTTP/3: what is known of a connection, and its frames."""

from __future__ import annotations

from typing import ClassVar, Literal, TypedDict

from .http import Encoding
from .place import ByteSpace, Placed, Sender, Sent


class QuicClose(TypedDict):
    """A CONNECTION_CLOSE frame (RFC 9000 section 19.19)."""

    sender: Sender
    """Who closed the connection."""
    error_code: str
    """The code's name, ``H3_NO_ERROR``; its number in hexadecimal if it has none."""
    is_application: bool
    """Whether the application protocol closed it, rather than QUIC."""
    reason: str
    """The reason phrase; bytes that are not UTF-8 become one character each."""
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class QuicLoss(TypedDict):
    """A packet lost after it was captured: never acknowledged, although three later ones were (RFC
    9002 section 6.1.1)."""

    sender: Sender
    """Who sent it."""
    packet_number: int
    """Its number in its packet number space (RFC 9000 section 12.3)."""
    packet: int
    """The packet of the capture that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    shown_by: int
    """The packet whose acknowledgements show that it was lost."""


class QuicRecord(ByteSpace, frozen=True, tag_field="record", tag="quic"):
    """One QUIC connection (RFC 9000); just before the connection's own record."""

    record: ClassVar[Literal["quic"]] = "quic"
    connection: int
    exchange: int | None
    """Always null."""
    sender: Sender | None
    """Always null: it is about both sides."""
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
    """The connection IDs that address the client, in hexadecimal; 64 at most."""
    server_ids: list[str]
    """The connection IDs that address the server; the first one is the client's choice (RFC 9000
    section 7.2)."""
    retried: bool
    """Whether the server sent a Retry packet (RFC 9000 section 8.1.2)."""
    migrations: int
    """How often it moved to other addresses (RFC 9000 section 9)."""
    client_key_updates: int
    """How often the client updated its keys (RFC 9001 section 6)."""
    server_key_updates: int
    """How often the server updated its keys."""
    client_parameters: list[tuple[str, int]] | None
    """[name, value] of each of the client's transport parameters that is a number, in wire order
    (RFC 9000 section 18.2); null if unknown."""
    server_parameters: list[tuple[str, int]] | None
    """The same for the server, whose parameters are encrypted."""
    losses: list[QuicLoss]
    """Packets lost after they were captured; 256 at most."""
    client_uncaptured: int
    """The client's packets that the server acknowledged but the capture lacks."""
    server_uncaptured: int
    """The server's packets that the client acknowledged but the capture lacks."""
    client_unaccounted: int
    """The client's packet numbers that were neither acknowledged nor captured: lost before the
    capture point, or skipped on purpose (RFC 9000 section 21.4)."""
    server_unaccounted: int
    """The same for the server."""
    unopened: int
    """Packets that no known key decrypts."""
    closed: QuicClose | None
    """How it was closed; null if no CONNECTION_CLOSE was seen."""


class QuicPacketRecord(Placed, frozen=True, tag_field="record", tag="quic_packet"):
    """One QUIC packet (RFC 9000 section 17); only if TLS records are asked for.

    ``offset`` is where it begins in its datagram. Datagrams that were captured as one are separated
    by their connection IDs.
    """

    record: ClassVar[Literal["quic_packet"]] = "quic_packet"
    type: str
    """``initial``, ``0-rtt``, ``handshake`` or ``1-rtt``, as in its header."""
    size: int
    """Size in bytes, including header and authentication tag."""
    decrypted: Literal["yes", "no"]
    """Whether it was decrypted: Initial packets always are."""


class Http3DataRecord(Sent, frozen=True, tag_field="record", tag="http3_data"):
    """One DATA frame of HTTP/3 (RFC 9114 section 7.2.1)."""

    record: ClassVar[Literal["http3_data"]] = "http3_data"
    index: int
    """From 0 among its sender's DATA frames in this stream."""
    size: int
    """Size of its content in bytes, still coded."""
    data: str | None
    """Its content, still coded; null if not kept or incomplete."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
    content_offset: int
    """Offset of its content, after the header; counted like ``offset``."""


class Http3FrameRecord(Placed, frozen=True, tag_field="record", tag="http3_frame"):
    """A control frame of HTTP/3 (RFC 9114 section 7.2), or a QUIC frame that abandons a stream (RFC
    9000 sections 19.4 and 19.5); fields that do not apply to its type are omitted."""

    record: ClassVar[Literal["http3_frame"]] = "http3_frame"
    type: str
    """Name of its type: ``SETTINGS``, ``GOAWAY``, ``RESET_STREAM``, ``STOP_SENDING``."""
    settings: list[tuple[str, int]] | None = None
    """[name, value] of each setting in wire order, without ``SETTINGS_`` (section 7.2.4)."""
    error_code: str | None = None
    """RESET_STREAM and STOP_SENDING: name of the code (section 8.1)."""
    identifier: int | None = None
    """GOAWAY: the first stream whose request was not processed (section 5.2); other types: the ID
    they are about."""
