"""Expressions over the JSON of elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dialects import element, exchange
from support.handmade import Wire

from wireproof.dialects.payload import OTHER, Payload
from wireproof.dialects.selecting import MAX_SELECTED, NOTHING, Selection


def selected(expression: str, data: str, encoding: str = "utf-8") -> Payload:
    wire = Wire()
    told = {"data": data, "encoding": encoding}
    return Selection(expression)(exchange(wire)).read(element(wire, "websocket_message", told))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("choices[0].delta.content", '" of"'),
        ("choices[].delta", '[{"content":" of"}]'),
        ("length(choices)", "1"),
        ("model == `small`", "true"),
        ("{m: model, n: length(choices)}", '{"m":"small","n":1}'),
    ],
)
def test_what_an_expression_selects(expression: str, text: str) -> None:
    data = '{"model": "small", "choices": [{"delta": {"content": " of"}}]}'
    assert selected(expression, data) == Payload("other", text)


def test_what_it_does_not_find_is_said() -> None:
    assert selected("no.such", '{"model": 1}') == NOTHING


@pytest.mark.parametrize(
    "data", ["[DONE]", "", "{", "null", "[" * 100_000, "1" * MAX_SELECTED + "1"]
)
def test_what_is_no_json_is_shown_as_it_is(data: str) -> None:
    assert selected("a", data) is OTHER


def test_bytes_have_no_json() -> None:
    assert selected("a", "AAEC", "base64") is OTHER


def test_what_a_function_cannot_take_is_told_in_the_row() -> None:
    assert selected("length(@)", "5").kind == "error"


@pytest.mark.parametrize(
    "expression",
    ["", "a[", "a b", "nope(a)", "a[*].nope(@)", "length()", "length(a, b)", "\0", "(" * 9_999],
)
def test_no_expression(expression: str) -> None:
    with pytest.raises(ValueError, match=".") as raised:
        Selection(expression)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("expression", ["merge(a, b, c)", "not_null(a)", "sort_by(a, &b)", "@"])
def test_functions_that_there_are(expression: str) -> None:
    Selection(expression)


@given(expression=st.text(alphabet="ab[].*|&@(){}`'\"0:,?! ", max_size=12), data=st.text())
def test_no_expression_raises_anything_else(expression: str, data: str) -> None:
    try:
        selected(expression, data)
    except ValueError as error:
        assert "\n" not in str(error)
