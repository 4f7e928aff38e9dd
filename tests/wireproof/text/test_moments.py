"""Times of captures as people write them, whatever a file claims."""

from __future__ import annotations

import pytest

from wireproof.text.moments import OUT_OF_RANGE, clock, moment, timestamp


@pytest.mark.parametrize(
    ("seconds", "time", "written"),
    [
        (0.0, "00:00:00.000000", "1970-01-01T00:00:00.000000Z"),
        (1_790_000_000.5, "14:13:20.500000", "2026-09-21T14:13:20.500000Z"),
        (253_402_300_799.0, "23:59:59.000000", "9999-12-31T23:59:59.000000Z"),
        (253_402_300_800.0, OUT_OF_RANGE, "9999-12-31T23:59:59.999999Z"),
        (1.8446744073709552e19, OUT_OF_RANGE, "9999-12-31T23:59:59.999999Z"),
        (float(1 << 200), OUT_OF_RANGE, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_times(seconds: float, time: str, written: str) -> None:
    assert clock(seconds) == time
    assert timestamp(seconds) == written
    assert (moment(seconds) is None) == (time == OUT_OF_RANGE)
