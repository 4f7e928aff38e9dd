"""Elements of two legs are paired by what they say, whatever a hop did to their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.analysis.hops.align import align


@pytest.mark.parametrize(
    ("near", "far", "pairs", "lost", "added", "doubled", "moved"),
    [
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)], [], [], [], []),
        ("", "abc", [], [0, 1, 2], [], [], []),
        ("ab", "abc", [(0, 0), (1, 1)], [2], [], [], []),
        ("bc", "abc", [(0, 1), (1, 2)], [0], [], [], []),
        ("ac", "abc", [(0, 0), (1, 2)], [1], [], [], []),
        ("abbc", "abc", [(0, 0), (1, 1), (3, 2)], [], [], [2], []),
        ("abxc", "abc", [(0, 0), (1, 1), (3, 2)], [], [2], [], []),
        ("acbd", "abcd", [(0, 0), (2, 1), (3, 3)], [], [], [], [(1, 2)]),
        ("aab", "aaab", [(0, 0), (1, 1), (2, 3)], [2], [], [], []),
        ("xaayaaz", "aaqraa", [(1, 0), (2, 1), (4, 4), (5, 5)], [2, 3], [0, 3, 6], [], []),
    ],
)
def test_pairs(
    near: str,
    far: str,
    pairs: list[tuple[int, int]],
    lost: list[int],
    added: list[int],
    doubled: list[int],
    moved: list[tuple[int, int]],
) -> None:
    found = align([*map(ord, near)], [*map(ord, far)])
    assert found == (pairs, [], lost, added, doubled, moved)


@pytest.mark.parametrize(
    ("near", "far", "pairs", "changed", "lost"),
    [
        ("XYZ", "abc", [(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 1), (2, 2)], []),
        ("aXc", "abc", [(0, 0), (1, 1), (2, 2)], [(1, 1)], []),
        ("aXYd", "abcd", [(0, 0), (1, 1), (2, 2), (3, 3)], [(1, 1), (2, 2)], []),
        ("aXd", "abcd", [(0, 0), (2, 3)], [], [1, 2]),
        ("aXc", "abcd", [(0, 0), (1, 1), (2, 2)], [(1, 1)], [3]),
    ],
)
def test_as_many_of_other_content_at_one_place_are_the_same(
    near: str,
    far: str,
    pairs: list[tuple[int, int]],
    changed: list[tuple[int, int]],
    lost: list[int],
) -> None:
    found = align([*map(ord, near)], [*map(ord, far)])
    assert (found.pairs, found.changed, found.lost) == (pairs, changed, lost)


@given(st.lists(st.integers(0, 6), max_size=40), st.lists(st.integers(0, 6), max_size=40))
def test_each_element_is_accounted_for_once(near: list[int], far: list[int]) -> None:
    found = align(near, far)
    equal = [pair for pair in found.pairs + found.moved if pair not in found.changed]
    assert all(near[one] == far[other] for one, other in equal)
    assert set(found.changed) <= set(found.pairs)
    assert found.pairs == sorted(found.pairs)
    assert [other for _, other in found.pairs] == sorted({other for _, other in found.pairs})
    here = [one for one, _ in found.pairs + found.moved] + found.added + found.doubled
    there = [other for _, other in found.pairs + found.moved] + found.lost
    assert sorted(here) == [*range(len(near))]
    assert sorted(there) == [*range(len(far))]
