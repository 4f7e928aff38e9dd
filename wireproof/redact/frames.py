"""Secrets in the packets that carried them: which bytes of which frame are masked.

    masks = FrameMasks("all")
    masks.add(packets)              # in order, in batches of any size
    masks.finish()
    masks.masked(packet)            # the frame without its secrets, its checksum right

Strategy: every packet goes to two followers of TCP. One is the decoder, whose records tell what
the bytes are; the other puts each direction's bytes in order for a :class:`~.streams.Stream`, and
notes which frame carries which of them. What the stream finds secret is looked up there. A segment
that comes again is looked up among the masks that are known by then. Of packets that belong to no
open connection the payload is looked at by itself.

What is kept: the masks, and the places of segments that wait. Frames may be asked for at any time,
in any order; a mask may still come for as long as its element is unfinished.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from struct import pack_into
from typing import NamedTuple

from parsers.connections import ConnectionTable
from parsers.decode import PacketDecoder
from parsers.diagnostics import Diagnostic
from parsers.ip import IpPacket, read_ip
from parsers.link import network_offset
from parsers.packets import Packet
from parsers.records import ConnectionRecord, Record, ResponseRecord
from parsers.tcp import SYN, Connection, Direction

from ..selection import transport_of
from .secrets import Policy, Report, find, merged
from .streams import STAR, Mask, Stream, field_line_spans

TCP, UDP = 6, 17
CHECKSUM = {TCP: 16, UDP: 6}
"""Where in its header a protocol has its checksum (RFC 9293 section 3.1, RFC 768)."""
MAX_UNRESOLVED = 4_096
"""Packets of a connection that are remembered until a record tells which side is the client."""
START = attrgetter("start")


class Patch(NamedTuple):
    """What takes the place of as many bytes of a frame."""

    start: int
    """In the frame, from 0."""
    data: bytes


class _Segment(NamedTuple):
    start: int
    end: int
    """In its direction's stream."""
    packet: int
    frame_start: int


@dataclass(slots=True)
class _Side:
    """A direction's stream, and the segments that may still get a mask."""

    stream: Stream
    segments: list[_Segment] = field(default_factory=list)
    patched: int = 0
    """How many of the stream's masks have been looked up."""


@dataclass(slots=True)
class _Pair:
    """Both sides of a connection."""

    sides: dict[Direction, _Side]
    senders: dict[str, _Side] = field(default_factory=dict)
    carriers: dict[int, _Side] = field(default_factory=dict)
    """Which side sent a packet, until it is known which side is the client."""


