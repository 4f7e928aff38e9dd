"""Packets that the capture holds twice: copies of a recording, not sent again.

Strategy: recording on all interfaces of a bridge, from both ports of a mirror, or where a driver
hands out what it sends once more, gives each packet twice, microseconds to a few milliseconds
apart. A packet that brings nothing new is looked for among those before it, back to
MAX_COPY_DISTANCE of them and MAX_COPY_AGE: nothing is kept for packets that do. A copy has the same
segment, byte for byte; its Ethernet header and its time to live may be others. What tells it from
a segment that was sent again is the identification of its IP packet, which is new for each packet
(RFC 6864 section 4.1). Where there is none, in IPv6, or it is 0 or always the same, nothing but the
time tells: no sender waits less than MAX_COPY_AGE_WITHOUT_ID before it sends again, and one that
has timestamps (RFC 7323) gives another by then. The checksum may differ if the identification
tells: one of the two may have been recorded before the card finished it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic
from ..limits import MAX_COPY_AGE, MAX_COPY_AGE_WITHOUT_ID, MAX_COPY_DISTANCE
from .ip import TCP, IpPacket
from .segment import FIN, RST, SYN, TCP_HEADER
from .tunnels import read_packet, realm

if TYPE_CHECKING:
    from ..files.packets import Packet

FIXED = 16
"""Bytes of a TCP header before its checksum."""
AFTER_CHECKSUM = 18


class CopyFinder:
    """Tells which packets are copies, and counts them."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0
        """The number of the first packet that is one."""
        self._before: list[Packet] = []
        self._packets: Sequence[Packet] = ()
        self._rest: Iterator[Packet] = iter(())

    def begin(self, packets: Sequence[Packet], rest: Iterator[Packet]) -> None:
        """Take the next packets; ``rest`` is the iterator over them, whose last is looked at."""
        self._packets, self._rest = packets, rest

    def note(self, packet: Packet) -> None:
        """Take a packet that comes by itself, in no sequence."""
        if not self._packets:
            self._before = [*self._before, packet][-MAX_COPY_DISTANCE - 1 :]

    def end(self) -> None:
        """Remember the last packets: the next ones begin another sequence."""
        last = self._packets[-MAX_COPY_DISTANCE:]
        self._before = [*self._before, *last][-MAX_COPY_DISTANCE:]
        self._packets, self._rest = (), iter(())

    def is_copy(self, packet: Packet, found: IpPacket) -> bool:
        """Whether a packet of the sequence is a copy; ``found`` is what it holds, in its bytes."""
        number, time_ns, _, _, data = packet
        needle = data[found.start : found.start + FIXED]
        if not self._may_hold(needle):
            return False
        for index, row in enumerate(self._rows_before()):
            age = (time_ns or 0) - (row[1] or 0)
            # Rows are not all packets where other processes have their shares.
            if age > MAX_COPY_AGE or number - row[0] > MAX_COPY_DISTANCE:
                return False
            if needle in row[4] and self._is_same(
                found, data, row, age, islice(self._rows_before(), index + 1, None)
            ):
                self.count += 1
                self.first = self.first or number
                return True
        return False

    def diagnostics(self) -> list[Diagnostic]:
        """Return what is to be said of the capture."""
        if not self.count:
            return []
        subject = f"{self.count:,} packets were" if self.count > 1 else "1 packet was"
        summary = (
            f"{subject} captured twice, first packet {self.first}: copies, not retransmissions; "
            "record one interface, not any, and one port of a mirror"
        )
        return [Diagnostic(0, 0, "packets-captured-twice", summary)]

    def _is_same(
        self, found: IpPacket, data: bytes, row: Packet, age: int, earlier: Iterable[Packet]
    ) -> bool:
        """Whether ``row`` holds the same segment in the same packet, but for what a hop changes."""
        other = _read(row)
        if other is None or _ends(other) != _ends(found):
            return False
        one, two = data[found.start : found.end], row[4][other.start : other.end]
        if one[:FIXED] != two[:FIXED] or one[AFTER_CHECKSUM:] != two[AFTER_CHECKSUM:]:
            return False
        own, others = _identification(found, data), _identification(other, row[4])
        if own != others:
            return False
        if own and _tells(own, other, row[4], earlier):
            return True
        # Duplicate acknowledgements are the same bytes too, and as close.
        can_tell = self.count > 0 or not _is_bare(one)
        return can_tell and age <= MAX_COPY_AGE_WITHOUT_ID and one == two

    def _may_hold(self, needle: bytes) -> bool:
        """Whether one of the packets before holds this, as hardly any does.

        They are not looked at one by one, which takes ten times as long.
        """
        packets = self._packets
        if not packets:
            return True
        index = len(packets) - length_hint(self._rest) - 1
        rows = packets[max(index - MAX_COPY_DISTANCE, 0) : index]
        if index < MAX_COPY_DISTANCE:
            rows = [*self._before, *rows]
        return bool([row for row in rows if needle in row[4]])

    def _rows_before(self) -> Iterator[Packet]:
        """Yield the packets before the one that is looked at, the last one first."""
        packets = self._packets
        if not packets:
            yield from self._before[-2::-1]
            return
        index = len(packets) - length_hint(self._rest) - 1
        first = max(index - MAX_COPY_DISTANCE, 0)
        for place in range(index - 1, first - 1, -1):
            yield packets[place]
        if lacking := MAX_COPY_DISTANCE - max(index, 0):
            yield from reversed(self._before[-lacking:] if lacking > 0 else ())


def _tells(identification: int, found: IpPacket, data: bytes, earlier: Iterable[Packet]) -> bool:
    """Whether the packet before, of the same ends, has another identification."""
    ports = data[found.start : found.start + 4]
    segment = data[found.start : found.start + FIXED]
    for row in earlier:
        if ports not in row[4] or segment in row[4]:
            continue
        other = _read(row)
        if other is not None and _ends(other) == _ends(found):
            return _identification(other, row[4]) != identification
    return False


def _is_bare(segment: bytes) -> bool:
    """Whether a segment does nothing but acknowledge."""
    return len(segment) == segment[12] >> 4 << 2 and not segment[13] & (SYN | FIN | RST)


def _read(row: Packet) -> IpPacket | None:
    """Return the packet in a row, if it holds TCP."""
    _, _, link_type, original_length, data = row
    found = read_packet(link_type, data, original_length)
    if not isinstance(found, IpPacket) or found.protocol != TCP or found.fragment is not None:
        return None
    return found if found.end - found.start >= TCP_HEADER.size else None


def _ends(found: IpPacket) -> tuple[bytes, bytes, bytes]:
    return found.source, found.destination, realm(found.layers)


def _identification(found: IpPacket, data: bytes) -> int:
    """Return the identification of an IPv4 packet (RFC 791 section 3.1); 0 for IPv6."""
    if len(found.source) != 4:
        return 0
    return int.from_bytes(data[found.header + 4 : found.header + 6], "big")
