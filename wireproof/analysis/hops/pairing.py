"""Which legs are of one exchange.

Strategy: a sketch, the least hashes of what an exchange carried, is the same on each leg however
its bytes were cut, and half the same if a part is missing. Legs that share one connection, an
identifier in a field of the request, or enough of their sketch are of one exchange; so are two that
were asked alike and answered in as many elements, if nothing else fits. Each pair has to prove
that one was caused by the other (:mod:`.proof`). Of several with equal content the times tell: on
one clock a request goes on as soon as it comes; between clocks they are paired in their order. So
the time is linear but for sorting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from .leg import Leg
from .nearness import beyond
from .proof import SLACK, is_proven

SKETCH = 48
"""Hashes of an exchange that are compared with others'."""
MAX_ALIKE = 64
"""Legs that are looked at because they share a hash: a common word is no sign."""
IDENTIFIERS = frozenset(
    ("traceparent", "x-request-id", "x-correlation-id", "x-amzn-trace-id", "x-b3-traceid")
)
"""Fields of a request that name it alone. A proxy passes them on, or gives a request its first."""
ENOUGH = 3
"""Shared hashes from which on content alone pairs two legs; fewer need the same target."""
SHARE = 0.3
"""The part of the smaller sketch that is shared: one may have lost its head."""

Point = tuple[int, str]
"""A capture, and the server that it saw."""


class Seen(NamedTuple):
    """A leg, and what is compared of it."""

    leg: Leg
    point: Point
    sketch: frozenset[int]
    line: tuple[str, str]
    """Method and target, empty if not known."""


class Way(NamedTuple):
    """The legs of one exchange, the nearest to the client first; two at least."""

    legs: list[Leg]


def ways(legs: Sequence[Leg], *, is_one_way: bool = True) -> list[Way]:
    """Return the exchanges that were seen more than once, in the order of their first legs.

    ``is_one_way``: the captures are said to be of one way, so that their clocks may disagree.
    """
    seen = [_seen(leg) for leg in legs]
    joined = _Joined(seen, is_one_way)
    for one, other in _identified(seen):
        joined.join(one, other, is_named=True)
    for one, other in chain(_connections(seen), _equal(seen)):
        joined.join(one, other)
    if alone := joined.alone():
        for one, other in chain(_alike(seen, alone), _asked_alike(seen, alone)):
            joined.join(one, other)
    found = [_ordered(group) for group in joined.groups()]
    return sorted(found, key=lambda way: (way.legs[0].capture, way.legs[0].about.number))


def _seen(leg: Leg) -> Seen:
    request = leg.about.request
    marks = {*leg.down.marks, *leg.up.marks}
    line = (request.method, request.target) if request else ("", "")
    return Seen(leg, (leg.capture, leg.server), frozenset(nsmallest(SKETCH, marks)), line)


class _Joined:
    """Groups of legs with one of each point at most."""

    def __init__(self, seen: Sequence[Seen], is_one_way: bool) -> None:
        self._seen = seen
        self._is_one_way = is_one_way
        self._groups: list[dict[Point, int]] = [{one.point: at} for at, one in enumerate(seen)]

    def join(self, one: int, other: int, *, is_named: bool = False) -> None:
        """Put two legs together that prove to be of one exchange.

        Not if another leg of a point is in their group already. ``is_named``: their requests have
        the same identifier.
        """
        here, there = self._groups[one], self._groups[other]
        if here is there or here.keys() & there.keys():
            return
        legs = self._seen[one].leg, self._seen[other].leg
        if not is_proven(*legs, is_named=is_named, is_one_way=self._is_one_way):
            return
        here.update(there)
        for at in there.values():
            self._groups[at] = here

    def alone(self) -> list[int]:
        """Return the legs that are in no group with another connection."""
        return [at for at, group in enumerate(self._groups) if len(self._connections(group)) == 1]

    def _connections(self, group: dict[Point, int]) -> set[tuple[str, str]]:
        return {(self._seen[at].leg.client, self._seen[at].leg.server) for at in group.values()}

    def groups(self) -> Iterator[list[Leg]]:
        """Yield each group of two and more."""
        known: set[int] = set()
        for group in self._groups:
            if len(group) > 1 and id(group) not in known:
                known.add(id(group))
                yield [self._seen[at].leg for at in group.values()]


