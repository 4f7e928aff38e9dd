"""The two tests that a comparison rests on, each for the question whether B is more than A.

Strategy: neither takes times or shares to be spread in any known way. Shares are compared by
Fisher's exact test, times by Mann and Whitney's, with ties; both are one-sided. How large a
difference is says Cliff's delta: of all pairs, how many more have B above A than below.

SciPy has both, and the tests hold these to it; but a test of a user's project that asserts that
nothing became worse should not have to install it for forty lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import erfc, exp, lgamma, sqrt
from typing import NamedTuple

EXACT = 40
"""Values of both sides together up to which a chance is counted, and not approximated."""


class Shift(NamedTuple):
    """How values of B lie beside those of A."""

    delta: float
    """Cliff's: 1 if each value of B is above each of A, 0 if neither is, -1 if each is below."""
    chance: float
    """How likely so large a delta is by chance alone."""


def shift(before: Sequence[float], after: Sequence[float]) -> Shift:
    """Compare values by their ranks, in n log n (Mann and Whitney 1947): exactly where few came and
    no two are alike, else by the normal approximation."""
    first, second = len(before), len(after)
    if not first or not second:
        return Shift(0.0, 1.0)
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
    mean = first * second / 2
    variance = first * second / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return Shift(0.0, 1.0)
    if not ties and total <= EXACT:
        return Shift(above / mean - 1, _chance_of_rank_sum(first, second, round(above)))
    z = (above - mean - 0.5) / sqrt(variance)
    return Shift(above / mean - 1, erfc(z / sqrt(2)) / 2)


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


def _chance_of_rank_sum(first: int, second: int, above: int) -> float:
    """Return how likely at least so many pairs have the second one above, if no two are alike."""
    ways = _ways(first, second)
    return sum(ways[above:]) / sum(ways)


def chance_of_more(some: int, before: int, more: int, after: int) -> float:
    """Return how likely it is by chance that at least ``more`` of ``after`` have what ``some`` of
    ``before`` have (Fisher 1922)."""
    having, total = some + more, before + after
    most = min(having, after)
    whole = _log_choose(total, having)
    terms = (
        exp(_log_choose(after, k) + _log_choose(before, having - k) - whole)
        for k in range(max(more, having - before), most + 1)
    )
    return min(sum(terms), 1.0)


def _log_choose(number: int, some: int) -> float:
    return lgamma(number + 1) - lgamma(some + 1) - lgamma(number - some + 1)
