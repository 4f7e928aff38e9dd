"""What the blocks of a pcapng file mean (draft-ietf-opsawg-pcapng), obsolete ones included.

Strategy: :class:`~.block_reader.BlockReader` finds blocks, and :class:`PcapngReader` knows what
they mean. It walks the usual ones in place: an Enhanced Packet Block without options, of the same
interface and the same upper half of the timestamp as the one before it, costs two ``unpack_from``,
one slice and one multiplication. Every other block goes to the method for its type, through the
general path; that path alone reads everything too, and a test shows that both agree. Each byte is
copied twice.

A fault inside a block costs that block: the next one is where the length says.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from struct import Struct, calcsize, unpack_from

import msgspec

from .block_reader import BlockReader
from .blocks import (
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    IF_DESCRIPTION,
    IF_FILTER,
    IF_HARDWARE,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    ISB_IFDROP,
    OBSOLETE_PACKET,
    OPT_COMMENT,
    SECTION_HEADER,
    SHB_HARDWARE,
    SHB_OS,
    SHB_USERAPPL,
    SIMPLE_PACKET,
    Block,
    option_text,
    padded,
)
from .input import CaptureInput
from .packets import NANOSECONDS, CaptureNotes, Interface, Packet, Run

NUMBERED_RECORDS = frozenset(
    {9, 0xBAD, 0x40000BAD, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222}
)  # systemd journal entries, custom blocks, Sysdig events: no packets, but Wireshark numbers them
# The length at the end of a block, an Enhanced Packet Block up to its data (sections 3.1 and 4.3),
# and its own length at its end.
USUAL_LAYOUTS = {
    order: (Struct(order + "8I").unpack_from, Struct(order + "I").unpack_from) for order in "<>"
}
UNKNOWN_LENGTH = 2**64 - 1
TEXT_OPTIONS = {IF_NAME: "name", IF_DESCRIPTION: "description", IF_HARDWARE: "hardware"}
SECTION_OPTIONS = (SHB_HARDWARE, SHB_OS, SHB_USERAPPL)


class UsualBlocks(msgspec.Struct, frozen=True, gc=False):
    """Blocks of usual packets as they lie in the file, one after another."""

    data: bytes
    packets: int
    """How many there are."""
    first: int
    """The number of the first packet."""
    byte_order: str


class PcapngReader:
    """The packets of one pcapng file."""

    def __init__(self, source: CaptureInput, notes: CaptureNotes) -> None:
        self._blocks = BlockReader(source)
        self._notes = notes
        self._number = 0
        self._interfaces: list[Interface] = []  # of the current section
        self._section = -1
        self._origin: dict[int, str] = {}  # the current section's SECTION_OPTIONS
        self._section_start = 0  # in the file, of the first block after the section's header
        self._section_length = UNKNOWN_LENGTH
        self._supported = True
        self._forget_usual()
        self._receive = {
            SECTION_HEADER: self._section_header,
            INTERFACE_DESCRIPTION: self._interface_description,
            OBSOLETE_PACKET: self._obsolete_packet,
            SIMPLE_PACKET: self._simple_packet,
            INTERFACE_STATISTICS: self._interface_statistics,
            ENHANCED_PACKET: self._enhanced_packet,
            DECRYPTION_SECRETS: self._decryption_secrets,
        }

    def packets(self) -> Iterator[Packet]:
        """Yield every packet in order; the faults on the way go to the notes."""
        blocks = self._blocks
        while self._supported:
            if blocks.position >= 4:
                yield from self._usual_packets()
            block = blocks.next_block()
            if block is None:
                break
            packet = self._take(block)
            if packet is not None:
                yield packet
        self._end()

    def _usual_packets(self) -> Iterator[Packet]:
        """Yield the packets up to the first block that is not usual, or is cut.

        The length at the end of a block is read with the header of the next one: that takes a tenth
        less. So a packet is certain by then.
        """
        blocks = self._blocks
        buffer, position, number = blocks.buffer, blocks.position, self._number
        header, trailer = USUAL_LAYOUTS[blocks.byte_order]
        usual_interface, usual_high, base, tick, link_type = self._usual
        size = len(buffer)
        last = size - 32
        (before,) = trailer(buffer, position - 4)
        row: Packet | None = None
        while position <= last:
            again, kind, length, interface, high, low, captured, original = header(
                buffer, position - 4
            )
            end = position + length
            if (
                again != before
                or kind != ENHANCED_PACKET
                or interface != usual_interface
                or high != usual_high
                or length != (captured + 35 & -4)  # 28 before the data, 4 after it: no options
                or captured > original
                or end > size
            ):
                break
            if row is not None:
                yield row
            number += 1
            start = position + 28
            time_ns = base + low * tick
            row = number, time_ns, link_type, original, buffer[start : start + captured]
            before = length
            position = end
        if row is not None:
            if trailer(buffer, position - 4)[0] == before:
                yield row
            else:
                number -= 1
                position -= before
        blocks.position, self._number = position, number

    def runs(self) -> Iterator[Run]:
        """Yield the packets of :meth:`packets`, many at once, where they lie."""
        blocks = self._blocks
        while self._supported:
            link_type = self._usual[4]
            if found := self._usual_run():
                yield Run(blocks.buffer, link_type, found, blocks.start)
            if (block := blocks.next_block()) is None:
                break
            if (packet := self._take(block)) is not None:
                yield Run.of(packet)
        self._end()

    def copied(
        self, touched: Container[int]
    ) -> Iterator[UsualBlocks | tuple[Block, Packet | None]]:
        """Yield the whole file to be written again: what need not be looked at as it lies there.

        That are the usual packets' blocks, as in :meth:`packets`, but for the packets whose numbers
        are ``touched``. Any other block comes by itself, with the packet that it holds.
        """
        blocks = self._blocks
        while self._supported:
            start = blocks.position
            if found := self._usual_run(touched):
                data = blocks.buffer[start : blocks.position]
                yield UsualBlocks(data, len(found), found[0][0], blocks.byte_order)
            if (block := blocks.next_block()) is None:
                break
            yield block, self._take(block)
        self._end()

    def _usual_run(
        self, touched: Container[int] = frozenset()
    ) -> list[tuple[int, int | None, int, int, int]]:
        """Go to the first block that is not usual, holds a packet that is touched, or is cut.

        Returns the places of the packets before it, as in :class:`~.packets.Run`. To make the
        packets of :meth:`_usual_packets` from them would take a fifth longer.
        """
        blocks = self._blocks
        found: list[tuple[int, int | None, int, int, int]] = []
        buffer, position, number = blocks.buffer, blocks.position, self._number
        if position < 4:
            return found
        header, trailer = USUAL_LAYOUTS[blocks.byte_order]
        usual_interface, usual_high, base, tick, _ = self._usual
        size = len(buffer)
        last = size - 32
        (before,) = trailer(buffer, position - 4)
        while position <= last:
            again, kind, length, interface, high, low, captured, original = header(
                buffer, position - 4
            )
            end = position + length
            if (
                again != before
                or kind != ENHANCED_PACKET
                or interface != usual_interface
                or high != usual_high
                or length != (captured + 35 & -4)
                or captured > original
                or end > size
                or number + 1 in touched
            ):
                break
            number += 1
            found.append((number, base + low * tick, position + 28, captured, original))
            before = length
            position = end
        if found and trailer(buffer, position - 4)[0] != before:
            found.pop()
            number -= 1
            position -= before
        blocks.position, self._number = position, number
        return found

    def _take(self, block: Block) -> Packet | None:
        """Read any one block; blocks of unknown types are skipped."""
        receive = self._receive.get(block.type)
        if receive is not None:
            return receive(block)
        if block.type in NUMBERED_RECORDS:
            self._number += 1
        return None

    def _end(self) -> None:
        if self._blocks.fault:
            self._notes.fault(*self._blocks.fault, self._number, self._blocks.offset)
        elif self._supported:
            self._end_section(self._blocks.offset)

    def _section_header(self, block: Block) -> None:
        """Section 4.1."""
        self._end_section(block.offset)
        self._section += 1
        self._section_start = self._blocks.offset
        fields = unpack_from(block.byte_order + "4xHHQ", block.body)
        major, minor, self._section_length = fields
        self._interfaces = []
        self._forget_usual()
        # "1.2" was written by mistake and means 1.0.
        if (major, minor) not in ((1, 0), (1, 2)):
            self._supported = False
            found = f"pcapng version {major}.{minor}, 1.0 expected"
            self._fault(block, "capture-unsupported", found)
            return
        self._section_options(block)

    def _section_options(self, block: Block) -> None:
        self._origin = dict.fromkeys(SECTION_OPTIONS, "")
        for code, value in self._options(block, 16):
            text = option_text(value)
            if code == OPT_COMMENT:
                self._comment(block, None, value)
            elif code in self._origin and self._notes.keeps(len(text), self._number, block.offset):
                self._origin[code] = text

    def _end_section(self, offset: int) -> None:
        """Compare the section with the length it was said to have; it is never needed."""
        length = offset - self._section_start
        if self._section_length not in (UNKNOWN_LENGTH, length):
            detail = f"a section of {length:,} bytes, {self._section_length:,} expected"
            self._notes.fault("capture-damaged", detail, self._number, offset)

    def _interface_description(self, block: Block) -> None:
        """Section 4.2."""
        fields = self._numbers(block, "H2xI")
        if fields is None:
            return
        link_type, snaplen = fields
        interface = Interface(link_type, snaplen, section=self._section)
        interface.machine, interface.system, interface.application = self._origin.values()
        for code, value in self._options(block, 8):
            self._interface_option(block, interface, code, value)
        if self._notes.interface(interface, self._number, block.offset):
            self._interfaces.append(interface)

    def _interface_option(
        self, block: Block, interface: Interface, code: int, value: bytes
    ) -> None:
        if code == OPT_COMMENT:
            interface.comment = "\n".join(filter(None, (interface.comment, option_text(value))))
        elif code in TEXT_OPTIONS:
            setattr(interface, TEXT_OPTIONS[code], option_text(value))
        elif code == IF_TSRESOL and self._has_size(block, "if_tsresol", value, 1):
            # The most significant bit: a negative power of 2; otherwise of 10.
            base, exponent = (2, value[0] & 0x7F) if value[0] & 0x80 else (10, value[0])
            interface.ticks_per_second = base**exponent
        elif code == IF_FILTER and value[:1] == b"\0":  # otherwise it is BPF code
            interface.filter = option_text(value[1:])
        elif code == IF_TSOFFSET and self._has_size(block, "if_tsoffset", value, 8):
            (interface.tsoffset,) = unpack_from(block.byte_order + "q", value)

    def _enhanced_packet(self, block: Block) -> Packet | None:
        """Section 4.3."""
        fields = self._numbers(block, "5I")
        if fields is None:
            return None
        identifier, high, low, captured, original = fields
        packet = self._timed_packet(block, identifier, high << 32 | low, captured, original)
        if packet is not None:
            interface = self._interfaces[identifier]
            tick, inexact = divmod(NANOSECONDS, interface.ticks_per_second)
            if not inexact:
                base = interface.time_ns(high << 32)
                self._usual = (identifier, high, base, tick, interface.link_type)
        return packet

    def _forget_usual(self) -> None:
        """Send the next packet through the general path, which learns what is usual."""
        self._usual = (-1, -1, 0, 0, 0)  # interface, upper half of the timestamp, its time, ...

    def _obsolete_packet(self, block: Block) -> Packet | None:
        """Appendix A: the Packet Block, with a count of dropped packets beside the interface."""
        fields = self._numbers(block, "H2x4I")
        if fields is None:
            return None
        identifier, high, low, captured, original = fields
        return self._timed_packet(block, identifier, high << 32 | low, captured, original)

    def _timed_packet(
        self, block: Block, identifier: int, ticks: int, captured: int, original: int
    ) -> Packet | None:
        """Return the packet of a block whose data begins at 20, and take its options."""
        interface = self._described(block, identifier)
        if interface is None or not self._fits(block, 20, captured):
            return None
        self._count(interface)
        if captured > original:
            detail = f"{captured:,} bytes captured of a packet of {original:,} bytes"
            self._fault(block, "capture-damaged", detail)
        options = 20 + padded(captured)
        if options < len(block.body):
            self._comments(block, options, self._number)
        data = block.body[20 : 20 + captured]
        return self._number, interface.time_ns(ticks), interface.link_type, original, data

    def _simple_packet(self, block: Block) -> Packet | None:
        """Section 4.4: no time; of interface 0, whose snaplen says how much was captured."""
        fields = self._numbers(block, "I")
        if fields is None:
            return None
        (original,) = fields
        interface = self._described(block, 0)
        if interface is None:
            return None
        captured = min(original, interface.snaplen or original)
        if not self._fits(block, 4, captured):
            return None
        self._count(interface)
        return self._number, None, interface.link_type, original, block.body[4 : 4 + captured]

    def _count(self, interface: Interface) -> None:
        """Give a packet of the general path its number, and note which interface it came from.

        The usual path notes nothing: it may go on only where the packet before came from.
        """
        self._number += 1
        self._notes.origins.add(self._number, interface.is_relay)
        self._forget_usual()

    def _interface_statistics(self, block: Block) -> None:
        """Section 4.6: of interest is how many packets the capture has lost."""
        fields = self._numbers(block, "I8x")
        if fields is None:
            return
        interface = self._described(block, fields[0])
        for code, value in self._options(block, 12):
            if code == OPT_COMMENT:
                self._comment(block, None, value)
            elif code == ISB_IFDROP and interface and self._has_size(block, "isb_ifdrop", value, 8):
                (interface.dropped,) = unpack_from(block.byte_order + "Q", value)

    def _decryption_secrets(self, block: Block) -> None:
        """Section 4.7."""
        fields = self._numbers(block, "2I")
        if fields is None:
            return
        kind, length = fields
        if self._fits(block, 8, length):
            self._notes.secret(kind, block.body[8 : 8 + length], self._number, block.offset)
            self._comments(block, 8 + padded(length), None)

    def _numbers(self, block: Block, layout: str) -> tuple[int, ...] | None:
        """Return the numbers that a block's body begins with, None if it is too short."""
        layout = block.byte_order + layout
        size = calcsize(layout)
        found = len(block.body)
        if found >= size:
            return unpack_from(layout, block.body)
        detail = f"a block of type {block.type} with {found} bytes, {size} expected"
        self._fault(block, "capture-damaged", detail)
        return None

    def _described(self, block: Block, identifier: int) -> Interface | None:
        """Return an interface of the current section."""
        if identifier < len(self._interfaces):
            return self._interfaces[identifier]
        known = len(self._interfaces)
        detail = f"a block about interface {identifier}, but only {known} have been described"
        self._fault(block, "capture-damaged", detail)
        return None

    def _fits(self, block: Block, start: int, length: int) -> bool:
        room = len(block.body) - start
        if length <= room:
            return True
        detail = f"{length:,} bytes of data in a block that has room for {room:,}"
        self._fault(block, "capture-damaged", detail)
        return False

    def _has_size(self, block: Block, name: str, value: bytes, size: int) -> bool:
        if len(value) == size:
            return True
        self._fault(block, "capture-damaged", f"{name} of {len(value)} bytes, {size} expected")
        return False

    def _options(self, block: Block, start: int) -> Iterator[tuple[int, bytes]]:
        for code, value in block.options(start):
            if value is None:
                self._fault(block, "capture-damaged", f"option {code} is longer than its block")
            else:
                yield code, value

    def _comments(self, block: Block, start: int, about: int | None) -> None:
        for code, value in self._options(block, start):
            if code == OPT_COMMENT:
                self._comment(block, about, value)

    def _comment(self, block: Block, about: int | None, value: bytes) -> None:
        self._notes.comment(about, option_text(value), self._number, block.offset)

    def _fault(self, block: Block, code: str, detail: str) -> None:
        self._notes.fault(code, detail, self._number, block.offset)
