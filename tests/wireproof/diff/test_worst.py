"""The few to look at first: with most of it, the earlier of equals, of one request or of all."""

from __future__ import annotations

import pytest

from wireproof.diff.change import Example
from wireproof.diff.worst import WORST, Worst, behind


def row(number: int) -> dict[str, object]:
    return {"capture": "a.pcap", "connection": 0, "exchange": number}


def kept(*values: float) -> list[int | None]:
    found = Worst()
    for number, value in enumerate(values):
        found.add(value, row(number), None, number)
    return [one.exchange for one in found.examples()]


def test_the_few_with_most_of_it() -> None:
    assert kept(1.0, 4.0, 2.0, 3.0) == [1, 3, 2]
    assert kept(*[0.0] * 9) == list(range(WORST))
    assert kept(0.0, 1.0, 0.0, 0.0, 1.0) == [1, 4, 0]


def of(number: int, value: float | None = None) -> Example:
    return Example("a.pcap", 0, number, number, value)


@pytest.mark.parametrize(
    "what, name",
    [
        ("first p50", "first"),
        ("last p99", "last"),
        ("streaming: held", "streaming: held"),
        ("long pauses", "gap_max"),
        ("late first tokens", "first_token"),
        ("fewer elements: count", "elements"),
    ],
)
def test_by_which_name_they_are_kept(what: str, name: str) -> None:
    assert behind(what, [{name: [of(1, 2.0)], "other": [of(2, 9.0)]}]) == [of(1, 2.0)]
    assert behind(what, [{}]) == []


def test_of_several_requests() -> None:
    groups = [{"first": [of(1, 2.0), of(2, 1.0)]}, {}, {"first": [of(3, 3.0), of(4, 1.5)]}]
    assert [one.exchange for one in behind("first p50", groups)] == [3, 1, 4]
    assert [one.exchange for one in behind("late first tokens", groups)] == [3, 1, 4]
    fewest = [{"elements": [of(1, 2.0)]}, {"elements": [of(2, 0.0), of(3, 1.0)]}]
    assert [one.exchange for one in behind("fewer elements: count", fewest)] == [2, 3, 1]
    alike = [{"end: cut": [of(1)]}, {"end: cut": [of(2)]}]
    assert [one.exchange for one in behind("end: cut", alike)] == [1, 2]
