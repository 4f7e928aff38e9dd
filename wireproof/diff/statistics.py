"""The two tests that a comparison rests on, each for the question whether B is more than A.

Strategy: neither takes times or shares to be spread in any known way. Shares are compared by
Fisher's exact test, times by Mann and Whitney's, with ties; both are one-sided. How large a
difference is says Cliff's delta: of all pairs, how many more have B above A than below.

Each is there for several requests together, too: what is compared then is each request's B with its
own A, so that neither a slow one nor a larger number of those makes a difference.

SciPy has both, and the tests hold these to it; but a test of a user's project that asserts that
nothing became worse should not have to install it for forty lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import erfc, exp, inf, lgamma, sqrt
from typing import NamedTuple, TypeVar

T = TypeVar("T", int, float)

Span = tuple[float, float]
"""When something began, and when it was over."""
EXACT = 40
"""Values of both sides together up to which a chance is counted, and not approximated."""
FEW = 400
"""The same of shares, of several requests: so many that have something."""


class Shift(NamedTuple):
    """How values of B lie beside those of A."""

    delta: float
    """Cliff's: 1 if each value of B is above each of A, 0 if neither is, -1 if each is below."""
    chance: float
    """How likely so large a delta is by chance alone."""


Values = Sequence[float]


class _Ranked(NamedTuple):
    """In how many pairs a value of B is above one of A, and what is to be expected by chance."""

    sizes: tuple[int, int]
    above: float
    mean: float
    variance: float
    has_ties: bool


def shift(before: Values, after: Values) -> Shift:
    """Compare values by their ranks, in n log n (Mann and Whitney 1947): exactly where few came and
    no two are alike, else by the normal approximation."""
    return shift_together([(before, after)])


def shift_together(pairs: Sequence[tuple[Values, Values]]) -> Shift:
    """Compare values of A and B, of each request with its own: exactly where few came, else as van
    Elteren (1960) weighs them."""
    found = [_ranked(before, after) for before, after in pairs if before and after]
    found = [one for one in found if one.variance > 0]
    if not found:
        return Shift(0.0, 1.0)
    above, mean = sum(one.above for one in found), sum(one.mean for one in found)
    delta = above / mean - 1
    if not any(one.has_ties for one in found) and sum(sum(one.sizes) for one in found) <= EXACT:
        return Shift(delta, _chance_of_rank_sum([one.sizes for one in found], round(above)))
    weights = [1 / (sum(one.sizes) + 1) for one in found]
    rows = list(zip(found, weights, strict=True))
    beyond = sum((one.above - one.mean) * weight for one, weight in rows) - min(weights) / 2
    spread = sum(one.variance * weight**2 for one, weight in rows)
    return Shift(delta, erfc(beyond / sqrt(2 * spread)) / 2)


def _ranked(before: Values, after: Values) -> _Ranked:
    first, second = len(before), len(after)
    pooled = sorted([(value, 0) for value in before] + [(value, 1) for value in after])
    rank_sum = ties = 0.0
    start, total = 0, first + second
    while start < total:
        end = start
        while end < total and pooled[end][0] == pooled[start][0]:
            end += 1
        same = end - start
        rank_sum += (start + end + 1) / 2 * sum(side for _, side in pooled[start:end])
        ties += same**3 - same
        start = end
    above = rank_sum - second * (second + 1) / 2
    variance = first * second / 12 * (total + 1 - ties / (total * (total - 1)))
    return _Ranked((first, second), above, first * second / 2, variance, ties > 0)


@cache
def _ways(first: int, second: int) -> list[int]:
    """Return in how many orders of so many values a number of pairs has the second one above."""
    # As a product of Gaussian binomials: each factor is one more value of the second kind.
    ways = [1] + [0] * (first * second)
    for number in range(1, second + 1):
        for above in range(first + number, first * second + 1)[::-1]:
            ways[above] -= ways[above - first - number]
        for above in range(number, first * second + 1):
            ways[above] += ways[above - number]
    return ways


def _chance_of_rank_sum(sizes: Sequence[tuple[int, int]], above: int) -> float:
    """Return how likely at least so many pairs have the second one above, if no two are alike."""
    ways = [1]
    for first, second in sizes:
        ways = _both(ways, _ways(first, second))
    return sum(ways[above:]) / sum(ways)


def chance_of_more(some: int, before: int, more: int, after: int) -> float:
    """Return how likely it is by chance that at least ``more`` of ``after`` have what ``some`` of
    ``before`` have (Fisher 1922)."""
    having = some + more
    return min(sum(_chances(having, before, after, max(more, having - before))), 1.0)


def least_chance(some: int, before: int, more: int, after: int) -> float:
    """Return what :func:`chance_of_more` is if as many of ``after`` have it as can be."""
    having = some + more
    return chance_of_more(having - min(having, after), before, min(having, after), after)


def chance_together(counts: Sequence[tuple[int, int, int, int]]) -> float:
    """Return how likely it is by chance that at least so many of all ``after`` have something,
    where each request has as many as it has: its arguments are those of
    :func:`chance_of_more`."""
    found = [one for one in counts if one[0] + one[2] and one[1] and one[3]]
    if len(found) == 1:
        return chance_of_more(*found[0])
    more = sum(one[2] for one in found)
    if sum(one[0] + one[2] for one in found) > FEW:
        return _usual_chance(found, more)
    chances = [1.0]
    least = 0
    for some, before, of, after in found:
        start = max(0, some + of - before)
        chances = _both(chances, list(_chances(some + of, before, after, start)))
        least += start
    return min(sum(chances[max(more - least, 0) :]), 1.0)


def _usual_chance(counts: Sequence[tuple[int, int, int, int]], more: int) -> float:
    """Return the same where many have it, by the normal approximation."""
    mean = spread = 0.0
    for some, before, of, after in counts:
        having, total = some + of, before + after
        mean += having * after / total
        spread += having * after / total * before / total * (total - having) / max(total - 1, 1)
    return erfc((more - mean - 0.5) / sqrt(2 * spread)) / 2 if spread > 0 else 1.0


def _chances(having: int, before: int, after: int, start: int) -> Iterator[float]:
    """Yield how likely each number of those that have something is in ``after``, from ``start``."""
    whole = _log_choose(before + after, having)
    for number in range(start, min(having, after) + 1):
        yield exp(_log_choose(after, number) + _log_choose(before, having - number) - whole)


def _both(first: Sequence[T], second: Sequence[T]) -> list[T]:
    """Return how likely, or in how many ways, each sum comes of two numbers."""
    found = [first[0] * 0] * (len(first) + len(second) - 1)
    for place, one in enumerate(first):
        for other_place, other in enumerate(second):
            found[place + other_place] += one * other
    return found


def _log_choose(number: int, some: int) -> float:
    return lgamma(number + 1) - lgamma(some + 1) - lgamma(number - some + 1)


def stalls(spans: Iterable[Span]) -> int:
    """Return how many moments it takes at least for each span to have one in it: what waited at the
    same time may have waited for the same thing, and says no more than one of them."""
    return stalls_together((*span, 0) for span in spans)[0]


def stalls_together(spans: Iterable[tuple[float, float, int]]) -> Counter[int]:
    """Return the same of several requests: each span has its request's number, and each stall
    counts with the request that it was over first of."""
    numbers, moment = Counter[int](), -inf
    for start, end, request in sorted(spans, key=lambda span: span[1]):
        if start > moment:
            numbers[request] += 1
            moment = end
    return numbers
