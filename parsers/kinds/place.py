"""Where a record's bytes lie, and who sent them: what kinds of records have in common."""

from __future__ import annotations

from typing import Literal

from ..provenance import Element, Layer

Sender = Literal["client", "server"]


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
