"""Which TCP connections are still open, told from the packets as they are recorded.

Strategy: one look at each packet's flags. Both directions of a connection are found by the
bytes of their addresses and ports, which are the key as they stand in the packet. A direction
is done when the other has acknowledged its FIN; a connection is closed when both are done, or
at a RST. Sequence numbers are not checked further: this decides when a recording may stop, and
what it means is for ``parsers`` to say. Closed connections are remembered, so that a late
segment does not count as a new one, up to a limit; past it open ones are forgotten too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from struct import Struct

from parsers.limits import MAX_CONNECTIONS

from .frames import ETHERTYPE, ETHERTYPE_IPV4, IP_HEADER, IPV6_PAYLOAD

# RFC 9293 section 3.1: ports, sequence number, acknowledgment number, data offset, control bits.
TCP_HEADER = Struct("!4sIIBB")
HALF = Struct("!H")
FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10
IPV4_WITHOUT_OPTIONS = 0x45
USUAL_KEY = slice(IP_HEADER + 12, IP_HEADER + 24)
"""Where addresses and ports stand together, in an IPv4 packet without options."""
USUAL_FLAGS = IP_HEADER + 20 + 13
SEQUENCE_NUMBERS = 1 << 32


class Direction:
    """One half of a connection: what must still be acknowledged to end it."""

    __slots__ = ("key", "other", "end", "done")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.other = self
        self.end: int | None = None
        """The sequence number that follows its FIN."""
        self.done = False


class OpenConnections:
    """Count the connections of Ethernet frames that have begun and not ended.

    ``opened`` and ``closed`` count them; one whose beginning was not seen counts too.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self._directions: dict[bytes, Direction] = {}
        self._ended: deque[Direction] = deque()

    @property
    def count(self) -> int:
        """How many are open."""
        return self.opened - self.closed

    def receive_packets(self, packets: Iterable[tuple[int, bytes, int]]) -> None:
        """Take packets as a ring gives them: time, bytes and length."""
        # Nearly all belong to a connection that is known, begin and end nothing, and acknowledge
        # no FIN: to see that takes a fifth of the time that it takes to look closer.
        direction_of = self._directions.get
        for _, frame, _ in packets:
            direction = direction_of(frame[USUAL_KEY])
            if (
                direction is None
                or len(frame) <= USUAL_FLAGS
                or frame[USUAL_FLAGS] & (SYN | FIN | RST)
                or direction.other.end is not None
                or frame[IP_HEADER] != IPV4_WITHOUT_OPTIONS
            ):
                self.receive_packet(frame)

    def receive_packet(self, frame: bytes) -> None:
        """Take the next packet: TCP over IPv4 or IPv6; one without a whole TCP header is left."""
        addresses, segment, end = _locate(frame)
        if len(frame) < segment + TCP_HEADER.size:
            return
        ports, sequence, acknowledged, offset, flags = TCP_HEADER.unpack_from(frame, segment)
        direction = self._direction(addresses, ports, opens=flags & (SYN | ACK) == SYN)
        if direction.done and direction.other.done:
            return
        if flags & RST:
            self._close(direction)
            return
        if flags & FIN:
            payload = end - segment - (offset >> 4) * 4
            direction.end = (sequence + payload + 1) % SEQUENCE_NUMBERS
        if flags & ACK:
            self._acknowledge(direction, acknowledged)

    def _direction(self, addresses: bytes, ports: bytes, *, opens: bool) -> Direction:
        direction = self._directions.get(addresses + ports)
        if direction is None or (opens and direction.done and direction.other.done):
            return self._open(addresses, ports)
        return direction

    def _open(self, addresses: bytes, ports: bytes) -> Direction:
        if self.count >= MAX_CONNECTIONS:
            self._forget_all()
        half = len(addresses) // 2
        direction = Direction(addresses + ports)
        other = Direction(addresses[half:] + addresses[:half] + ports[2:] + ports[:2])
        direction.other, other.other = other, direction
        self._directions[direction.key] = direction
        self._directions[other.key] = other
        self.opened += 1
        return direction

    def _acknowledge(self, direction: Direction, acknowledged: int) -> None:
        """Note that ``direction``'s sender has all of the other direction up to a number."""
        other = direction.other
        if other.end is None or (acknowledged - other.end) % SEQUENCE_NUMBERS >= 1 << 31:
            return
        other.done = True
        if direction.done:
            self._close(direction)

    def _close(self, direction: Direction) -> None:
        direction.done = direction.other.done = True
        self.closed += 1
        self._ended.append(direction)
        if len(self._ended) > MAX_CONNECTIONS:
            self._forget(self._ended.popleft())

    def _forget_all(self) -> None:
        """Take all for closed: a recording of days has many whose end never came."""
        self.closed = self.opened
        self._directions.clear()
        self._ended.clear()

    def _forget(self, direction: Direction) -> None:
        for half in (direction, direction.other):
            if self._directions.get(half.key) is half:  # a newer connection may have its ports
                del self._directions[half.key]


def _locate(frame: bytes) -> tuple[bytes, int, int]:
    """Return both addresses in one piece, where the TCP header begins, and where the packet ends.

    The end is what the IP header says, for a short Ethernet frame is padded; a length of 0
    stands for more than 16 bits can say, and the frame's own end is meant.
    """
    if HALF.unpack_from(frame, ETHERTYPE)[0] == ETHERTYPE_IPV4:
        length = HALF.unpack_from(frame, IP_HEADER + 2)[0]
        segment = IP_HEADER + (frame[IP_HEADER] & 0x0F) * 4
        end = IP_HEADER + length if length else len(frame)
        return frame[IP_HEADER + 12 : IP_HEADER + 20], segment, end
    length = HALF.unpack_from(frame, IP_HEADER + 4)[0]
    end = IPV6_PAYLOAD + length if length else len(frame)
    return frame[IP_HEADER + 8 : IPV6_PAYLOAD], IPV6_PAYLOAD, end
