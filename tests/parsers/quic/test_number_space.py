"""Sets of packet numbers beside Python's own, and what acknowledgements tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parsers.limits import MAX_NUMBER_RANGES, MAX_UNACKNOWLEDGED
from parsers.quic.number_space import NumberSet, NumberSpace

RUNS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=30)


@given(RUNS)
def test_runs_beside_a_set(runs: list[tuple[int, int]]) -> None:
    numbers, plain = NumberSet(), set[int]()
    for first, more in runs:
        numbers.add(first, first + more)
        plain |= set(range(first, first + more + 1))
        assert numbers.size == len(plain)
        assert numbers.highest == max(plain)
        for number in range(72):
            assert (number in numbers) == (number in plain)
            assert numbers.has_all_below(number) == (set(range(number)) <= plain)
    edges = sum(number - 1 not in plain for number in plain)
    assert len(numbers) == edges


def test_of_too_many_runs_the_lowest_hole_is_filled() -> None:
    numbers = NumberSet()
    for number in range(0, 2 * MAX_NUMBER_RANGES + 2, 2):
        numbers.add(number, number)
    assert len(numbers) == MAX_NUMBER_RANGES
    assert (1 in numbers, 3 in numbers) == (True, False)


def test_copies_and_what_is_expected() -> None:
    space = NumberSpace()
    assert space.expected == 0
    assert [space.receive(number) for number in (0, 2, 2, 1)] == [True, True, False, True]
    assert space.expected == 3


def test_what_acknowledgements_tell() -> None:
    space = NumberSpace()
    for number in (0, 1, 3, 4, 6, 7):
        space.receive(number)
        space.await_ack(number, (number + 10, 0.5))
    assert space.acknowledge([(0, 0)], (20, 1.0)) == []
    (lost,) = space.acknowledge([(3, 5)], (21, 1.0))
    assert (lost.number, lost.sent, lost.shown) == (1, (11, 0.5), (21, 1.0))
    assert (space.uncaptured, space.unaccounted) == (1, 1), "5 was acknowledged, 2 was not"
    assert space.acknowledge([(6, 1 << 61)], (22, 1.0)) == []
    assert space.unacknowledged == {}
    assert space.uncaptured == (1 << 61) - 7 + 1
    assert space.unaccounted == 1


def test_a_space_that_begins_elsewhere() -> None:
    space = NumberSpace()
    space.begin(7)
    assert space.receive(7)
    assert (space.uncaptured, space.unaccounted) == (0, 0)
    assert space.known.has_all_below(8)


def test_what_waits_is_bounded() -> None:
    space = NumberSpace()
    for number in range(MAX_UNACKNOWLEDGED + 5):
        space.await_ack(number, (1, 0.0))
    assert len(space.unacknowledged) == MAX_UNACKNOWLEDGED


def test_a_space_that_begins_with_its_first_number() -> None:
    space = NumberSpace()
    space.begin(0)
    assert (space.expected, space.known.size) == (0, 0)
    assert space.known.has_all_below(0) and not space.known.has_all_below(1)
