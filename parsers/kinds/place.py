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
    """The byte space of ``offset``, ``length`` and ``extents``: ``tcp``, its sender's TCP stream;
    ``tls``, its sender's decrypted stream; ``quic``, one QUIC stream."""
    stream_id: int | None = None
    """Its HTTP/2 stream (RFC 9113 section 5.1.1) or QUIC stream (RFC 9000 section 2.1)."""
    extents: list[tuple[int, int]] | None = None
    """[start, end) of each run if its bytes are not contiguous; ``offset`` and ``length`` then span
    all runs and the bytes between them."""


class Sent(ByteSpace, frozen=True):
    """What every record of a part of a message says: whose it is, and what carried it."""

    connection: int
    """Its TCP connection, from 0 in order of first packet: Wireshark's ``tcp.stream``. For QUIC,
    1,000,000,000 plus Wireshark's ``quic.connection.number``, also from 0."""
    exchange: int
    """Its exchange (request and response) on this connection, from 0; whatever follows a protocol
    switch (RFC 9110 section 7.8) belongs to the exchange that negotiated it."""
    sender: Sender
    """Who sent it: ``client`` is the end that sends requests or opened the connection."""
    first_packet: int
    """The packet that first carried its first byte, from 1: Wireshark's ``frame.number``."""
    last_packet: int
    """The packet whose arrival completed it in order."""
    first_time: float
    """Of ``first_packet`` in the capture, in seconds since the epoch."""
    last_time: float
    """Of ``last_packet`` in the capture, in seconds since the epoch."""
    offset: int
    """Where it begins in its sender's byte stream: 0 is the first byte after the SYN (RFC 9293
    section 3.4)."""
    length: int
    """Its length there in bytes, framing included."""


class Placed(ByteSpace, frozen=True):
    """What a record says that may belong to no exchange: where it is, as :class:`Sent` does."""

    connection: int
    exchange: int | None
    """The exchange it belongs to, or whose tunnel it is in; null if it concerns the whole
    connection, or if that is not known."""
    sender: Sender
    """Who sent it; for a stall, who was held up."""
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """Its length there in bytes."""
