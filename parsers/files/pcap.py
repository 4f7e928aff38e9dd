"""The pcap file format (draft-ietf-opsawg-pcap; libpcap's savefile).

Strategy: the file header says byte order, resolution and the layout of a record header. Then one
generator walks the buffer: a usual record (both lengths sensible, all of it in the buffer) costs
one ``unpack_from`` and one slice. Everything else takes the general path, one record at a time:
the buffer ends inside the record, or its lengths are swapped, damaged, or cut. A buffer is never
longer than the longest record, so no usual record can be too long: that needs no test of its own.
What is kept is the rest of the buffer, shorter than one record. Each byte is copied twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

import msgspec

from ..limits import MAX_PACKET
from .input import CaptureInput
from .packets import NANOSECONDS, CaptureNotes, Interface, Packet, Run


class Variant(msgspec.Struct, frozen=True, gc=False):
    """A kind of pcap file, told by its magic number."""

    name: str
    ticks_per_second: int
    file_header: int
    """How many bytes the file header takes."""
    record_header: str
    """A struct format: seconds, fraction, captured length, original length."""


# draft-ietf-opsawg-pcap section 4; what others have made of it is in libpcap's sf-pcap.c and in
# Wireshark's wiretap/libpcap.c. Variants that share a magic number and can only be guessed (Nokia,
# AIX, ss990417, ss990915) are read as what the number says.
VARIANTS = {
    0xA1B2C3D4: Variant("pcap", 10**6, 24, "IIII"),
    0xA1B23C4D: Variant("pcap, nanoseconds", 10**9, 24, "IIII"),
    # Kuznetzov's patch: then interface index, protocol and packet type.
    0xA1B2CD34: Variant("pcap, modified", 10**6, 24, "IIII8x"),
    # Ixia's lcap, by hardware and software: the file header ends with the length of all records.
    0x1C0001AC: Variant("pcap, lcap nanoseconds", 10**9, 28, "IIII"),
    0x1C0001AB: Variant("pcap, lcap", 10**6, 28, "IIII"),
}
LONGEST_RECORD = MAX_PACKET + 24


FILE_HEADER = "HH4x4xII"
"""Major and minor version, two reserved fields, snaplen, link type; the magic comes before it."""
DGUX = 543
"""The major version that DG/UX's tcpdump writes; it too has the lengths in the old order."""


def variant_of(head: bytes) -> tuple[str, Variant] | None:
    """Return the byte order (``<`` or ``>``) and variant of a file that begins with ``head``."""
    for order in "<>":
        variant = VARIANTS.get(Struct(f"{order}I").unpack(head)[0]) if len(head) == 4 else None
        if variant is not None:
            return order, variant
    return None


