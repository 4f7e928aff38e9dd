"""Secrets in the packets that carried them: which bytes of which frame are masked.

    masks = FrameMasks("all")
    masks.add(packets)              # in order, in batches of any size
    masks.end()
    masks.masked(packet)            # the frame without its secrets, its checksum right

Strategy: what a side's stream finds secret (:mod:`.streams`) is looked up among the segments that
carried those bytes. A segment that comes again is looked up among the masks that are known by then,
and looked at by itself, as it may hold something else. So are packets of no open connection.

What is kept: the masks, and the places of segments that wait. Frames may be asked for at any time,
in any order; a mask may still come for as long as its element is unfinished.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from struct import pack_into
from typing import NamedTuple

from parsers.files.packets import Packet
from parsers.net.ip import IpPacket
from parsers.records import ConnectionRecord, Record

from ..bytes.stream_tap import Follower, Segment, ip_packet
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


class _SegmentedStream(MaskStream):
    """A stream, and the segments that may still get a mask."""

    def __init__(self, policy: Policy, report: Report) -> None:
        super().__init__(policy, report)
        self.segments: list[Segment] = []
        self.masks: list[Mask] = []
        """Those that have been looked up, in order: for what comes again."""


class FrameMasks(Follower[_SegmentedStream]):
    """The masks of a capture's frames."""

    def __init__(self, policy: Policy = "headers") -> None:
        self.report = Report()
        super().__init__(lambda: _SegmentedStream(policy, self.report), keep_data=policy == "all")
        self.policy: Policy = policy
        self._patches: dict[int, list[Patch]] = {}

    def add(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        if self.policy != "none":
            self._learn(self.receive(packets))

    def end(self) -> None:
        """Take note that no packet follows: what is unfinished is looked at."""
        if self.policy != "none":
            self._learn(self.finish())

    def of(self, number: int) -> list[Patch]:
        """Return the patches of the packet of this number; empty if nothing in it is secret."""
        return self._patches.get(number, [])

    def masked(self, packet: Packet) -> bytes:
        """Return a packet's bytes without its secrets, its checksum set right."""
        patches = self._patches.get(packet[0])
        if not patches:
            return packet[4]
        frame = bytearray(packet[4])
        for start, replacement in patches:
            frame[start : start + len(replacement)] = replacement
        if (found := ip_packet(packet)) is not None:
            _set_checksum(frame, found)
        return bytes(frame)

    # --- what records tell ---

    def _learn(self, records: list[Record]) -> None:
        touched: set[int] = set()
        for record in records:
            index = record.connection
            if isinstance(record, ConnectionRecord):
                touched.discard(record.connection)
                self._look_up(record.connection, is_end=True)
                del self.pairs[record.connection]
            elif index is not None and self.tell(record) is not None:
                touched.add(index)
        for index in touched:
            self._look_up(index, is_end=False)

    def _look_up(self, index: int, *, is_end: bool) -> None:
        """Turn what the streams of a connection found by now into patches."""
        for stream in self.pairs[index].streams.values():
            stream.hand_on(is_end=is_end)
            if is_end:
                stream.end()
            masks = stream.take_masks()
            for segment in stream.segments:
                self._patch_segment(segment, masks)
            settled = stream.done if is_end else stream.settled
            stream.segments = [one for one in stream.segments if one.end > settled]
            if masks:
                stream.masks = sorted(stream.masks + masks, key=START)

    # --- patches ---

    def placed(self, stream: _SegmentedStream, segment: Segment, payload: bytes) -> None:
        if segment.start < stream.done:  # sent again, or perhaps something else in its place
            self._patch_segment(segment, stream.masks)
            self.stray(segment.packet, payload, segment.frame_start)
        if segment.end > stream.settled:
            stream.segments.append(segment)

    def stray(self, number: int, payload: bytes, frame_start: int) -> None:
        text = payload.decode("latin-1")
        spans = list(field_line_spans(text, self.policy))
        if self.policy == "all":
            spans += find(text)
        for start, end in merged(spans):
            self._add(number, frame_start + start, STAR * (end - start))

    def _patch_segment(self, segment: Segment, masks: list[Mask]) -> None:
        first = max(bisect_right(masks, segment.start, key=START) - 1, 0)
        for index in range(first, len(masks)):
            mask = masks[index]
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

    def _add(self, number: int, start: int, data: bytes) -> None:
        self._patches.setdefault(number, []).append(Patch(start, data))


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
