"""One capture judged by several processes says what one says, to the byte, and leaves none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.divisible import NAMES, found
from support.said import said

from wireproof import cli
from wireproof.tasks import jobs, several
from wireproof.tasks.judging import Telling, told
from wireproof.tasks.several import LARGE_CAPTURE

pytestmark = [
    pytest.mark.usefixtures("no_process_is_left"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
PATIENCE = 60
"""Seconds for what takes less than one on an idle machine."""
EXPLAIN, LIST = ["explain", "--format", "ndjson"], ["ls", "--format", "json"]
OTHERS = (
    ["explain"],
    ["explain", "--format", "junit", "--verdict", "fault"],
    ["ls"],
    ["ls", "--format", "csv", "--grep", "token"],
)


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(several, "usable_cores", lambda: 64)


# --- the same bytes ---


@pytest.mark.parametrize(
    ("name", "command"),
    [
        *((name, command) for name in NAMES for command in (EXPLAIN, LIST)),
        *(("damaged", command) for command in OTHERS),
    ],
)
def test_the_output_does_not_depend_on_jobs(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str, command: list[str]
) -> None:
    path = found(folder, name)
    expected = said(capfd, *command, path, "--jobs", "1")
    assert expected[1]
    for count in ("2", "3"):
        assert said(capfd, *command, path, "--jobs", count) == expected


def test_records_are_read_by_one_process(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    records = str(tmp_path / "records.ndjson")
    assert cli.run(["decode", str(found(folder, "streams")), "-o", records]) == 0
    expected = said(capfd, "explain", records)
    assert expected[1]
    assert said(capfd, "explain", records, "--jobs", "2") == expected


def test_one_file_is_divided_only_where_that_is_asked_for(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, LARGE_CAPTURE)
    said: list[str] = []
    for asked, workers in ((None, 1), (1, 1), (2, 2), (99, 64)):
        assert several.jobs_for([str(large)], asked, said.append, divides=True) == workers
        assert several.jobs_for([str(large)], asked, said.append) == 1
    assert several.jobs_for(["-"], 2, said.append, divides=True) == 1
    assert said == ["standard input is read where it stands: reading the capture in one process"]


def test_messages_arrive_as_they_were_told(folder: Path) -> None:
    task = Telling(1, is_divided=False)
    with Path(found(folder, "streams")).open("rb") as stream:
        parts = list(task.parts(0, stream))
    messages = [one for part in parts for one in told(part.pieces(part.data))]
    assert messages
    assert sum(len(list(told([part.data]))) for part in parts) == len(messages)


# --- what goes wrong ---


def test_what_cannot_be_read_is_one_line(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "x"
    text.write_text("no capture, whatever its name says")
    for wrong in (str(text), "/nowhere/x"):
        expected = said(capfd, "explain", wrong, "--jobs", "1")
        assert expected[0] == 2 and not expected[1]
        assert said(capfd, "explain", wrong, "--jobs", "2") == expected


@pytest.mark.parametrize("command", ["ls", "explain"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_worker_that_is_killed(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    after: int,
) -> None:
    send, sent = jobs._send, []

    def deadly(stream: Any, message: jobs.Message) -> None:
        if len(sent) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        sent.append(message)
        send(stream, message)

    monkeypatch.setattr(jobs, "_send", deadly)
    path = found(folder, "whole")
    code, _, err = said(capfd, command, path, "--jobs", "2")
    assert code == 137
    line = "was killed by SIGKILL: the output stops before the capture does"
    assert err.startswith(f"wireproof: {path}: worker ") and err.endswith(f"{line}\n")


STUCK = """
import os, sys, time
from wireproof import cli
from wireproof.tasks import jobs, several
def stuck(stream, message):
    os.write(2, b".")
    time.sleep(600)
jobs._send = stuck
several.usable_cores = lambda: 2
sys.exit(cli.run(sys.argv[1:]))
"""
"""A command whose workers never send anything."""


def test_ctrl_c_ends_all(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, "explain", found(folder, "whole"), "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == b"."
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.strip(b".")) == (130, b"", b"")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("a worker is left behind")
