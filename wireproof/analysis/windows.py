"""Which packets of a server waited for the client to read.

Strategy: TCP may send up to the right edge of the window that the client has advertised (RFC 9293
section 3.8.6). A packet that ends beyond an edge which was in force since the server sent before
could only go once the client had read: until then, all that the app wrote was put together. Two
numbers for each direction are kept; one pass over the packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from parsers import IpPacket, Packet, read_packet, read_tcp_header, window_scale

SYN, ACK = 0x02, 0x10
HALF = 1 << 31
MAX_DIRECTIONS = 131_072
"""Directions of connections that are looked at together; the oldest is forgotten."""


@dataclass(slots=True)
class Window:
    """One direction."""

    scale: int = 0
    edge: int | None = None
    """Up to which sequence number the other side lets it send."""
    least_edge: int | None = None
    """The least that this was since it sent last, before what it is now."""


def held_packets(packets: Iterable[Packet]) -> frozenset[int]:
    """Return the numbers of the packets that could not go before the other side had read."""
    windows: dict[bytes, Window] = {}
    held = set()
    for number, _, link_type, original_length, data in packets:
        found = read_packet(link_type, data, original_length)
        header = read_tcp_header(found, data) if isinstance(found, IpPacket) else None
        if header is None:
            continue
        sender, other = _window(windows, header.key), _window(windows, header.back)
        if header.flags & SYN:
            sender.scale = window_scale(header.options) or 0
        elif header.length:
            if _is_beyond(header.seq + header.length, sender.least_edge):
                held.add(number)
            sender.least_edge = sender.edge
        if header.flags & ACK:
            if other.least_edge is not None and _is_beyond(other.least_edge, other.edge):
                other.least_edge = other.edge
            shift = 0 if header.flags & SYN else sender.scale
            other.edge = (header.ack + (header.window << shift)) % (1 << 32)
    return frozenset(held)


def _window(windows: dict[bytes, Window], key: bytes) -> Window:
    found = windows.get(key)
    if found is None:
        if len(windows) >= MAX_DIRECTIONS:
            del windows[next(iter(windows))]
        found = windows[key] = Window()
    return found


def _is_beyond(number: int, edge: int | None) -> bool:
    """Whether a sequence number lies past an edge; there is none before the first one is told."""
    return edge is not None and 0 < (number - edge) % (1 << 32) < HALF
