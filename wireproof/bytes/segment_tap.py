"""A tap that also knows the packets that carried each byte, and where in their frames.

Strategy: nearly every packet did nothing but carry the next bytes: of these the decoder's own map
tells which, each a run of its own (:class:`~.trail.Trail`). Any other is one that the
decoder sends through its general path: it is shown as it comes, and placed in its stream by its
sequence number, sent again or not. A fragment is placed once TCP's header has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace
from parsers import (
    ACK,
    SYN,
    TCP,
    TCP_HEADER,
    Choice,
    Direction,
    Fragment,
    IpPacket,
    Packet,
    PacketDecoder,
    Segment,
    packets_inside,
    read_packet,
    read_segment,
    realm,
)
from parsers.diagnostics import Diagnostic
from parsers.limits import MAX_FRAGMENTED_PACKETS
from parsers.records import FIRST_QUIC_CONNECTION, Record
from parsers.wants import EVERYTHING, Wants

from .dissection import ElementStream
from .stream_tap import Pair, StreamTap
from .trail import Trail

UDP, UDP_HEADER_SIZE = 17, 8
UNIT = 8
"""Fragments begin at multiples of it (RFC 791 section 3.1)."""
HEADER_UNITS = -(-TCP_HEADER.size // UNIT)
LINK_HEADER = 14
"""Bytes by which frames that are no IP packets are told apart: Ethernet's header."""


class Placed(NamedTuple):
    """A payload of TCP that took the general path, in its stream and in its frame."""

    start: int
    end: int
    """In its sender's stream."""
    packet: int
    frame_start: int


