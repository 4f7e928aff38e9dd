"""Connections: what TCP tells of each."""

from __future__ import annotations

from typing import ClassVar, Literal, TypedDict

from ..provenance import Close, Element
from .place import Sender


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
    be told, because only one direction was captured, or the other's FIN may be missing."""
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
