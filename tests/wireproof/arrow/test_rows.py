"""Rows to record batches: tables of several types, and what is out of a column's range."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.corpus import ROOT

from parsers.records import Record
from wireproof.arrow import rows
from wireproof.arrow.rows import moments
from wireproof.tables import TableOptions
from wireproof.tables.files import capture_of
from wireproof.tables.kinds import LAYOUTS, Origin, rows_of, schema
from wireproof.tables.reading import Opened

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"


def test_moments_are_to_the_microsecond_or_null() -> None:
    found = moments(pa.array([0.0, 1_790_000_000.123_456, 1e18, -1e18, None], pa.float64()))
    assert found.cast(pa.int64()).to_pylist() == [0, 1_790_000_000_123_456, None, None, None]
    # The last second of a calendar, and the next.
    found = moments(pa.array([253_402_300_799.0, 253_402_300_800.0], pa.float64()))
    assert [found[0].as_py().year, found[1].as_py()] == [9999, None]


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
    found = rows_of("elements")
    found.begin(Origin("a", "b", "c"))
    cut = data.draw(st.integers(0, len(records)))
    batches = [*found.extend(records[:cut])]
    found.begin(Origin("d", "e", "f"))
    batches += [*found.extend(records[cut:]), *found.finish()]
    table = pa.Table.from_batches(batches, schema=schema("elements"))
    assert table["first_packet"].to_pylist() == list(range(1, len(chosen) + 1))
    assert table["record"].to_pylist() == [one.record for one in chosen]
    assert table["capture"].to_pylist() == ["a"] * cut + ["d"] * (len(chosen) - cut)
    assert table["data"].null_count == len(chosen), "payloads are left out"


def test_a_large_table_has_larger_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what a Parquet file says of its row groups would be as long as the capture is."""
    for name, value in (("GROUP_ROWS", 3), ("MANY_GROUPS", 2), ("LARGEST_GROUP", 12)):
        monkeypatch.setattr(rows, name, value)
    found = rows_of("elements")
    found.begin(Origin("a", "b", "c"))
    one = next(iter(SAMPLES.values()))
    batches = [*found.extend([one] * 50), *found.finish()]
    assert [batch.num_rows for batch in batches] == [3, 3, 6, 6, 12, 12, 8]