class TracedStream(ElementStream):
    """A stream, and which packet brought which of its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.trail = Trail()


T = TypeVar("T", bound=TracedStream)


class _ObservedDecoder(PacketDecoder):
    """Shows each packet that is not usual, when it has been decoded."""

    def __init__(self, observe: Callable[[Packet], None], **options: Any) -> None:
        super().__init__(**options)
        self._observe = observe

    def receive_unusual_segment(self, packet: Packet, end: int) -> list[Record]:
        records = super().receive_unusual_segment(packet, end)
        self._observe(packet)
        return records

    def receive_general(self, packet: Packet) -> list[Record]:
        records = super().receive_general(packet)
        self._observe(packet)
        return records


class Part(NamedTuple):
    """A fragment, and where it is."""

    number: int
    frame_start: int
    start: int
    """In the payload of its IP packet."""
    data: bytes


class _Datagram:
    """The fragments of one IP packet, as far as they have come."""

    def __init__(self, protocol: int) -> None:
        self.key: bytes | None = None
        """Of its connection, once TCP's header has come."""
        self.seq = 0
        self.is_whole = False
        self._header = UDP_HEADER_SIZE if protocol == UDP else 0
        self._parts: list[Part] = []
        """Those that have not been placed."""
        self._present = bytearray()
        """A flag for each unit that has come."""
        self._units: int | None = None
        """How many there are, known from the last fragment."""

    def add(self, part: Part, found: IpPacket, *, more: bool) -> None:
        self._parts.append(part)
        first = part.start // UNIT
        last = first + -(-len(part.data) // UNIT)
        self._present += bytes(max(last - len(self._present), 0))
        self._present[first:last] = b"\1" * (last - first)
        if not more:
            self._units = last
        self.is_whole = self._units is not None and self._present.count(1) >= self._units
        has_header = self._present[:HEADER_UNITS].count(1) == HEADER_UNITS
        if self.key is None and found.protocol == TCP and has_header:
            self._read_header(found)

    def _read_header(self, found: IpPacket) -> None:
        head = bytearray(TCP_HEADER.size)
        for _, _, start, data in reversed(self._parts):  # of what came twice the first counts
            head[start : start + len(data)] = data[: max(len(head) - start, 0)]
        ports, seq, _, flags, *_ = TCP_HEADER.unpack_from(head)
        self.key = found.source + found.destination + ports + realm(found.layers)
        self.seq = seq
        self._header = flags >> 12 << 2

    def runs(self) -> Iterator[tuple[int, bytes, list[Part]]]:
        """Yield what has not been placed, without a header: each run of bytes without a hole, its
        place, and the fragments that have some of it."""
        parts: list[Part] = []
        run, start = bytearray(), self._header
        for part in sorted(self._parts, key=itemgetter(2)):
            if part.start > start + len(run):
                if run:
                    yield start, bytes(run), parts
                run, start, parts = bytearray(), part.start, []
            run += part.data[start + len(run) - part.start :]
            parts.append(part)
        if run:
            yield start, bytes(run), parts

    def whole(self, found: IpPacket) -> tuple[bytes, IpPacket]:
        """Return what all fragments make, and the packet that it is, of which ``found`` is one."""
        size = max(part.start + len(part.data) for part in self._parts)
        data = bytearray(size)
        for _, _, start, piece in reversed(self._parts):  # of what came twice the first counts
            data[start : start + len(piece)] = piece
        packet = replace(found, start=0, end=size, length=size, fragment=None, header=0)
        return bytes(data), packet

    def placed_at(self, begin: int, end: int, start: int) -> Iterator[tuple[Placed, bytes]]:
        """Yield where fragments hold [begin, end) of what they make, which are of a stream, there
        from ``start`` on."""
        for number, frame_start, offset, data in self._parts:
            first, last = max(begin, offset), min(end, offset + len(data))
            if first < last:
                at = start + first - begin
                where = Placed(at, at + last - first, number, frame_start + first - offset)
                yield where, data[first - offset : last - offset]

    def take_placed(self, start: int) -> list[tuple[Placed, bytes]]:
        """Return where fragments lie that have not been placed; ``start`` is the segment's."""
        taken, self._parts = self._parts, []
        found: list[tuple[Placed, bytes]] = []
        for number, frame_start, offset, data in taken:
            header = max(self._header - offset, 0)  # what of the header is in this fragment
            begin = start + offset + header - self._header
            if payload := data[header:]:
                where = Placed(begin, begin + len(payload), number, frame_start + header)
                found.append((where, payload))
        return found


class SegmentTap(StreamTap[T]):
    """Decodes a capture, and says where payloads lie that the streams' trails do not tell of."""

    def __init__(
        self,
        make: Callable[[], T],
        *,
        keep_data: bool = True,
        wanted: Choice | None = None,
        wants: Wants = EVERYTHING,
        shows_records: bool = False,
    ) -> None:
        self.fragmented: set[int] = set()
        """The numbers of packets that are fragments of others: no run tells where they lie."""
        self._datagrams: dict[tuple[bytes, ...], _Datagram] = {}
        super().__init__(
            make,
            keep_data=keep_data,
            wanted=wanted,
            wants=wants,
            shows_records=shows_records,
            decoder=partial(_ObservedDecoder, self._place),
            opened=_keep_trails,
        )

    # --- for those who derive from this ---

    def placed(self, stream: T, placed: Placed, payload: bytes) -> None:
        """Take note of where a payload lies that took the general path; it may have come before."""

    def stray(self, number: int, flow: bytes, payload: bytes, frame_start: int) -> None:
        """Take a payload that belongs to no open connection, or not to its stream.

        That is also what is not of TCP, nor of a connection of QUIC, and what is no IP packet.
        ``flow`` is the same for payloads that may go on in one another.
        """

    def fragment(self, number: int, data: bytes, frame_start: int) -> None:
        """Take a fragment by itself."""

    def reassembled(self, start: int, data: bytes, parts: Sequence[Part]) -> None:
        """Take what fragments make that are of no stream, without the header of UDP: bytes that
        follow one another, from ``start`` of their IP packet on."""

    def datagram(self, number: int, protocol: int, ports: bytes, payload: bytes) -> None:
        """Take note of what IP carries that is neither of TCP nor of a connection of QUIC;
        ``ports`` are those of UDP."""

    def unread(self, number: int, data: bytes) -> None:
        """Take note of a frame in which no IP packet can be read."""

    def beside(self, number: int, data: bytes, frame_start: int) -> None:
        """Take what a frame holds before its payload, or after it."""

    # --- what the decoder shows ---

    def _place(self, packet: Packet) -> None:
        """Say where a payload lies in its stream and in its frame, now that it was decoded."""
        found = ip_packet(packet)
        number, time_ns, _, _, data = packet
        if found is None:
            self.unread(number, data)
            self.stray(number, data[:LINK_HEADER], data[LINK_HEADER:], LINK_HEADER)
            self.beside(number, data, 0)
            return
        start = found.start
        self.beside(number, data[:start], 0)
        self.beside(number, data[found.end :], found.end)
        if found.fragment is not None:
            self.fragment(number, data[start : found.end], start)
            part = Part(number, start, found.fragment.offset, data[start : found.end])
            self._place_fragment(part, found, found.fragment)
            return
        ends = found.source + found.destination
        if found.protocol != TCP:
            start += UDP_HEADER_SIZE if found.protocol == UDP else 0
            ports = data[found.start : found.start + 4] if found.protocol == UDP else b""
            connection = self.decoder.connection_of(ends + ports + realm(found.layers))
            if ports and connection is not None and connection >= FIRST_QUIC_CONNECTION:
                return  # it is encrypted
            payload = data[start : found.end]
            self.datagram(number, found.protocol, ports, payload)
            self.stray(number, ends + ports, payload, start)
            return
        read = read_segment(
            found.source, found.destination, data[start : found.end], found.length, number,
            time_ns or 0,
        )  # fmt: skip
        if isinstance(read, Diagnostic):
            self.stray(number, ends, data[start : found.end], start)
            return
        ports, segment = read
        self.beside(number, data[start : found.end - len(segment.payload)], start)
        if segment.payload:
            key = found.source + found.destination + ports
            self._place_segment(
                key + realm(found.layers), segment, found.end - len(segment.payload)
            )

    def _place_segment(self, key: bytes, segment: Segment, frame_start: int) -> None:
        found = self._direction(key)
        if found is None:
            self.stray(segment.number, key, segment.payload, frame_start)
            return
        stream, direction = found
        if direction.next_seq is None:
            return
        start = direction.offset_of(segment.seq + bool(segment.flags & SYN) & 0xFFFFFFFF)
        placed = Placed(start, start + len(segment.payload), segment.number, frame_start)
        fin = direction.fin_offset
        if not segment.flags & (ACK | SYN) or (fin is not None and placed.end > fin):
            self.stray(segment.number, key, segment.payload, frame_start)  # not of the stream
        self.placed(stream, placed, segment.payload)

    def _direction(self, key: bytes) -> tuple[T, Direction[Record]] | None:
        """Return the stream of a packet with this key, None if its connection is not open."""
        index = self.decoder.connection_of(key)
        pair = None if index is None else self.pairs.get(index)
        if pair is None or pair.connection.is_over:
            return None
        if key == pair.connection.key + pair.connection.realm:
            return pair.streams[0], pair.connection.first
        return pair.streams[1], pair.connection.second

    def _place_fragment(self, part: Part, found: IpPacket, fragment: Fragment) -> None:
        """Say where a fragment of a segment lies, once TCP's header has come."""
        self.fragmented.add(part.number)
        datagram = self._datagrams.get(fragment.key)
        if datagram is None:
            datagram = self._datagrams[fragment.key] = _Datagram(found.protocol)
        datagram.add(part, found, more=fragment.more)
        known = None if datagram.key is None else self._direction(datagram.key)
        if known is not None and known[1].next_seq is not None:
            start = known[1].offset_of(datagram.seq)
            for placed, payload in datagram.take_placed(start):
                self.placed(known[0], placed, payload)
        if datagram.is_whole:
            if found.protocol != TCP:
                self._place_tunnelled(part.number, datagram, found)
            self._take_rest(fragment.key)
        elif len(self._datagrams) > MAX_FRAGMENTED_PACKETS:
            self._take_rest(next(iter(self._datagrams)))

    def _place_tunnelled(self, number: int, datagram: _Datagram, found: IpPacket) -> None:
        """Say where a segment lies whose tunnel came in fragments."""
        data, whole = datagram.whole(found)
        *_, inner = packets_inside(data, whole)
        if isinstance(inner, Diagnostic) or inner.protocol != TCP or inner.fragment is not None:
            return
        source, destination = inner.source, inner.destination
        held = data[inner.start : inner.end]
        read = read_segment(source, destination, held, inner.length, number, 0)
        if isinstance(read, Diagnostic):
            return
        ports, segment = read
        known = self._direction(source + destination + ports + realm(inner.layers))
        if known is not None and known[1].next_seq is not None:
            start = known[1].offset_of(segment.seq + bool(segment.flags & SYN) & 0xFFFFFFFF)
            begin = inner.end - len(segment.payload)
            for placed, payload in datagram.placed_at(begin, inner.end, start):
                self.placed(known[0], placed, payload)

    def _take_rest(self, key: tuple[bytes, ...]) -> None:
        """Show what has not been placed of an IP packet that is whole, or given up."""
        for start, data, parts in self._datagrams.pop(key).runs():
            self.reassembled(start, data, parts)

    def endings(self) -> Iterator[list[Record]]:
        for key in list(self._datagrams):
            self._take_rest(key)
        return super().endings()


def _keep_trails(pair: Pair[T]) -> None:
    first, second = pair.streams
    pair.connection.first.origins, pair.connection.second.origins = first.trail, second.trail


def ip_packet(packet: Packet) -> IpPacket | None:
    """Return the IP packet in a frame, None if there is none that can be read."""
    _, _, link_type, original_length, data = packet
    found = read_packet(link_type, data, original_length)
    return found if isinstance(found, IpPacket) else None


def payload_start(data: bytes, found: IpPacket) -> int:
    """Return where in a frame the payload of its TCP segment begins (RFC 9293 section 3.1)."""
    return found.start + (data[found.start + 12] >> 4 << 2)