class FrameMasks:
    """The masks of a capture's frames."""

    def __init__(self, policy: Policy = "headers") -> None:
        self.policy: Policy = policy
        self.report = Report()
        self._patches: dict[int, list[Patch]] = {}
        self._decoder = PacketDecoder()
        self._table = ConnectionTable(self._open, lambda _: [])
        self._pairs: dict[int, _Pair] = {}

    def add(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        if self.policy == "none":
            return
        for packet in packets:
            self._follow(packet)
        self._learn(self._decoder.receive(packets))

    def finish(self) -> None:
        """Take note that no packet follows: what is unfinished is looked at."""
        if self.policy == "none":
            return
        self._learn(self._decoder.finish())
        for index in list(self._pairs):
            self._end(index)

    def of(self, number: int) -> list[Patch]:
        """Return the patches of the packet of this number; empty if nothing in it is secret."""
        return self._patches.get(number, [])

    def masked(self, packet: Packet) -> bytes:
        """Return a packet's bytes without its secrets, its checksum set right."""
        number, _, link_type, original_length, data = packet
        patches = self._patches.get(number)
        if not patches:
            return data
        frame = bytearray(data)
        for start, replacement in patches:
            frame[start : start + len(replacement)] = replacement
        found = _ip_packet(link_type, data, original_length)
        if found is not None:
            _set_checksum(frame, found)
        return bytes(frame)

    # --- following TCP ---

    def _open(self, connection: Connection) -> None:
        sides = {}
        for direction in (connection.first, connection.second):
            stream = Stream(self.policy, self.report)
            direction.receiver = stream
            sides[direction] = _Side(stream)
        self._pairs[connection.index] = _Pair(sides)

    def _follow(self, packet: Packet) -> None:
        number, time_ns, link_type, original_length, data = packet
        found = _ip_packet(link_type, data, original_length)
        if found is None:
            return
        if found.protocol != TCP or found.fragment is not None or found.end - found.start < 20:
            self._look_at_payload(number, data, found.start)
            return
        start = found.start
        flags = int.from_bytes(data[start + 12 : start + 14], "big")
        header = flags >> 12 << 2
        if not 20 <= header <= found.length:
            return
        payload = data[start + header : found.end]
        missing = found.length - max(found.end - start, header)
        seq, ack = (int.from_bytes(data[start + at : start + at + 4], "big") for at in (4, 8))
        key = found.source + found.destination + data[start : start + 4]
        self._table.receive(
            key, seq, ack, flags & 0x1FF, payload, missing, number, time_ns or 0
        )  # fmt: skip
        if payload:
            self._place(key, seq + bool(flags & SYN), number, start + header, payload)

    def _place(self, key: bytes, seq: int, number: int, frame_start: int, payload: bytes) -> None:
        """Note where a segment lies in its stream, now that it was taken."""
        direction = self._table.directions.get(key)
        pair = None if direction is None else self._pairs.get(direction.connection.index)
        if direction is None or pair is None or direction.connection.is_over:
            self._look_at(number, payload, frame_start)
            return
        if direction.next_seq is None:
            return
        side = pair.sides[direction]
        start = direction.offset_of(seq & 0xFFFFFFFF)
        segment = _Segment(start, start + len(payload), number, frame_start)
        if start < side.stream.done:  # sent again, or perhaps something else in its place
            self._patch_segment(segment, side.stream.masks)
            self._look_at(number, payload, frame_start)
        if segment.end > side.stream.done:
            side.segments.append(segment)
        if len(pair.senders) < 2 and len(pair.carriers) < MAX_UNRESOLVED:
            pair.carriers[number] = side

    # --- what records tell ---

    def _learn(self, records: list[Record]) -> None:
        touched: dict[int, _Pair] = {}
        for record in records:
            index = record.connection
            pair = None if index is None else self._pairs.get(index)
            if index is None or pair is None:
                continue
            if isinstance(record, ConnectionRecord):
                touched.pop(index, None)
                self._end(index)
                continue
            touched[index] = pair
            side = _sender(pair, record)
            if side is not None:
                side.stream.take(record)
            if isinstance(record, ResponseRecord) and transport_of(record) == "websocket":
                for either in pair.sides.values():
                    either.stream.switch_to_websocket()
        for pair in touched.values():
            self._look_up(pair, is_end=False)

    def _end(self, index: int) -> None:
        self._look_up(self._pairs.pop(index), is_end=True)

    def _look_up(self, pair: _Pair, *, is_end: bool) -> None:
        """Turn what the streams found by now into patches."""
        for side in pair.sides.values():
            side.stream.look_at_rest(is_end=is_end)
            masks = side.stream.masks[side.patched :]
            side.patched = len(side.stream.masks)
            waiting = []
            for segment in side.segments:
                self._patch_segment(segment, masks)
                if segment.end > side.stream.done:
                    waiting.append(segment)
            side.segments = waiting

    # --- patches ---

    def _patch_segment(self, segment: _Segment, masks: list[Mask]) -> None:
        first = max(bisect_right(masks, segment.start, key=START) - 1, 0)
        for mask in masks[first:]:
            if mask.start >= segment.end:
                return
            start, end = max(mask.start, segment.start), min(mask.end, segment.end)
            if start < end:
                data = (
                    STAR * (end - start)
                    if mask.data is None
                    else mask.data[start - mask.start : end - mask.start]
                )
                self._add(segment.packet, segment.frame_start + start - segment.start, data)

    def _look_at_payload(self, number: int, data: bytes, start: int) -> None:
        self._look_at(number, data[start:], start)

    def _look_at(self, number: int, payload: bytes, frame_start: int) -> None:
        """Look at a payload by itself."""
        text = payload.decode("latin-1")
        spans = list(field_line_spans(text, self.policy))
        if self.policy == "all":
            spans += find(text)
        for start, end in merged(spans):
            self._add(number, frame_start + start, STAR * (end - start))

    def _add(self, number: int, start: int, data: bytes) -> None:
        self._patches.setdefault(number, []).append(Patch(start, data))


def _sender(pair: _Pair, record: Record) -> _Side | None:
    """Return the side that sent what a record tells of; the packet that carried it tells which."""
    sender = getattr(record, "sender", None)
    if sender is None:
        return None
    side = pair.senders.get(sender)
    if side is None and (side := pair.carriers.get(record.first_packet)) is not None:
        other = next(one for one in pair.sides.values() if one is not side)
        pair.senders = {sender: side, "server" if sender == "client" else "client": other}
        pair.carriers.clear()
    return side


def _ip_packet(link_type: int, data: bytes, original_length: int) -> IpPacket | None:
    start = network_offset(link_type, data)
    if start < 0:
        return None
    found = read_ip(data, start, original_length)
    return None if isinstance(found, Diagnostic) else found


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
