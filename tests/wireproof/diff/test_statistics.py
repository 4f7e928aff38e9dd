"""The two tests, against numbers that are worked out by hand, and beside SciPy's."""

from __future__ import annotations

from random import Random

import pytest

from wireproof.diff import statistics as module
from wireproof.diff.statistics import (
    EXACT,
    chance_of_more,
    chance_together,
    least_chance,
    shift,
    shift_together,
    stalls,
    stalls_together,
)


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


BELOW, ABOVE = [1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]


def test_what_is_likely_of_one_request_is_not_of_several() -> None:
    exact = shift_together([(BELOW, ABOVE)] * 3)
    assert exact.delta == 1.0 and exact.chance == pytest.approx(252**-3)
    many = shift_together([(BELOW, ABOVE)] * 12)  # more values than are counted
    assert many.delta == 1.0 and 0 < many.chance < 1e-12
    mixed = shift_together([(BELOW, ABOVE), (ABOVE, BELOW), ([], ABOVE), ([1.0], [1.0])])
    assert mixed.delta == 0.0 and mixed.chance > 0.5
    assert shift_together([]) == (0.0, 1.0)


def test_a_slow_request_is_held_against_itself() -> None:
    """Twice as many of the slow one in B make no difference."""
    slow = [value + 100 for value in BELOW]
    found = shift_together([(BELOW, BELOW), (slow, slow * 2)])
    assert found.delta == 0.0 and found.chance > 0.4


@pytest.mark.parametrize("seed", range(20))
def test_values_of_several_requests_are_counted_as_they_are_approximated(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    pairs = [
        (
            [random.gauss(0, 1) for _ in range(5)],
            [random.gauss(random.uniform(0, 1), 1) for _ in range(5)],
        )
        for _ in range(4)
    ]
    exact = shift_together(pairs)
    monkeypatch.setattr(module, "EXACT", 0)
    about = shift_together(pairs)
    assert about.delta == exact.delta
    assert about.chance == pytest.approx(exact.chance, abs=0.01)


def test_shares_of_several_requests() -> None:
    one = (0, 5, 5, 5)
    assert chance_together([one]) == chance_of_more(*one)
    assert chance_together([one, one]) == pytest.approx(252**-2)
    assert chance_together([one, (0, 9, 0, 9), (3, 3, 0, 0)]) == chance_of_more(*one)
    assert chance_together([(5, 5, 0, 5), one]) > 0.5
    assert chance_together([]) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_several_requests_are_counted_as_they_are_approximated(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    counts = [
        (random.randint(5, 30), 100, random.randint(5, 30), random.randint(50, 100))
        for _ in range(4)
    ]
    exact = chance_together(counts)
    monkeypatch.setattr(module, "FEW", 0)
    assert chance_together(counts) == pytest.approx(exact, abs=0.01)
    everyone = [(5, 5, 5, 5)] * 4
    assert chance_together(everyone) == 1.0


def test_the_least_that_a_chance_can_be() -> None:
    assert least_chance(1, 100, 0, 100) == pytest.approx(0.5)
    assert least_chance(3, 100, 2, 100) == pytest.approx(chance_of_more(0, 100, 5, 100))
    assert least_chance(5, 5, 5, 5) == 1.0


@pytest.mark.parametrize(
    "spans, number",
    [
        ([], 0),
        ([(0.0, 2.0), (1.0, 3.0), (1.9, 2.0)], 1),
        ([(0.0, 1.0), (0.5, 2.0), (1.5, 3.0)], 2),
        ([(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)], 3),
        ([(0.0, 9.0), (1.0, 2.0), (3.0, 4.0)], 2),
    ],
)
def test_stalls(spans: list[tuple[float, float]], number: int) -> None:
    assert stalls(spans) == number


def test_stalls_of_several_requests_count_with_one_of_them() -> None:
    spans = [(0.0, 2.0, 0), (1.0, 1.5, 1), (3.0, 4.0, 0), (3.0, 5.0, 2)]
    assert stalls_together(spans) == {1: 1, 0: 1}
