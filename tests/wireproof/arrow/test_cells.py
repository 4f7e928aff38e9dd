"""Cells to arrays: the short ways give what Arrow makes of each cell."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.arrow.cells import Alike, repeated, settled
from wireproof.arrow.types import Column
from wireproof.export.parquet import TABLE

COLUMNS = {
    "integers": (Column("x", pa.int64(), None), st.integers(-(1 << 63), (1 << 63) - 1)),
    "numbers": (Column("x", pa.float64(), None), st.floats(allow_nan=False)),
    "words": (Column("x", pa.string(), None), st.sampled_from(["client", "server", ""])),
    "truths": (Column("x", pa.bool_(), None), st.booleans()),
    "lists": (Column("x", pa.list_(pa.string()), None), st.lists(st.text(max_size=2), max_size=2)),
    "pairs": (
        next(one for one in TABLE.columns if one.name == "trailers"),
        st.lists(st.tuples(st.text(max_size=2), st.text(max_size=2)), max_size=2),
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
@given(data=st.data())
def test_a_column_is_what_arrow_makes_of_its_cells(name: str, data: st.DataObject) -> None:
    """The short ways beside the long one: what is alike, and integers without null."""
    column, values = COLUMNS[name]
    some = st.lists(st.none() | values, min_size=1, max_size=6)
    cells = data.draw(some | values.map(lambda value: [value] * 4) | st.lists(values, min_size=1))
    found = settled(column, tuple(cells))
    if isinstance(found, Alike):
        found = repeated(found.value, column.type, found.rows)
    convert = column.convert or (lambda value: value)
    assert found.equals(pa.array(list(map(convert, cells)), type=column.type))
