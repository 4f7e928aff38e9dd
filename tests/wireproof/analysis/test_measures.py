"""Figures of an exchange: those of ``latency``, beside its line."""

from __future__ import annotations

import pytest
from support.paced import explained, paced

from wireproof.analysis.measures import measures
from wireproof.analysis.outcomes import Outcomes


def test_figures_follow_the_stream() -> None:
    stream = paced([0.1, 0.3, 0.2], first=0.2)
    found = measures(explained(stream))
    assert found.first_token == pytest.approx(0.2, abs=0.001)
    assert found.first_output == found.first_token
    assert (found.gap_p50, found.gap_max) == pytest.approx((0.2, 0.3), abs=0.001)
    assert found.gap_p99 == found.gap_max
    assert found.gap_max_after == pytest.approx(0.2 + 0.1, abs=0.001), "the second one"
    assert (found.tokens, found.version, found.dialect) == (4, "HTTP/1.1", "")
    assert found.authority == "127.0.0.1:8000"


def test_they_come_with_outcomes_on_request() -> None:
    records = paced([0.1]).tape.records()
    for wanted in (True, False):
        outcomes = Outcomes(with_measures=wanted)
        [one] = [*outcomes.add(records), *outcomes.finish()]
        assert (one.measures is not None) == wanted


def test_one_element_has_no_gaps() -> None:
    found = measures(explained(paced([])))
    assert (found.gap_p50, found.gap_p99, found.gap_max, found.tokens) == (None, None, None, 1)
