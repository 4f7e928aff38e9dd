"""What counts as worse, and what is too few to tell."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from wireproof.diff.compare import Change, compare, is_comparison, is_regression
from wireproof.diff.profile import FORMAT, METRICS, Group, Profile
from wireproof.views.changes import sentence


def of(group: Group, retransmissions: int = 0) -> Profile:
    return Profile(FORMAT, {"GET /": group}, 1_000, retransmissions)


def group(count: int, held: int = 0, first: float = 0.1) -> Group:
    times = {"first": [first + number * 1e-6 for number in range(count)]}
    faults = {"streaming: held": held} if held else {}
    return Group(count, faults, {"whole": count}, 0, [3.0] * count, times)


def answer(changes: list[Change], what: str) -> str:
    return next(change.answer for change in changes if change.what == what)


@pytest.mark.parametrize(
    "count, held, said",
    [
        (1, 1, "too-few"),
        (4, 4, "too-few"),
        (6, 6, "regression"),
        (9, 1, "too-few"),
        (30, 1, "same"),
    ],
)
def test_shares(count: int, held: int, said: str) -> None:
    changes = compare(of(group(count)), of(group(count, held)))
    assert answer(changes, "streaming: held") == said


@pytest.mark.parametrize(
    "count, first, said",
    [(4, 0.5, "too-few"), (9, 0.5, "regression"), (9, 0.104, "same"), (9, 0.05, "same")],
)
def test_times(count: int, first: float, said: str) -> None:
    changes = compare(of(group(count)), of(group(count, first=first)))
    assert answer(changes, "first p50") == said


def test_a_tail_of_a_few() -> None:
    before, after = group(100), group(100)
    after.times["first"][-10:] = [0.5] * 10
    changes = compare(of(before), of(after))
    assert (answer(changes, "first p50"), answer(changes, "first p99")) == ("same", "regression")


def many(random: Random, answers: int, targets: int = 8) -> Profile:
    """A run of an app whose times are spread wide, of so many answers of each target."""
    groups = {}
    for number in range(targets):
        times = {
            metric: sorted(random.lognormvariate(-2, 0.8) for _ in range(answers))
            for metric in METRICS
        }
        held = sum(random.random() < 0.1 for _ in range(answers))
        counts = [float(random.randint(9, 12)) for _ in range(answers)]
        groups[f"GET /{number}"] = Group(
            answers, {"streaming: held": held}, {"whole": answers}, 0, counts, times
        )
    return Profile(FORMAT, groups, 10_000, sum(random.random() < 0.005 for _ in range(10_000)))


@pytest.mark.parametrize("answers", [5, 8, 20, 100])
def test_a_hundred_comparisons_of_the_same_app_find_nothing(answers: int) -> None:
    """Each would find something by chance once in a hundred times."""
    random = Random(answers)
    for _ in range(8):
        changes = compare(many(random, answers), many(random, answers))
        assert len(changes) > 100 and not is_regression(changes)


def test_what_would_count_alone_does_not_among_many() -> None:
    random = Random(1)
    before, after = many(random, 9), many(random, 9)
    before.groups["GET /"], after.groups["GET /"] = group(9), group(9)
    slower = msgspec.structs.replace(
        group(9), times={"first": [0.0, *(0.5 + number * 1e-6 for number in range(8))]}
    )
    after.groups["GET /"] = slower
    alone = compare(of(group(9)), of(slower))
    assert answer(alone, "first p50") == "regression"
    [found] = [
        one for one in compare(before, after) if (one.group, one.what) == ("GET /", "first p50")
    ]
    assert found.answer == "too-few"


def test_packets_and_targets_that_are_missing() -> None:
    changes = compare(of(group(9)), Profile(FORMAT, {}, 1_000, 30))
    assert [(one.what, one.answer) for one in changes] == [
        ("retransmissions", "regression"),
        ("exchanges", "missing"),
    ]


def test_what_came_of_too_few_and_what_is_new() -> None:
    few, more = Profile(FORMAT, {"GET /": group(4)}, 9, 0), of(group(9))
    more.groups["GET /new"] = group(3)
    came = [(one.group, one.answer) for one in compare(few, more) if one.what == "exchanges"]
    assert came == [("GET /", "too-few"), ("GET /new", "new")]
    assert not [one for one in compare(more, more) if one.what == "exchanges"][1:], "but GET /new"


def test_a_run_that_recorded_nothing_proves_nothing() -> None:
    before, empty, other = of(group(9)), Profile(FORMAT, {}, 9, 0), of(group(9))
    other.groups["GET /new"] = other.groups.pop("GET /")
    assert not is_comparison(compare(before, empty))
    assert not is_comparison(compare(before, other))
    assert is_comparison(compare(before, before))


def test_elements_that_some_exchanges_lost_are_shown_by_their_mean() -> None:
    """Fewer than half of them lost some: the median is what it was."""
    whole = group(30)
    some = msgspec.structs.replace(whole, counts=[1.0] * 14 + [3.0] * 16)
    [found] = [one for one in compare(of(whole), of(some)) if one.what.endswith("count")]
    assert found.answer == "regression" and (found.before, found.after) == (3.0, 62 / 30)
    assert "3 -> 2.1" in sentence(found)
