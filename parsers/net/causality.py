"""How often TCP segments contradict those before them: what tells a right order from a wrong one.

Strategy: what a segment carries cannot have been acknowledged before it was sent, nor can what it
acknowledges come later. Those who send go on where they stopped, and take nothing back that they
acknowledged. Loss and repetition contradict too, but about as often in one order as in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .ip import TCP, IpPacket
from .segment import ACK, FIN, RST, SYN, TCP_HEADER
from .table import reverse_key
from .tunnels import read_packet, realm

if TYPE_CHECKING:
    from ..files.packets import Packet


Ends = tuple[bytes, bytes]
"""Addresses and ports, and the network that they are of: of one direction, or of both."""


class _Sent:
    """What one end has sent, by what has been looked at."""

    __slots__ = ("end", "acked")

    def __init__(self, end: int, acked: int | None) -> None:
        self.end = end
        """The sequence number after it."""
        self.acked = acked


def contradictions(rows: Sequence[Packet]) -> int:
    """Return how often the segments in ``rows`` contradict those before them, in this order."""
    found = 0
    sent: dict[Ends, _Sent] = {}
    for row in rows:
        if (segment := _read(row)) is not None:
            ends, seq, end, acked = segment
            if end is None:
                continue
            key, network = ends
            own, peer = sent.get(ends), sent.get((reverse_key(key), network))
            found += _contradicts(seq, end, acked, own, peer)
            if own is None:
                sent[ends] = _Sent(end, acked)
                continue
            own.end = end if _after(end, own.end) > 0 else own.end
            if own.acked is None or (acked is not None and _after(acked, own.acked) > 0):
                own.acked = acked
    return found


def ends_of(row: Packet) -> Ends | None:
    """Return the ends of the TCP connection that a packet is of, the same for both directions."""
    found = _read(row)
    if found is None:
        return None
    key, network = found[0]
    return min(key, reverse_key(key)), network


def _contradicts(
    seq: int, end: int, acked: int | None, own: _Sent | None, peer: _Sent | None
) -> int:
    found = 0
    is_new = own is None or seq == own.end
    if own is not None:
        found += not is_new
        found += acked is not None and own.acked is not None and _after(acked, own.acked) < 0
    if peer is not None:
        found += acked is not None and _after(acked, peer.end) > 0
        found += is_new and end != seq and peer.acked is not None and _after(end, peer.acked) <= 0
    return found


def _read(row: Packet) -> tuple[Ends, int, int | None, int | None] | None:
    """Return the ends of the TCP segment in a row, where it begins and ends, what it acknowledges.

    None if there is none. A RST ends nowhere: its numbers may be any.
    """
    _, _, link_type, original_length, data = row
    packet = read_packet(link_type, data, original_length)
    if not isinstance(packet, IpPacket) or packet.protocol != TCP or packet.fragment is not None:
        return None
    if packet.end - packet.start < TCP_HEADER.size:
        return None
    ports, seq, ack, flags, _, _, _ = TCP_HEADER.unpack_from(data, packet.start)
    size = packet.length - (flags >> 12 << 2) + bool(flags & SYN) + bool(flags & FIN)
    key = packet.source + packet.destination + ports
    end = (seq + max(size, 0)) & 0xFFFFFFFF
    ends = key, realm(packet.layers)
    return ends, seq, None if flags & RST else end, ack if flags & ACK else None


def _after(one: int, other: int) -> int:
    """Return how far one sequence number is after another (RFC 9293 section 3.4)."""
    return ((one - other + 0x80000000) & 0xFFFFFFFF) - 0x80000000
