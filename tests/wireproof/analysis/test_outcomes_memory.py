"""What outcomes keep does not grow with the exchanges that have passed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from support.handmade import Wire

from parsers.records import Record
from wireproof.analysis import links
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.outcomes import outcomes

pytestmark = pytest.mark.slow
FREE = 300_000
"""Bytes by which the peak may differ: 800 exchanges that were kept would take five times that."""


def captured(count: int) -> Iterator[list[Record]]:
    """So many connections with an event stream each."""
    for number in range(count):
        wire = Wire(number)
        request = wire.request(f"/{number}", ("Mcp-Session-Id", str(number)))
        stream = [wire.events(), wire.chunk("data: x\n\n"), wire.event(("data", "x"))]
        yield [request, *stream, wire.body(), wire.end()]


def peak(count: int, wanted: ExchangeFilter) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in outcomes(captured(count), wanted)) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wanted", [ExchangeFilter(), ExchangeFilter(grep="x", min_gap=0.0)])
def test_memory_does_not_grow_with_exchanges(
    monkeypatch: pytest.MonkeyPatch, wanted: ExchangeFilter
) -> None:
    monkeypatch.setattr(links, "MAX_PAST", 16)
    peak(20, wanted)  # what is made once
    assert peak(1_000, wanted) < peak(200, wanted) + FREE
