"""Small captures that are made to fill the memory do not: decode stays under what is promised."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.hostile import CASES
from benchmarks.measure import run
from benchmarks.packets import write
from benchmarks.workloads import timed

PROMISED = 300
"""MiB."""
SIZES = {
    "brotli-bombs": 100,
    "brotli-streams": 300,
    "gzip-members": 2,
    "long-events": 24,
    "open-messages": 32,
    "small-bombs": 200,
    "whole-messages": 24,
}
"""Connections of each case: as many as take more than that without a budget, or a little time."""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process took is told as Linux tells it")
@pytest.mark.parametrize("case", SIZES)
def test_decode_stays_under_what_is_promised(case: str, tmp_path: Path) -> None:
    capture = tmp_path / f"{case}.pcapng"
    write(capture, timed(CASES[case].make(SIZES[case])))
    found = run([sys.executable, "-m", "wireproof", "decode", str(capture), "--format", "ndjson"])
    assert found.peak_mib < PROMISED
