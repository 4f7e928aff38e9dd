"""Rows to columns: what is out of a column's range, and tables of several types."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.corpus import ROOT

from parsers.records import Record
from wireproof.tables import TableOptions, rows
from wireproof.tables.files import capture_of
from wireproof.tables.kinds import LAYOUTS, Column, columns, schema
from wireproof.tables.reading import Opened
from wireproof.tables.rows import moments

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"


def test_moments_are_to_the_microsecond_or_null() -> None:
    found = moments(pa.array([0.0, 1_790_000_000.123_456, 1e18, -1e18, None], pa.float64()))
    assert found.cast(pa.int64()).to_pylist() == [0, 1_790_000_000_123_456, None, None, None]
    # The last second of a calendar, and the next.
    found = moments(pa.array([253_402_300_799.0, 253_402_300_800.0], pa.float64()))
    assert [found[0].as_py().year, found[1].as_py()] == [9999, None]


COLUMNS = {
    "integers": (Column("x", pa.int64(), None), st.integers(-(1 << 63), (1 << 63) - 1)),
    "numbers": (Column("x", pa.float64(), None), st.floats(allow_nan=False)),
    "words": (Column("x", pa.string(), None), st.sampled_from(["client", "server", ""])),
    "truths": (Column("x", pa.bool_(), None), st.booleans()),
    "lists": (Column("x", pa.list_(pa.string()), None), st.lists(st.text(max_size=2), max_size=2)),
    "pairs": (
        next(one for one in columns("elements") if one.name == "trailers"),
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
    settled = rows._settled(column, tuple(cells))
    if isinstance(settled, rows._Alike):
        settled = rows.repeated(settled.value, column.type, settled.rows)
    convert = column.convert or (lambda value: value)
    assert settled.equals(pa.array(list(map(convert, cells)), type=column.type))


ELEMENTS = {layout[0] for layout in LAYOUTS["elements"]}


def samples() -> dict[type[Record], Record]:
    """A record of each type that a stored capture has."""
    with Opened(capture_of([str(PLAIN)]), TableOptions()) as opened:
        records = [one for batch in opened.batches() for one in batch]
    return {type(one): one for one in records if type(one) in ELEMENTS}


SAMPLES = samples()


@given(st.lists(st.sampled_from(list(SAMPLES.values())), max_size=40), st.data())
def test_rows_of_several_types_stay_in_their_order(
    chosen: list[Record], data: st.DataObject
) -> None:
    assert len(SAMPLES) == 5
    records = [replace(one, first_packet=number) for number, one in enumerate(chosen, 1)]
    found = rows.Rows("elements")
    found.begin(rows.Origin("a", "b", "c"))
    cut = data.draw(st.integers(0, len(records)))
    batches = [*found.extend(records[:cut])]
    found.begin(rows.Origin("d", "e", "f"))
    batches += [*found.extend(records[cut:]), *found.finish()]
    table = pa.Table.from_batches(batches, schema=schema("elements"))
    assert table["first_packet"].to_pylist() == list(range(1, len(chosen) + 1))
    assert table["record"].to_pylist() == [one.record for one in chosen]
    assert table["capture"].to_pylist() == ["a"] * cut + ["d"] * (len(chosen) - cut)
    assert table["data"].null_count == len(chosen), "payloads are left out"
