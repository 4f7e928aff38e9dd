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


class QuicPacketRecord(Placed, frozen=True, tag_field="record", tag="quic_packet"):
    """One QUIC packet (RFC 9000 section 17); only where TLS records are asked for too.

    ``offset`` is where it begins in its datagram. Datagrams that were captured as one are told
    apart, by their connection ids.
    """

    record: ClassVar[Literal["quic_packet"]] = "quic_packet"
    type: str
    """``initial``, ``0-rtt``, ``handshake`` or ``1-rtt``, as its header says."""
    size: int
    """Bytes, its header and the tag included."""
    decrypted: Literal["yes", "no"]
    """Whether it was decrypted: Initial packets always are."""


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
