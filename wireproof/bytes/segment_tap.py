"""A tap that also knows the packets that carried each byte, and where in their frames.

Strategy: nearly every packet did nothing but carry the next bytes: of these the decoder's own map
tells which, each a run of its own (:class:`~.trail.Trail`). Any other is one that the
decoder sends through its general path: it is shown as it comes, and placed in its stream by its
sequence number, sent again or not. A fragment is placed once TCP's header has come.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

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


class _Datagram:
    """The fragments of one IP packet that holds a TCP segment, as far as they have come."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        """Of its connection, once the fragment that holds TCP's header has come."""
        self.seq = 0
        self._header = 0
        self._fragments: list[tuple[int, int, int, bytes]] = []
        """Packet, place in the frame, offset and bytes of those that have not been placed."""
        self._size = 0
        self._length: int | None = None

    @property
    def is_whole(self) -> bool:
        return self._length is not None and self._size >= self._length

    def add(self, number: int, found: IpPacket, fragment: Fragment, data: bytes) -> None:
        self._fragments.append((number, found.start, fragment.offset, data))
        self._size += len(data)
        if not fragment.more:
            self._length = fragment.offset + len(data)
        if not fragment.offset and found.protocol == TCP and len(data) >= TCP_HEADER.size:
            ports, seq, _, flags, *_ = TCP_HEADER.unpack_from(data)
            self.key = found.source + found.destination + ports + realm(found.layers)
            self.seq = seq
            self._header = flags >> 12 << 2

    def late(self) -> list[tuple[int, int, bytes]]:
        """Return the packets, places and bytes of what has not been placed, put in order; nothing
        if it came in order."""
        found = sorted(self._fragments, key=itemgetter(2))
        if found == self._fragments:
            return []
        return [(number, frame_start, data) for number, frame_start, _, data in found]

    def take_placed(self, start: int) -> list[tuple[Placed, bytes]]:
        """Return where fragments lie that have not been placed; ``start`` is the segment's."""
        taken, self._fragments = self._fragments, []
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

        That is also what is not of TCP, nor of a connection of QUIC, what is no IP packet, and what
        is a fragment. ``flow`` is the same for payloads that may go on in one another.
        """

    def reassembled(self, fragments: list[tuple[int, int, bytes]]) -> None:
        """Take an IP packet of no stream whose fragments did not come in order: the packets, places
        in their frames and bytes of these, put in order. Each has been a stray payload already."""

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
            self.stray(number, b"".join(found.fragment.key), data[start : found.end], start)
            self._place_fragment(number, found, found.fragment, data[start : found.end])
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

    def _place_fragment(
        self, number: int, found: IpPacket, fragment: Fragment, data: bytes
    ) -> None:
        """Say where a fragment of a segment lies, once the fragment with the header has come."""
        self.fragmented.add(number)
        datagram = self._datagrams.setdefault(fragment.key, _Datagram())
        datagram.add(number, found, fragment, data)
        known = None if datagram.key is None else self._direction(datagram.key)
        if known is not None and known[1].next_seq is not None:
            start = known[1].offset_of(datagram.seq)
            for placed, payload in datagram.take_placed(start):
                self.placed(known[0], placed, payload)
        if datagram.is_whole and (late := datagram.late()):
            self.reassembled(late)
        if datagram.is_whole or len(self._datagrams) > MAX_FRAGMENTED_PACKETS:
            del self._datagrams[fragment.key if datagram.is_whole else next(iter(self._datagrams))]


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
