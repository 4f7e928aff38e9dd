"""How far the clocks of two captures are apart, and how sure that is.

Strategy: as NTP does it (RFC 5905 section 8), from both directions. A request is at the farther
point after it was at the nearer one, so it bounds the offset from below; what answers is at the
nearer point after it was at the farther one, so its quickest element bounds it from above. Between
these bounds no packet tells: an answer that is held for a fixed time and an offset look alike.
What is chosen between them follows from what is known of the path: the round trips of both
connections, and whether many elements were as quick as the quickest.

Drift is the slope of a line under all elements that touches them: queues only add. It is believed
where many elements touch that line, from the beginning to the end, for then it is the clock that
moved and not a queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isinf
from typing import NamedTuple

from .leg import Leg

AT_ONCE = 0.04
"""Seconds within which a hop that holds nothing passes on: delayed acknowledgements and timers of
systems begin there (40 ms on Linux)."""
SLOW_REQUEST = 0.25
"""Seconds that a request may take through a hop that has to connect, or to start a process."""
TOUCH = 0.001
"""Seconds from the quickest element within which another is as quick."""
PART = 0.2
"""The part of elements that must be as quick, so that the quickest is no accident of a timer."""
MAX_DRIFT = 0.01
"""The greatest drift of a clock, as a ratio: quartz has a thousandth of it. What grows faster is a
queue."""
LEAST_DRIFT = 0.002
"""Seconds that drift must make over the capture, else it is none."""
QUARTERS = 4
"""Parts of the time in each of which an element touches the line."""
DRIFT_PART = 1 / 3
"""The part of elements that must touch it: those that a timer lets go of slide by as well, but each
waits its own time."""
MAX_POINTS = 4_096
"""Elements of one exchange that are looked at, evenly spread."""
MAX_TRIPS = 256
"""Exchanges of two captures that are looked at."""
LOOPBACK = ("127.", "[::1]", "[::ffff:127.")
"""How addresses of one machine begin, which has one clock (RFC 1122 section 3.2.1.3; RFC 4291
section 2.5.3)."""


Moment = tuple[float, float]
"""Two times of one thing; or a time, and how far the clocks seem apart then; in seconds."""


class Clock(NamedTuple):
    """What is added to a time of the farther capture, to have it by the clock of the nearer one."""

    offset: float = 0.0
    """Seconds, at ``since``."""
    least: float = 0.0
    """The offset is not less."""
    most: float = 0.0
    """And not more."""
    drift: float = 0.0
    """Seconds that the nearer clock gains in each second of the farther one."""
    since: float = 0.0
    """By the farther clock."""
    is_shared: bool = True
    """Whether both points have one clock: they are in one capture."""
    is_agreed: bool = True
    """Whether the clocks agree, as far as the bounds tell."""

    def nearer(self, time: float) -> float:
        """Return a time of the farther capture by the clock of the nearer one."""
        return time + self.offset + self.drift * (time - self.since)

    @property
    def uncertainty(self) -> float:
        """How far off the offset may be, in seconds."""
        return max(self.most - self.offset, self.offset - self.least, 0.0)


ONE_CLOCK = Clock()


class Trip(NamedTuple):
    """One exchange at two points: when what was there."""

    asked: Sequence[Moment]
    """(near, far) of each thing that the client sent."""
    answered: Sequence[Moment]
    """(near, far) of each thing that the server sent."""
    round_trip: float | None
    """Seconds that both connections' handshakes took; None if not known."""
    is_path: bool
    """Whether nothing but the network lies between the points."""
    head: Moment | None = None
    """(near, far) of the head of the answer."""
    ended: Moment | None = None
    """(near, far) of the end of the answer."""


def clock_between(near: Leg, far: Leg, trips: Iterable[Trip]) -> Clock:
    """Return how far the clocks of two captures are apart, by all exchanges that both saw."""
    if near.capture == far.capture:
        return ONE_CLOCK
    taken = list(trips)
    answered = [point for trip in taken for point in trip.answered]
    moments = answered or [point for trip in taken for point in _moments(trip)]
    since = min((far_time for _, far_time in moments), default=0.0)
    drift = _drift(answered, since)
    bounds = _bounds(taken, since, drift)
    least, most = bounds.least, bounds.most
    round_trips = [trip.round_trip for trip in taken if trip.round_trip is not None]
    offset = _chosen(bounds, min(round_trips, default=0.0), all(trip.is_path for trip in taken))
    is_better = bounds.is_tight and not _is_local(near, far)
    is_agreed = _is_agreed(least, most, is_better) and not drift
    offset = 0.0 if is_agreed else offset
    return Clock(offset, least, most, drift, since, is_shared=False, is_agreed=is_agreed)