class PcapReader:
    """The packets of one pcap file."""

    def __init__(self, source: CaptureInput, notes: CaptureNotes) -> None:
        """Read the file header; ``source`` must begin with a known magic number."""
        self._source = source
        self._notes = notes
        self._buffer = b""
        self._position = 0  # in the buffer
        self._offset = 0  # of the buffer in the file
        self._number = 0
        self._version = (2, 4)
        found = variant_of(source.peek(4))
        assert found is not None
        order, self.variant = found
        self._record = Struct(order + self.variant.record_header)
        self._readable = self._read_file_header(order)

    def _read_file_header(self, order: str) -> bool:
        """Take the file header (section 4); return whether records can be read after it."""
        size = self.variant.file_header
        if not self._have(size, "the file header"):
            return False
        major, minor, snaplen, link_type = Struct(order + FILE_HEADER).unpack_from(self._buffer, 4)
        self._position = size
        # The lower 16 bits are the link type; above them are the FCS's length and reserved bits.
        self.interface = Interface(link_type & 0xFFFF, snaplen, self.variant.ticks_per_second)
        self._notes.interface(self.interface, 0, 0)
        self._version = (major, minor)
        if major in (2, DGUX):
            return True
        self._fault("capture-unsupported", f"pcap version {major}.{minor}, 2.4 expected")
        return False

    def packets(self) -> Iterator[Packet]:
        """Yield every packet in order; the faults on the way go to the notes."""
        if not self._readable:
            return
        unpack, header = self._record.unpack_from, self._record.size
        link_type = self.interface.link_type
        tick = NANOSECONDS // self.interface.ticks_per_second
        second = NANOSECONDS
        usual = not self._lengths_are_swapped
        while True:
            buffer, position, number = self._buffer, self._position, self._number
            size = len(buffer)
            last = size - header if usual else -1
            while position <= last:
                seconds, fraction, captured, original = unpack(buffer, position)
                start = position + header
                end = start + captured
                if captured > original or end > size:
                    break
                number += 1
                time_ns = seconds * second + fraction * tick
                yield number, time_ns, link_type, original, buffer[start:end]
                position = end
            self._position, self._number = position, number
            packet = self._next_packet()
            if packet is None:
                return
            yield packet

    def runs(self) -> Iterator[Run]:
        """Yield the packets of :meth:`packets`, many at once, where they lie."""
        if not self._readable:
            return
        link_type = self.interface.link_type
        while True:
            if found := self._usual_run():
                yield Run(self._buffer, link_type, found, self._offset)
            if (packet := self._next_packet()) is None:
                return
            yield Run.of(packet)

    def _usual_run(self) -> list[tuple[int, int | None, int, int, int]]:
        """Go to the first record that is not usual, or is cut; return the places before it."""
        unpack, header = self._record.unpack_from, self._record.size
        tick = NANOSECONDS // self.interface.ticks_per_second
        second = NANOSECONDS
        buffer, position, number = self._buffer, self._position, self._number
        size = len(buffer)
        last = -1 if self._lengths_are_swapped else size - header
        found: list[tuple[int, int | None, int, int, int]] = []
        while position <= last:
            seconds, fraction, captured, original = unpack(buffer, position)
            start = position + header
            if captured > original or start + captured > size:
                break
            number += 1
            found.append((number, seconds * second + fraction * tick, start, captured, original))
            position = start + captured
        self._position, self._number = position, number
        return found

    @property
    def _lengths_are_swapped(self) -> bool:
        """Before version 2.3 the original length came first, as in DG/UX's files."""
        return self._version < (2, 3) or self._version[0] == DGUX

    def _next_packet(self) -> Packet | None:
        """Return the next packet, whatever its record looks like; None at the end."""
        header = self._record.size
        if not self._have(header, "a record header"):
            return None
        fields = self._record.unpack_from(self._buffer, self._position)
        seconds, fraction, captured, original = fields
        # Some writers of 2.3 had not heard of the change: there the smaller one is what is kept.
        if self._lengths_are_swapped or (self._version == (2, 3) and captured > original):
            captured, original = original, captured
        if captured > MAX_PACKET:
            self._fault(
                "capture-damaged",
                f"a record of {captured:,} bytes, at most {MAX_PACKET:,} expected",
            )
            return None
        if not self._have(header + captured, "a record"):
            return None
        if captured > original:
            self._fault(
                "capture-damaged",
                f"{captured:,} bytes captured of a packet of {original:,} bytes",
            )
        self._number += 1
        start = self._position + header
        self._position = start + captured
        ticks = seconds * self.interface.ticks_per_second + fraction
        data = self._buffer[start : self._position]
        return (
            self._number, self.interface.time_ns(ticks), self.interface.link_type, original, data
        )  # fmt: skip

    def _have(self, need: int, what: str) -> bool:
        """Return whether ``need`` bytes are in the buffer, after reading more if they are not."""
        rest = len(self._buffer) - self._position
        if rest >= need:
            return True
        self._offset += self._position
        buffer = self._source.refill(self._buffer[self._position :], need, LONGEST_RECORD)
        self._buffer, self._position = buffer, 0
        if len(buffer) >= need:
            return True
        if self._source.fault:
            self._fault(*self._source.fault)
        elif buffer:
            self._fault("capture-cut", f"{what}: {need:,} bytes expected, {len(buffer):,} found")
        return False

    def _fault(self, code: str, detail: str) -> None:
        self._notes.fault(code, detail, self._number, self._offset + self._position)
