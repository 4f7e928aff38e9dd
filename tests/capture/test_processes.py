"""Commands that run beside a recording, and what signals do to them.

Each runs in a process of its own, with a terminal of its own where Ctrl-C matters: the test
runner's signals and terminal stay as they are.
"""

from __future__ import annotations

import gc
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from capture import processes
from capture.polling import Wakeup
from capture.processes import Finished, run_command, signals_held, wait_for_interrupt

pytestmark = pytest.mark.slow

PYTHON = sys.executable

RUN = """
import sys
from capture.processes import run_command
print(tuple(run_command(sys.argv[1:])), flush=True)
"""
COUNT_INTERRUPTS = """
import signal, sys, time
count = 0
def note(number, frame):
    global count
    count += 1
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
print("ready", flush=True)
while not count:
    signal.pause()
time.sleep(0.2)  # for a second one, which must not come
sys.exit(40 + count)
"""


def code(text: str) -> list[str]:
    return [PYTHON, "-c", text]


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*code(RUN), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


# --- run_command, in this process ---


@pytest.mark.parametrize("status", [0, 1, 77])
def test_the_exit_code_is_kept(status: int) -> None:
    assert run_command(code(f"raise SystemExit({status})")) == Finished(status, expired=False)


def test_ended_by_a_signal() -> None:
    ended = run_command(code("import os; os.kill(os.getpid(), 9)"))
    assert ended == Finished(128 + signal.SIGKILL, expired=False)


def test_no_such_command() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        run_command(["no-such-command"])


def test_not_to_be_run(tmp_path) -> None:
    (tmp_path / "text").write_text("")
    with pytest.raises(PermissionError):
        run_command([str(tmp_path / "text")])


def test_the_environment() -> None:
    check = code("import os; raise SystemExit(os.environ['MINE'])")
    assert run_command(check, environment={**os.environ, "MINE": "x"}).exit_code == 1
    number = code("import os; raise SystemExit(int(os.environ['MINE']))")
    assert run_command(number, environment={**os.environ, "MINE": "9"}).exit_code == 9


def test_its_time_is_up() -> None:
    begun = time.monotonic()
    ended = run_command(code("import time; time.sleep(60)"), duration=0.3)
    assert ended == Finished(128 + signal.SIGTERM, expired=True)
    assert 0.3 <= time.monotonic() - begun < 30


def test_within_its_time() -> None:
    assert run_command(code(""), duration=60) == Finished(0, expired=False)


def test_its_time_is_up_and_it_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.1)
    ended = run_command(["sh", "-c", "trap '' TERM; exec sleep 60"], duration=0.5)
    assert ended == Finished(128 + signal.SIGKILL, expired=True)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in processes.ENDING_SIGNALS]
    run_command(code(""))
    assert [signal.getsignal(number) for number in processes.ENDING_SIGNALS] == before


def test_only_in_the_main_thread() -> None:
    raised: list[ValueError] = []

    def run() -> None:
        try:
            run_command(code(""))
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(raised) == 1
    raised.clear()
    gc.collect()  # a socket that was left open would be a warning here


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_alone_is_passed_on(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_in_foreground", lambda: False)
    sender = threading.Timer(0.5, os.kill, (os.getpid(), number))
    sender.start()
    ended = run_command(code("import time; time.sleep(60)"))
    sender.join()
    assert ended == Finished(128 + number, expired=False)


def test_a_terminals_interrupt_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_in_foreground", lambda: True)
    sender = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    sender.start()
    ended = run_command(code("import time; time.sleep(1)"))
    sender.join()
    assert ended == Finished(0, expired=False)


def test_a_signal_before_the_command_has_started() -> None:
    class Late(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **options: object) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            super().__init__(*args, **options)  # type: ignore[arg-type, misc]

    ended = run_command(code("import time; time.sleep(60)"), popen=Late)
    assert ended == Finished(128 + signal.SIGTERM, expired=False)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        sender = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGHUP))
        sender.start()
        assert run_command(code("import time; time.sleep(1)")) == Finished(0, expired=False)
        sender.join()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_is_started_as_one_likes(capfd: pytest.CaptureFixture[str]) -> None:
    popen: partial[subprocess.Popen[bytes]] = partial(subprocess.Popen, stdout=2)
    run_command(code("print('said')"), popen=popen)
    assert capfd.readouterr() == ("", "said\n")


def test_waiting_ends_with_what_can_be_read() -> None:
    with closing(Wakeup()) as over:
        over.notify()
        assert not wait_for_interrupt(60, over)
        assert over.clear(), "it is not taken"


# --- run_command, in a process of its own ---


def test_standard_streams_pass_through() -> None:
    with running(PYTHON, "-c", "print(input().upper(), flush=True)") as process:
        output, _ = process.communicate("hello\n", timeout=30)
    assert output == "HELLO\n(0, False)\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_gets_it_once(number: signal.Signals) -> None:
    with running(*code(COUNT_INTERRUPTS)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert output == "(41, False)\n"


def read_until(terminal: int, words: bytes) -> bytes:
    """What the terminal shows, up to ``words``."""
    shown = b""
    while words not in shown:
        assert select.select([terminal], [], [], 30)[0], shown
        shown += os.read(terminal, 1024)
    return shown


def test_ctrl_c_in_a_terminal_reaches_the_command_once() -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execv(PYTHON, [*code(RUN), *code(COUNT_INTERRUPTS)])
    try:
        read_until(terminal, b"ready")
        os.write(terminal, b"\x03")
        read_until(terminal, b"(41, False)")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(terminal)


# --- wait_for_interrupt ---


def test_nothing_interrupts() -> None:
    begun = time.monotonic()
    assert not wait_for_interrupt(0.05)
    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize("number", processes.ENDING_SIGNALS)
def test_interrupted(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    sender = threading.Timer(0.3, os.kill, (os.getpid(), number))
    sender.start()
    assert wait_for_interrupt()
    sender.join()
    assert signal.getsignal(number) is before


def test_whoever_is_told_may_send_a_signal_at_once() -> None:
    assert wait_for_interrupt(60, ready=lambda: os.kill(os.getpid(), signal.SIGTERM))


# --- the terminal ---


def test_no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(os, "ctermid", lambda: str(tmp_path / "none"))
    assert not processes._in_foreground()


@pytest.mark.parametrize(("foreground", "expected"), [(0, True), (1, False)])
def test_the_foreground_of_a_terminal(
    foreground: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "ctermid", lambda: os.devnull)
    monkeypatch.setattr(os, "tcgetpgrp", lambda terminal: os.getpgrp() + foreground)
    assert processes._in_foreground() is expected


# --- signals that wait ---


def test_a_signal_waits_until_the_block_is_left() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), signals_held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append("the end")
    assert reached == ["the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_signal_nothing_waits() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals_held():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_is_ignored_does_not_wait() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_held():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_signal_interrupts_another_thread() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def enter() -> None:
        with signals_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
