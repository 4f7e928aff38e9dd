"""``wireproof capture --port``: anyone's packets on a port, while a command runs or until Ctrl-C.

Strategy: the recorder is a thread; this one runs the command, or waits. The recording is on
before the command starts, and ends when it has and its last packets are in the file. By which
backend it is made, and so in what surroundings the command runs, is for ``capture.backends``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from capture import Statistics
from capture.backends import Backend, Session, Wanted
from capture.processes import run_command, wait_for_interrupt

from .. import __version__


class Recorded(NamedTuple):
    """What a recording came to."""

    statistics: Statistics
    exit_code: int
    """The command's own; 0 without a command."""
    interrupted: bool
    """Whether a signal ended it before its time."""


def record_port(
    wanted: Wanted,
    backend: Backend,
    *,
    duration: float | None = None,
    command: Sequence[str] = (),
    ready: Callable[[Session], None] = lambda session: None,
) -> Recorded:
    """Record by ``backend`` what is wanted.

    ``ready`` is called when no packet is missed any more. The recording ends with ``command``,
    or with a signal if there is none, and after ``duration`` seconds in any case. Raises what
    the backend's recording does, and OSError for a command that cannot be started.
    """
    comment = f"while running: {' '.join(command)}" if command else ""
    exit_code, interrupted = 0, False
    with backend.open(replace(wanted, comment=comment, version=__version__)) as session:
        ready(session)
        if command:
            exit_code = run_command(
                command,
                duration=duration,
                environment=os.environ | session.environment,
                popen=session.popen,
            ).exit_code
        else:
            interrupted = wait_for_interrupt(duration)
    # Without a duration a signal is how it is meant to end.
    return Recorded(session.recording.statistics, exit_code, interrupted and duration is not None)
