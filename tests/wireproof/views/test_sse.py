"""Every field of an event is seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.handmade import Wire

from wireproof.views.lines import flow
from wireproof.views.sse import MAX_FIELDS_SHOWN, _fields, _usual_lines, event_lines


def shown(
    width: int, *fields: tuple[str, str], beside: int | None = None, **more: Any
) -> list[str]:
    lines = event_lines(Wire().event(*fields, **more), beside, width)
    return ["".join(text for text, _ in line) for line in lines]


FIELDS = [("id", "1"), ("event", "message"), ("data", "This is"), ("retry", "3000")]


def test_fields_in_wire_order_on_as_few_lines_as_they_fill() -> None:
    assert shown(60, *FIELDS) == ["id: 1  event: message  data: This is  retry: 3000"]
    assert shown(32, *FIELDS) == ["id: 1  event: message", "data: This is  retry: 3000"]
    assert shown(10, *FIELDS) == ["id: 1", "event: me…", "data: Thi…", "retry: 30…"]


def test_every_data_line_is_a_field() -> None:
    assert shown(80, ("data", "a"), ("data", ""), ("data", "b")) == ["data: a  data:   data: b"]


@pytest.mark.parametrize(
    ("chunks", "beside", "prefix"),
    [
        ((None, None), None, ""),
        ((3, 3), 3, ""),
        ((3, 3), None, "[chunk 3]  "),
        ((2, 4), 4, "[chunks 2-4]  "),
        ((2, 4), None, "[chunks 2-4]  "),
    ],
)
def test_the_chunks_it_lay_in_are_named_unless_its_row_is_theirs(
    chunks: tuple[int | None, int | None], beside: int | None, prefix: str
) -> None:
    first, last = chunks
    (line,) = shown(80, ("data", "x"), beside=beside, first_chunk=first, last_chunk=last)
    assert line == f"{prefix}data: x"


def test_a_comment_is_as_on_the_wire() -> None:
    assert shown(80, ("", " ping"), dispatched=False) == [": ping"]


def test_an_event_that_is_not_dispatched_says_so() -> None:
    assert shown(80, ("id", "1"), dispatched=False) == ["id: 1  [not dispatched]"]


def test_hostile_fields_are_escaped() -> None:
    assert shown(80, ("da\x1bta", "\u202ex\x9b")) == ["da\\x1bta: \\u202ex\\u009b"]


def test_many_fields_are_counted() -> None:
    lines = shown(80, *[("data", "x")] * (MAX_FIELDS_SHOWN + 2))
    assert sum(line.count("data: x") for line in lines) == MAX_FIELDS_SHOWN
    assert lines[-1].endswith("… 2 more fields")


def test_without_data_its_other_fields_are_seen() -> None:
    assert shown(80, fields=None, event="done", id="9", retry=0) == ["event: done  id: 9  retry: 0"]
    assert shown(80, fields=None, dispatched=False) == ["event: message  [not dispatched]"]


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["", "data", "id", "e\u0301"]), st.text("ab \x1b\u4e00", max_size=24)
        ),
        max_size=8,
    ),
    width=st.integers(12, 60),
)
def test_usual_fields_are_laid_out_as_all_are(fields: list[tuple[str, str]], width: int) -> None:
    event = Wire().event(fields=fields)
    lines = _usual_lines(event, width)
    assert lines in ([], flow(_fields(event, width), width, "  "))
    is_usual = all(
        name and (name + value).isascii() and "\x1b" not in value and len(name + value) + 2 <= width
        for name, value in fields
    )
    assert bool(lines) == (bool(fields) and is_usual)
