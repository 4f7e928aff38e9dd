"""A log beside the wire."""

from __future__ import annotations

import pytest

from wireproof.analysis.latency import skew as module
from wireproof.analysis.latency.skew import read_times, skew

MOMENT = 1_795_886_853.25


@pytest.mark.parametrize(
    "line",
    [
        "1795886853.25",
        "1795886853250",
        "1795886853250000",
        "1795886853250000000",
        '{"t": 1795886853.25}',
        '{"event": 3, "timestamp": "2026-11-28T17:27:33.25Z"}',
        "2026-11-28T17:27:33.250+00:00",
        '{"time": "1795886853.25"}',
    ],
)
def test_a_time_in_any_of_the_usual_forms(line: str) -> None:
    assert read_times(["", line, "  \n"]) == [pytest.approx(MOMENT, abs=1e-3)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("soon", "line 1: "),
        ("{", "line 1: "),
        ('{"at_all": 1}', "line 1: none of the fields t, time, timestamp, ts, at is in it"),
        ('{"t": true}', "line 1: its time is neither a number nor a date"),
        ("2026-11-28T17:27:33", "line 1: 2026-11-28T17:27:33 has no offset to UTC"),
        ("", "no time in it"),
    ],
)
def test_what_is_no_time_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_times([line])


def test_a_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TIMES", 2)
    with pytest.raises(ValueError, match="line 3: more than 2 times"):
        read_times(["1", "2", "3"])


def test_a_client_reads_later_than_the_wire() -> None:
    found = skew([1.0, 2.0, 3.0], [1.001, 2.004, 3.002, 4.0])
    assert found is not None
    assert found.least == pytest.approx(0.001)
    assert found.spread.max == pytest.approx(0.004)
    assert found.unmatched == 1


def test_nothing_beside_nothing() -> None:
    assert skew([], [1.0]) is None
