"""``wireproof annotate``: the same packets, each with a comment that names what it carries.

Strategy: two passes over the file. The first decodes it and keeps, for each packet that carries
something, one comment: what is kept is bounded by comments, not by packets, and has a limit. The
second copies the file as it lies there, and puts each comment before the options that its packet
has already; every other byte stays as it was, but for a section's length, which is no longer known.
A pcap file is turned into the blocks that say the same, and goes the same way. Time is linear.

The comments are opt_comment options of Enhanced Packet Blocks (pcapng sections 3.5 and 4.3), and
of the obsolete Packet Blocks (appendix A). Simple Packet Blocks have no options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from struct import Struct, pack, unpack_from
from typing import BinaryIO

from msgspec.structs import replace
from parsers import (
    BYTE_ORDER_MAGIC,
    ENHANCED_PACKET,
    IF_TSRESOL,
    INTERFACE_DESCRIPTION,
    NANOSECONDS,
    OBSOLETE_PACKET,
    OPT_COMMENT,
    OPT_ENDOFOPT,
    SECTION_HEADER,
    SECTION_LENGTH_UNKNOWN,
    SHB_USERAPPL,
    Block,
    CaptureReader,
    Interface,
    KeyLog,
    Packet,
    UnreadableCapture,
    UsualBlocks,
    decode_batches,
    padded,
)
from parsers.limits import MAX_BLOCK, MAX_COMMENTS
from parsers.records import ChunkRecord, QuicPacketRecord, Record, TlsRecordRecord
from parsers.wants import Wants

from .. import __version__
from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.packet_comments import (
    About,
    EventComment,
    PacketComment,
    PacketComments,
    with_events,
)
from ..analysis.selection import select
from ..opening import open_capture
from ..output import open_stream
from ..text.progress import shown
from ..text.wording import count
from .chosen import choosing
from .decode import check_output

WANTS = Wants(opened=False)
"""What is decoded: what a record held that was opened is said by what it held."""
MAX_COMMENT = 1_000
"""Characters of one packet's comment, about: past it, parts are counted instead of kept."""
BESIDE = 64
OPTIONS_OF_PACKETS = {ENHANCED_PACKET: 20, OBSOLETE_PACKET: 20}
"""Where the data begins in the blocks whose packets can have options; they follow it."""
SEALED = QuicPacketRecord, TlsRecordRecord
SECTION_LENGTH = slice(8, 16)
"""Of a Section Header Block's body (pcapng section 4.1)."""


@dataclass(slots=True)
class Comment:
    """What is said of one packet."""

    parts: list[PacketComment] = field(default_factory=list)
    size: int = 0
    """Characters of them together."""
    left_out: int = 0

    @classmethod
    def of(cls, event: EventComment) -> Comment:
        """Return what is said of a packet with an event, so that there may be more."""
        parts = event.parts
        return cls(parts, sum(len(part.text) + len(part.tail) for part in parts))

    def add(self, part: PacketComment, size: int) -> None:
        """Say one thing more, if there is room."""
        if self.size + size > MAX_COMMENT:
            self.left_out += 1
            return
        self.parts.append(part)
        self.size += size

    def said(self, later: Mapping[About, str]) -> str:
        """Return all of it."""
        said = [part.said(later) for part in self.parts]
        if self.left_out:
            said.append(f"and {count(self.left_out, 'more comment')}")
        return "; ".join(said)


