"""Whatever ends a test, the server ends, and everything that it has started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from wireproof.testing import reaper as reaper

pytestmark = pytest.mark.slow

PATIENCE = 60.0
COMMAND = [sys.executable, "-I", "-S", reaper.__file__]
FAMILY = r"""
import os, signal, subprocess, sys, time
kind = sys.argv[1]
if kind == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import os, time; os.write(1, b'child\\n'); time.sleep(60)"]
subprocess.Popen(sleep)
if kind == "daemon" and os.fork() == 0:
    os.setsid()
    os.write(1, b"daemon\n")
    time.sleep(60)
os.write(1, b"ready\n")
time.sleep(60)
"""


@contextmanager
def guarded(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command under reaper; its output ends when the last process that has it does."""
    with subprocess.Popen(
        [*COMMAND, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[bytes], *wanted: bytes) -> None:
    """Wait until these have been said, in any order."""
    assert process.stdout is not None
    assert {process.stdout.readline().strip() for _ in wanted} == set(wanted)


def is_over(process: subprocess.Popen[bytes]) -> bool:
    """Whether every process that could write to the output is gone."""
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], PATIENCE)[0]) and not os.read(
        process.stdout.fileno(), 1_024
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [("plain", []), ("daemon", [b"daemon"])],
)
def test_when_its_input_ends_nothing_is_left(kind: str, said: list[bytes]) -> None:
    with guarded([sys.executable, "-c", FAMILY, kind]) as process:
        lines(process, b"ready", b"child", *said)
        assert process.stdin is not None
        process.stdin.close()
        assert is_over(process)
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_a_command_that_ignores_sigterm_is_killed() -> None:
    with guarded([sys.executable, "-c", FAMILY, "stubborn"]) as process:
        lines(process, b"ready", b"child")
        assert process.stdin is not None
        process.stdin.close()
        assert is_over(process)
        assert process.wait(PATIENCE) == 128 + signal.SIGKILL


def test_when_the_guard_is_killed_the_command_is_too() -> None:
    with guarded(
        [sys.executable, "-c", "import time; print('r', flush=True); time.sleep(60)"]
    ) as p:
        lines(p, b"r")
        p.kill()
        assert is_over(p)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_too(number: signal.Signals) -> None:
    with guarded([sys.executable, "-c", FAMILY, "plain"]) as process:
        lines(process, b"ready", b"child")
        process.send_signal(number)
        assert is_over(process)


def test_the_commands_exit_code_is_kept_and_what_it_leaves_is_ended() -> None:
    script = f"import subprocess, sys; subprocess.Popen([{sys.executable!r}, '-c', "
    script += "'import time; time.sleep(60)']); sys.exit(7)"
    with guarded([sys.executable, "-c", script]) as process:
        assert is_over(process)
        assert process.wait(PATIENCE) == 7


def test_what_comes_in_is_not_its_end() -> None:
    with guarded([sys.executable, "-c", "import sys; print(sys.stdin.read() == '')"]) as process:
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
        lines(process, b"True")


def test_a_command_that_there_is_not(tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path / "none")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(PATIENCE) == reaper.NOT_STARTED
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert said == f"{tmp_path / 'none'}: No such file or directory\n"
