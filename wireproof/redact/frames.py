"""Secrets in the packets that carried them: which bytes of which frame are masked.

    masks = FrameMasks("all")
    masks.add(packets)              # in order, in batches of any size
    masks.end()
    masks.masked(packet)            # the frame without its secrets, its checksum right

Strategy: what a side's stream finds secret (:mod:`.streams`) is looked up among the packets that
carried those bytes. Nearly all did nothing but carry the next ones: of these the decoder's own map
tells which. Any other, those that the decoder sends through its general path, is placed in its
stream by its sequence number. One that comes again is looked up among the masks that are known by
then, and looked at by itself, as it may hold something else. So are packets of no open connection.

What is kept: the masks, and the places of what waits. Frames may be asked for at any time, in any
order; a mask may still come for as long as its element is unfinished.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from struct import pack_into
from typing import Any, NamedTuple

from parsers.decode.packets import PacketDecoder
from parsers.diagnostics import Diagnostic
from parsers.files.packets import Packet
from parsers.limits import MAX_FRAGMENTED_PACKETS
from parsers.net.ip import Fragment, IpPacket
from parsers.net.segment import HEADER, SYN, Segment, read_segment
from parsers.net.tcp import Direction
from parsers.net.tunnels import read_packet, realm
from parsers.records import ConnectionRecord, GapRecord, Record, SseEventRecord

from ..bytes.packet_index import Trail
from ..bytes.stream_tap import Pair, StreamTap
from .secrets import Policy, Report, find, merged
from .streams import STAR, START, Mask, MaskStream, field_line_spans

TCP, UDP = 6, 17
CHECKSUM = {TCP: 16, UDP: 6}
"""Where in its header a protocol has its checksum (RFC 9293 section 3.1, RFC 768)."""


class Patch(NamedTuple):
    """What takes the place of as many bytes of a frame."""

    start: int
    """In the frame, from 0."""
    data: bytes


class Placed(NamedTuple):
    """A payload of TCP that took the general path, in its stream and in its frame."""

    start: int
    end: int
    """In its sender's stream."""
    packet: int
    frame_start: int


class _PlacedStream(MaskStream):
    """A stream, and what may still get a mask."""

    def __init__(self, policy: Policy, report: Report) -> None:
        super().__init__(policy, report)
        self.trail = Trail()
        self.placed: list[Placed] = []
        self.masks: list[Mask] = []
        """Those that have been looked up, in order: for what comes again."""


class _ObservedDecoder(PacketDecoder):
    """Shows each packet that takes the general path, when it has been decoded."""

    def __init__(self, observe: Callable[[Packet], None], **options: Any) -> None:
        super().__init__(**options)
        self._observe = observe

    def receive_general(self, packet: Packet) -> list[Record]:
        records = super().receive_general(packet)
        self._observe(packet)
        return records


class Datagram:
    """The fragments of one IP packet that holds a TCP segment, as far as they have come."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        """Of its connection, once the fragment that holds TCP's header has come."""
        self.seq = 0
        self._header = 0
        self._fragments: list[tuple[int, int, int, int]] = []
        """Packet, place in the frame, offset and length of those that have not been placed."""
        self._size = 0
        self._length: int | None = None

    @property
    def is_whole(self) -> bool:
        return self._length is not None and self._size >= self._length

    def add(self, number: int, found: IpPacket, fragment: Fragment, data: bytes) -> None:
        self._fragments.append((number, found.start, fragment.offset, len(data)))
        self._size += len(data)
        if not fragment.more:
            self._length = fragment.offset + len(data)
        if not fragment.offset and found.protocol == TCP and len(data) >= HEADER.size:
            ports, seq, _, flags, _, _ = HEADER.unpack_from(data)
            self.key = found.source + found.destination + ports + realm(found.layers)
            self.seq = seq
            self._header = flags >> 12 << 2

    def take_placed(self, start: int) -> list[Placed]:
        """Return where fragments lie that have not been placed; ``start`` is the segment's."""
        taken, self._fragments = self._fragments, []
        found: list[Placed] = []
        for number, frame_start, offset, length in taken:
            header = max(self._header - offset, 0)  # what of the header is in this fragment
            begin = start + offset + header - self._header
            if header < length:
                end = begin + length - header
                found.append(Placed(begin, end, number, frame_start + header))
        return found


