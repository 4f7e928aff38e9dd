"""When and where elements came, in columns of numbers, bounded whatever comes.

Strategy: a number for each question in an array takes a tenth of what records take. The columns
hold the first MAX_MARKS elements; of all, the longest waits are kept beside. Elements may be added
one by one or many at once, which costs a third: the same comes out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from heapq import heappush, heappushpop
from math import inf
from operator import sub
from typing import NamedTuple

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


NO_TIMES, NO_NUMBERS, NO_KINDS = array("d"), array("q"), bytearray()
"""The columns of marks that have none yet: they are never added to."""
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
        self.times = NO_TIMES
        """When each one's last byte came."""
        self.starts = NO_TIMES
        """When each one's first byte came."""
        self.packets = NO_NUMBERS
        """Which packet brought its last byte."""
        self.first_packets = NO_NUMBERS
        self.offsets = NO_NUMBERS
        self.lengths = NO_NUMBERS
        self.kinds = NO_KINDS
        """An index of KINDS for each."""
        self.last_time = 0.0
        self.last_packet = 0
        self.waits: list[Wait] = []
        """A heap of the longest waits, those past the columns included."""

    def _begin(self) -> None:
        """Make columns of its own: most exchanges have elements of one or two sorts at most."""
        self.times, self.starts = array("d"), array("d")
        self.packets, self.first_packets = array("q"), array("q")
        self.offsets, self.lengths = array("q"), array("q")
        self.kinds = bytearray()

    def add(self, record: Sent, kind: Kind = "other") -> None:
        """Take the next element."""
        time, packet = record.last_time, record.last_packet
        if self.count:
            self._wait(time - self.last_time, time, packet)
        else:
            self._begin()
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
        if not self.count:
            self._begin()
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
