"""What takes the place of bytes of packets, put aside: memory holds a number for each packet.

Strategy: a file without a name is only ever appended to. Each entry tells its bytes, where in the
packet they belong, and where the packet's entry before it lies; of each packet the last one is
known.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from ...spool import Spool

ROOM = 1_024
"""Packets for which there is room before they come."""
HEADER = Struct("=qiI")
"""Where the entry before lies, plus one; where the bytes belong; and how many there are."""


class PacketFlags:
    """Which packets are of some kind: a byte for each."""

    def __init__(self) -> None:
        self._flags = bytearray()

    def add(self, packet: int) -> None:
        """Take note of a packet."""
        if packet >= len(self._flags):
            self._flags += bytes(packet + ROOM - len(self._flags))
        self._flags[packet] = 1

    def __contains__(self, packet: object) -> bool:
        return isinstance(packet, int) and packet < len(self._flags) and self._flags[packet] == 1


class Entry(NamedTuple):
    """Bytes that take the place of others."""

    start: int
    """In the packet's payload; or, less than 0, in its frame: -1 - start."""
    data: bytes


class PatchLog:
    """The entries of all packets."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._last = array("q")
        """Of each packet, where its last entry lies, plus one; 0 if it has none."""

    def add(self, packet: int, start: int, data: bytes) -> None:
        """Take what belongs at ``start`` of a packet: see :class:`Entry`."""
        if packet >= len(self._last):
            self._last.frombytes(bytes(8 * (packet + ROOM - len(self._last))))
        before = self._last[packet]
        place = self._spool.append(HEADER.pack(before, start, len(data)) + data)
        self._last[packet] = place + 1

    def of(self, packet: int) -> list[Entry]:
        """Return the entries of a packet, in the order in which they came."""
        return list(self._backwards(packet))[::-1]

    def close(self) -> None:
        """Give the room back."""
        self._spool.close()

    def _backwards(self, packet: int) -> Iterator[Entry]:
        place = self._last[packet] if packet < len(self._last) else 0
        while place:
            before, start, size = HEADER.unpack(self._spool.near(place - 1, HEADER.size))
            yield Entry(start, self._spool.near(place - 1 + HEADER.size, size))
            place = before
