"""What packets that came in fragments need as a whole: checksums, of which one fragment has each
and any a mask, and headers of tunnels, which any may have.

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

import re
from collections.abc import Callable, Iterator
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
SetSums = Callable[[bytes, bytearray, IpPacket], None]
"""Sets the checksums of a packet as :func:`.checksums.set_checksums` does."""
CHANGED = re.compile(rb"[^\0]+")


class _Part(NamedTuple):
    """A fragment."""

    number: int
    frame_start: int
    start: int
    """In the whole packet."""
    end: int


class _Change(NamedTuple):
    """Bytes in the place of others."""

    start: int
    """In the whole packet."""
    before: bytes
    """As they were captured."""
    after: bytes

    def shared(self, part: _Part) -> tuple[int, int]:
        """Return from where to where a fragment has these bytes, from the first of them on."""
        size = len(self.after)
        return (
            min(max(part.start - self.start, 0), size),
            min(max(part.end - self.start, 0), size),
        )


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
        self._changed: dict[Key, list[_Change]] = {}
        """Of packets that were whole, the last one last."""

    def add(self, packet: Packet, found: IpPacket, masked: bytes) -> None:
        """Take the fragment ``found`` of a frame, of which ``masked`` is to be written."""
        fragment = found.fragment
        assert fragment is not None
        number, time_ns, _, _, data = packet
        key, start = fragment.key, fragment.offset
        part = _Part(number, found.start, start, start + found.end - found.start)
        for one in self._changed.get(key, []):
            begin, upto = one.shared(part)
            at = found.start + one.start + begin - start
            if data[at : at + upto - begin] == one.before[begin:upto]:
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
        self._set_sums(before.payload, data, whole)
        changes = [
            _Change(start + before.start, before.payload[start:end], bytes(data[start:end]))
            for start, end in _changed(after.payload, data)
        ]
        *_, last = packets_inside(before.payload, whole)
        self.given_up += isinstance(last, IpPacket) and last.fragment is not None
        self._patch(parts, changes)
        self._changed.pop(key, None)
        self._changed[key] = changes
        if len(self._changed) > MAX_FRAGMENTED_PACKETS:
            del self._changed[next(iter(self._changed))]

    def _patch(self, parts: list[_Part], changes: list[_Change]) -> None:
        for part in parts:
            for change in changes:
                begin, end = change.shared(part)
                if begin < end:
                    place = part.frame_start + change.start + begin - part.start
                    self.patches.setdefault(part.number, {})[place] = change.after[begin:end]

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


def _changed(before: bytes, after: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where bytes differ, from where to where."""
    size = len(before)
    differ = (int.from_bytes(before) ^ int.from_bytes(after)).to_bytes(size)
    return (match.span() for match in CHANGED.finditer(differ))
