"""The report is bounded, and damaged captures end it nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.legs import Side, clocked, far_of, later, records_of, together, tokens

from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.hops import report as module
from wireproof.analysis.hops.report import Report, hops
from wireproof.views.hops.json import write_json

EVENTS = tokens(12)
NEAR = clocked(Side(later(EVENTS, 0.0004), asked=-0.001).tape())
FAR = clocked(far_of(EVENTS).tape())


def report(wanted: ExchangeFilter | None = None) -> Report:
    captures = [("near", records_of(NEAR)), ("far", records_of(FAR))]
    return hops(captures) if wanted is None else hops(captures, wanted)


def test_it_says_what_was_seen() -> None:
    found = report()
    assert (len(found.passed), found.alone, found.names) == (1, 0, ["near", "far"])
    assert found.answers == {"transparent": 1}
    assert not found.is_fault
    assert found.worst is not None


def test_exchanges_that_do_not_fit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ELEMENTS", 20)
    found = report()
    assert (found.passed, found.worst) == ([], None)


@pytest.mark.parametrize(
    ("wanted", "is_there"),
    [
        (ExchangeFilter(path="/chat"), True),
        (ExchangeFilter(path="/nothing"), False),
        (ExchangeFilter(port=50_000), True),
        (ExchangeFilter(port=50_000, method="POST"), False),
        (ExchangeFilter(verdict="transparent"), True),
        (ExchangeFilter(verdict="fault"), False),
        (ExchangeFilter(grep="11 xxxx"), True),
        (ExchangeFilter(grep="12 xxxx"), False),
    ],
)
def test_what_is_wanted_is_chosen(wanted: ExchangeFilter, is_there: bool) -> None:
    assert bool(report(wanted).passed) == is_there


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, len(NEAR) - 1), max_size=12),
    st.lists(st.integers(0, len(FAR) - 1), max_size=12),
    st.sampled_from([0.0, 3.7, -1e6]),
    st.booleans(),
)
def test_packets_that_are_missing_end_nothing(
    no_near: list[int], no_far: list[int], offset: float, is_one: bool
) -> None:
    near = [packet for at, packet in enumerate(NEAR) if at not in no_near]
    far = [packet for at, packet in enumerate(FAR) if at not in no_far]
    near = [(one[0], round(one[1] + offset * 1e9), *one[2:]) for one in near]  # type: ignore
    captures = [together(near, far)] if is_one else [together(near), together(far)]
    found = hops((str(at), records_of(packets)) for at, packets in enumerate(captures))
    for judged in found.hops:
        assert judged.verdict.answer in ("transparent", "holds", "loses", "rewrites")
        # What a capture lacks is nobody's loss.
        if no_near or no_far:
            assert judged.verdict.answer != "loses" or judged.hop.losses.is_given_up
    if found.passed:
        lines: list[str] = []
        stream = type("Stream", (), {"write": lines.append, "flush": lambda: None})
        write_json(found, stream, 3)  # type: ignore[arg-type]
        json.loads("".join(lines))
