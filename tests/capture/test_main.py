"""A command, run where it may record packets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from capture import __main__ as here
from capture.linux import spawn_child

ASKS = "from capture import can_capture; print(can_capture())"


class Became(Exception):
    """What would have become of this process."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done; nothing of it to this process."""
    done: list[str] = []

    def execute(command: list[str]) -> None:
        done.append(" ".join(command))
        raise Became

    monkeypatch.setattr(spawn_child, "enter_new", lambda: done.append("enter"))
    monkeypatch.setattr(spawn_child, "execute", execute)
    return done


@pytest.mark.parametrize(
    ("permitted", "reason", "expected"),
    [
        (True, None, ["a -b"]),
        (False, None, ["enter", "a -b"]),
        (False, "forbidden", ["a -b"]),
    ],
)
def test_where_it_runs(
    permitted: bool,
    reason: str | None,
    expected: list[str],
    steps: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers: dict[str, Callable[[], object]] = {
        "packet_socket.can_capture": lambda: permitted,
        "namespace.Namespace.available": lambda: reason,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(f"capture.linux.{name}", answer)
    with pytest.raises(Became):
        here.main(["--", "a", "-b"])
    assert steps == expected
    said = f"no packets can be recorded: {reason}\n" if reason else ""
    assert capsys.readouterr().err == said


def test_elsewhere_it_just_runs(
    steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "call", lambda command: len(command))
    with pytest.raises(SystemExit) as ended:
        here.main(["--", "a", "-b"])
    assert (ended.value.code, steps) == (2, [])
    said = "no packets can be recorded: only Linux has network namespaces\n"
    assert capsys.readouterr().err == said


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "capture", *command], capture_output=True, text=True, check=False
    )


@pytest.mark.namespaces
def test_a_command_may_record() -> None:
    done = run("--", sys.executable, "-c", ASKS)
    assert (done.returncode, done.stdout) == (0, "True\n")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ((), "usage: python -m capture -- COMMAND ..."),
        (("--", "no-such-command"), "no-such-command: No such file or directory"),
    ],
)
def test_what_cannot_be_run(command: tuple[str, ...], line: str) -> None:
    done = run(*command)
    assert (done.returncode, done.stderr) == (1, f"{line}\n")
