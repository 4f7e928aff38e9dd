"""``wireproof capture --port``: anyone's packets on a port, while a command runs or until Ctrl-C.

Strategy: the recorder is a thread; this one runs the command, or waits. The recording is on
before the command starts, and ends when it has and its last packets are in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from capture import Recorder, Statistics
from capture.processes import run_command, wait_for_interrupt

from . import __version__


class Recorded(NamedTuple):
    """What a recording came to."""

    statistics: Statistics
    exit_code: int
    """The command's own; 0 without a command."""
    interrupted: bool
    """Whether a signal ended it before its time."""


def record_port(
    port: int,
    path: str,
    *,
    interface: str = "lo",
    duration: float | None = None,
    command: Sequence[str] = (),
    ready: Callable[[], None] = lambda: None,
) -> Recorded:
    """Record the TCP packets of ``port`` into a pcapng file at ``path``.

    ``ready`` is called when no packet is missed any more. The recording ends with ``command``,
    or with a signal if there is none, and after ``duration`` seconds in any case. Raises what
    :class:`capture.Recorder` does, and OSError for a command that cannot be started.
    """
    comment = f"while running: {' '.join(command)}" if command else ""
    exit_code, interrupted = 0, False
    with Recorder(
        path, port=port, interface=interface, comment=comment, version=__version__
    ) as recorder:
        ready()
        if command:
            exit_code = run_command(command, duration=duration).exit_code
        else:
            interrupted = wait_for_interrupt(duration)
    # Without a duration a signal is how it is meant to end.
    return Recorded(recorder.statistics, exit_code, interrupted and duration is not None)
