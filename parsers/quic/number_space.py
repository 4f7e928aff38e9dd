"""Packet numbers of one side in one space: which were seen, which arrived, and which were lost.

Strategy: numbers are never used twice, so a number that comes again is a copy, and one that never
came was lost, skipped, or passed the capture by; what the other side acknowledges tells these apart
(RFC 9000 section 13, RFC 9002). Sets of numbers are a few runs: their size is that of their holes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from ..limits import MAX_NUMBER_RANGES, MAX_UNACKNOWLEDGED
from ..provenance import Completion

PACKET_THRESHOLD = 3
"""An acknowledged packet so many later, and one is lost (RFC 9002 section 6.1.1)."""


class NumberSet:
    """Numbers as runs; past MAX_NUMBER_RANGES of them the lowest hole is taken for filled."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def __len__(self) -> int:
        """Return how many runs there are."""
        return len(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Add the numbers from ``first`` to ``last``."""
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end], self._lasts[begin:end] = [first], [last]
        if len(self._firsts) > MAX_NUMBER_RANGES:
            del self._firsts[1], self._lasts[0]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def highest(self) -> int:
        """The highest one, -1 if there is none."""
        return self._lasts[-1] if self._lasts else -1

    def has_all_below(self, number: int) -> bool:
        """Whether every number below is there, from 0 on."""
        if number <= 0:
            return True
        return bool(self._firsts) and not self._firsts[0] and self._lasts[0] >= number - 1


class Loss(NamedTuple):
    """A packet that was seen and never acknowledged, while later ones were."""

    number: int
    sent: Completion
    shown: Completion
    """The packet whose acknowledgements tell."""


class NumberSpace:
    """One side's packets in one space (RFC 9000 section 12.3)."""

    __slots__ = ("seen", "known", "unacknowledged", "acknowledged")

    def __init__(self) -> None:
        self.seen = NumberSet()
        self.known = NumberSet()
        """Seen or acknowledged; what became of all others is unknown."""
        self.unacknowledged: dict[int, Completion] = {}
        self.acknowledged = -1
        """The largest number that was."""

    @property
    def expected(self) -> int:
        """The number after the largest that was seen."""
        return self.seen.highest + 1

    def begin(self, number: int) -> None:
        """Begin with a number: those before are not missed."""
        if number:
            self.seen.add(0, number - 1)
            self.known.add(0, number - 1)

    def receive(self, number: int) -> bool:
        """Take note of a packet; return whether it is the first one of its number."""
        if number in self.seen:
            return False
        self.seen.add(number, number)
        self.known.add(number, number)
        return True

    def await_ack(self, number: int, sent: Completion) -> None:
        """Take note that a packet is to be acknowledged."""
        self.unacknowledged[number] = sent
        if len(self.unacknowledged) > MAX_UNACKNOWLEDGED:
            del self.unacknowledged[next(iter(self.unacknowledged))]

    def acknowledge(self, ranges: list[tuple[int, int]], shown: Completion) -> list[Loss]:
        """Take what the other side acknowledges; return what is lost by that."""
        waiting = self.unacknowledged
        for first, last in ranges:
            self.known.add(first, last)
            if last - first < len(waiting):
                for number in range(first, last + 1):
                    waiting.pop(number, None)
            else:
                for number in [one for one in waiting if first <= one <= last]:
                    del waiting[number]
        self.acknowledged = max(self.acknowledged, ranges[0][1])
        upto = self.acknowledged - PACKET_THRESHOLD
        lost = [number for number in waiting if number <= upto]
        return [Loss(number, waiting.pop(number), shown) for number in lost]

    @property
    def uncaptured(self) -> int:
        """How many packets were acknowledged that the capture does not have."""
        return self.known.size - self.seen.size

    @property
    def unaccounted(self) -> int:
        """How many numbers were neither seen nor acknowledged: lost before the capture, or skipped.

        Skipping some is allowed (RFC 9000 section 21.4).
        """
        return self.known.highest + 1 - self.known.size
