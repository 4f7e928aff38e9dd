"""Which bytes of a stream are one body's, where other streams' lie between them."""

from __future__ import annotations

import pytest

from parsers.decode.extents import Extents


def test_extents_meet_where_nothing_lies_between() -> None:
    extents = Extents()
    assert extents.within(0, 100) is None
    for start, end in ((10, 20), (20, 25), (30, 30), (31, 40), (50, 51)):
        extents.add(start, end)
    assert extents.within(0, 100) == [(10, 25), (31, 40), (50, 51)]
    assert extents.within(12, 33) == [(12, 25), (31, 33)]
    assert extents.within(31, 51) == [(31, 40), (50, 51)]
    assert extents.within(12, 25) is None, "one run needs no list"
    assert extents.within(25, 40) is None


def test_extents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what lies in more than are kept only the hull is told; of what comes later, all."""
    monkeypatch.setattr("parsers.decode.extents.MAX_EXTENTS", 10)
    extents = Extents()
    for start in range(0, 1_000, 10):
        extents.add(start, start + 5)
        assert len(extents._runs) <= 10
    assert extents.within(0, 1_000) is None
    assert extents.within(970, 985) == [(970, 975), (980, 985)]
