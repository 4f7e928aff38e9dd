"""Datagrams that were captured as one: the network card would have parted them, or had joined them.

Strategy: with UDP segmentation offload a sender hands over many datagrams of one size, the last may
be shorter, and a capture on its machine has them before they are parted; a receiver's may have them
joined again. A packet with a long header says where it ends. One with a short header is taken to
the end first; if that does not open, it may end where the connection id that it is sent to stands
again, or after as many bytes as others did. The tag of the packet proves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..limits import MAX_QUIC_SEGMENT, MAX_QUIC_SEGMENT_SEARCHES, MIN_QUIC_SEGMENT
from .packets import FIXED, LONG, PacketHeader

LEAST_ID = 4
"""Bytes of an id that is looked for: shorter ones are in any bytes."""


class Segmentation:
    """How one side's datagrams are parted."""

    __slots__ = ("size", "_searches")

    def __init__(self) -> None:
        self.size = 0
        """Bytes of its last packet that ended before its datagram did; 0 if none has."""
        self._searches = 0

    def ends(self, data: bytes, packet: PacketHeader) -> Iterator[int]:
        """Yield where a packet with a short header may end, the likeliest first."""
        if self.size:
            if packet.start + self.size < packet.end:
                yield packet.start + self.size
            yield packet.end
        if len(packet.destination) >= LEAST_ID:
            yield from islice(_next_headers(data, packet), MAX_QUIC_SEGMENT_SEARCHES)
        elif self._may_search(packet):
            last = min(packet.start + MAX_QUIC_SEGMENT, packet.end - 1)
            yield from range(last, packet.start + MIN_QUIC_SEGMENT - 1, -1)

    def _may_search(self, packet: PacketHeader) -> bool:
        """Whether any size may be tried: not often, for what cannot be opened may have no key."""
        if packet.end - packet.start <= MIN_QUIC_SEGMENT:
            return False
        self._searches += 1
        return self._searches <= MAX_QUIC_SEGMENT_SEARCHES


def _next_headers(data: bytes, packet: PacketHeader) -> Iterator[int]:
    """Yield where short headers begin that are sent to the same id."""
    wanted = packet.destination
    place = data.find(wanted, packet.number_at + 1)
    while place >= 0:
        if data[place - 1] & (LONG | FIXED) == FIXED:
            yield place - 1
        place = data.find(wanted, place + 1)


def parted(data: bytes, packet: PacketHeader) -> list[PacketHeader]:
    """Return the packets with short headers that a long datagram has, by their connection id alone.

    That is how they are told apart where nothing is decrypted.
    """
    is_long = packet.end - packet.start > MAX_QUIC_SEGMENT
    if packet.kind != "1-rtt" or not is_long or len(packet.destination) < LEAST_ID:
        return [packet]
    starts = [packet.start, *_next_headers(data, packet)]
    before = packet.number_at - packet.start
    ends = [*starts[1:], packet.end]
    return [
        packet._replace(start=start, number_at=start + before, end=end)
        for start, end in zip(starts, ends, strict=True)
    ]