class Comments:
    """The comments of all packets, up to MAX_COMMENTS characters.

    A part counts BESIDE characters more than it has, for what it takes beside its text.
    """

    def __init__(self) -> None:
        self.ended_at: int | None = None
        """Of the packets after this one nothing is said, because there was too much before."""
        self._comments: dict[int, Comment | EventComment] = {}
        self._size = 0
        self._later: Mapping[About, str] = {}

    def take(
        self,
        source: BinaryIO,
        wanted: ExchangeFilter = EVERYTHING,
        keylog: KeyLog | None = None,
    ) -> None:
        """Decode a capture and keep what is said of the packets of exchanges that are wanted.

        Raises UnreadableCapture (a ValueError) if it is none, OSError as ``source`` does.
        """
        found = PacketComments()
        self._later = found.later
        for record, event in with_events(_chosen(source, wanted, keylog)):
            both = None
            if event is not None and isinstance(record, ChunkRecord):
                both = found.add_event(record, event)
            if both is not None:
                self._keep_event(both)
            else:
                self._keep_all(found.add(record))
                if event is not None:
                    self._keep_all(found.add(event))
            if self._size > MAX_COMMENTS:
                self.ended_at = record.last_packet
                return

    def of(self, packet: int) -> str | None:
        """Return the comment of a packet, None if there is nothing to say of it."""
        comment = self._comments.get(packet)
        return None if comment is None else comment.said(self._later)

    def _keep_event(self, event: EventComment) -> None:
        """Keep what is said of most packets as it is, until there is more to say of one."""
        size = len(event.chunk) + len(event.size) + len(event.event)
        is_first = event.packet > 0 and event.packet not in self._comments
        if event.dialect or size > MAX_COMMENT or not is_first:
            self._keep_all(event.parts)
            return
        self._size += size + 2 * BESIDE
        self._comments[event.packet] = event

    def _keep_all(self, parts: Iterable[PacketComment]) -> None:
        for part in parts:
            if part.packet < 1:
                continue  # a fault that no packet carried
            size = len(part.text) + len(part.tail)
            self._size += size + BESIDE
            comment = self._comments.get(part.packet)
            if not isinstance(comment, Comment):
                comment = Comment() if comment is None else Comment.of(comment)
                self._comments[part.packet] = comment
            comment.add(part, size)


@dataclass
class Annotated:
    """What became of the packets of a capture."""

    commented: int = 0
    packets: int = 0
    no_room: int = 0
    """Packets that cannot have a comment: Simple Packet Blocks, and blocks of greatest length."""


def annotate(
    source: str,
    output: str,
    say: Callable[[str], object],
    wanted: ExchangeFilter = EVERYTHING,
    keylog: KeyLog | None = None,
) -> Annotated:
    """Copy the capture ``source`` to ``output`` as pcapng, with comments on its packets.

    All packets are copied; ``wanted`` says on those of which exchanges there are comments.
    ``say`` takes what a user should know. Raises OSError for what cannot be read or written,
    ValueError for what is no capture, for standard input, and for an output that is the input.
    """
    if source == "-":
        raise ValueError("it is read twice, so it must be a file")
    check_output(source, output)
    comments = Comments()
    with ExitStack() as stack:
        file = stack.enter_context(open_capture(source))
        with shown(file, "decoding") as stream:
            comments.take(stream, wanted, keylog)
        file.seek(0)
        reader = CaptureReader(stack.enter_context(shown(file, "writing")))
        blocks = reader.copied(()) if reader.format == "pcapng" else pcap_as_blocks(reader)
        # The first one before the output is opened: what cannot be read costs nobody a file.
        first = next(blocks, None)
        if first is None:
            raise UnreadableCapture(f"no block can be read: {reader.faults[0].detail}")
        done = _rewrite(chain([first], blocks), comments, open_stream(output, stack))
    if done.no_room:
        packets = count(done.no_room, "packet")
        say(f"{packets} cannot have a comment: there is no room in a Simple Packet Block")
    if comments.ended_at is not None:
        say(f"comments end at frame {comments.ended_at}: more than {MAX_COMMENTS:,} characters")
    for fault in reader.faults:
        say(f"{source}: {fault.text}")
    return done


def _chosen(source: BinaryIO, wanted: ExchangeFilter, keylog: KeyLog | None) -> Iterator[Record]:
    """Yield the records of the exchanges that are wanted."""
    with ExitStack() as stack:
        stream, choice = choosing(source, wanted, stack, keylog)
        only = wanted.only_connection
        decoded = None if only is None else {only, None}.__contains__
        batches = decode_batches(
            stream, wanted=decoded, keylog=keylog, shows_records=True, wants=WANTS
        )
        records = chain.from_iterable(map(_told, batches))
        yield from records if choice is None else select(records, choice)


def _told(records: list[Record]) -> list[Record]:
    """Return the records of which something is said: that it is QUIC Wireshark says."""
    return [
        record
        for record in records
        if not isinstance(record, SEALED)
        or (isinstance(record, TlsRecordRecord) and record.decrypted == "no")
    ]


