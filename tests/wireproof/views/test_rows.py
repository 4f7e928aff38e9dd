"""Rows of any columns, for people and for programs."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from wireproof.views.rows import FORMATS, MAX_CELL, encoded, shown


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        (True, "yes"),
        (1234, "1,234"),
        (0.25, "0.25"),
        (float("nan"), ""),
        (Decimal(7), "7"),
        (["a"], '["a"]'),
        ("a\x1b\n", "a\\x1b\\n"),
        ("x" * 100, "x" * (MAX_CELL - 1) + "…"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert shown(value) == text


def test_json_has_no_nan() -> None:
    assert encoded({"a": float("inf"), "b": [Decimal("1.5")]}) == '{"a":null,"b":[1.5]}'


@pytest.mark.parametrize(
    "form, text",
    [
        ("csv", "a,b\n'=1,2\n'=1,2\n"),
        ("json", '[\n{"a":"=1","b":2},\n{"a":"=1","b":2}\n]\n'),
        ("table", "a   b\n=1  2\n=1  2\n"),
    ],
)
def test_batches_are_one_table(form: str, text: str) -> None:
    stream = io.StringIO()
    assert FORMATS[form](stream).write(["a", "b"], iter([[{"a": "=1", "b": 2}]] * 2)) == 2
    assert stream.getvalue() == text


def test_names_of_columns_are_no_formulas_either() -> None:
    """A pivot has names from the wire."""
    stream = io.StringIO()
    FORMATS["csv"](stream).write(["=1+1"], iter([[{"=1+1": 1}]]))
    assert stream.getvalue() == "'=1+1\n1\n"


def test_no_rows() -> None:
    stream = io.StringIO()
    assert FORMATS["json"](stream).write([], iter([])) == 0
    assert stream.getvalue() == "[]\n"
