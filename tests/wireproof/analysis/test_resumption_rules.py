"""The rules on IDs that assertions and verdicts have in common."""

from __future__ import annotations

import pytest

from wireproof.analysis.resumption_rules import (
    are_in_a_row,
    is_too_soon,
    known_to_client,
    left_out,
)


def test_a_client_has_all_up_to_the_id_that_it_names() -> None:
    assert known_to_client(["1", "2", "3", "4"], "2") == {"1", "2"}
    assert known_to_client(["a", "b", "a", "c"], "a") == {"a", "b"}


@pytest.mark.parametrize(
    ("last", "came", "missing"),
    [("8", "9", []), ("8", "12", [9, 10, 11]), ("8", "3", []), ("a", "c", []), ("8", "x", [])],
)
def test_numbers_leave_holes(last: str, came: str, missing: list[int]) -> None:
    assert list(left_out(last, came)) == missing


@pytest.mark.parametrize(
    ("identifiers", "is_row"),
    [
        (["1", "2", "3"], True),
        (["7"], True),
        (["1", "3"], False),
        (["3", "2"], False),
        (["1", "b"], False),
        (["10", "20"], False),
    ],
)
def test_only_what_counts_one_by_one_is_a_row(identifiers: list[str], is_row: bool) -> None:
    assert are_in_a_row(identifiers) == is_row


@pytest.mark.parametrize(
    ("waited", "is_soon"), [(0.1, True), (0.289, True), (0.291, False), (0.3, False), (5.0, False)]
)
def test_a_timer_may_strike_a_little_early(waited: float, is_soon: bool) -> None:
    assert is_too_soon(waited, 300) == is_soon
