"""Run a command, or just wait, while packets are recorded.

Strategy: the command is an ordinary child with our standard streams. While it runs, the signals
that would end us end it instead, and we live on until it has: so what it sends last is still
recorded. What Ctrl-C in a terminal sends goes to every process of the foreground group, the
child among them, and is not passed on a second time; what another process sends to us alone
is. Waiting is for a wake-up, by the child's end or by a signal, never a sleep. Signal handlers can
only be set in the main thread, so these are for it.

Windows has no such signals but Ctrl-C and Ctrl-Break, which reach every process of the console.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import NamedTuple

from .polling import READABLE, Poller, Wakeup

GRACE = 5.0
"""Seconds that a command has to end after SIGTERM, before SIGKILL; docker and systemd have 10
and 90."""
ENDING_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
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

    with _signals_to(forward) as wakeup, popen(command, env=environment) as child:
        children.append(child)
        for number in early:
            child.send_signal(number)
        watcher = _Watcher(child, wakeup)
        expired = not _wait(watcher.ended, wakeup, duration)
        if expired:
            child.terminate()
            if not _wait(watcher.ended, wakeup, GRACE):
                child.kill()
        watcher.join()
        code = child.wait()
    return Finished(code if code >= 0 else SIGNAL_STATUS - code, expired)


def wait_for_interrupt(
    duration: float | None = None,
    over: Wakeup | None = None,
    ready: Callable[[], object] = lambda: None,
) -> bool:
    """Wait for Ctrl-C or another signal to end, but no longer than ``duration`` seconds.

    ``over`` ends the waiting too, once it is notified. ``ready`` is called when a signal ends the
    waiting and nothing else any more: whoever is told by it may send one at once. Returns whether a
    signal came. Raises ValueError outside the main thread.
    """
    came = threading.Event()
    with _signals_to(lambda number, frame: came.set()) as wakeup:
        ready()
        _wait(came, wakeup, duration, over)
    return came.is_set()


@contextmanager
def signals_held() -> Iterator[None]:
    """Have the signals that would end this process wait until the block is left.

    For entering a context with threads: between a thread's start and the ``with`` that ends it a
    signal would leave the thread behind, and a process with it that never ends. Outside the main
    thread, which no signal interrupts, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in ENDING_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def _signals_to(handler: Callable[[int, FrameType | None], None]) -> Iterator[Wakeup]:
    """Have ``handler`` take the signals that would end this process; give what they wake.

    One that is ignored stays so: ``nohup`` has said that SIGHUP shall end nothing.
    """
    with closing(Wakeup()) as wakeup:
        # On Windows a signal interrupts no waiting: it is the wake-up that does.
        woken_before = signal.set_wakeup_fd(wakeup.sender, warn_on_full_buffer=False)
        before = {
            number: signal.signal(number, handler)
            for number in ENDING_SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield wakeup
        finally:
            for number, previous in before.items():
                signal.signal(number, previous)
            signal.set_wakeup_fd(woken_before)


def _wait(
    event: threading.Event, wakeup: Wakeup, duration: float | None, over: Wakeup | None = None
) -> bool:
    """Wait for an event that notifies ``wakeup``; return whether it came in time."""
    deadline = None if duration is None else time.monotonic() + duration
    poller = Poller()
    for one in (wakeup, over):
        if one is not None:
            poller.watch(one.fileno(), READABLE)
    try:
        while not event.is_set():
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            happened = poller.poll(left)
            wakeup.clear()
            if not happened or any(one != wakeup.fileno() for one, _ in happened):
                break
    finally:
        poller.close()
    return event.is_set()


class _Watcher(threading.Thread):
    """Waits for a child, and tells its end."""

    def __init__(self, child: subprocess.Popen[bytes], wakeup: Wakeup) -> None:
        super().__init__(name=f"await {child.pid}", daemon=True)
        self.ended = threading.Event()
        self._child = child
        self._wakeup = wakeup
        self.start()

    def run(self) -> None:
        if hasattr(os, "waitid"):  # the child stays to be signalled until it is waited for
            os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._child.wait()
        self.ended.set()
        self._wakeup.notify()


def _in_foreground() -> bool:
    """Return whether a terminal's Ctrl-C reaches this process, and so its children too."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False  # no terminal
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
