"""Commands in processes of their own that do not start anew: each is forked of one process that
has loaded what commands load.

    with Forked() as commands:
        code, said = commands.came_to(["decode", "some.pcapng"], full.fileno())
        assert code == 2

What is tested so is what a command does with its standard streams and its exit code, and how its
process ends: it runs the same ``main`` and leaves the interpreter as any other. What is tested of
the start itself, or of rights that are given up before anything is loaded, takes a process that
really starts.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from tempfile import TemporaryFile
from typing import Self

OTHERS = (
    "duckdb",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "pandas",
    "pyarrow.compute",
    "rich.progress",
)
"""What commands load of others' when they come to it."""
LONGEST = 1 << 16
"""Bytes of a request."""


class Forked:
    """The process, and what it is asked; one command at a time."""

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a process with threads forks ill
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()  # which ends the process
        self._process.wait()

    def start(
        self, arguments: list[str], *, stdout: int | None, stderr: int, **environment: str
    ) -> None:
        """Start a command, whose standard output is closed where there is none."""
        request = json.dumps({"arguments": arguments, "environment": environment})
        descriptors = [stderr] if stdout is None else [stderr, stdout]
        socket.send_fds(self._socket, [request.encode()], descriptors)

    def came_to(self, arguments: list[str], stdout: int | None) -> tuple[int, str]:
        """Run a command to its end; return its exit code, and what it said on standard error."""
        with TemporaryFile() as said:
            self.start(arguments, stdout=stdout, stderr=said.fileno())
            code = self.code()
            said.seek(0)
            return code, said.read().decode()

    def code(self) -> int:
        """Wait for the end of the command; return its exit code."""
        return int(self._socket.recv(LONGEST))


def load() -> None:
    """Load what commands load, now instead of when they come to it."""
    import wireproof

    for module in walk_packages(wireproof.__path__, "wireproof."):
        if not module.name.endswith(("__main__", "pytest_plugin")):
            import_module(module.name)
    for name in OTHERS:
        with suppress(ImportError):  # the test of what takes it says so
            import_module(name)


def _serve(asked: socket.socket) -> None:
    """Fork a process for each request, until nobody asks any more."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(asked, LONGEST, 2)
        if not request:
            return
        if not (process := os.fork()):
            asked.close()
            _become(json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(process, 0)
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, object], stderr: int, stdout: int | None = None) -> None:
    """Be the command: with its standard streams, as an interpreter makes them of descriptors."""
    from wireproof.__main__ import main

    os.environ.update(request["environment"])  # type: ignore[call-overload]
    sys.argv = ["wireproof", *request["arguments"]]  # type: ignore[misc]
    os.dup2(stderr, 2)
    os.close(stderr)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    if stdout is None:
        os.close(1)
        sys.stdout = None  # type: ignore[assignment]
    else:
        os.dup2(stdout, 1)
        os.close(stdout)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    main()


if __name__ == "__main__":
    load()
    gc.freeze()  # what all share is not copied for the collector's marks
    _serve(socket.socket(fileno=int(sys.argv[1])))
