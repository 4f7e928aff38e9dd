"""The demo server as a subprocess, for whoever wants to capture, test or drive it.

Strategy: start ``python -m server`` and read the one line that it prints when it listens. Its
standard input is a pipe that only this process holds: should this process be killed, the pipe
ends, and the server with it. Nothing but the started process is ever signalled.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .address import Address
from .scenarios import Scenario
from .settings import Settings

START_TIMEOUT = 30.0
STOP_TIMEOUT = 5.0
"""Seconds; the server gives unfinished responses one second of these."""
_ROOT = Path(__file__).resolve().parents[(__package__ or "").count(".") + 1]
"""The folder on which the package is found, also where it is part of another one."""


class ServerStartError(RuntimeError):
    """The server did not come to listen; the text says what it wrote to standard error."""


class ServerProcess:
    """A module of ours that serves as a process of its own, within a ``with`` block.

    It prints one line of JSON when it listens. ``environment`` is what it is told beside ours.
    Entering raises ServerStartError if it does not listen.
    """

    def __init__(
        self,
        module: str,
        options: Sequence[str],
        start_timeout: float = START_TIMEOUT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [module, *options]
        self._start_timeout = start_timeout
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._resources = contextlib.ExitStack()
        self._errors: IO[bytes] | None = None
        self._said = ""
        self._line: dict[str, Any] | None = None

    @property
    def line(self) -> dict[str, Any]:
        """What it said when it listened; raises RuntimeError if it does not listen."""
        if self._line is None:
            raise RuntimeError("the server is not running")
        return self._line

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The subprocess; raises RuntimeError before it is started."""
        if self._process is None:
            raise RuntimeError("the server has not been started")
        return self._process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens; raises ServerStartError."""
        # Not a pipe: nobody would empty it. Closed by stop().
        self._errors = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._process = self._resources.enter_context(
            subprocess.Popen(
                # -P: a folder called "server" where the user stands is not this package
                [sys.executable, "-P", "-m", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **self._environment, "PYTHONPATH": self._python_path()},
            )
        )
        line = self._first_line(self._process)
        if not line.endswith(b"\n"):
            has_ended = self._process.poll() is not None
            self._process.kill()
            self.stop()
            raise ServerStartError(self._why(has_ended))
        self._line = json.loads(line)

    def stop(self) -> None:
        """Stop it with SIGTERM, or kill it if it takes too long; does nothing when stopped."""
        self._line = None
        if self._process is None or self._errors is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said = self.stderr
        self._errors = None
        self._resources.close()  # the pipes and the file

    @property
    def stderr(self) -> str:
        """What the server has written to standard error: faults that it met, normally nothing."""
        if self._errors is None:
            return self._said
        if sys.platform == "win32":  # where there is no pread, and the offset ends at the end again
            self._errors.seek(0)
            return self._errors.read().decode(errors="replace").strip()
        # pread: the server writes through the same offset that read() would move
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace").strip()

    @staticmethod
    def _python_path() -> str:
        """Return a path on which the package is found that this process has imported."""
        inherited = os.environ.get("PYTHONPATH")
        return os.pathsep.join([str(_ROOT), *([inherited] if inherited else [])])

    def _first_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return the line that the server prints when it listens, or less if it does not."""
        assert process.stdout is not None  # it was asked for
        # By a thread: a pipe cannot be waited for in another way on Windows. It ends with the pipe.
        lines: list[bytes] = []
        read = process.stdout.readline
        reader = threading.Thread(target=lambda: lines.append(read()), daemon=True)
        reader.start()
        reader.join(self._start_timeout)
        return lines[0] if lines else b""

    def _why(self, has_ended: bool) -> str:
        late = f"the server did not listen within {self._start_timeout:g} s"
        return (
            f"{'the server ended before it listened' if has_ended else late}"
            f" (exit code {self.process.returncode}): {self.stderr or 'it said nothing'}"
        )


class DemoServer(ServerProcess):
    """A running demo server: ``with DemoServer(delay=0.01) as server: ...``.

    ``host``, ``port`` and ``raw_port`` say where it listens, and :meth:`url` where a scenario is.
    Times are in seconds. Entering raises ServerStartError if it cannot start.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        raw_port: int = 0,
        delay: float = Settings.delay,
        ping_interval: float = Settings.ping_interval,
        idle_timeout: float = Settings.idle_timeout,
        deflate: bool = Settings.deflate,
        start_timeout: float = START_TIMEOUT,
    ) -> None:
        options = [
            f"--host={host}",
            f"--port={port}",
            f"--raw-port={raw_port}",
            f"--delay={delay}",
            f"--ping-interval={ping_interval}",
            f"--idle-timeout={idle_timeout}",
            *([] if deflate else ["--no-deflate"]),
        ]
        assert __package__  # this is no script
        super().__init__(__package__, ["--stop-on-eof", *options], start_timeout)

    @property
    def address(self) -> Address:
        """Where it listens; raises RuntimeError if it does not."""
        return Address(**self.line)

    @property
    def host(self) -> str:
        return self.address.host

    @property
    def port(self) -> int:
        """The port of the app under uvicorn."""
        return self.address.port

    @property
    def raw_port(self) -> int:
        """The port of the raw server."""
        return self.address.raw_port

    def url(self, scenario: Scenario, **query: str | float) -> str:
        """Return the URL of ``scenario``, with ``query`` added: ``url(scenario, delay=0)``."""
        return self.address.url(scenario, **query)
