"""A stream as its judge looks at it: its names, its figures, and its own waits."""

from __future__ import annotations

import pytest
from support.paced import explained, paced

from wireproof.analysis.arrivals import arrivals
from wireproof.analysis.path import Hindrance
from wireproof.analysis.stream_view import View, rounded


def view(gaps: list[float]) -> View:
    trace = explained(paced(gaps)).trace
    came = arrivals(trace)
    assert came is not None
    return View(trace, came)


def test_what_is_said_of_it() -> None:
    seen = view([0.05] * 5)
    assert (seen.name, seen.total, seen.said) == ("event", 6, "6 events")
    assert seen.numbers(more=1)["events"] == 6
    assert seen.numbers(more=1)["more"] == 1
    assert seen.share_of_waits == 1.0
    assert not seen.cut_at
    assert not seen.is_relayed


def test_waits_of_the_path_are_not_its_own() -> None:
    seen = view([0.05] * 5)
    times = seen.came.times
    kind = "receive-window"
    seen.hindrances = [Hindrance(kind, times[1] + 0.01, times[2] - 0.01, 9, 10)]  # type: ignore[arg-type]
    assert [at for at, _ in seen.own_gaps] == [0, 2, 3, 4]


@pytest.mark.parametrize(("seconds", "found"), [(None, None), (0.12345678, 0.123457)])
def test_figures_are_rounded(seconds: float | None, found: float | None) -> None:
    assert rounded(seconds) == found
