"""When and where elements came, in columns of numbers, bounded whatever comes.

Strategy: a number for each question in an array takes a tenth of what records take. The columns
hold the first MAX_MARKS elements; of all, the longest waits are kept beside. Elements may be added
one by one or many at once, which costs a third: the same comes out. A single one, as most short
answers have, stands in tuples: arrays cost ten times as much to make.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from heapq import heappush, heappushpop
from math import inf
from operator import sub
from typing import Any, NamedTuple

from parsers.records import Sent

from ..dialects.payload import Kind

MAX_MARKS = 32_768
"""Elements of one sort that are kept of an exchange; of more, the longest waits alone."""
MAX_WAITS = 32
"""The longest waits of one sort that are kept besides."""
KINDS: tuple[Kind, ...] = (
    *("text", "reasoning", "tool", "role", "start", "usage", "finish", "ping", "error", "done"),
    *("control", "other"),
)
KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
KIND_BYTES = {kind: bytes((number,)) for number, kind in enumerate(KINDS)}


def mask_of(kinds: Collection[Kind]) -> bytes:
    """Return a table for ``bytes.translate``, by which a column of kinds says which are of some."""
    numbers = {KIND_NUMBERS[kind] for kind in kinds}
    return bytes(number in numbers for number in range(256))


NONE: Any = ()
"""A column that has no element yet."""


Reach = tuple[int, int, float, float]
"""The first packet and the last of records, and their first time and last."""


class Wait(NamedTuple):
    """Between two elements that came after each other."""

    seconds: float
    before_time: float
    before_packet: int
    after_time: float
    after_packet: int


class Columns(NamedTuple):
    """What is kept of records, a list for each question."""

    times: list[float]
    starts: list[float]
    packets: list[int]
    first_packets: list[int]
    offsets: list[int]
    """Of the first ones: as many as there was room for."""
    lengths: list[int]

    @property
    def reach(self) -> Reach:
        """Return the first packet and the last of the records, and their first time and last."""
        return min(self.first_packets), max(self.packets), min(self.starts), max(self.times)


def columns(records: Sequence[Sent], room: int = MAX_MARKS) -> Columns:
    """Return the columns of records, for marks that have ``room`` for so many."""
    kept = records if room >= len(records) else records[:room]
    return Columns(
        [record.last_time for record in records],
        [record.first_time for record in records],
        [record.last_packet for record in records],
        [record.first_packet for record in records],
        [record.offset for record in kept],
        [record.length for record in kept],
    )


def reach_of_all(found: Iterable[Columns]) -> Reach:
    """Return how far the records of several columns reach."""
    first, last, starts, ends = zip(*[one.reach for one in found], strict=True)
    return min(first), max(last), min(starts), max(ends)


class Marks:
    """When and where elements of one sort came."""

    __slots__ = (
        *("count", "times", "starts", "packets", "first_packets", "offsets", "lengths", "kinds"),
        *("last_time", "last_packet", "waits"),
    )

    def __init__(self) -> None:
        self.count = 0
        """How many came; the columns hold the first MAX_MARKS."""
        self.times: array[float] = NONE
        """When each one's last byte came."""
        self.starts: array[float] = NONE
        """When each one's first byte came."""
        self.packets: array[int] = NONE
        """Which packet brought its last byte."""
        self.first_packets: array[int] = NONE
        self.offsets: array[int] = NONE
        self.lengths: array[int] = NONE
        self.kinds: bytearray = NONE
        """An index of KINDS for each."""
        self.last_time = 0.0
        self.last_packet = 0
        self.waits: list[Wait] = NONE
        """A heap of the longest waits, those past the columns included."""

    def _grow(self) -> None:
        """Make columns that can grow: most exchanges have elements of one sort, and one of it."""
        self.times, self.starts = array("d", self.times), array("d", self.starts)
        self.packets, self.first_packets = array("q", self.packets), array("q", self.first_packets)
        self.offsets, self.lengths = array("q", self.offsets), array("q", self.lengths)
        self.kinds = bytearray(self.kinds)
        self.waits = []

    def add(self, record: Sent, kind: Kind = "other") -> None:
        """Take the next element."""
        time, packet = record.last_time, record.last_packet
        if not self.count:
            self.count, self.last_time, self.last_packet = 1, time, packet
            one: Any = (time,), (record.first_time,), (packet,), (record.first_packet,)
            self.times, self.starts, self.packets, self.first_packets = one
            place: Any = (record.offset,), (record.length,), KIND_BYTES[kind]
            self.offsets, self.lengths, self.kinds = place
            return
        if self.count == 1:
            self._grow()
        self._wait(time - self.last_time, time, packet)
        self.count += 1
        self.last_time, self.last_packet = time, packet
        if self.count > MAX_MARKS:
            return
        self.times.append(time)
        self.starts.append(record.first_time)
        self.packets.append(packet)
        self.first_packets.append(record.first_packet)
        self.offsets.append(record.offset)
        self.lengths.append(record.length)
        self.kinds.append(KIND_NUMBERS[kind])

    @property
    def room(self) -> int:
        """For how many more elements the columns have room."""
        return max(0, MAX_MARKS - self.count)

    def add_all(self, found: Columns, kinds: bytes) -> None:
        """Take elements that came after each other; there is at least one."""
        if self.count < 2:
            self._grow()
        self._wait_all(found.times, found.packets)
        room = self.room
        self.count += len(kinds)
        if not room:
            return
        self.times.fromlist(found.times[:room])
        self.starts.fromlist(found.starts[:room])
        self.packets.fromlist(found.packets[:room])
        self.first_packets.fromlist(found.first_packets[:room])
        self.offsets.fromlist(found.offsets[:room])
        self.lengths.fromlist(found.lengths[:room])
        self.kinds += kinds[:room]

    def _wait_all(self, times: list[float], packets: list[int]) -> None:
        if self.count:
            times, packets = [self.last_time, *times], [self.last_packet, *packets]
        self.last_time, self.last_packet = times[-1], packets[-1]
        seconds = list(map(sub, times[1:], times))
        least = self.waits[0].seconds if len(self.waits) == MAX_WAITS else -inf
        if max(seconds, default=-inf) <= least:
            return
        for at in [at for at, gap in enumerate(seconds) if gap > least]:
            wait = Wait(seconds[at], times[at], packets[at], times[at + 1], packets[at + 1])
            if len(self.waits) < MAX_WAITS:
                heappush(self.waits, wait)
            elif wait.seconds > self.waits[0].seconds:
                heappushpop(self.waits, wait)

    def _wait(self, seconds: float, time: float, packet: int) -> None:
        waits = self.waits
        if len(waits) < MAX_WAITS:
            heappush(waits, Wait(seconds, self.last_time, self.last_packet, time, packet))
        elif seconds > waits[0].seconds:
            wait = Wait(seconds, self.last_time, self.last_packet, time, packet)
            heappushpop(waits, wait)


NO_MARKS = Marks()
"""What an exchange has of a sort that it has none of: it is never added to."""
