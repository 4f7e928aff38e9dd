"""What counts as worse, and what is too few to tell."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from wireproof.diff.change import Change
from wireproof.diff.compare import compare, is_comparison, is_regression
from wireproof.diff.profile import FORMAT, METRICS, Group, Long, Profile
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
        assert len(changes) > 70 and not is_regression(changes)


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


def worse(before: Profile, after: Profile) -> list[tuple[str, str]]:
    changes = compare(before, after)
    return [(one.group, one.what) for one in changes if one.answer == "regression"]


def runs(*groups: Group) -> Profile:
    return Profile(FORMAT, {f"GET /{n}": one for n, one in enumerate(groups)}, 1_000, 0)


def ended(count: int, bad: int, end: str = "cut", failed: int = 0) -> Group:
    endings = {"whole": count - bad, end: bad} if bad else {"whole": count}
    return msgspec.structs.replace(
        group(count), endings=endings, failed=failed, failed_or_cut=bad + failed
    )


@pytest.mark.parametrize(
    "after, said",
    [
        (ended(100, 5), "end: cut"),
        (ended(100, 5, "app-incomplete"), "end: app-incomplete"),
        (ended(100, 0, failed=5), "status 5xx"),
        (ended(100, 3, failed=2), "failed or cut"),
    ],
)
def test_a_few_in_a_hundred_that_fail_are_found(after: Group, said: str) -> None:
    others = [ended(100, 0), ended(100, 1)]
    assert worse(runs(ended(100, 0), *others), runs(after, *others)) == [("GET /0", said)]
    assert worse(runs(after, *others), runs(ended(100, 0), *others)) == []


def test_what_is_too_few_of_each_request_may_be_certain_of_all() -> None:
    before, after = [ended(100, 0)] * 6, [ended(100, 2)] * 6
    assert worse(runs(before[0]), runs(after[0])) == []
    assert worse(runs(*before), runs(*after)) == [("", "end: cut")]
    [found] = [one for one in compare(runs(*before), runs(*after)) if one.answer == "regression"]
    assert (found.before, found.after, found.samples) == (0.0, pytest.approx(0.02), (600, 600))
    assert sentence(found).startswith("all requests: end: cut: worse: 0.00% -> 2.00%")


def test_a_gross_change_of_five_is_certain_of_several_requests() -> None:
    before, after = [group(5)] * 3, [group(5, first=2.0)] * 3
    slow = [("GET /0", "first p50"), ("GET /1", "first p50"), ("GET /2", "first p50")]
    assert worse(runs(*before), runs(*after)) == slow
    assert worse(runs(*[group(3)] * 8), runs(*[group(3, first=2.0)] * 8)) == [("", "first p50")]
    fewer = [msgspec.structs.replace(one, counts=[1.0] * 3) for one in [group(3)] * 8]
    assert worse(runs(*[group(3)] * 8), runs(*fewer)) == [("", "fewer elements: count")]


def test_a_gross_change_of_five_in_one_request_is_certain_of_the_first_token_alone() -> None:
    """One in 252 orders of ten values has the five larger ones last."""
    times = {name: [0.1 + number * 1e-6 for number in range(5)] for name in METRICS}
    before = msgspec.structs.replace(group(5), times=times)
    slow = times | {"first": [2.0] * 5, "first_token": [2.0 + number * 1e-6 for number in range(5)]}
    after = msgspec.structs.replace(group(5), times=slow)
    assert worse(of(before), of(after)) == [("GET /", "first_token p50")]
    late = msgspec.structs.replace(group(5), times=times | {"gap_p50": slow["first_token"]})
    assert worse(of(before), of(late)) == [], "but of one among five others"
    six = {name: [0.1 + number * 1e-6 for number in range(6)] for name in METRICS}
    slower = six | {"gap_p50": [0.3 + number * 1e-6 for number in range(6)]}
    both = [msgspec.structs.replace(group(6), times=times) for times in (six, slower)]
    assert worse(of(both[0]), of(both[1])) == [("GET /", "gap_p50 p50")]


def paused(count: int, moments: list[float], longest: float = 1.2) -> Group:
    """Streams of which some waited long, at some moments."""
    gaps = [0.02] * (count - len(moments)) + [longest] * len(moments)
    spans = [Long(longest, moment, moment + longest) for moment in moments]
    return msgspec.structs.replace(
        group(count), times={"gap_max": gaps}, longest={"gap_max": spans}
    )


def test_long_pauses_of_few_streams_of_each_request_are_found_of_all() -> None:
    before = [paused(20, [])] * 6
    apart = [paused(20, [number * 10.0 + 2, number * 10.0 + 5]) for number in range(6)]
    assert worse(runs(before[0]), runs(apart[0])) == []
    assert worse(runs(*before), runs(*apart)) == [("", "long pauses")]
    together = [paused(20, [2.0, 5.0])] * 6
    assert worse(runs(*before), runs(*together)) == [], "the machine stood still twice"


def test_long_pauses_of_many_streams_are_found_of_each_request() -> None:
    before, after = paused(20, []), paused(20, [number * 2.0 for number in range(8)])
    assert worse(of(before), of(after)) == [("GET /", "long pauses")]
    assert worse(of(after), of(before)) == worse(of(after), of(after)) == []


def test_one_answer_of_503_is_one_regression() -> None:
    after = msgspec.structs.replace(
        ended(100, 6, "app-error"),
        **{"failed": 6, "failed_or_cut": 6, "counts": [1.0] * 40 + [3.0] * 60},
    )
    changes = compare(of(ended(100, 0)), of(after))
    assert [one.what for one in changes if one.answer == "regression"] == [
        "status 5xx",
        "fewer elements: count",
    ], "503 in six of a hundred do not explain that forty have fewer elements"
    follow = {one.what: one.follows for one in changes if one.answer == "consequence"}
    assert follow == {"end: app-error": "status 5xx", "failed or cut": "status 5xx"}


def test_a_request_that_nobody_else_makes_is_none_of_all() -> None:
    """The slow one is asked for more often in B: that is no difference."""
    before, after = runs(group(9), group(9, first=2.0)), runs(group(9), group(90, first=2.0))
    assert worse(before, after) == []


def test_connections_that_are_not_used_again() -> None:
    kept = msgspec.structs.replace(group(20), opened=2)
    each = msgspec.structs.replace(group(20), opened=20)
    assert worse(of(kept), of(each)) == [("GET /", "new connection")]
    assert worse(of(each), of(kept)) == worse(of(group(20)), of(each)) == []


def test_connections_that_no_request_uses_again_are_one_regression() -> None:
    kept = msgspec.structs.replace(group(20), opened=2)
    each = msgspec.structs.replace(group(20), opened=20)
    changes = compare(runs(*[kept] * 4), runs(*[each] * 4))
    assert [one.group for one in changes if one.answer == "regression"] == [""]
    follow = [one for one in changes if one.answer == "consequence"]
    assert [one.follows for one in follow] == ["new connection"] * 4
    assert worse(runs(*[kept] * 4), runs(each, *[kept] * 3)) == [("GET /0", "new connection")]


def test_what_was_not_recorded_is_told_and_not_compared() -> None:
    before = ended(20, 0)
    after = msgspec.structs.replace(
        ended(20, 0), endings={"whole": 12}, counts=[3.0] * 12, lacking=8, unknown=8
    )
    changes = compare(of(before), of(after))
    assert not is_regression(changes)
    [told] = [one for one in changes if one.answer != "same"]
    assert (told.what, told.answer, told.after) == ("not recorded", "not-recorded", 0.4)
    assert sentence(told).startswith("GET /: not recorded: 0.00% -> 40.00% of the exchanges lack")
    ends = msgspec.structs.replace(after, endings={"whole": 6, "cut": 6})
    [cut] = [one for one in compare(of(before), of(ends)) if one.what == "end: cut"]
    assert (cut.after, cut.samples) == (0.5, (20, 12))


@pytest.mark.parametrize("lacking", [0, 1])
@pytest.mark.parametrize("side", [0, 1])
def test_times_of_those_that_are_left_are_not_compared(side: int, lacking: int) -> None:
    """Of 24 a third may be unknown: what was lost is no fair share."""
    runs = [group(24), group(24, first=0.5)]
    runs[side] = msgspec.structs.replace(runs[side], untimed={"first": 8 + lacking, "last": 24})
    changes = compare(of(runs[0]), of(runs[1]))
    assert is_regression(changes) != bool(lacking)
    assert any(one.what == "first p50" for one in changes) != bool(lacking)
    told = [sentence(one) for one in changes if one.answer == "not-recorded"]
    share = "37.50% -> 0.00%" if side == 0 else "0.00% -> 37.50%"
    said = f"GET /: too few recorded to compare first: {share} of the exchanges lack bytes for that"
    assert told == [f"{said} (n = 24 and 24)"] * lacking


def test_how_many_elements_came_is_not_compared_where_few_are_known() -> None:
    fewer = msgspec.structs.replace(group(24), counts=[1.0] * 8, untimed={"elements": 16})
    changes = compare(of(group(24)), of(fewer))
    assert [one.what for one in changes if one.answer != "same"] == ["too few recorded: elements"]
    assert is_comparison(changes)


def test_legs_behind_a_proxy_are_said_to_be_left_out() -> None:
    both = msgspec.structs.replace(of(group(20)), behind=20)
    changes = compare(both, of(group(20)))
    [told] = [one for one in changes if one.answer != "same"]
    assert (told.what, told.answer, told.samples) == ("legs behind a proxy", "left-out", (40, 20))
    assert sentence(told) == (
        "all requests: legs behind a proxy: 50.00% -> 0.00% of the exchanges, left out:"
        " those of the proxy's clients count (n = 40 and 20)"
    )
    assert not is_comparison([told])


def test_too_few_says_up_to_what_chance_counts() -> None:
    [alone] = [one for one in compare(of(group(20)), of(group(20, 6))) if "held" in one.what]
    assert alone.answer == "too-few" and alone.chance > 0.01 == alone.limit
    assert "p = 0.0101 where up to 0.01 counts" in sentence(alone)


def test_a_few_packets_in_five_hundred() -> None:
    busy = [group(20) for _ in range(5)]
    before, after = (
        Profile(FORMAT, {f"GET /{n}": one for n, one in enumerate(busy)}, 500, number)
        for number in (0, 7)
    )
    assert worse(before, after) == [("", "retransmissions")]


@pytest.mark.parametrize("is_one", [True, False])
def test_what_stalled_together_is_one_stall(is_one: bool) -> None:
    before, after = group(100), group(100)
    after.times["first"][-10:] = [0.5] * 10
    moments = [7.0 if is_one else float(number) for number in range(10)]
    longest = [Long(0.5, moment, moment + 0.5) for moment in moments]
    known = msgspec.structs.replace(after, longest={"first": longest})
    assert worse(of(before), of(known)) == ([] if is_one else [("GET /", "first p99")])


def test_a_gap_of_many_at_once_is_one_stall() -> None:
    outages = msgspec.structs.replace(group(100), faults={"gap: outage": 10})
    together = msgspec.structs.replace(outages, stalls={"gap: outage": 1})
    assert worse(of(group(100)), of(outages)) == [("GET /", "gap: outage")]
    assert worse(of(group(100)), of(together)) == []
