"""Which differences count among many."""

from __future__ import annotations

import pytest

from wireproof.diff.chance import Comparison, Family, found


def one(
    chance: float,
    *,
    family: Family = "times",
    is_of_all: bool = False,
    what: str = "first p50",
    least: float = 0.0,
    alone: float | None = None,
) -> Comparison:
    return Comparison(what, is_of_all, family, chance, least, alone)


def test_each_kind_of_question_has_its_own_chance() -> None:
    many = [one(0.5, what=f"time {number}") for number in range(50)]
    assert found([*many, one(0.009)], 0.01).known == set()
    assert found([*many, one(0.009, family="packets")], 0.01).known == {50}
    assert found([*many, one(0.0001)], 0.01).known == {50}


def test_where_many_became_worse_more_is_believed() -> None:
    worse = [one(1e-6, family="verdicts") for _ in range(20)]
    others = [one(0.5) for _ in range(10)]
    assert found([*others, one(0.005)], 0.01).known == set()
    assert found([*others, one(0.005), *worse], 0.01).known == set(range(10, 31))


def test_what_could_find_nothing_does_not_count() -> None:
    few = [one(1.0, family="verdicts", least=0.5) for _ in range(50)]
    able = [one(1.0, family="verdicts") for _ in range(50)]
    assert found([*few, one(0.009, family="verdicts")], 0.01).known == {50}
    assert found([*able, one(0.009, family="verdicts")], 0.01).known == set()


@pytest.mark.parametrize(
    "family, chance, is_found",
    [
        ("ends", 0.029, True),
        ("ends", 0.031, False),
        ("times", 0.0099, True),
        ("times", 0.029, False),
        ("connections", 0.0009, True),
        ("connections", 0.0099, False),
    ],
)
def test_what_seldom_happens_counts_sooner(family: Family, chance: float, is_found: bool) -> None:
    assert found([one(chance, family=family)], 0.01).known == ({0} if is_found else set())


def test_what_is_certain_of_all_requests_is_told_of_each() -> None:
    others = [one(0.5, what=f"time {number}") for number in range(50)]
    requests = [one(0.004), one(0.004), one(0.6)]
    assert found([*others, *requests], 0.01).known == set()
    assert found([*others, *requests, one(0.0001, is_of_all=True)], 0.01).known == {50, 51, 53}
    assert found([*others, *requests, one(0.009, is_of_all=True)], 0.01).known == set(), (
        "not certain"
    )
    other = one(0.0001, is_of_all=True, what="last p50")
    assert found([*others, *requests, other], 0.01).known == {53}


def test_first_tokens_are_held_against_each_other_besides() -> None:
    others = [one(0.5, what=f"time {number}") for number in range(50)]
    assert found([*others, one(0.004, alone=0.004)], 0.01).known == {50}
    assert found([*others, one(0.004, alone=1.0)], 0.01).known == set(), "it is no gross change"
    many = [one(0.5, alone=0.5) for _ in range(2)]
    assert found([*others, one(0.004, alone=0.004), *many], 0.01).known == set()
    assert found([*others, one(0.004, alone=0.004, is_of_all=True)], 0.01).known == set()


def test_of_nothing_nothing_is_found() -> None:
    assert found([], 0.01).known == set()
