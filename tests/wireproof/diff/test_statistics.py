"""The two tests, against numbers that are worked out by hand, and beside SciPy's."""

from __future__ import annotations

from random import Random

import pytest

from wireproof.diff.statistics import EXACT, chance_of_more, shift


@pytest.mark.parametrize(
    "some, before, more, after, chance",
    [
        (0, 5, 5, 5, 1 / 252),  # one way of 10 over 5
        (1, 2, 1, 2, 5 / 6),
        (0, 10, 0, 10, 1.0),
        (3, 3, 0, 3, 1.0),
    ],
)
def test_shares(some: int, before: int, more: int, after: int, chance: float) -> None:
    assert chance_of_more(some, before, more, after) == pytest.approx(chance)


def test_values() -> None:
    below, above = [1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]
    assert shift(below, above).delta == 1.0
    assert shift(above, below).delta == -1.0
    assert shift(below, above).chance == pytest.approx(1 / 252), "one of 10 over 5"
    assert shift(below, below).delta == 0.0 and shift(below, below).chance > 0.5


@pytest.mark.parametrize("before, after", [([], [1.0]), ([1.0], []), ([2.0] * 9, [2.0] * 9)])
def test_what_tells_nothing(before: list[float], after: list[float]) -> None:
    assert shift(before, after) == (0.0, 1.0)


@pytest.mark.parametrize("seed", range(40))
def test_values_as_scipy_compares_them(seed: int) -> None:
    random = Random(seed)
    digits = random.choice((1, 2, 6))  # few digits give ties
    before, after = (
        [round(random.gauss(mean, 1), digits) for _ in range(random.randint(5, 80))]
        for mean in (0, random.uniform(-1, 1))
    )
    from scipy.stats import mannwhitneyu  # which takes a second to import, in every worker

    values = before + after
    is_exact = len(values) <= EXACT and len(set(values)) == len(values)
    method = "exact" if is_exact else "asymptotic"
    expected = mannwhitneyu(after, before, alternative="greater", method=method)
    found = shift(before, after)
    assert found.chance == pytest.approx(expected.pvalue, rel=1e-9)
    pairs = len(before) * len(after)
    assert found.delta == pytest.approx(2 * expected.statistic / pairs - 1)


@pytest.mark.parametrize("seed", range(40))
def test_shares_as_scipy_compares_them(seed: int) -> None:
    random = Random(seed)
    before, after = random.randint(1, 200), random.randint(1, 200)
    some, more = random.randint(0, before), random.randint(0, after)
    table = [[more, after - more], [some, before - some]]
    from scipy.stats import fisher_exact

    expected = fisher_exact(table, alternative="greater").pvalue
    assert chance_of_more(some, before, more, after) == pytest.approx(expected, rel=1e-6)
