"""All hops of all exchanges that were seen more than once.

Strategy: captures are read one after another, and of each exchange only digests are kept
(:mod:`.flow`), so memory is bounded whatever the captures hold. Then exchanges are paired, the
clocks of each two captures are compared by all that both saw, and each hop is judged.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from parsers.records import Record

from ..exchange_filter import EVERYTHING, ExchangeFilter
from ..text_search import TextSearch
from ..verdict import Verdict
from .choice import is_wanted
from .clocks import MAX_TRIPS, Clock, Trip, clock_between
from .hop import Hop
from .judge import judge_hop
from .leg import Leg, read_legs
from .pairing import Way, ways
from .passage import trip

MANY = 1_024
"""Exchanges of a capture after which cycles are looked for: what was decoded refers to itself, and
stays beside what the next capture takes."""
MAX_ELEMENTS = 4_194_304
"""Elements of all captures together that are kept; exchanges past it are counted."""


class Judged(NamedTuple):
    """A hop, and what it did."""

    hop: Hop
    verdict: Verdict


class Passed(NamedTuple):
    """One exchange, and the hops that it passed, the nearest to the client first."""

    way: Way
    hops: list[Judged]


class Report(NamedTuple):
    """What several captures, or one that saw several legs, tell of the hops between."""

    passed: list[Passed]
    """Each exchange that was seen more than once."""
    alone: int
    """Exchanges that were seen once."""
    names: Sequence[str]
    """Of the captures."""

    @property
    def hops(self) -> Iterator[Judged]:
        return (judged for one in self.passed for judged in one.hops)

    @property
    def is_fault(self) -> bool:
        """Whether a hop holds, loses or rewrites."""
        return any(judged.verdict.is_fault for judged in self.hops)

    @property
    def worst(self) -> Judged | None:
        """The hop that did most harm; None if there is none."""
        return max(self.hops, key=_harm, default=None)

    @property
    def answers(self) -> Counter[str]:
        return Counter(judged.verdict.answer for judged in self.hops)


def hops(
    captures: Iterable[tuple[str, Iterable[Record]]],
    wanted: ExchangeFilter = EVERYTHING,
    *,
    is_one_way: bool = True,
) -> Report:
    """Judge the hops between captures, given as their names and records.

    They are given in the order of the way, the client's first; what was seen decides, though, and
    the order only where nothing tells. ``wanted`` chooses exchanges after they were paired. Without
    ``is_one_way`` nobody says that they are of one way: they may be recordings of different times.
    """
    legs: list[Leg] = []
    names: list[str] = []
    holds_text: set[int] = set()
    for number, (name, records) in enumerate(captures):
        names.append(name)
        search = None if wanted.grep is None else TextSearch(wanted.grep)
        found = read_legs(_searched(records, search), number, name)
        legs += found
        if len(found) >= MANY:
            gc.collect()
        holds_text |= {id(leg) for leg in found if search and search.take(leg.about.key)}
    joined = ways(_kept(legs), is_one_way=is_one_way)
    clocks = _clocks(joined)
    passed = [Passed(way, _hops(way, clocks)) for way in joined]
    chosen = [
        one
        for one in passed
        if is_wanted(wanted, one.way.legs, [hop.verdict for hop in one.hops], holds_text)
    ]
    return Report(chosen, len(legs) - sum(len(way.legs) for way in joined), names)


def _searched(records: Iterable[Record], search: TextSearch | None) -> Iterator[Record]:
    for record in records:
        if search is not None:
            search.add(record)
        yield record


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
            if len(trips[key]) < MAX_TRIPS:
                trips[key].append(trip(near, far))
    return {key: clock_between(*samples[key], trips[key]) for key in samples}


def _hops(way: Way, clocks: dict[tuple[int, int], Clock]) -> list[Judged]:
    pairs = enumerate(zip(way.legs, way.legs[1:], strict=False), start=1)
    found = [Hop(at, near, far, clocks[near.capture, far.capture]) for at, (near, far) in pairs]
    return [Judged(hop, judge_hop(hop)) for hop in found]


def _harm(judged: Judged) -> tuple[int, float]:
    hop, verdict = judged
    order = ("transparent", "rewrites", "holds", "loses")
    added = hop.down.part(1.0) if len(hop.down) else 0.0
    return order.index(verdict.answer), hop.held.seconds if hop.held else added
