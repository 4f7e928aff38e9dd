"""All hops of all exchanges that were seen more than once.

Strategy: captures are read one after another, and of each exchange only digests are kept
(:mod:`.flow`), so memory is bounded whatever the captures hold. Then exchanges are paired, the
clocks of each two captures are compared by all that both saw, and each hop is judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from parsers.records import Record

from .clocks import Clock, Trip, clock_between
from .hop import Hop
from .leg import Leg, read_legs
from .pairing import Way, ways
from .passage import trip

MAX_ELEMENTS = 4_194_304
"""Elements of all captures together that are kept; exchanges past it are counted."""


class Passed(NamedTuple):
    """One exchange, and the hops that it passed, the nearest to the client first."""

    way: Way
    hops: list[Hop]


class Report(NamedTuple):
    """What several captures, or one that saw several legs, tell of the hops between."""

    passed: list[Passed]
    """Each exchange that was seen more than once."""
    alone: int
    """Exchanges that were seen once."""
    names: Sequence[str]
    """Of the captures."""

    @property
    def hops(self) -> Iterator[Hop]:
        return (hop for one in self.passed for hop in one.hops)

    @property
    def is_fault(self) -> bool:
        """Whether a hop holds, loses or rewrites."""
        return any(hop.verdict.is_fault for hop in self.hops)

    @property
    def worst(self) -> Hop | None:
        """The hop that did most harm; None if there is none."""
        return max(self.hops, key=_harm, default=None)

    @property
    def answers(self) -> Counter[str]:
        return Counter(hop.verdict.answer for hop in self.hops)


def hops(captures: Iterable[tuple[str, Iterable[Record]]]) -> Report:
    """Judge the hops between captures, given as their names and records.

    They are given in the order of the way, the client's first; what was seen decides, though, and
    the order only where nothing tells.
    """
    legs: list[Leg] = []
    names: list[str] = []
    for number, (name, records) in enumerate(captures):
        names.append(name)
        legs += read_legs(records, number, name)
    found = ways(_kept(legs))
    clocks = _clocks(found)
    passed = [Passed(way, _hops(way, clocks)) for way in found]
    alone = len(legs) - sum(len(way.legs) for way in found)
    return Report(passed, alone, names)


def _kept(legs: Sequence[Leg]) -> list[Leg]:
    """Return the legs whose elements fit into what is kept."""
    found: list[Leg] = []
    left = MAX_ELEMENTS
    for leg in legs:
        left -= len(leg.down) + len(leg.up)
        if left < 0:
            break
        found.append(leg)
    return found


def _clocks(found: Sequence[Way]) -> dict[tuple[int, int], Clock]:
    """Return how far the clocks of each two neighbouring captures are apart."""
    trips: dict[tuple[int, int], list[Trip]] = defaultdict(list)
    samples: dict[tuple[int, int], tuple[Leg, Leg]] = {}
    for way in found:
        for near, far in zip(way.legs, way.legs[1:], strict=False):
            key = near.capture, far.capture
            samples.setdefault(key, (near, far))
            trips[key].append(trip(near, far))
    return {key: clock_between(*samples[key], trips[key]) for key in samples}


def _hops(way: Way, clocks: dict[tuple[int, int], Clock]) -> list[Hop]:
    return [
        Hop(number, near, far, clocks[near.capture, far.capture])
        for number, (near, far) in enumerate(zip(way.legs, way.legs[1:], strict=False), start=1)
    ]


def _harm(hop: Hop) -> tuple[int, float]:
    order = ("transparent", "rewrites", "holds", "loses")
    added = hop.down.part(1.0) if len(hop.down) else 0.0
    return order.index(hop.verdict.answer), hop.held.seconds if hop.held else added
