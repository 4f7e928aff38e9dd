"""Things come in the order of their numbers, and few wait."""

from __future__ import annotations

from itertools import permutations

import pytest

from wireproof.analysis.in_order import InOrder


@pytest.mark.parametrize("numbers", list(permutations(range(4))), ids=str)
def test_whatever_the_order_it_is_put_right(numbers: tuple[int, ...]) -> None:
    ordered: InOrder[int] = InOrder()
    found = [thing for number in numbers for thing in ordered.add(number, number * 10)]
    assert [*found, *ordered.finish()] == [0, 10, 20, 30]


def test_each_comes_as_soon_as_its_turn_is() -> None:
    ordered: InOrder[str] = InOrder()
    assert list(ordered.add(1, "b")) == []
    assert list(ordered.add(0, "a")) == ["a", "b"]
    assert list(ordered.add(2, "c")) == ["c"]


def test_a_number_without_a_thing_lets_others_go_on() -> None:
    ordered: InOrder[str] = InOrder()
    assert list(ordered.add(1, "b")) == []
    assert list(ordered.add(0, None)) == ["b"]


def test_what_waits_is_bounded() -> None:
    ordered: InOrder[int] = InOrder(max_waiting=2)
    found = [thing for number in (3, 4, 5, 6) for thing in ordered.add(number, number)]
    assert found == [3, 4, 5, 6]
    assert list(ordered.add(1, 1)) == [1]
    assert list(ordered.finish()) == []


def test_a_place_is_held_for_what_has_no_number() -> None:
    ordered: InOrder[str] = InOrder()
    assert list(ordered.add(0, "a")) == ["a"]
    first, second = ordered.hold(1), ordered.hold(1)
    assert list(ordered.add(1, "b")) == []
    assert list(ordered.fill(second, "after")) == []
    assert list(ordered.fill(first, "before")) == ["before", "after", "b"]
    nothing = ordered.hold(3)
    assert list(ordered.add(2, "c")) == ["c"]
    assert list(ordered.add(3, "d")) == []
    assert list(ordered.fill(nothing, None)) == ["d"]
