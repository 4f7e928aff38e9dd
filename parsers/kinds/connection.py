"""Connections: what TCP tells of each."""

from __future__ import annotations

from typing import ClassVar, Literal, NotRequired, TypedDict

from ..provenance import Close, Element
from .place import Sender


class End(TypedDict):
    """A FIN (RFC 9293 section 3.6) or RST (section 3.5.2) that its receiver accepted."""

    sender: Sender
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    kind: Literal["fin", "reset", "connection-close"]
    """``fin``: its sender sends no more; ``reset``: its sender aborted or refused the connection;
    ``connection-close``: its sender closed a QUIC connection (RFC 9000 section 10.2)."""


class ClosedWindow(TypedDict):
    """A period in which one end accepted no more bytes (RFC 9293 section 3.8.6)."""

    sender: Sender
    """Who closed its window by not reading: the other end had to wait."""
    packet: int
    """The packet that advertised a window of 0."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    opened_by: int | None
    """The packet that opened it again; null if none did."""
    seconds: float | None
    """Time between the two; null if it was not opened again."""


class Hole(TypedDict):
    """Bytes still missing when later ones arrived: lost on the way, or overtaken."""

    sender: Sender
    """Whose bytes they are."""
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """Its length in bytes when it was first seen."""
    packet: int
    """The packet that arrived after it."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    filled_by: int | None
    """The packet that brought the last of its bytes; null if none did, which leaves a gap."""
    seconds: float | None
    """Time between the two, while all later bytes waited; null if it was not filled."""
    overtaken: NotRequired[bool | None]
    """Whether ``filled_by`` was sent before ``packet`` and the network reordered them: then nothing
    was lost. By their timestamps (RFC 7323 section 3.2), or true within 3 ms; null if nothing
    tells."""
    acknowledged: NotRequired[bool | None]
    """Of a hole that nothing filled: true if its receiver acknowledged later bytes, so that it had
    these and the capture lacks them; false if it acknowledged none of them, though later ones had
    arrived. Null if it was filled, or nothing tells."""


class DuplicateAcks(TypedDict):
    """Acknowledgements that only repeat the previous one (RFC 5681 section 2): later bytes arrived,
    the expected ones did not."""

    sender: Sender
    """Who sent them: the end that is waiting for the other's bytes."""
    offset: int
    """The byte of the other side's stream it is waiting for."""
    count: int
    """How many repeat it; three trigger a fast retransmit (RFC 5681 section 3.2)."""
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
    """Who retransmitted it."""
    offset: int
    """Where it begins in its sender's byte stream, in bytes."""
    length: int
    """Its length in bytes."""
    packet: int
    """The packet that carried it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    arrived_twice: NotRequired[int | None]
    """The packet whose receiver says, within a second, that it has all of these bytes twice
    (D-SACK, RFC 2883): what was sent first had arrived. Null if none says so."""


class AckWait(TypedDict):
    """10 ms or more without a segment, until some of much that was under way was acknowledged.

    That is of what fills the receiver's window but for a segment, or of more than two segments.
    """

    sender: Sender
    """Who sent nothing meanwhile."""
    packet: int
    """The last packet that it had sent."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""
    acknowledged_by: int
    """The packet that acknowledged some of it, and carried nothing."""
    seconds: float
    """Time between the two."""
    in_flight: int
    """Bytes that were sent and not acknowledged meanwhile."""
    window: int
    """Bytes that the receiver allowed to be under way (RFC 9293 section 3.8.6)."""