class _Bounds(NamedTuple):
    """Between what an offset lies, and how the upper bound came about."""

    least: float
    most: float
    is_tight: bool
    """Whether the quickest answer took nothing but the way, as far as can be told."""
    is_sure: bool
    """Whether a head or an end came through much quicker than all elements."""


def _moments(trip: Trip) -> list[Moment]:
    """Return all that was seen of an exchange at both points."""
    return [*trip.asked, *trip.answered, *filter(None, (trip.head, trip.ended))]


def _bounds(taken: Sequence[Trip], since: float, drift: float) -> _Bounds:
    def apart(moments: Iterable[Moment]) -> list[float]:
        return [near - far - drift * (far - since) for near, far in moments]

    least = max(apart(point for trip in taken for point in trip.asked), default=float("-inf"))
    gaps = apart(point for trip in taken for point in trip.answered)
    rest = apart(filter(None, (one for trip in taken for one in (trip.head, trip.ended))))
    most = min([*gaps, *rest], default=float("inf"))
    is_sure = bool(gaps) and min(gaps) - most >= AT_ONCE / 4
    is_tight = _is_tight(gaps, rest, most)
    # A clock that was set, or drift that was not believed: then both bounds are as good.
    return _Bounds(min(least, most), max(least, most), is_tight, is_sure)


def _is_local(near: Leg, far: Leg) -> bool:
    """Whether both legs are on one machine, as their addresses say."""
    return all(leg.client.startswith(LOOPBACK) for leg in (near, far))


def _is_agreed(least: float, most: float, is_tight: bool) -> bool:
    """Whether the clocks are taken to agree: 0 lies within the bounds, or near the only one.

    Not if the quickest answer tells better, and says otherwise (``is_tight``).
    """
    if not least <= 0.0 <= most:
        return False
    if is_tight and most - least <= AT_ONCE:
        return most <= 2 * TOUCH
    return most - least < float("inf") or most <= AT_ONCE or least >= -AT_ONCE


def _is_tight(gaps: Sequence[float], rest: Sequence[float], most: float) -> bool:
    """Whether the quickest took nothing but the way.

    Either many were as quick, or it was the end, for what holds lets go when its source ends, or
    the head, which is never quicker than the first element if they leave together.
    """
    touching = sum(gap <= most + TOUCH for gap in gaps)
    return touching >= PART * len(gaps) or any(gap <= most + TOUCH for gap in rest)


def _chosen(bounds: _Bounds, round_trip: float, is_path: bool) -> float:
    """Return the offset between bounds that the path makes likeliest.

    If the request took long besides, the quickest answer may have been held as well, and the
    request is the better bound; but not if head or end came much quicker than all else.
    """
    least, most, is_tight, is_sure = bounds
    if isinf(least) or isinf(most):
        return 0.0 if isinf(least) and isinf(most) else most if isinf(least) else least
    if is_path or most - least <= 2 * TOUCH:
        return (least + most) / 2
    network = min(round_trip, most - least)
    if is_tight and (is_sure or most - least - network <= SLOW_REQUEST):
        return most - network / 2
    return least + network / 2


def _drift(answered: Sequence[tuple[float, float]], since: float) -> float:
    points = sorted((far - since, near - far) for near, far in answered)
    if len(points) < 2 * QUARTERS or points[-1][0] <= 0.0:
        return 0.0
    span = points[-1][0]
    slope, base = _line_under(points)
    moved = abs(slope) * span
    if abs(slope) > MAX_DRIFT or moved < LEAST_DRIFT:
        return 0.0
    for quarter in range(QUARTERS):
        begin, end = span * quarter / QUARTERS, span * (quarter + 1) / QUARTERS
        inside = [gap - base - slope * time for time, gap in points if begin <= time <= end]
        if not inside or min(inside) > moved / 10:
            return 0.0
    near = max(TOUCH, moved / 10)
    touching = sum(gap - base - slope * time <= near for time, gap in points)
    return slope if touching >= DRIFT_PART * len(points) else 0.0


def _line_under(points: Sequence[Moment]) -> tuple[float, float]:
    """Return slope and base of the line under sorted points that is nearest to all of them.

    That is the edge of their lower hull below their mean: a linear programme of two unknowns.
    """
    hull: list[Moment] = []
    for point in points:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean = sum(time for time, _ in points) / len(points)
    for (time, gap), (next_time, next_gap) in zip(hull, hull[1:], strict=False):
        if next_time >= mean and next_time > time:
            slope = (next_gap - gap) / (next_time - time)
            return slope, gap - slope * time
    return 0.0, hull[-1][1]


def _turns_down(one: Moment, two: Moment, three: Moment) -> bool:
    return (two[0] - one[0]) * (three[1] - one[1]) <= (three[0] - one[0]) * (two[1] - one[1])
