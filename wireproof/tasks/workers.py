"""Processes that work at the same time, and what comes from each through a pipe.

Strategy: a worker is forked, so that it has what its parent had, and writes messages; the parent
reads them as it needs them, and a worker that is ahead waits at its pipe. Whatever happens, the
parent ends them all.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from struct import Struct
from types import TracebackType
from typing import BinaryIO, NoReturn, Self

from .worker_died import WorkerDied

LENGTH = Struct("=Q")
"""What stands before each message in a pipe: its length in bytes."""
PIPE_SIZE = 1 << 20
"""Bytes that a worker may be ahead, beside one message; a pipe has 64 KiB unless told otherwise."""
Run = Callable[[BinaryIO], None]
"""What a worker does: it writes messages."""


def send(stream: BinaryIO, data: bytes) -> None:
    """Write a message. Raises BrokenPipeError if nobody reads it any more."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> bytes | None:
    """Return a message's bytes, None if no whole one comes any more."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


class Worker:
    """A process that runs a task, and the pipe from it."""

    stream: BinaryIO

    def __init__(self, number: int, run: Run, others: list[Worker]) -> None:
        """Start the process; it lets go of the pipes of ``others``."""
        self.number = number
        reading, writing = os.pipe()
        widen(writing)
        try:
            self._pid = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        if not self._pid:
            _work(run, writing, [reading, *(other.stream.fileno() for other in others)])
        os.close(writing)
        self.stream = os.fdopen(reading, "rb")
        self._is_running = True

    def message(self) -> bytes | None:
        """Return the bytes of the next message, None if the worker is done. Raises WorkerDied."""
        data = read_message(self.stream)
        if data is None and self._is_running and (status := self._wait()):
            raise WorkerDied(self.number, status)
        return data

    def end(self) -> None:
        """End the process, whatever it does: nothing of it is left."""
        if self._is_running:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()
        self.stream.close()

    def _wait(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        self._is_running = False
        return status


def widen(descriptor: int) -> int:
    """Let a pipe hold more, where the system can and the user may; return how many bytes it is sure
    to hold."""
    import fcntl  # not everywhere; but where there is no fork, nobody comes here
    import select

    for wish in ("F_SETPIPE_SZ", "F_GETPIPE_SZ"):
        with suppress(AttributeError, OSError):
            return fcntl.fcntl(descriptor, getattr(fcntl, wish), PIPE_SIZE)
    return select.PIPE_BUF


def _work(run: Run, writing: int, unneeded: list[int]) -> NoReturn:
    """Be a worker. Nothing may leave this function: behind it is the parent's code.

    A reading end that stays open here would keep another worker from noticing that nobody reads.
    """
    code = 1
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what the parent tidies up is the parent's
    try:
        for descriptor in unneeded:
            os.close(descriptor)
        with os.fdopen(writing, "wb") as stream:
            run(stream)
        code = 0
    except BrokenPipeError:
        code = 0  # the parent has enough, or is gone
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


class Team:
    """A worker for each of ``runs``; a context manager that leaves none behind."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def _start(self) -> None:
        # Ctrl-C is for the parent, which ends the workers. In them it stays blocked; here it
        # waits until all of them are known.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for number, run in enumerate(self._runs):
                self.workers.append(Worker(number, run, self.workers))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _restart(self, runs: Sequence[Run]) -> None:
        """Let workers that have ended be followed by others."""
        self._runs, self.workers = runs, []
        self._start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        for worker in self.workers:
            worker.end()
