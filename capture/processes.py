"""Run a command, or just wait, while packets are recorded.

Strategy: the command is an ordinary child with our standard streams. While it runs, the signals
that would end us end it instead, and we live on until it has: so what it sends last is still
recorded. What Ctrl-C in a terminal sends goes to every process of the foreground group, the
child among them, and is not passed on a second time; what another process sends to us alone
is. Waiting is for file descriptors (the child's, or one that a signal writes to), never a
sleep. Signal handlers can only be set in the main thread, so these are for it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

GRACE = 5.0
"""Seconds that a command has to end after SIGTERM, before SIGKILL; docker and systemd have 10
and 90."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_STATUS = 128
"""A shell reports a command that signal N ended as 128 + N."""


Popen = Callable[..., subprocess.Popen[bytes]]


class Finished(NamedTuple):
    """How a command ended."""

    exit_code: int
    """Its own; or 128 and the number of the signal that ended it."""
    expired: bool
    """Whether its time was up, and it was ended."""


def run_command(
    command: Sequence[str],
    *,
    duration: float | None = None,
    environment: Mapping[str, str] | None = None,
    popen: Popen = subprocess.Popen,
) -> Finished:
    """Run ``command`` to its end, but no longer than ``duration`` seconds.

    ``popen`` starts it, as ``subprocess.Popen`` does. Raises OSError if it cannot be started
    (FileNotFoundError, PermissionError), and ValueError outside the main thread.
    """
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        elif number != signal.SIGINT or not _in_foreground():
            children[0].send_signal(number)

    with _signals_to(forward), popen(command, env=environment) as child:
        children.append(child)
        for number in early:
            child.send_signal(number)
        expired = not _wait_for(child, duration)
        if expired:
            _end(child)
        code = child.wait()
    return Finished(code if code >= 0 else SIGNAL_STATUS - code, expired)


def wait_for_interrupt(duration: float | None = None, over: int | None = None) -> bool:
    """Wait for Ctrl-C or another signal to end, but no longer than ``duration`` seconds.

    A descriptor ``over`` ends the waiting too, once it can be read. Returns whether a signal came.
    Raises ValueError outside the main thread.
    """
    happened = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        with _signals_to(lambda number, frame: os.eventfd_write(happened, 1)):
            _readable(happened, *([] if over is None else [over]), duration=duration)
            return _readable(happened, duration=0)
    finally:
        os.close(happened)


@contextmanager
def _signals_to(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have ``handler`` take the signals that would end this process.

    One that is ignored stays so: ``nohup`` has said that SIGHUP shall end nothing.
    """
    before = {
        number: signal.signal(number, handler)
        for number in ENDING_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _wait_for(child: subprocess.Popen[bytes], duration: float | None) -> bool:
    """Return whether the child has ended within ``duration`` seconds."""
    descriptor = os.pidfd_open(child.pid)
    try:
        return _readable(descriptor, duration=duration)
    finally:
        os.close(descriptor)


def _readable(*descriptors: int, duration: float | None) -> bool:
    """Wait until there is something to read; a signal that is handled meanwhile changes nothing."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(None if duration is None else duration * 1000))


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    if not _wait_for(child, GRACE):
        child.kill()


def _in_foreground() -> bool:
    """Return whether a terminal's Ctrl-C reaches this process, and so its children too."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False  # no terminal
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