class FrameMasks:
    """The masks of a capture's frames."""

    def __init__(self, policy: Policy = "headers") -> None:
        self.report = Report()
        self.policy: Policy = policy
        self._patches: dict[int, list[Patch]] = {}
        self._masks: dict[int, list[Patch]] = {}
        """Of packets whose payload's place in the frame has not been looked up: in the payload."""
        self._datagrams: dict[tuple[bytes, ...], Datagram] = {}
        self._fragmented: set[int] = set()
        """The numbers of packets that are fragments of others."""
        self._tap: StreamTap[_PlacedStream] = StreamTap(
            lambda: _PlacedStream(policy, self.report),
            keep_data=policy == "all",
            decoder=partial(_ObservedDecoder, self._place),
            opened=_keep_trails,
        )

    def add(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        if self.policy != "none":
            self._learn(self._tap.receive(packets))

    def end(self) -> None:
        """Take note that no packet follows: what is unfinished is looked at."""
        if self.policy != "none":
            self._learn(self._tap.finish())

    @property
    def changed(self) -> set[int]:
        """The numbers of the packets that hold something secret."""
        return self._patches.keys() | self._masks.keys()

    def masked(self, packet: Packet) -> bytes:
        """Return a packet's bytes without its secrets, its checksum set right."""
        patches = self._patches.get(packet[0], [])
        masks = self._masks.get(packet[0], [])
        if not patches and not masks:
            return packet[4]
        frame = bytearray(packet[4])
        found = ip_packet(packet)
        if masks:
            assert found is not None
            base = payload_start(packet[4], found)
            patches = patches + [Patch(base + start, data) for start, data in masks]
        for start, replacement in patches:
            frame[start : start + len(replacement)] = replacement
        if found is not None:
            _set_checksum(frame, found)
        return bytes(frame)

    # --- what the decoder tells ---

    def _place(self, packet: Packet) -> None:
        """Say where a payload lies in its stream and in its frame, now that it was decoded."""
        found = ip_packet(packet)
        if found is None:
            return
        number, time_ns, _, _, data = packet
        start = found.start
        if found.fragment is not None:
            self._stray(number, data[start:], start)
            self._place_fragment(number, found, found.fragment, data[start : found.end])
            return
        if found.protocol != TCP:
            self._stray(number, data[start:], start)
            return
        read = read_segment(
            found.source, found.destination, data[start : found.end], found.length, number,
            time_ns or 0,
        )  # fmt: skip
        if isinstance(read, Diagnostic):
            self._stray(number, data[start:], start)
            return
        ports, segment = read
        if segment.payload:
            key = found.source + found.destination + ports
            self._place_segment(key + realm(found.layers), segment, found.end - len(segment.payload))

    def _place_segment(self, key: bytes, segment: Segment, frame_start: int) -> None:
        found = self._direction(key)
        if found is None:
            self._stray(segment.number, segment.payload, frame_start)
            return
        stream, direction = found
        if direction.next_seq is None:
            return
        start = direction.offset_of(segment.seq + bool(segment.flags & SYN) & 0xFFFFFFFF)
        placed = Placed(start, start + len(segment.payload), segment.number, frame_start)
        if self._keep(stream, placed):
            self._stray(segment.number, segment.payload, frame_start)

    def _direction(self, key: bytes) -> tuple[_PlacedStream, Direction[Record]] | None:
        """Return the stream of a packet with this key, None if its connection is not open."""
        index = self._tap.decoder.connection_of(key)
        pair = None if index is None else self._tap.pairs.get(index)
        if pair is None or pair.connection.is_over:
            return None
        if key == pair.connection.key + pair.connection.realm:
            return pair.streams[0], pair.connection.first
        return pair.streams[1], pair.connection.second

    def _keep(self, stream: _PlacedStream, placed: Placed) -> bool:
        """Let a payload wait for its masks; return whether its bytes had come before.

        Then something else may stand in their place.
        """
        is_again = placed.start < stream.done
        if is_again:
            self._patch_placed(placed, stream.masks)
        if placed.end > stream.settled:
            stream.placed.append(placed)
        return is_again

    def _place_fragment(
        self, number: int, found: IpPacket, fragment: Fragment, data: bytes
    ) -> None:
        """Say where a fragment of a segment lies, once the fragment with the header has come."""
        self._fragmented.add(number)
        datagram = self._datagrams.setdefault(fragment.key, Datagram())
        datagram.add(number, found, fragment, data)
        known = None if datagram.key is None else self._direction(datagram.key)
        if known is not None and known[1].next_seq is not None:
            start = known[1].offset_of(datagram.seq)
            for placed in datagram.take_placed(start):
                self._keep(known[0], placed)
        if datagram.is_whole or len(self._datagrams) > MAX_FRAGMENTED_PACKETS:
            del self._datagrams[fragment.key if datagram.is_whole else next(iter(self._datagrams))]

    def _stray(self, number: int, payload: bytes, frame_start: int) -> None:
        """Look at a payload by itself."""
        text = payload.decode("latin-1")
        spans = list(field_line_spans(text, self.policy))
        if self.policy == "all":
            spans += find(text)
        for start, end in merged(spans):
            self._patch(number, frame_start + start, STAR * (end - start))

    # --- what records tell ---

    def _learn(self, records: list[Record]) -> None:
        touched: set[int] = set()
        tell = self._tap.tell
        for record in records:
            kind = type(record)
            if kind is SseEventRecord or kind is GapRecord:
                continue  # what they lie in tells as much
            index = record.connection
            if isinstance(record, ConnectionRecord):
                touched.discard(record.connection)
                self._look_up(self._tap.pairs.pop(record.connection), is_end=True)
            elif index is not None and tell(record) is not None:
                touched.add(index)
        for index in touched:
            self._look_up(self._tap.pairs[index], is_end=False)

    def _look_up(self, pair: Pair[_PlacedStream], *, is_end: bool) -> None:
        """Turn what the streams of a connection found by now into patches."""
        for stream in pair.streams:
            stream.hand_on(is_end=is_end)
            if is_end:
                stream.end()
            masks = stream.take_masks()
            settled = stream.done if is_end else stream.settled
            if masks:
                self._patch_usual(stream, masks)
                for placed in stream.placed:
                    self._patch_placed(placed, masks)
                stream.masks = sorted(stream.masks + masks, key=START)
            if stream.placed:
                stream.placed = [one for one in stream.placed if one.end > settled]
            stream.trail.forget(settled)

    # --- patches ---

    def _patch_usual(self, stream: _PlacedStream, masks: list[Mask]) -> None:
        """Mask the packets that did nothing but carry the next bytes: each is a run of its own."""
        others = {placed.packet for placed in stream.placed}
        for mask in masks:
            for begin, upto, packet in stream.trail.runs(mask.start, mask.end):
                if packet not in others and packet not in self._fragmented:
                    start, end = max(mask.start, begin), min(mask.end, upto)
                    patch = Patch(start - begin, mask.part(start, end))
                    self._masks.setdefault(packet, []).append(patch)

    def _patch_placed(self, placed: Placed, masks: list[Mask]) -> None:
        first = max(bisect_right(masks, placed.start, key=START) - 1, 0)
        for index in range(first, len(masks)):
            mask = masks[index]
            if mask.start >= placed.end:
                return
            start, end = max(mask.start, placed.start), min(mask.end, placed.end)
            if start < end:
                place = placed.frame_start + start - placed.start
                self._patch(placed.packet, place, mask.part(start, end))

    def _patch(self, number: int, start: int, data: bytes) -> None:
        self._patches.setdefault(number, []).append(Patch(start, data))


def _keep_trails(pair: Pair[_PlacedStream]) -> None:
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


def _set_checksum(frame: bytearray, found: IpPacket) -> None:
    """Set the checksum of a segment or datagram that was captured whole."""
    place = CHECKSUM.get(found.protocol)
    if place is None or found.fragment is not None or found.end - found.start != found.length:
        return
    if found.length < place + 2:
        return
    pack_into("!H", frame, found.start + place, 0)
    # RFC 1071: a number is congruent to the sum of its 16-bit words. The pseudo-header is that of
    # IPv6 (RFC 8200 section 8.1); IPv4's (RFC 9293 section 3.1) has the same sum.
    pseudo = found.source + found.destination + found.length.to_bytes(4, "big")
    segment = bytes(frame[found.start : found.end])
    segment += b"\0" * (len(segment) % 2)
    total = int.from_bytes(pseudo + bytes((0, 0, 0, found.protocol)) + segment, "big") % 0xFFFF
    checksum = 0xFFFF - total
    if found.protocol == UDP and checksum == 0:
        checksum = 0xFFFF
    pack_into("!H", frame, found.start + place, checksum)
