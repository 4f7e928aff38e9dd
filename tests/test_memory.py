"""Small captures that are made to fill the memory do not: each command stays under its promise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.hostile import measure
from benchmarks.hostile_cases import CASES
from benchmarks.packets import write
from benchmarks.workloads import timed

PROMISED = 300
"""MiB, of decode."""
OF_OTHERS = 400
"""MiB, of every other command."""
SIZES = {
    "brotli-bombs": 100,
    "brotli-streams": 300,
    "fragments": 3_000,
    "gzip-members": 2,
    "long-events": 24,
    "open-messages": 32,
    "small-bombs": 200,
    "whole-messages": 24,
}
"""Connections of each case: as many as take more than that without a budget, or a little time."""
OTHERS = ("har", "redact", "report", "data-set", "query", "parquet")
"""What holds elements and bodies whole, at its worst."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a process took is told as Linux tells it"
)


@pytest.mark.parametrize("case", SIZES)
def test_decode_stays_under_what_is_promised(case: str, tmp_path: Path) -> None:
    capture = tmp_path / f"{case}.pcapng"
    write(capture, timed(CASES[case].make(SIZES[case])))
    assert measure("decode", capture, tmp_path).peak_mib < PROMISED


@pytest.fixture(scope="module")
def long_events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "long-events.pcapng"
    write(path, timed(CASES["long-events"].make(24)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("command", OTHERS)
def test_others_stay_under_what_is_promised(
    command: str, long_events: Path, tmp_path: Path
) -> None:
    assert measure(command, long_events, tmp_path).peak_mib < OF_OTHERS
