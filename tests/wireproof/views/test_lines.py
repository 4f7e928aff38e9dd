"""Lines are measured in cells, cut and broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lines import text_of

from wireproof.views.lines import Line, filled, fit, flow, measure, right, words

WIDE = "世界"
TEXT = st.text(st.sampled_from("ab世e\u0301🚀 "), max_size=30)
LINES = st.lists(st.tuples(TEXT, st.sampled_from(["", "faint"])), max_size=5)


@pytest.mark.parametrize(
    ("line", "width", "text"),
    [
        ([("abc", "")], 3, "abc"),
        ([("abcd", "")], 3, "ab…"),
        ([("ab", "x"), ("cd", "y")], 3, "ab…"),
        ([("ab", "x"), ("cd", "y")], 4, "abcd"),
        ([(WIDE, "")], 4, WIDE),
        ([(WIDE, "")], 3, "世…"),
        ([(WIDE, "")], 2, " …"),  # half a character is a blank
        ([("abc", "")], 1, "…"),
        ([("abc", "")], 0, ""),
        ([], 0, ""),
    ],
)
def test_fit(line: Line, width: int, text: str) -> None:
    assert text_of(fit(line, width)) == text


@given(LINES, st.integers(0, 40))
@settings(deadline=None)
def test_a_line_that_is_fit_is_never_wider(line: Line, width: int) -> None:
    assert measure(fit(line, width)) <= width


def test_fit_keeps_styles() -> None:
    assert fit([("ab", "x"), ("cdef", "y"), ("gh", "z")], 5) == [
        ("ab", "x"),
        ("cd", "y"),
        ("…", "faint"),
    ]


@given(st.text(st.sampled_from("abc \t\x1c世")), st.integers(1, 12))
@settings(deadline=None)
def test_filled_lines_are_those_of_flow(text: str, width: int) -> None:
    found = filled(text, width)
    is_told = text.isascii() and all(len(word) <= width for word in text.split())
    assert (found is not None) == is_told
    if found is not None:
        assert found == [text_of(line) for line in flow(words(text, "", width), width, " ")]


def test_flow_fills_lines_and_breaks_between_units() -> None:
    units: list[Line] = [[(word, "")] for word in ("aa", "bb", "cccccccc", "d", "e")]
    assert [text_of(line) for line in flow(units, 6, "  ")] == ["aa  bb", "ccccc…", "d  e"]
    assert flow([], 6, " ") == []


@given(st.lists(LINES, max_size=8), st.integers(1, 30))
@settings(deadline=None)
def test_flow_is_never_wider(units: list[Line], width: int) -> None:
    assert all(measure(line) <= width for line in flow(units, width, "  "))


@pytest.mark.parametrize(
    ("text", "width", "found"),
    [
        ("one two", 5, ["one", "two"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("世界人", 3, ["世", "界", "人"]),
        ("世", 1, ["世"]),  # cannot be broken: it is cut where it is put on a line
        ("  ", 3, []),
    ],
)
def test_words(text: str, width: int, found: list[str]) -> None:
    assert [text_of(unit) for unit in words(text, "", width)] == found


def test_right_puts_the_note_at_the_edge() -> None:
    assert text_of(right([("ab", "")], ("note", ""), 10)) == "ab    note"
    assert text_of(right([("abcdefgh", "")], ("note", ""), 10)) == "abc…  note"
    assert text_of(right([("ab", "")], ("note", ""), 3)) == "note"
