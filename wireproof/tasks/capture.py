"""``wireproof capture --port``: anyone's packets on a port, while a command runs or until Ctrl-C.

Strategy: the recorder is a thread; this one runs the command, or waits. The recording is on
before the command starts, and ends when it has and its last packets are in the file. What the
command logs of its TLS secrets is put into the file too. By which
backend it is made, and so in what surroundings the command runs, is for ``capture.backends``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from capture import Statistics
from capture.backends import Backend, Session, Wanted
from capture.key_log import VARIABLE, KeyLog
from capture.polling import Wakeup
from capture.processes import run_command, signals_held, wait_for_interrupt
from capture.secrets_first import put_secrets_first

from .. import __version__


class Recorded(NamedTuple):
    """What a recording came to."""

    statistics: Statistics
    exit_code: int
    """The command's own; 0 without a command."""
    interrupted: bool
    """Whether a signal ended it before its time."""
    has_keys: bool = False
    """Whether the file holds secrets of TLS connections."""


def record_port(
    wanted: Wanted,
    backend: Backend,
    *,
    duration: float | None = None,
    command: Sequence[str] = (),
    keys: bool = True,
    ready: Callable[[Session], None] = lambda session: None,
    say: Callable[[str], object] = lambda _: None,
) -> Recorded:
    """Record by ``backend`` what is wanted.

    ``ready`` is called when no packet is missed any more. The recording ends with ``command``,
    or with a signal if there is none, and after ``duration`` seconds in any case. With ``keys``
    the command is told to log its TLS secrets, which the file then holds. ``say`` is told at once
    if the recording breaks off while the command goes on. Raises what the
    backend's recording does, and OSError for a command that cannot be started.
    """
    key_log = key_log_for(command) if keys else None
    comment = f"while running: {' '.join(command)}" if command else ""
    exit_code, interrupted = 0, False
    wanted = replace(wanted, comment=comment, version=__version__)
    if key_log is not None:
        wanted = replace(wanted, secrets=key_log.take)
    with ExitStack() as stack:
        with signals_held():
            session = stack.enter_context(backend.open(wanted))
            over = stack.enter_context(closing(Wakeup()))
        # Whoever waits is told by what leaving raises; whoever runs a command, meanwhile.
        if command:
            ready(session)
            session.recording.tell_end(say)
            exit_code = attend(command, session, key_log, duration=duration)
        else:
            session.recording.tell_end(lambda _: over.notify())
            interrupted = wait_for_interrupt(duration, over, partial(ready, session))
    has_keys = key_log is not None and key_log.has_keys
    if has_keys:
        order_secrets(wanted.path)
    # Without a duration a signal is how it is meant to end.
    is_cut = interrupted and duration is not None
    return Recorded(session.recording.statistics, exit_code, is_cut, has_keys)


def key_log_for(command: Sequence[str]) -> KeyLog | None:
    """Return a key log for a command to write, None without a command."""
    return KeyLog(os.environ.get(VARIABLE)) if command else None


def attend(
    command: Sequence[str],
    session: Session,
    key_log: KeyLog | None,
    *,
    duration: float | None = None,
    **options: Any,
) -> int:
    """Run a command so that it is recorded, with its key log, and return its exit code.

    ``options`` are those of ``subprocess.Popen``.
    """
    environment = os.environ | session.environment
    with key_log or nullcontext():
        if key_log is not None:
            environment |= key_log.environment(environment)
        return run_command(
            command,
            duration=duration,
            environment=environment,
            popen=partial(session.popen, **options),
        ).exit_code


def order_secrets(path: Path) -> None:
    """Put a recording's secrets before its packets, if it is a file that can be replaced."""
    if path.is_file() and not path.is_symlink():
        put_secrets_first(path)
