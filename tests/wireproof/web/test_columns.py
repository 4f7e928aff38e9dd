"""Answers as columns: whatever they are, the very same values come back."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reports import unpacked

from wireproof.web.columns import Columns, Table, packed

WORDS = st.sampled_from(["", "a", "id: 7", "id: 12", "007", "1.5", "two\nlines 3", "\0", "\u00e9"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 60), 1 << 60),
    st.integers(0, 300),
    st.sampled_from([0.0, -0.5, 1e-7, 1790000000.000123, 1790000000.5, 1e300]),
    WORDS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=12,
)


def came_back(values: list[Any]) -> Any:
    paths = [f"rows/0.0/e/{number}" for number in range(len(values))]
    return list(unpacked(packed(paths, values)).values())


def expected(values: list[Any]) -> Any:
    return json.loads(msgspec.json.encode(values))


@given(st.lists(VALUES, min_size=1, max_size=12))
def test_whatever_values_are_they_come_back(values: list[Any]) -> None:
    assert json.dumps(came_back(values)) == json.dumps(expected(values))


@pytest.mark.parametrize(
    "values",
    [
        [[1790000000 + number / 7 for number in range(100)]],
        [f"tcp.stream == {number % 3} && frame.number == {number}" for number in range(90)],
        ["n 1", "n 2", "n 03", "n 4"],
        ["n 1\nn 2", "other"],
        ["n 1\n", "n 2\n", "n 3\n"],
        ["1", "1", "2"],
        ["1\u00b2", "2\u00b2"],
        ["\u0661", "\u0662", "1"],
        [9007199254740993, 9007199254740995],
        [True, 1, 1.0],
        [(1, 2), (1, 2), (1, 3)],
        [(1, [2]), (1, [2])],
        [[], [], []],
        [{}, {}],
        [[{"a": 1}], [{"b": 1}, {"a": 2}]],
        [b"", b"\x00\n\xff", b"abc"],
        [msgspec.Raw(b'{"a":1}'), msgspec.Raw(b'{"a":2}')],
        [{"a": msgspec.Raw(b'"x"')}, {"a": "x"}],
    ],
)
def test_values_that_columns_are_written_for_come_back(values: list[Any]) -> None:
    assert json.dumps(came_back(values)) == json.dumps(expected(values))


@pytest.mark.parametrize("rows", [[], [(1, "a")], [(1, b"x"), (2, "b"), (None, "c")]])
def test_a_table_is_its_objects(rows: list[tuple[Any, ...]]) -> None:
    table = Table(("one", "two"), list(zip(*rows, strict=True)) or [(), ()])
    assert len(table) == len(rows)
    objects = list(table)
    assert objects == [{"one": one, "two": two} for one, two in rows]
    pages = [{"rows": table}, {"rows": Table(table.names, [(), ()])}, {"rows": table}]
    expected_pages = expected([{"rows": objects}, {"rows": []}, {"rows": objects}])
    assert came_back(pages) == expected_pages
    if rows:
        paths = [f"packet/{number}" for number in range(len(rows))]
        assert list(unpacked(packed(paths, table)).values()) == expected(objects)


def test_what_rows_have_in_common_is_written_once() -> None:
    rows = [
        {"record": "chunk", "row": number, "filter": f"frame {number}"} for number in range(999)
    ]
    data = packed(["rows/0.0/k/0"], [{"total": 999, "rows": rows}])
    assert len(data) < 5_000 < len(json.dumps(rows)) / 10


def test_columns_wait_for_no_collection_of_garbage() -> None:
    columns = Columns()
    columns.column([b"all bytes of a part", 1.0])
    left = weakref.ref(columns)
    gc.disable()
    try:
        del columns
        assert left() is None
    finally:
        gc.enable()
