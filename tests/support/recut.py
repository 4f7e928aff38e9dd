"""Captures cut anew: the same streams in other segments, sent again, out of order, or with a hole;
packets cut short, and captures that begin in the middle.

    recut(packets, pieces_of(3))    # each segment in segments of three bytes
    recut(packets, cut_at(17))      # each in two
    snapped(96)(packets)            # 96 bytes of each packet

Strategy: a packet of TCP that no tunnel has and that is whole becomes several, each with its header
and part of its payload; lengths, sequence numbers and checksums are right. Any other stays as it
is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from struct import pack_into, unpack_from

from parsers.files.packets import Packet
from parsers.net.ip import TCP, IpPacket
from parsers.net.tunnels import read_packet

from .capture_files import Blocks, option
from .damage import renumbered
from .frames import FIN, PSH, SYN
from .segments import internet_checksum

Span = tuple[int, int]
Cut = Callable[[int], Iterable[Span]]
"""Takes how many bytes a payload has; returns which of them each segment is to have."""
Way = Callable[[Sequence[Packet]], list[Packet]]
"""Takes the packets of a capture; returns those of another one."""
LARGEST = 0xFFFF
"""Bytes that no payload exceeds."""


def pieces_of(size: int) -> Cut:
    """Segments of ``size`` bytes."""
    return lambda length: [(at, min(at + size, length)) for at in range(0, length, size)]


def cut_at(place: int) -> Cut:
    """Two segments, the first one of ``place`` bytes; one if there are no more."""

    def cut(length: int) -> list[Span]:
        return list(pairwise([0, place, length])) if 0 < place < length else [(0, length)]

    return cut


def sent_again(size: int) -> Cut:
    """Segments of ``size`` bytes, each a second time after the next one."""

    def cut(length: int) -> Iterator[Span]:
        before: list[Span] = []
        for span in pieces_of(size)(length):
            yield from (span, *before)
            before = [span]
        yield from before

    return cut


def overlapping(size: int) -> Cut:
    """Segments that begin ``size`` bytes apart, and have twice as many."""
    return lambda length: [(at, min(at + 2 * size, length)) for at in range(0, length, size)]


def reordered(size: int) -> Cut:
    """Segments of ``size`` bytes, of three the last first."""

    def cut(length: int) -> Iterator[Span]:
        spans = list(pieces_of(size)(length))
        for at in range(0, len(spans), 3):
            yield from spans[at : at + 3][::-1]

    return cut


def with_holes(size: int, every: int = 5) -> Cut:
    """Segments of ``size`` bytes, but for one in ``every``."""
    return lambda length: [
        span for at, span in enumerate(pieces_of(size)(length)) if at % every != every // 2
    ]


def snapped(size: int) -> Way:
    """Packets of which the capture has the first ``size`` bytes, as a snaplen leaves them."""
    return lambda packets: [(*packet[:4], packet[4][:size]) for packet in packets]


def begun(first: int) -> Way:
    """A capture that begins later, after ``first`` packets."""
    return lambda packets: list(packets[first:])


def at_every_byte(packets: Sequence[Packet]) -> list[Packet]:
    """Return connections once for each place at which a payload of theirs can be cut in two."""
    longest = max(len(packet[4]) for packet in packets)
    return side_by_side(packets, [partial(recut, cut=cut_at(at)) for at in range(1, longest)])


def side_by_side(packets: Sequence[Packet], ways: Iterable[Way]) -> list[Packet]:
    """Return connections of IPv4 once for each way, all in one capture and each between addresses
    of its own."""
    found: list[Packet] = []
    for place, way in enumerate(ways, 1):
        moved = [(*packet[:4], _moved(packet[4], place)) for packet in packets]
        found += way(recut(moved, pieces_of(LARGEST)))
    return renumbered(found)


def _moved(frame: bytes, place: int) -> bytes:
    network = place.to_bytes(2)
    return frame[:27] + network + frame[29:31] + network + frame[33:]


def recut(packets: Sequence[Packet], cut: Cut) -> list[Packet]:
    """Return the packets with the payload of each in the segments that ``cut`` says."""
    return renumbered([one for packet in packets for one in _segments(packet, cut)])


def _segments(packet: Packet, cut: Cut) -> Iterator[Packet]:
    number, time_ns, link_type, original, data = packet
    found = read_packet(link_type, data, original)
    is_cut = isinstance(found, IpPacket) and found.protocol == TCP and found.fragment is None
    if not isinstance(found, IpPacket) or not is_cut or found.layers or len(data) != original:
        yield packet
        return
    start = found.start + (data[found.start + 12 : found.start + 13] or b"\0")[0] // 16 * 4
    length = found.end - start
    if start < found.start + 20 or length < 0:
        yield packet
        return
    for begin, end in cut(length) if length else [(0, 0)]:
        frame = _segment(data, found, start, (begin, end), is_last=end == length)
        yield number, time_ns, link_type, len(frame), frame


def _segment(data: bytes, found: IpPacket, start: int, span: Span, *, is_last: bool) -> bytes:
    """Return a frame with the bytes of ``span`` of another's payload."""
    begin, end = span
    frame = bytearray(data[:start] + data[start + begin : start + end])
    header, tcp = found.header, found.start
    flags = frame[tcp + 13]
    (seq,) = unpack_from("!I", data, tcp + 4)
    pack_into("!I", frame, tcp + 4, seq + begin + (begin > 0 and bool(flags & SYN)) & 0xFFFFFFFF)
    frame[tcp + 13] = flags & ~(SYN if begin else 0) & ~(0 if is_last else FIN | PSH)
    size = len(frame) - tcp
    if data[header] >> 4 == 4:
        pack_into("!H", frame, header + 2, len(frame) - header)
        pack_into("!H", frame, header + 10, 0)
        pack_into("!H", frame, header + 10, internet_checksum(bytes(frame[header:tcp])))
    else:
        pack_into("!H", frame, header + 4, len(frame) - header - 40)
    pseudo = found.source + found.destination + size.to_bytes(4) + bytes((0, 0, 0, TCP))
    pack_into("!H", frame, tcp + 16, 0)
    pack_into("!H", frame, tcp + 16, internet_checksum(pseudo + bytes(frame[tcp:])))
    return bytes(frame)


def file_of(packets: Sequence[Packet]) -> bytes:
    """Return a pcapng file of packets of any link types."""
    blocks = Blocks()
    types = sorted({packet[2] for packet in packets})
    nanoseconds = option(9, b"\x09") + option(0, b"")
    found = [blocks.section(), *(blocks.interface(one, 262_144, nanoseconds) for one in types)]
    for _, time_ns, link_type, original, data in packets:
        index = types.index(link_type)
        found.append(
            blocks.enhanced((time_ns or 0) % (1 << 64), data, interface=index, original=original)
        )
    return b"".join(found)
