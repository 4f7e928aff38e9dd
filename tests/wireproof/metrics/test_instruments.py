"""The table of instruments, held to the words of its source."""

from __future__ import annotations

import re

import pytest

from wireproof.metrics.instruments import INSTRUMENTS, SECONDS, TOKENS, Instrument

BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def test_buckets_are_those_that_the_conventions_recommend() -> None:
    assert pytest.approx(BOUNDS) == SECONDS
    assert (TOKENS[0], TOKENS[-1]) == (1, 67_108_864)


@pytest.mark.parametrize("one", INSTRUMENTS, ids=lambda one: one.name)
def test_an_instrument_is_whole(one: Instrument) -> None:
    assert NAME.fullmatch(one.name)
    assert one.description.endswith(".")
    assert (one.kind == "histogram") == bool(one.bounds)
    assert list(one.bounds) == sorted(one.bounds)
    assert len(set(one.labels)) == len(one.labels)


def test_names_are_used_once() -> None:
    assert len({one.name for one in INSTRUMENTS}) == len(INSTRUMENTS)
