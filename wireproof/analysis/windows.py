"""Which packets of a server waited for the client to read.

Strategy: TCP may send up to the right edge of the window that the client has advertised (RFC 9293
section 3.8.6). A packet that ends beyond an edge which was in force since the server sent before
could only go once the client had read: until then, all that the app wrote was put together. Two
numbers for each direction are kept; one pass over the packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from parsers.files.packets import Packet
from parsers.net.ip import IpPacket
from parsers.net.tunnels import read_packet

TCP = 6
# RFC 9293 section 3.1: sequence number, acknowledgement number, data offset and flags, window.
TCP_HEADER = Struct("!4xIIHH4x")
SYN, ACK = 0x02, 0x10
WINDOW_SCALE = 3
"""Option kind (RFC 7323 section 2.2)."""
MAX_WINDOW_SCALE = 14
HALF = 1 << 31


class Segment(NamedTuple):
    """What a TCP header says."""

    key: bytes
    """Source address, destination address, both ports."""
    seq: int
    ack: int
    flags: int
    window: int
    """As in the header, not scaled."""
    scale: int | None
    """The window scale option, of a SYN."""
    length: int
    """Bytes of payload."""


@dataclass(slots=True)
class Half:
    """One direction."""

    scale: int = 0
    edge: int | None = None
    """Up to which sequence number the other side lets it send."""
    least_edge: int | None = None
    """The least that this was since it sent last, before what it is now."""


def read_segment(packet: Packet) -> Segment | None:
    """Return the TCP segment of a packet, None if it has none that is whole."""
    _, _, link_type, original_length, data = packet
    found = read_packet(link_type, data, original_length)
    if not isinstance(found, IpPacket) or found.protocol != TCP or found.fragment:
        return None
    payload = data[found.start : found.end]
    if len(payload) < TCP_HEADER.size:
        return None
    seq, ack, offset_flags, window = TCP_HEADER.unpack_from(payload)
    header = offset_flags >> 12 << 2
    scale = _scale(payload[20:header]) if offset_flags & SYN else None
    key = found.source + found.destination + payload[:4]
    length = max(found.length - header, 0)
    return Segment(key, seq, ack, offset_flags & 0x1FF, window, scale, length)


def held_packets(packets: Iterable[Packet]) -> frozenset[int]:
    """Return the numbers of the packets that could not go before the other side had read."""
    halves: dict[bytes, Half] = {}
    held = set()
    for packet in packets:
        segment = read_segment(packet)
        if segment is None:
            continue
        sender = halves.setdefault(segment.key, Half())
        other = halves.setdefault(_reversed(segment.key), Half())
        if segment.flags & SYN:
            sender.scale = min(segment.scale or 0, MAX_WINDOW_SCALE)
        elif segment.length:
            if _is_beyond(segment.seq + segment.length, sender.least_edge):
                held.add(packet[0])
            sender.least_edge = sender.edge
        if segment.flags & ACK:
            if other.least_edge is not None and _is_beyond(other.least_edge, other.edge):
                other.least_edge = other.edge
            shift = 0 if segment.flags & SYN else sender.scale
            other.edge = (segment.ack + (segment.window << shift)) % (1 << 32)
    return frozenset(held)


def _is_beyond(number: int, edge: int | None) -> bool:
    """Whether a sequence number lies past an edge; there is none before the first one is told."""
    return edge is not None and 0 < (number - edge) % (1 << 32) < HALF


def _reversed(key: bytes) -> bytes:
    half = (len(key) - 4) // 2
    return key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]


def _scale(options: bytes) -> int | None:
    """Return the window scale option (RFC 9293 section 3.2), None without one."""
    position = 0
    while position + 1 < len(options) and options[position]:
        kind, length = options[position], options[position + 1]
        if kind == 1:  # no operation: it has no length
            position += 1
            continue
        if kind == WINDOW_SCALE and length == 3 and position + 2 < len(options):
            return options[position + 2]
        position += max(length, 2)
    return None
