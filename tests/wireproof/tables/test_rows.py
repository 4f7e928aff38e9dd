"""Rows to columns: what is out of a column's range, and tables of several types."""

from __future__ import annotations

import pyarrow as pa

from wireproof.tables.rows import moments


def test_moments_are_to_the_microsecond_or_null() -> None:
    found = moments(pa.array([0.0, 1_790_000_000.123_456, 1e18, -1e18, None], pa.float64()))
    assert found.cast(pa.int64()).to_pylist() == [0, 1_790_000_000_123_456, None, None, None]
    # The last second of a calendar, and the next.
    found = moments(pa.array([253_402_300_799.0, 253_402_300_800.0], pa.float64()))
    assert [found[0].as_py().year, found[1].as_py()] == [9999, None]
