"""Run a command that does not outlive whoever started it: ``python reaper.py COMMAND ...``.

Strategy: this process stands between a test run and a server. Its standard input is a pipe that
only the test run holds. When the pipe ends, because the test is done or because the test run was
killed, the command gets SIGTERM, after ``GRACE`` seconds SIGKILL, and so does everything that it
has started: orphans become children of this process (PR_SET_CHILD_SUBREAPER), so none is lost.
Should this process be killed itself, the kernel kills the command (PR_SET_PDEATHSIG).

It is run by its path, with the standard library alone, so that it starts in a blink.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL; uvicorn is told to give open streams one of them."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOT_STARTED = 127
"""The exit code for a command that cannot be started, as a shell has it."""
POLL = 0.02
"""Seconds between two looks at whether orphans have died; only while ending."""

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(command: Sequence[str]) -> int:
    """Run a command until it ends or standard input does; return its exit code."""
    # The libc that is loaded already: looking it up would run a compiler.
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: None)  # it is seen through the pipe
    # Blocked over the fork: the child must not take a signal with our handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    child = os.fork()
    if not child:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _become(command)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
    _wait(child, wake)
    return _end(child)


def _become(command: Sequence[str]) -> NoReturn:
    """Be the command, with an empty standard input."""
    try:
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvp(command[0], list(command))
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    finally:
        os._exit(NOT_STARTED)


def _wait(child: int, wake: int) -> None:
    """Wait until the command has ended, standard input does, or a signal comes."""
    ended = os.pidfd_open(child)
    poller = select.poll()
    for descriptor in (0, ended, wake):
        poller.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == 0 and os.read(0, 1024):
                continue
            return


def _end(child: int) -> int:
    """End the command if it runs, and then whatever it has left; return its exit code."""
    deadline = time.monotonic() + GRACE
    status: int | None = None
    _signal([child], signal.SIGTERM)
    while True:
        status = _reap(child, status)
        left = _children()
        if not left:
            break
        if status is not None or time.monotonic() > deadline:
            _signal(left, signal.SIGKILL)
        time.sleep(POLL)
    return 0 if status is None else os.waitstatus_to_exitcode(status)


def _reap(child: int, status: int | None) -> int | None:
    """Collect all that have died; return the command's status once it is known."""
    while True:
        try:
            pid, found = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if not pid:
            return status
        if pid == child:
            status = found


def _children() -> list[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    return [int(pid) for pid in listed.split()]


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # it ended by itself


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
