"""When and where elements came, in columns of numbers, bounded whatever comes.

Strategy: a number for each question in an array takes a tenth of what records take. The columns
hold the first MAX_MARKS elements; of all, the longest waits are kept beside. Elements may be added
one by one or many at once, which costs a third: the same comes out.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
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
    lengths: list[int]


def columns(records: Sequence[Sent]) -> Columns:
    """Return the columns of records."""
    return Columns(
        [record.last_time for record in records],
        [record.first_time for record in records],
        [record.last_packet for record in records],
        [record.first_packet for record in records],
        [record.offset for record in records],
        [record.length for record in records],
    )


def reach(found: Sequence[Columns]) -> tuple[int, int, float, float]:
    """Return the first packet and the last of records, and their first time and last."""
    return (
        min(min(one.first_packets) for one in found),
        max(max(one.packets) for one in found),
        min(min(one.starts) for one in found),
        max(max(one.times) for one in found),
    )


class Marks:
    """When and where elements of one sort came."""

    __slots__ = (
        *("count", "times", "starts", "packets", "first_packets", "offsets", "lengths", "kinds"),
        *("last_time", "last_packet", "waits"),
    )

    def __init__(self) -> None:
        self.count = 0
        """How many came; the columns hold the first MAX_MARKS."""
        self.times = array("d")
        """When each one's last byte came."""
        self.starts = array("d")
        """When each one's first byte came."""
        self.packets = array("q")
        """Which packet brought its last byte."""
        self.first_packets = array("q")
        self.offsets = array("q")
        self.lengths = array("q")
        self.kinds = bytearray()
        """An index of KINDS for each."""
        self.last_time = 0.0
        self.last_packet = 0
        self.waits: list[Wait] = []
        """A heap of the longest waits, those past the columns included."""

    def add(self, record: Sent, kind: Kind = "other") -> None:
        """Take the next element."""
        time, packet = record.last_time, record.last_packet
        if self.count:
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

    def add_all(self, found: Columns, kinds: bytes) -> None:
        """Take elements that came after each other; there is at least one."""
        self._wait_all(found.times, found.packets)
        room = max(0, MAX_MARKS - self.count)
        self.count += len(kinds)
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
        seconds = list(map(sub, times[1:], times))
        least = self.waits[0].seconds if len(self.waits) == MAX_WAITS else -inf
        for at in [at for at, gap in enumerate(seconds) if gap > least]:
            wait = Wait(seconds[at], times[at], packets[at], times[at + 1], packets[at + 1])
            if len(self.waits) < MAX_WAITS:
                heappush(self.waits, wait)
            elif wait.seconds > self.waits[0].seconds:
                heappushpop(self.waits, wait)
        self.last_time, self.last_packet = times[-1], packets[-1]

    def _wait(self, seconds: float, time: float, packet: int) -> None:
        waits = self.waits
        if len(waits) < MAX_WAITS:
            heappush(waits, Wait(seconds, self.last_time, self.last_packet, time, packet))
        elif seconds > waits[0].seconds:
            wait = Wait(seconds, self.last_time, self.last_packet, time, packet)
            heappushpop(waits, wait)
