"""Packets as they are written once something in them is masked: what all kinds of masks share.

Strategy: records are told to the streams that they lie in, and what those find is looked up when a
batch is done, or a connection. Who derives from this says what becomes of what was found, and how a
frame looks then. Checksums are set right here: of a packet by itself, or, if it is a fragment, of
what all of them make.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Container, Sequence
from operator import attrgetter
from typing import TypeVar

from parsers import IpPacket, Packet, outermost
from parsers.records import ChunkRecord, ConnectionRecord, GapRecord, Record, SseEventRecord
from parsers.wants import KINDS, Wants

from ..bytes.segment_tap import Placed, SegmentTap, TracedStream, ip_packet
from ..bytes.stream_tap import Pair
from .checksums import set_checksums
from .fragment_sums import FragmentSums, SetSums
from .rules import Rules
from .secrets import Report
from .stars import STAR, Mask

START = attrgetter("start")
TOLD_BY = Wants(frozenset(KINDS.values()) - {GapRecord}, digests=False, contents=False)
"""Records that tell what a stream's bytes are: what gaps lie in tells as much."""
P = TypeVar("P", bound=TracedStream)


class MaskedFrames(SegmentTap[P], ABC):
    """What becomes of a capture's frames."""

    def __init__(
        self,
        rules: Rules,
        make: Callable[[], P],
        *,
        keep_data: bool,
        set_sums: SetSums = set_checksums,
        set_whole: SetSums | None = None,
    ) -> None:
        """``set_whole`` is for packets that fragments make, if these need more than checksums."""
        self.rules = rules
        self._set_sums = set_sums
        self._set_whole = set_whole or set_sums
        self.report = Report() if rules.known is None else Report(found=rules.known)
        super().__init__(
            make,
            keep_data=keep_data,
            wants=TOLD_BY,
            shows_records=True,  # what is encrypted needs no search
        )
        self.not_looked_into: Counter[str] = Counter()
        """Packets that nobody can look into, or not into all of them, by the reason."""
        self.sums = FragmentSums(self._set_whole)
        """The checksums of what fragments make, once :meth:`sum_up` has taken them."""

    # --- for those who derive from this ---

    @abstractmethod
    def add(
        self,
        packets: Sequence[Packet],
        sort: Callable[[list[Record]], None] = lambda _: None,
    ) -> None:
        """Take the next packets; ``sort`` puts their records in the order of these."""

    @abstractmethod
    def end(self) -> None:
        """Take note that no packet follows: what is unfinished is looked at."""

    @property
    @abstractmethod
    def changed(self) -> Container[int]:
        """The numbers of the packets in which something is masked, or a checksum."""

    @property
    @abstractmethod
    def needs_sums(self) -> bool:
        """Whether there are masks in fragments: the checksum of what they make may be in others."""

    @abstractmethod
    def _is_masked(self, number: int) -> bool:
        """Whether something is masked in a packet."""

    @abstractmethod
    def _starred(self, packet: Packet) -> bytearray:
        """Return a packet's bytes with what is masked in them."""

    @abstractmethod
    def _look_up(self, pair: Pair[P], *, is_end: bool) -> None:
        """Turn what the streams of a connection found by now into patches."""

    @abstractmethod
    def _patch(self, number: int, start: int, data: bytes) -> None:
        """Let bytes take the place of others of a packet's frame."""

    def _say(self, records: list[Record]) -> set[int]:
        """Tell streams what their elements say; return whose connections they are of."""
        return set()

    def _note(self, record: ConnectionRecord, pair: Pair[P] | None) -> None:
        """Take note of the end of a connection; of QUIC there is no pair."""

    # --- what is written ---

    def begin_sums(self) -> None:
        """Take note that all packets come once more."""
        self.sums = FragmentSums(self._set_whole)

    def sum_up(self, packets: Sequence[Packet]) -> None:
        """Take all packets once more, in order, for the checksums of those that are fragments."""
        for packet in packets:
            if packet[0] in self.fragmented and (found := ip_packet(packet)) is not None:
                self.sums.add(packet, found, bytes(self._as_captured(packet)))

    def masked(self, packet: Packet) -> bytes:
        """Return a packet's bytes with what is masked, its checksums as right as they were."""
        number, _, link_type, original, data = packet
        sums = self.sums.patches.get(number, {})
        if not sums and not self._is_masked(number):
            return data
        frame = self._as_captured(packet)
        for start, checksum in sums.items():
            frame[start : start + len(checksum)] = checksum
        found = outermost(link_type, data, original)
        if isinstance(found, IpPacket):
            self._set_sums(data, frame, found)
        return bytes(frame)

    def _as_captured(self, packet: Packet) -> bytearray:
        """Return a packet's bytes with what is masked in them, and none of the masks of what the
        capture cut off."""
        frame = self._starred(packet)
        del frame[len(packet[4]) :]
        return frame

    def hide(self, number: int, start: int, end: int) -> None:
        """Mask [start, end) of a packet's frame."""
        self._patch(number, start, STAR * (end - start))

    # --- what records tell ---

    def _learn(self, records: list[Record]) -> None:
        touched = self._say(records)
        for record in records:
            if type(record) is ChunkRecord:  # as nearly all are: told at half the cost
                owner = self.pairs.get(record.connection)
                stream = None if owner is None else owner.stream(record.sender)
                if stream is not None:
                    stream.take(record)
                    touched.add(record.connection)
            elif type(record) is SseEventRecord:  # what it says has been told
                continue
            elif isinstance(record, ConnectionRecord):
                touched.discard(record.connection)
                pair = self.pairs.pop(record.connection, None)
                if pair is not None:
                    self._look_up(pair, is_end=True)
                self._note(record, pair)
            elif self.tell(record) is not None and record.connection is not None:
                touched.add(record.connection)
        for index in touched:
            self._look_up(self.pairs[index], is_end=False)

    def _patch_placed(self, placed: Placed, masks: list[Mask]) -> bool:
        """Mask what a packet brought; return whether anything was."""
        is_masked = False
        first = max(bisect_right(masks, placed.start, key=START) - 1, 0)
        for index in range(first, len(masks)):
            mask = masks[index]
            if mask.start >= placed.end:
                break
            start, end = max(mask.start, placed.start), min(mask.end, placed.end)
            if start < end:
                place = placed.frame_start + start - placed.start
                self._patch(placed.packet, place, mask.part(start, end))
                is_masked = True
        return is_masked