def _rewrite(
    blocks: Iterable[UsualBlocks | tuple[Block, Packet | None]],
    comments: Comments,
    output: BinaryIO,
) -> Annotated:
    done = Annotated()
    for found in blocks:
        if isinstance(found, UsualBlocks):
            output.write(_usual_with_comments(found, comments, done))
            continue
        block, packet = found
        done.packets += packet is not None
        if block.type == SECTION_HEADER:
            block = with_unknown_length(block)
        elif packet is not None and (comment := comments.of(packet[0])) is not None:
            commented = with_comment(block, comment)
            done.commented += commented is not None
            done.no_room += commented is None
            block = commented or block
        output.write(block.encoded())
    return done


def _usual_with_comments(run: UsualBlocks, comments: Comments, done: Annotated) -> bytes:
    """Return blocks without options, with those of their comments: the same as
    :func:`with_comment`'s."""
    data, order = run.data, run.byte_order
    size = Struct(order + "I")
    head = Struct(order + "HH")
    end = option(order, OPT_ENDOFOPT)
    parts: list[bytes] = []
    copied = position = 0
    for packet in range(run.first, run.first + run.packets):
        (length,) = size.unpack_from(data, position + 4)
        comment = comments.of(packet)
        if comment is not None:
            text = comment.encode()
            added = head.pack(OPT_COMMENT, len(text)) + text + bytes(-len(text) & 3) + end
            if length + len(added) <= MAX_BLOCK:
                grown = size.pack(length + len(added))
                body = data[position + 8 : position + length - 4]
                parts += data[copied : position + 4], grown, body, added, grown
                copied = position + length
                done.commented += 1
            else:
                done.no_room += 1
        position += length
    done.packets += run.packets
    parts.append(data[copied:])
    return b"".join(parts)


def with_unknown_length(section: Block) -> Block:
    """Return a Section Header Block that does not say how long its section is."""
    length = pack(section.byte_order + "q", SECTION_LENGTH_UNKNOWN)
    body = section.body
    return replace(
        section, body=body[: SECTION_LENGTH.start] + length + body[SECTION_LENGTH.stop :]
    )


def with_comment(block: Block, comment: str) -> Block | None:
    """Return a packet's block with one more comment, None if it has no room for one.

    The comment is put before the options that are there: these need not be read, nor be whole.
    """
    data = OPTIONS_OF_PACKETS.get(block.type)
    if data is None:
        return None
    (captured,) = unpack_from(block.byte_order + "I", block.body, 12)
    start = data + padded(captured)
    added = option(block.byte_order, OPT_COMMENT, comment.encode())
    if start >= len(block.body):
        added += option(block.byte_order, OPT_ENDOFOPT)
    body = block.body[:start] + added + block.body[start:]
    return replace(block, body=body) if len(body) + 12 <= MAX_BLOCK else None


def option(byte_order: str, code: int, value: bytes = b"") -> bytes:
    """Return an option as it lies in a block (pcapng section 3.5)."""
    padding = bytes(padded(len(value)) - len(value))
    return pack(byte_order + "HH", code, len(value)) + value + padding


def pcap_as_blocks(reader: CaptureReader) -> Iterator[tuple[Block, Packet | None]]:
    """Yield blocks that say what a pcap file does, with the packets that they hold.

    The link type, the snaplen and what a timestamp counts are the file's own.
    """
    section = pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, SECTION_LENGTH_UNKNOWN)
    application = option("<", SHB_USERAPPL, f"wireproof {__version__}".encode())
    yield _block(SECTION_HEADER, section + application + option("<", OPT_ENDOFOPT)), None
    for interface in reader.interfaces:
        yield _interface(interface), None
        ticks = interface.ticks_per_second
    for packet in reader:
        _, time_ns, _, original, data = packet
        high, low = divmod((time_ns or 0) * ticks // NANOSECONDS, 1 << 32)
        head = pack("<5I", 0, high, low, len(data), original)
        padding = bytes(padded(len(data)) - len(data))
        yield _block(ENHANCED_PACKET, head + data + padding), packet


def _interface(interface: Interface) -> Block:
    """Return an Interface Description Block (pcapng section 4.2)."""
    resolution = bytes((len(str(interface.ticks_per_second)) - 1,))  # a power of ten, in pcap
    options = option("<", IF_TSRESOL, resolution) + option("<", OPT_ENDOFOPT)
    body = pack("<HHI", interface.link_type, 0, interface.snaplen)
    return _block(INTERFACE_DESCRIPTION, body + options)


def _block(kind: int, body: bytes) -> Block:
    return Block(kind, body, "<", 0)
