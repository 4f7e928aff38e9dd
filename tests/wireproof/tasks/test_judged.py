"""Exchanges of several captures are judged by several processes as by one, to the byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.said import said
from support.stored import STORED

from wireproof.tasks import judged, several

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*multi-threaded.*fork:DeprecationWarning"  # tests that run beside this one
)

EVENTS, SOCKET, CHUNKED = (
    str(ROOT / "fixtures" / name / "plain.pcapng") for name in ("sse", "websocket", "chunked")
)
PATIENCE = 60
"""Seconds for what takes less than one on an idle machine."""


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(several, "usable_cores", lambda: 64)


@pytest.mark.parametrize(
    "command",
    [
        ["ls"],
        ["ls", "--format", "json"],
        ["ls", "--format", "csv", "--transport", "sse"],
        ["explain"],
        ["explain", "--format", "ndjson"],
        ["explain", "--format", "junit", "--verdict", "fault"],
    ],
    ids=" ".join,
)
def test_the_output_does_not_depend_on_jobs(
    command: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    names = list(map(str, STORED))
    assert len(names) > 5
    expected = said(capfd, *command, *names, "--jobs", "1")
    assert expected[1]
    assert said(capfd, *command, *names, "--jobs", "3") == expected


@pytest.mark.parametrize("command", ["ls", "explain"])
def test_what_cannot_be_read_is_one_line(
    command: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """After what was said of the captures before it."""
    text = tmp_path / "x"
    text.write_text("no capture")
    for wrong in (str(text), "/nowhere/x"):
        expected = said(capfd, command, EVENTS, wrong, SOCKET, "--jobs", "1")
        assert expected[0] == 2 and expected[1]
        assert said(capfd, command, EVENTS, wrong, SOCKET, "--jobs", "2") == expected


@pytest.mark.parametrize("command", ["ls", "explain"])
def test_a_worker_that_is_killed(
    command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = judged.reading

    def deadly(source: str, *arguments: object, **options: object) -> object:
        if source == SOCKET:
            os.kill(os.getpid(), signal.SIGKILL)
        return reading(source, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(judged, "reading", deadly)
    code, out, err = said(capfd, command, EVENTS, SOCKET, CHUNKED, "--jobs", "3")
    assert code == 137
    assert "/sse" in out
    line = "was killed by SIGKILL: the output stops before the capture does"
    assert err.startswith(f"wireproof: {SOCKET}: worker ") and err.endswith(f"{line}\n")


STUCK = """
import os, sys, time
from wireproof import cli
from wireproof.tasks import judged, several
reading = judged.reading
def stuck(source, *arguments, **options):
    if source != sys.argv[2]:
        os.write(2, b".")
        time.sleep(600)
    return reading(source, *arguments, **options)
judged.reading = stuck
several.usable_cores = lambda: 2
sys.exit(cli.run(sys.argv[1:]))
"""
"""A command whose workers come no further than the first capture."""


def test_ctrl_c_ends_all() -> None:
    command = [sys.executable, "-u", "-c", STUCK, "ls", EVENTS, SOCKET, CHUNKED]
    with subprocess.Popen(
        [*command, "--format", "csv", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stderr.read(1) == b"."
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.strip(b".")) == (130, b"")
    assert out.count(b"\n") in (0, 2)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
