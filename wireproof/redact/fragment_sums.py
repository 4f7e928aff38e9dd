"""Checksums of packets that came in fragments, of which one has the checksum and any a mask.

    sums = FragmentSums()
    sums.add(packet, found, masked)  # each fragment, in order
    sums.patches[number]             # what the frame of that number needs beside its masks

Strategy: fragments are put together twice, as they were and as they are masked, by the decoder's
own rules: of what comes twice the first counts. When a packet is whole, its checksums change as
its bytes have (:mod:`.checksums`), in each fragment that holds one. A copy of that which comes
later gets the same.

What is kept: fragments of packets that are not whole, and how the last ones changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace
from parsers import FragmentReassembler, IpPacket, Packet, WholePacket, packets_inside
from parsers.limits import MAX_FRAGMENTED_PACKETS

from .checksums import set_checksums

MAX_WAITING = 48 << 20
"""Bytes of fragments that wait, each as it was and as it is masked: then all are given up."""
MAX_PARTS = 65_536
"""Fragments that are remembered until their packets are whole: of eight bytes, eight packets."""
Key = tuple[bytes, ...]
SetSums = Callable[[bytes, bytearray, IpPacket], list[int]]
"""Sets the checksums of a packet as :func:`.checksums.set_checksums` does."""


class _Part(NamedTuple):
    """A fragment."""

    number: int
    frame_start: int
    start: int
    """In the whole packet."""
    end: int


class _Sum(NamedTuple):
    """A checksum that has changed."""

    place: int
    """In the whole packet."""
    before: bytes
    after: bytes


class FragmentSums:
    """The checksums of fragmented packets."""

    def __init__(self, set_sums: SetSums = set_checksums) -> None:
        self._set_sums = set_sums
        self.patches: dict[int, dict[int, bytes]] = {}
        """What frames need, by their numbers and the place in each."""
        self.given_up = 0
        """Packets that were not summed up, for too much waited or fragments were fragmented."""
        self._plain, self._masked = FragmentReassembler(), FragmentReassembler()
        self._parts: dict[Key, list[_Part]] = {}
        """Of packets that wait, the one that waits longest first."""
        self._count = 0
        """Of those."""
        self._changed: dict[Key, list[_Sum]] = {}
        """Of packets that were whole, the last one last."""

    def add(self, packet: Packet, found: IpPacket, masked: bytes) -> None:
        """Take the fragment ``found`` of a frame, of which ``masked`` is to be written."""
        fragment = found.fragment
        assert fragment is not None
        number, time_ns, _, _, data = packet
        key, start = fragment.key, fragment.offset
        part = _Part(number, found.start, start, start + found.end - found.start)
        for one in self._changed.get(key, []):
            if data[found.start :][one.place - start : one.place - start + 2] == one.before:
                self._patch([part], [one])
        plain = self._plain.receive(data, found, number, time_ns or None)
        hidden = self._masked.receive(masked, found, number, time_ns or None)
        self._parts.setdefault(key, []).append(part)
        self._count += 1
        for before, after in zip(plain, hidden, strict=False):
            if isinstance(before, WholePacket) and isinstance(after, WholePacket):
                self._sum_up(found, before, after)
        self._forget(key)

    def _sum_up(self, found: IpPacket, before: WholePacket, after: WholePacket) -> None:
        """Find how the checksums of a packet change, and which fragments have them."""
        assert found.fragment is not None
        key, size = found.fragment.key, len(before.payload)
        parts = self._parts[key]
        if before.payload == after.payload:
            return
        whole = replace(
            found, protocol=before.protocol, start=0, end=size, length=size, fragment=None, header=0
        )
        data = bytearray(after.payload)
        sums = [
            _Sum(
                place + before.start,
                before.payload[place : place + 2],
                bytes(data[place : place + 2]),
            )
            for place in self._set_sums(before.payload, data, whole)
        ]
        *_, last = packets_inside(before.payload, whole)
        self.given_up += isinstance(last, IpPacket) and last.fragment is not None
        self._patch(parts, sums)
        self._changed.pop(key, None)
        self._changed[key] = sums
        if len(self._changed) > MAX_FRAGMENTED_PACKETS:
            del self._changed[next(iter(self._changed))]

    def _patch(self, parts: list[_Part], sums: list[_Sum]) -> None:
        for number, frame_start, start, end in parts:
            for place, _, after in sums:
                if start <= place < end:
                    self.patches.setdefault(number, {})[frame_start + place - start] = after

    def _forget(self, key: Key) -> None:
        """Keep no more of a packet that does not wait, nor of those that were given up; of none if
        too much waits."""
        if self._plain.held + self._masked.held > MAX_WAITING or self._count > MAX_PARTS:
            self.given_up += len(self._parts)
            self._plain.let_go()
            self._masked.let_go()
        while not self._plain.waits_for(key):
            self._count -= len(self._parts.pop(key, ()))
            if not self._parts:
                break
            key = next(iter(self._parts))
