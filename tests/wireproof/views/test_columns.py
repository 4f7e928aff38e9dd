"""Rows stand under their headings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import text_of

from wireproof.views.columns import (
    INDENT,
    MIN_DATA,
    Cells,
    Row,
    beside,
    cells,
    data_width,
    has_usual_width,
    heading,
    plain_cells,
)
from wireproof.views.lines import measure


def test_cells_stand_under_their_headings() -> None:
    row = Row("server", 8, 12, 0.1023, 0.0021, 7, "chunk 0")
    assert text_of(heading()) == " Packet       Time      Gap   Size  Type       Data"
    assert text_of(cells(row).line) == "   8-12 ← 102.3 ms   2.1 ms      7  chunk 0    "
    assert text_of(heading()).index("Data") == INDENT == cells(row).width


def test_the_first_row_has_no_gap_and_the_arrow_shows_the_direction() -> None:
    row = Row("client", 8, 8, 0.1023, None, 7, "Text")
    assert text_of(cells(row).line) == "      8 → 102.3 ms               7  Text       "


def test_what_is_wider_than_its_column_pushes_the_rest() -> None:
    row = Row("server", 1_000_000, 1_000_001, 0.0, 0.0, 123_456_789, "Continuation")
    first = cells(row)
    assert text_of(first.line) == "1000000-1000001 ←     0 µs     0 µs 123456789  Continuation "
    assert first.width == measure(first.line)
    assert data_width(first, 90) == 90 - first.width
    assert data_width(Cells([], 0), 80) == 80 - INDENT


def test_data_goes_on_below_itself() -> None:
    first = cells(Row("server", 8, 8, 0.1, None, 7, "event"))
    lines = beside(first, [[("id: 1", "")], [("data: x", "")]], 70)
    assert text_of(lines[0]) == text_of(first.line) + "id: 1"
    assert text_of(lines[1]) == " " * INDENT + "data: x"
    assert beside(first, [], 70) == [first.line]


def test_in_a_narrow_table_data_stand_below_their_row() -> None:
    first = cells(Row("server", 8, 8, 0.1, None, 7, "event"))
    lines = beside(first, [[("id: 1", "")], [("data: x", "")]], 60)
    assert lines[0] == first.line
    assert [text_of(line) for line in lines[1:]] == ["    id: 1", "    data: x"]
    assert data_width(first, 60) == 60 - 4
    assert data_width(first, INDENT + MIN_DATA) == MIN_DATA
    assert data_width(first, INDENT + MIN_DATA - 1) == INDENT + MIN_DATA - 1 - 4
    assert data_width(first, 2) == 1
    for width in (40, 50, 80):
        lines = beside(first, [[("x" * 99, "")]] * 2, width)
        assert all(measure(line) <= width for line in lines)


@pytest.mark.parametrize("gap", [None, 0.0021])
@pytest.mark.parametrize("packets", [(8, 8), (8, 12), (1_000_000, 1_000_001)])
def test_a_row_without_colours_is_the_same(packets: tuple[int, int], gap: float | None) -> None:
    row = Row("client", *packets, 0.1023, gap, 7, "chunk 0")
    assert plain_cells(row) == text_of(cells(row).line)


@given(
    first=st.sampled_from([1, 9_999_999, 10_000_000]),
    more=st.sampled_from([0, 0, 1]),
    time=st.sampled_from([-1.0, 0.0, 0.99994, 9.9994, 9_998.96, 9_999.96]),
    gap=st.sampled_from([None, -1.0, 0.0009994, 9_998.96, 9_999.96]),
    size=st.sampled_from([0, 999_999, 1_000_000]),
    chunk=st.sampled_from([0, 9_999, 10_000]),
)
def test_a_row_of_usual_width_ends_where_the_data_begin(
    first: int, more: int, time: float, gap: float | None, size: int, chunk: int
) -> None:
    row = Row("server", first, first + more, time, gap, size, f"chunk {chunk}")
    if has_usual_width(row):
        assert len(plain_cells(row)) == INDENT


def test_most_rows_are_of_usual_width() -> None:
    assert has_usual_width(Row("server", 8, 8, 0.1023, 0.0021, 7, "chunk 0"))
    assert not has_usual_width(Row("server", 8, 12, 0.1023, 0.0021, 7, "chunk 0"))
