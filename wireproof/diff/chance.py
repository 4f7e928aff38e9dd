"""Which of many differences are none of chance.

Strategy: a run has a hundred comparisons, of which one is unlikely by itself: so chances are held
against how many there are (Benjamini and Hochberg 1995): among all of a run, where many became
worse, and among each kind of question by itself, so that a lost end need not outweigh the chances
of fifty times. Those whose largest possible difference could be chance do not count, for they can
find nothing. The first token is what users wait for: gross changes of it are held against each
other besides, so five answers beside five can tell. What concerns all requests is asked first:
where that is found, each request is held against others of the same question alone (Yekutieli
2008).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Family = Literal["ends", "verdicts", "times", "pauses", "packets", "connections"]
RARE = 3
"""How many times the chance may be of what seldom happens in a healthy run: a lost end, a 5xx. For
that Fisher's test is stricter than it says: where one in a hundred fails in either run, it takes 5
of 100 beside none for a difference, at 0.03, once in a thousand times."""
CERTAIN = 0.1
"""The same of what is asked of all requests, which has to be certain to say anything of each; and
of connections, which clients share as it happens to be."""


class Comparison(NamedTuple):
    """A comparison, as far as its chance is concerned."""

    what: str
    is_of_all: bool
    """Whether it is asked of all requests together, and of each besides."""
    family: Family
    chance: float
    least: float
    """What the chance is at least, however large the difference."""
    alone: float | None = None
    """The chance among comparisons of the first token alone; None of any other."""


class Found(NamedTuple):
    """Which comparisons are none of chance, and what the others lack."""

    known: set[int]
    """Their numbers."""
    limits: dict[int, float]
    """Up to which chance each of the others would have been one of them."""


def found(tested: Sequence[Comparison], chance: float) -> Found:
    """Return which comparisons are none of chance."""
    limits: dict[int, float] = {}
    known = _known(tested, chance, limits)
    return Found(known, {number: one for number, one in limits.items() if number not in known})


def _known(tested: Sequence[Comparison], chance: float, limits: dict[int, float]) -> set[int]:
    usual = [
        number
        for number, one in enumerate(tested)
        if not one.is_of_all and one.family != "connections"
    ]
    known = _rejected(tested, usual, chance, limits)
    alone = [one if one.alone is None else one._replace(chance=one.alone) for one in tested]
    first: dict[int, float] = {}
    known |= _rejected(alone, [n for n in usual if tested[n].alone is not None], chance, first)
    _raise(limits, {n: one for n, one in first.items() if tested[n].alone == tested[n].chance})
    certain: set[str] = set()
    for is_of_all in (True, False):
        families: dict[Family, list[int]] = defaultdict(list)
        for number, one in enumerate(tested):
            if one.is_of_all == is_of_all:
                families[one.family].append(number)
        for family, numbers in families.items():
            limit = _limit(family, chance) * (CERTAIN if is_of_all else 1)
            known |= _rejected(tested, numbers, limit, limits)
        certain |= {tested[number].what for number in known if is_of_all}
    requests: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(tested):
        if not one.is_of_all and one.what in certain:
            requests[one.what].append(number)
    for numbers in requests.values():
        known |= _rejected(tested, numbers, _limit(tested[numbers[0]].family, chance), limits)
    return known


def _limit(family: Family, chance: float) -> float:
    return chance * (RARE if family == "ends" else CERTAIN if family == "connections" else 1)


def _rejected(
    tested: Sequence[Comparison], numbers: Sequence[int], limit: float, limits: dict[int, float]
) -> set[int]:
    """Return those of some comparisons that are none of chance, all of these together; ``limits``
    are raised to the chance up to which one more of them would be."""
    able = [number for number in numbers if tested[number].least <= limit]
    ranked = sorted(able, key=lambda number: tested[number].chance)
    last = 0
    for rank, number in enumerate(ranked, 1):
        if tested[number].chance <= limit * rank / len(ranked):
            last = rank
    _raise(limits, {number: limit for number in numbers if tested[number].least > limit})
    _raise(limits, {number: limit * (last + 1) / len(ranked) for number in ranked[last:]})
    return set(ranked[:last])


def _raise(limits: dict[int, float], others: Mapping[int, float]) -> None:
    """Raise what comparisons are held to by what others are."""
    for number, limit in others.items():
        limits[number] = max(limits.get(number, 0.0), limit)