def _connections(seen: Sequence[Seen]) -> Iterator[tuple[int, int]]:
    """Yield legs that several captures have of one connection."""
    known: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        if one.leg.connection is not None:
            key = one.leg.client, one.leg.server, one.leg.about.key.exchange
            known[key].append(at)
    for places in known.values():
        for here, there in zip(places, places[1:], strict=False):
            shared = seen[here].sketch & seen[there].sketch
            if shared or not (seen[here].sketch and seen[there].sketch):
                yield here, there


def _identified(seen: Sequence[Seen]) -> Iterator[tuple[int, int]]:
    """Yield legs whose requests have the same identifier, and are the only ones of their points."""
    known: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        for name, value in one.leg.request_fields:
            if name.lower() in IDENTIFIERS:
                # traceparent: version, trace, span, flags; a proxy begins a span of its own.
                parts = value.split("-")
                trace = parts[1] if name.lower() == "traceparent" and len(parts) > 3 else value
                known[name.lower(), trace].append(at)
    for places in known.values():
        if len({seen[at].point for at in places}) == len(places):
            yield from zip(places, places[1:], strict=False)


def _equal(seen: Sequence[Seen]) -> Iterator[tuple[int, int]]:
    """Yield legs that carried the same, by their times where there are several."""
    alike: dict[object, dict[Point, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, one in enumerate(seen):
        key = one.sketch if len(one.sketch) >= ENOUGH else (one.sketch, one.line)
        if one.sketch or one.line != ("", ""):
            alike[key][one.point].append(at)
    for points in alike.values():
        for first, second in _neighbours(seen, points):
            yield from _in_time(seen, points[first], points[second])


def _neighbours(
    seen: Sequence[Seen], points: dict[Point, list[int]]
) -> Iterator[tuple[Point, Point]]:
    """Yield the points that saw the same, each with each, the nearer to the client first."""
    names = [*points]
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            near, far = seen[points[one][0]].leg, seen[points[other][0]].leg
            yield (one, other) if beyond(near, far) >= 0 else (other, one)


def _in_time(seen: Sequence[Seen], near: list[int], far: list[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of legs with equal content of two points."""
    near = sorted(near, key=lambda at: seen[at].leg.first_time)
    far = sorted(far, key=lambda at: seen[at].leg.first_time)
    if seen[near[0]].leg.capture != seen[far[0]].leg.capture or len(near) == len(far):
        yield from zip(near, far, strict=False)
        return
    waiting: list[int] = []
    moments = sorted(
        [*((seen[at].leg.first_time, at, True) for at in near)]
        + [(seen[at].leg.first_time + SLACK, at, False) for at in far]
    )
    for _, at, is_near in moments:
        if is_near:
            waiting.append(at)
        elif waiting:
            yield waiting.pop(), at


def _alike(seen: Sequence[Seen], alone: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield legs that share a part of what they carried, the most alike first.

    One of them is ``alone``; the other may be in a group already.
    """
    known: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        for mark in one.sketch:
            if len(known[mark]) < MAX_ALIKE:
                known[mark].append(at)
    shared: Counter[tuple[int, int]] = Counter()
    for at in alone:
        others = (there for mark in seen[at].sketch for there in known[mark])
        shared.update((at, there) for there in others if seen[there].point != seen[at].point)
    found: list[tuple[float, int, int]] = []
    for (here, there), number in shared.items():
        share = number / min(len(seen[here].sketch), len(seen[there].sketch))
        is_same = seen[here].line == seen[there].line
        if share >= SHARE and (number >= ENOUGH or is_same):
            found.append((-share - is_same, here, there))
    for _, here, there in sorted(found):
        yield here, there


def _asked_alike(seen: Sequence[Seen], alone: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield legs of other content, of which each is the only one at its point that was asked so.

    A gateway may write each element anew, but it writes as many.
    """
    known: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for at in alone:
        if seen[at].line != ("", "") and seen[at].leg.down.count >= ENOUGH:
            known[*seen[at].line, seen[at].leg.down.count].append(at)
    for places in known.values():
        if len({seen[at].point for at in places}) == len(places):
            yield from zip(places, places[1:], strict=False)


def _ordered(legs: Sequence[Leg]) -> Way:
    """Return the legs of one exchange, the nearest to the client first."""
    ranks = {
        id(leg): sum(beyond(leg, other) < 0 for other in legs if other is not leg) for leg in legs
    }
    return Way(sorted(legs, key=lambda leg: (ranks[id(leg)], leg.capture, leg.about.number)))
