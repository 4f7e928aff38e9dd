"""Explained exchanges are chosen by all criteria at once."""

from __future__ import annotations

import pytest
from support.timed import Stream

from wireproof.analysis.choice import Choice
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.judges import explain

RECORDS = Stream("/chat").events(4, every=0.5).end().tape.records()


def takes(wanted: ExchangeFilter) -> bool:
    choice = Choice(wanted)
    for record in RECORDS:
        choice.look(record)
    [explained] = explain(RECORDS)
    return choice.takes(explained)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (ExchangeFilter(), True),
        (ExchangeFilter(path="/chat", min_gap=0.4, verdict="streamed", grep="token 3"), True),
        (ExchangeFilter(path="/chat", min_gap=0.4, verdict="streamed", grep="token 5"), False),
        (ExchangeFilter(path="/chat", min_gap=0.4, verdict="held", grep="token 3"), False),
        (ExchangeFilter(path="/chat", min_gap=0.6, verdict="streamed", grep="token 3"), False),
        (ExchangeFilter(path="/c", min_gap=0.4, verdict="streamed", grep="token 3"), False),
        (ExchangeFilter(port=8000, verdict="ok"), True),
        (ExchangeFilter(verdict="fault"), False),
    ],
    ids=str,
)
def test_every_criterion_counts(wanted: ExchangeFilter, taken: bool) -> None:
    assert takes(wanted) is taken