class ConnectionRecord(Element, frozen=True, tag_field="record", tag="connection"):
    """One TCP connection (RFC 9293) or QUIC connection (RFC 9000), once it or the capture has
    ended."""

    record: ClassVar[Literal["connection"]] = "connection"
    connection: int
    """From 0 in order of first packet: Wireshark's ``tcp.stream``. For QUIC, 1,000,000,000 plus
    Wireshark's ``quic.connection.number``, so that neither number depends on the other protocol."""
    client: str
    """Address and port of the client: ``127.0.0.1:49152``, ``[::1]:49152``."""
    server: str
    """Address and port of the server."""
    protocol: str
    """``http/1.1``, ``websocket``, ``tls``, ``http/2``, ``http/3``, ``quic``, ``socks`` or
    ``unknown``; after a protocol switch or in a tunnel the protocol that follows, if known. If the
    two sides speak different protocols, the client's."""
    first_packet: int
    """Its first packet, from 1: Wireshark's ``frame.number``."""
    last_packet: int
    """Its last packet: the one that ended it, or the last one of the capture."""
    first_time: float
    """Of ``first_packet`` in the capture, in seconds since the epoch."""
    last_time: float
    """Of ``last_packet`` in the capture, in seconds since the epoch."""
    packets: int
    """Packets in both directions, copies included."""
    client_bytes: int
    """Length of the client's byte stream: each byte counts once, including missing ones."""
    server_bytes: int
    """Length of the server's byte stream, counted the same way."""
    retransmissions: int
    """Segments whose bytes had been sent before (RFC 9293 section 3.8.1); copies do not count."""
    out_of_order: int
    """Segments that arrived after later ones because the network reordered them: by their
    timestamps (RFC 7323 section 3.2), or if they have none, within 3 ms."""
    closed_by: Sender | None
    """Who ended it: the sender of the first FIN, or of the RST. Null if nobody did, or if the
    capture cannot tell: it has only one direction, or may lack the other's FIN."""
    close: Close
    """How it ended: by FIN (RFC 9293 section 3.6), by RST (section 3.5.2), ``refused`` by a RST in
    answer to its SYN (section 3.5.2), by CONNECTION_CLOSE (``connection-close``, RFC 9000 section
    10.2), or not at all (``open``)."""
    midstream: bool
    """Whether the capture lacks its beginning."""
    client_fin: int | None = None
    """The packet with the client's FIN; null if none was seen."""
    server_fin: int | None = None
    """The packet with the server's FIN; null if none was seen."""
    recorded_by: str | None = None
    """``relay`` if its packets come from a relay rather than the kernel, otherwise null."""
    tunnel: str | None = None
    """Encapsulation of its first packet, outermost first, ``vxlan 42 10.0.0.1 → 10.0.0.2``: name,
    network, session or labels, and outer addresses; several are separated by commas. Null if there
    is none."""
    ends: list[End] = []
    """Every FIN and RST in order, retransmitted ones too; 64 at most."""
    rtt: float | None = None
    """Seconds from the SYN to the ACK that completed the handshake (RFC 9293 section 3.5); null if
    part of it was not captured or the SYN was retransmitted."""
    closed_windows: list[ClosedWindow] = []
    """Periods in which an end kept its window closed; 256 at most."""
    holes: list[Hole] = []
    """Bytes that arrived late or not at all; 256 at most."""
    duplicate_acks: list[DuplicateAcks] = []
    """Runs of duplicate acknowledgements; 256 at most."""
    copies: int = 0
    """Packets the capture has twice. These are not retransmissions: several interfaces were
    recorded, or both ports of a mirror."""
    resent: list[Resent] = []
    """The segments counted in ``retransmissions``; 256 at most."""
    server_rtt: float | None = None
    """Seconds of ``rtt`` from the SYN to the SYN-ACK: the part of the round trip between capture
    point and server; null if either was not captured or the SYN was retransmitted."""
    client_mss: int | None = None
    """Bytes in the largest segment that the client takes (RFC 9293 section 3.7.1); null if its SYN
    was not captured or does not say."""
    server_mss: int | None = None
    """The same for the server."""
    client_acknowledged: int | None = None
    """Bytes of ``server_bytes`` that the client has acknowledged; null if no packet of the client's
    says so."""
    server_acknowledged: int | None = None
    """Bytes of ``client_bytes`` that the server has acknowledged; null in the same case."""
    ack_waits: list[AckWait] = []
    """Waits for acknowledgements; 256 at most."""
