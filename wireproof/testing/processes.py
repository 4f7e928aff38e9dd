"""A server as a child of a test: started with a reaper, watched, and ended with all it started.

Strategy: the child's output goes to a file without a name, so that it never waits for a reader and
its last words can be shown. :mod:`.reaper` stands between, and ends it when this process is gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

REAPER = Path(__file__).with_name("reaper.py")
STOP_TIMEOUT = 10.0
"""Seconds for the reaper to end a command; it takes up to its own GRACE."""
LOG_TAIL = 4_000
"""Characters of what a server wrote that a failure shows."""

Popen = Callable[..., subprocess.Popen[bytes]]
"""subprocess.Popen, or what starts a process elsewhere with the same arguments."""


class Child:
    """A command that runs with a reaper, until :meth:`stop`.

    Raises OSError if the reaper cannot be started; a command that cannot be is one that ends.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        keep_open: Sequence[int] = (),
        popen: Popen = subprocess.Popen,
        **options: Any,
    ) -> None:
        self._log = tempfile.TemporaryFile(prefix="wireproof-")  # noqa: SIM115 # see stop()
        self._said: str | None = None
        # -S -E -I: only the standard library, whatever the user's environment holds.
        self._process = popen(
            [sys.executable, "-I", "-S", str(REAPER), *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            pass_fds=tuple(keep_open),
            start_new_session=True,  # Ctrl-C is for the test run, which then stops it
            **options,
        )

    @property
    def pid(self) -> int:
        """Of the reaper."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """The last of what it has written to standard output and standard error."""
        if self._said is not None:
            return self._said
        # pread: the child writes through the same offset that read() would move.
        size = os.fstat(self._log.fileno()).st_size
        start = max(size - LOG_TAIL, 0)
        return os.pread(self._log.fileno(), size - start, start).decode(errors="replace").strip()

    def wait_readable(self, descriptor: int, timeout: float) -> bool:
        """Wait until a descriptor can be read or the child ends; return whether it can be."""
        ended = os.pidfd_open(self.pid)
        try:
            ready = select.select([descriptor, ended], [], [], timeout)[0]
        finally:
            os.close(ended)
        return descriptor in ready

    def wait(self, timeout: float) -> bool:
        """Wait for its end; return whether it came."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return self._process.returncode is not None

    def stop(self) -> None:
        """End it and everything that it has started. Does nothing if it has been."""
        if self._said is not None:
            return
        assert self._process.stdin is not None  # it was asked for
        self._process.stdin.close()
        if not self.wait(STOP_TIMEOUT):
            self._process.kill()
            self._process.wait()
        self._said = self.log
        self._log.close()
