"""How one exchange passed one hop: which element came out when, and what it waited for.

Strategy: the added delay of an element is the time from its last byte at the farther point to its
last byte at the nearer one, both by the nearer clock. An element is held back if it was still
inside when the next one came: a hop that passes on lets go of each before that, whatever it takes.
So a slow machine or network is told from a buffer without a threshold for time alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from ..percentiles import percentile
from .align import Alignment, align
from .clocks import AT_ONCE, MAX_POINTS, Clock, Trip
from .flow import Flow
from .leg import Leg
from .nearness import is_path

TOGETHER = 0.004
"""Seconds within which what leaves a hop left together: a scheduler's tick."""
APART = 0.004
"""Seconds from which on two elements came one after the other."""


class Flush(NamedTuple):
    """What left a hop together: a range of the pairs of a passage."""

    first: int
    end: int
    time: float
    """When the first of it left, by the nearer clock."""

    @property
    def size(self) -> int:
        return self.end - self.first


class Passage:
    """The elements of one direction at both ends of a hop, in columns by pair.

    Times are of the nearer clock, in seconds since the epoch.
    """

    def __init__(
        self, source: Flow, target: Flow, clock: Clock, network: float = 0.0, *, is_down: bool
    ) -> None:
        self.source = source
        """Where it comes from: for answers the farther leg."""
        self.target = target
        near, far = (target, source) if is_down else (source, target)
        self.alignment: Alignment = align(target.marks, source.marks)
        """Pairs of positions in the target and in the source."""
        self.places = array("q", [place for place, _ in self.alignment.pairs])
        """Which element of the target each is."""
        self.origins = array("q", [origin for _, origin in self.alignment.pairs])
        """Which element of the source each is."""
        near_places, far_places = (
            (self.places, self.origins) if is_down else (self.origins, self.places)
        )
        near_times = [near.times[place] for place in near_places]
        far_times = [clock.nearer(far.times[place]) for place in far_places]
        self.came = array("d", far_times if is_down else near_times)
        self.left = array("d", near_times if is_down else far_times)
        self.added = array("d", map(float.__sub__, self.left, self.came))
        self.network = max(min(network, min(self.added, default=0.0)), 0.0)
        """Seconds that the way takes: what it may take, but no more than the quickest took."""
        self.slack = min(clock.uncertainty, AT_ONCE)
        """Seconds by which all delays together may be off, as two clocks are."""
        self.flushes = _flushes(self.left, [target.packets[place] for place in self.places])

    def __len__(self) -> int:
        return len(self.added)

    @property
    def lost(self) -> Sequence[int]:
        """Elements of the source that did not come out, by their position there."""
        return self.alignment.lost

    def part(self, part: float) -> float:
        """Return a percentile of the added delays, in seconds; 0 if there are none."""
        return percentile(sorted(self.added), part)

    def excess(self, one: int) -> float:
        """Return what a pair's element waited besides the way, in seconds."""
        return self.added[one] - self.network

    def waits(self) -> list[float]:
        """Return the times between elements as they came, those that came together left out."""
        gaps = map(float.__sub__, self.came[1:], self.came)
        return [gap for gap in gaps if gap >= APART]

    def held_back(self) -> list[int]:
        """Return the pairs that were still inside when the next one had come."""
        came, left, way = self.came, self.left, self.network
        return [
            one
            for one in range(len(came) - 1)
            if came[one + 1] - came[one] >= APART and left[one] - way >= came[one + 1] - APART / 4
        ]


def _flushes(left: Sequence[float], packets: Sequence[int]) -> list[Flush]:
    """Return what left together: in one packet, or in packets right after each other."""
    found: list[Flush] = []
    first = 0
    for at in range(1, len(left) + 1):
        if at == len(left) or (
            packets[at] != packets[at - 1] and left[at] - left[at - 1] >= TOGETHER
        ):
            found.append(Flush(first, at, left[first]))
            first = at
    return found


def trip(near: Leg, far: Leg) -> Trip:
    """Return what two legs of an exchange say of their clocks."""
    down, up = align(near.down.marks, far.down.marks), align(near.up.marks, far.up.marks)
    answered = [(near.down.times[one], far.down.times[other]) for one, other in _some(down.pairs)]
    asked = [(near.up.times[one], far.up.times[other]) for one, other in _some(up.pairs)]
    if near.asked_at is not None and far.asked_at is not None:
        asked.append((near.asked_at, far.asked_at))
    head = None
    if near.answered_at is not None and far.answered_at is not None:
        head = near.answered_at, far.answered_at
    way = round_trip(near, far)
    return Trip(asked, answered, way, is_path(near, far), head, _ended(near, far))


def _some(pairs: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Return MAX_POINTS of pairs at most, evenly spread."""
    return pairs[:: -(-len(pairs) // MAX_POINTS) or 1]


def _ended(near: Leg, far: Leg) -> tuple[float, float] | None:
    """Return when the answer ended at both points; None if it did not, or was not whole."""
    here, there = near.about.response_body, far.about.response_body
    if here is None or there is None or not (here.complete and there.complete):
        return None
    return here.last_time, there.last_time


def round_trip(near: Leg, far: Leg) -> float | None:
    """Return the round trips that lie between the points, by the handshakes; None if not known.

    Where a connection was captured is not known: at most all of both lies between them.
    """
    if near.connection is None or far.connection is None:
        return None
    here, there = near.connection.rtt, far.connection.rtt
    if here is None or there is None:
        return None
    return here if is_path(near, far) else here + there


def network(near: Leg, far: Leg) -> float:
    """Return how much of an added delay the network may be: half of the round trips, in seconds.

    One capture sees both sides of a hop at one place.
    """
    if near.capture == far.capture:
        return 0.0
    return (round_trip(near, far) or 0.0) / 2
