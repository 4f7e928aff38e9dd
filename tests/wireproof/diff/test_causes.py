"""What follows from what: one cause is one regression."""

from __future__ import annotations

import msgspec
import pytest

from wireproof.diff.causes import followed
from wireproof.diff.change import Change


def worse(
    what: str,
    effect: float = 1.0,
    *,
    group: str = "GET /",
    before: float = 0.1,
    after: float = 0.2,
    answer: str = "regression",
) -> Change:
    return Change(group, what, answer, before, after, effect, 0.0, (9, 9))  # type: ignore[arg-type]


def causes(*changes: Change) -> list[str | None]:
    """Return of each change what it follows from."""
    return [one.follows for one in followed(changes)]


@pytest.mark.parametrize(
    "cause, other",
    [
        ("status 5xx", "end: app-error"),
        ("end: cut", "ending: cut"),
        ("end: cut", "failed or cut"),
        ("ending: cut", "fewer elements: count"),
        ("streaming: held", "first_token p50"),
        ("streaming: bursty", "bursts"),
        ("bursts", "gap_max p50"),
        ("gap: outage", "long pauses"),
        ("gap_p50 p50", "last p99"),
        ("first_token p50", "late first tokens"),
        ("first_token p50", "last p50"),
        ("gap_max p50", "gap_max p99"),
        ("long pauses", "last p99"),
    ],
)
def test_what_explains_what(cause: str, other: str) -> None:
    assert causes(worse(other), worse(cause)) == [cause, None]
    assert causes(worse(other, group="GET /b"), worse(cause)) == [None, None]


def test_of_all_that_came_in_bursts_few_may_be_called_a_fault() -> None:
    few, all_of_them = worse("streaming: bursty", 0.1), worse("bursts", 1.0)
    late = worse("first_token p50", 0.1)
    assert causes(few, all_of_them, late) == ["bursts", None, "bursts"]
    assert causes(worse("streaming: held", 0.1), all_of_them) == [None, None]
    assert causes(worse("streaming: held", 0.4), all_of_them) == [None, "streaming: held"]
    assert causes(few, worse("bursts", 1.0, group="GET /b")) == [None, None]
    assert causes(few, worse("bursts", 1.0, answer="too-few")) == [None, None]


def test_what_has_nothing_to_do_with_each_other() -> None:
    names = ["retransmissions", "new connection", "streaming: held", "end: cut"]
    assert causes(*map(worse, [*names[:3], "gap_max p99"]))[:3] == [None, None, None]
    assert causes(worse("gap_p50 p50"), worse("end: cut")) == [None, None]


def test_what_follows_is_as_large_at_most() -> None:
    assert causes(worse("fewer elements: count", 0.5), worse("status 5xx", 0.05)) == [None, None]
    assert causes(worse("first_token p50", 0.9), worse("streaming: held", 0.1)) == [None, None]
    header = worse("headers_after p50", before=0.1, after=0.2)
    assert causes(worse("first p50", before=0.3, after=0.4), header) == ["headers_after p50", None]
    assert causes(worse("first p50", before=0.3, after=0.9), header) == [None, None]


def test_a_first_token_after_elements_in_time_waits_for_their_gaps() -> None:
    gap, in_time = worse("gap_p50 p50", after=0.13), worse("first p50", answer="same")
    late = worse("first_token p50", after=0.14)
    assert causes(late, gap, in_time) == ["gap_p50 p50", None, None]
    assert causes(worse("late first tokens"), late, gap, in_time)[0] == "gap_p50 p50"
    assert causes(late, gap) == [None, None], "it may be the first element"
    assert causes(late, gap, worse("first p50", answer="too-few"))[0] is None
    assert causes(late, gap, worse("first p50", answer="same", group="GET /b"))[0] is None
    assert causes(worse("first_token p50", after=0.16), gap, in_time)[0] is None, "more than a gap"
    assert causes(late, worse("gap_p50 p50", after=0.13, group=""), in_time)[0] is None
    assert causes(worse("end: cut"), gap, in_time)[0] is None


def test_ends_of_several_kinds_explain_together_what_neither_does_alone() -> None:
    both, fewer = worse("failed or cut", 0.45), worse("fewer elements: count", 0.42)
    cut, aborted = worse("end: cut", 0.225), worse("end: aborted", 0.225)
    assert causes(both, cut) == causes(fewer, cut) == [None, None]
    assert causes(both, fewer, cut, aborted) == ["end: cut", "end: cut", None, None]
    elsewhere = worse("end: aborted", 0.225, group="GET /b")
    assert causes(both, cut, elsewhere) == [None, None, None]
    assert causes(worse("failed or cut", 0.9), cut, aborted) == [None, None, None]


def test_of_one_request_exchanges_are_counted() -> None:
    held = msgspec.structs.replace(worse("streaming: held", 0.225), samples=(40, 40))
    late = msgspec.structs.replace(worse("late first tokens", 0.45), samples=(40, 20))
    assert causes(late, held) == ["streaming: held", None], "nine of them are both"
    more = msgspec.structs.replace(late, samples=(40, 40))
    assert causes(more, held) == [None, None]


def test_what_is_certain_explains_what_may_be_chance() -> None:
    late, middle = worse("late first tokens"), worse("first_token p50", answer="too-few")
    assert causes(middle, late) == ["late first tokens", None]
    certain = msgspec.structs.replace(middle, answer="regression")
    assert causes(certain, late) == [None, "first_token p50"]


def test_connections_of_all_requests_are_one_cause_however_many_of_each_are_new() -> None:
    of_all, one = worse("new connection", 0.3, group=""), worse("new connection", 0.9)
    assert causes(of_all, one) == [None, "new connection"]


def test_what_follows_from_what_follows_has_the_first_cause() -> None:
    chain = worse("streaming: held"), worse("first_token p50"), worse("last p50")
    assert causes(*chain) == [None, "streaming: held", "streaming: held"]


def test_what_is_of_all_requests_may_follow_from_one() -> None:
    of_all = worse("new connection", group="")
    assert causes(of_all, worse("end: cut")) == ["end: cut", None]
    assert causes(worse("new connection"), worse("end: cut", group="")) == ["end: cut", None]


def test_what_may_be_chance_explains_nothing_that_is_none() -> None:
    few = worse("end: cut", answer="too-few")
    assert causes(worse("failed or cut"), few) == [None, None]
    assert causes(worse("failed or cut", answer="too-few"), few) == ["end: cut", None]
    assert causes(worse("failed or cut", answer="too-few"), worse("end: cut")) == ["end: cut", None]
    assert causes(worse("failed or cut", answer="same"), few) == [None, None]
