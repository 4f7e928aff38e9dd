"""The key log that a command writes: where it lies, what is taken of it, and that nothing stays."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from capture.key_log import MAX_LINE, KeyLog
from capture.processes import run_command

LINE = b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"


def path_of(log: KeyLog) -> Path:
    return Path(log.environment({})["SSLKEYLOGFILE"])


def test_whole_lines_are_taken_once() -> None:
    log = KeyLog()
    with log:
        path = path_of(log)
        assert log.take() == b""
        assert not log.has_keys
        path.write_bytes(LINE + LINE[:20])
        assert log.take() == LINE
        assert log.take() == b""
        with path.open("ab") as stream:
            stream.write(LINE[20:] + LINE[:9])
        assert log.take() == LINE
    assert log.has_keys
    assert log.take() == LINE[:9] + b"\n", "what is left is a line too"
    assert log.take() == b""


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_cut_anywhere_it_is_the_same(size: int) -> None:
    text = LINE * 5
    taken = []
    log = KeyLog()
    with log:
        for start in range(0, len(text), size):
            with path_of(log).open("ab") as stream:
                stream.write(text[start : start + size])
            taken.append(log.take())
            assert not taken[-1] or taken[-1].endswith(b"\n")
    assert b"".join([*taken, log.take()]) == text


def test_nobody_else_can_read_it_and_it_is_gone() -> None:
    with KeyLog() as log:
        path = path_of(log)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.write_bytes(LINE)
    assert not path.parent.exists()
    assert log.take() == LINE


def test_the_users_own_is_read_from_its_end_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "with a blank.log"
    path.write_bytes(LINE)
    with KeyLog(str(path)) as log:
        told = log.environment({"NODE_OPTIONS": "--trace-warnings"})
        assert told["SSLKEYLOGFILE"] == str(path)
        assert told["NODE_OPTIONS"] == f'--trace-warnings --tls-keylog="{path}"'
        assert log.take() == b""
        path.write_bytes(LINE + LINE.lower())
    assert log.take() == LINE.lower()
    assert path.read_bytes() == LINE + LINE.lower()


def test_a_file_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(LINE * 3)
    with KeyLog(str(path)) as log:
        path.write_bytes(LINE)
        assert log.take() == LINE


def test_what_node_is_told_already_is_left_alone() -> None:
    with KeyLog() as log:
        assert "NODE_OPTIONS" not in log.environment({"NODE_OPTIONS": "--tls-keylog=mine"})


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    with KeyLog() as log:
        for _ in range(3):
            with path_of(log).open("ab") as stream:
                stream.write(bytes(MAX_LINE))
            assert log.take() == b""
    assert len(log.take()) == MAX_LINE + 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_stays_of_a_command_that_a_signal_ends(number: signal.Signals) -> None:
    code = (
        "import os, signal\n"
        f"open(os.environ['SSLKEYLOGFILE'], 'wb').write({LINE!r})\n"
        f"signal.signal({int(number)}, signal.SIG_DFL) if {int(number)} != 9 else None\n"
        f"os.kill(os.getpid(), {int(number)})"
    )
    with KeyLog() as log:
        path = path_of(log)
        finished = run_command(
            [sys.executable, "-c", code], environment={**os.environ, **log.environment({})}
        )
    assert finished.exit_code == 128 + number
    assert not path.parent.exists()
    assert log.take() == LINE


def test_ctrl_c_leaves_nothing() -> None:
    code = """
import os, signal, sys
from capture.key_log import KeyLog
with KeyLog() as log:
    path = log.environment({})["SSLKEYLOGFILE"]
    open(path, "w").close()
    print(path, flush=True)
    signal.raise_signal(signal.SIGINT)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert ended.returncode
    assert not Path(ended.stdout.decode().strip()).parent.exists()
