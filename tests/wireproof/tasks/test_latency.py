"""Latencies that several processes find in one capture are those of one, to the byte."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from support.divisible import NAMES, found
from support.said import said

from wireproof.analysis.latency.report import LatencyReport
from wireproof.tasks import jobs, several
from wireproof.tasks.latency import measuring

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(several, "usable_cores", lambda: 64)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, ["--format", "json"]) for name in NAMES),
        ("open", ["--format", "ndjson", "--grep", "token"]),
        ("damaged", ["--format", "csv", "--verdict", "fault"]),
        ("whole", ["--as", "otel"]),
    ],
)
def test_the_output_does_not_depend_on_jobs(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str, options: list[str]
) -> None:
    path = found(folder, name)
    expected = said(capfd, "latency", path, *options, "--jobs", "1")
    assert expected[1]
    for count in ("2", "3"):
        assert said(capfd, "latency", path, *options, "--jobs", count) == expected


def test_totals_count_each_answer_once_where_one_process_begins_again(folder: Path) -> None:
    reports = []
    for workers in (1, 2):
        report = LatencyReport(("wire",))
        measured = list(measuring(found(folder, "open"), report, None, workers, print))
        reports.append((len(measured), report.chosen, list(report.totals)))
    assert reports[0] == reports[1] == (5, 5, ["GET /before", "GET /feed"])


def test_a_worker_that_is_killed(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(stream: Any, message: jobs.Message) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(jobs, "_send", deadly)
    path = found(folder, "whole")
    code, _, err = said(capfd, "latency", path, "--jobs", "2")
    assert code == 137
    assert err.startswith(f"wireproof: {path}: worker 0 was killed by SIGKILL")
