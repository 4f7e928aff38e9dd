"""What one process hands to a worker, message by message, without ever waiting for it.

Strategy: a worker answers each message, in order, through a pipe of its own. If it waited for that
to be read while its parent waited for room in the other pipe, neither would go on: so nothing is
written that may not fit, unless all has been answered, and then the worker is reading.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from mmap import PAGESIZE

from .workers import LENGTH, read_message, widen

AHEAD = 32
"""Messages that may wait for a worker: a worker with little of some batches does not have to wait
for one with much. With 8, two workers on two cores kept 1.78 of them busy; with 32, 1.84."""


class Feed:
    """A pipe to one worker. It is made before the worker is, and both let go of their other end."""

    def __init__(self) -> None:
        self._ends: list[int] = list(os.pipe())
        """Those that are open: to read, and to write."""
        self._reading, self._writing = self._ends
        self._free = widen(self._writing) // PAGESIZE
        """Pages of the pipe that are certainly empty."""
        self._taken: deque[int] = deque()
        """How many each message takes that has not been answered, at most."""

    def has_room(self, data: bytes) -> bool:
        """Whether a message can be put without waiting for answers."""
        is_short = len(self._taken) < AHEAD and _pages(data) <= self._free
        return is_short or not self._taken

    @property
    def waiting(self) -> int:
        """How many messages have not been answered."""
        return len(self._taken)

    def put(self, data: bytes) -> None:
        """Write a message for which there is room. A worker that is dead does not get it."""
        self._taken.append(_pages(data))
        self._free -= self._taken[-1]
        with suppress(BrokenPipeError):  # its answer tells
            for part in (LENGTH.pack(len(data)), data):
                _write(self._writing, part)

    def note_answer(self) -> None:
        """Take note that the worker has answered the oldest message."""
        self._free += self._taken.popleft()

    def messages(self) -> Iterator[bytes]:
        """Yield the messages, in the worker. Raises BrokenPipeError when the parent is gone."""
        with os.fdopen(self._reading, "rb", closefd=False) as stream:
            while (data := read_message(stream)) is not None:
                yield data
        raise BrokenPipeError

    def keep(self, *, reading: bool = False, writing: bool = False) -> None:
        """Let go of the ends that this process does not need."""
        for end, is_kept in ((self._reading, reading), (self._writing, writing)):
            if end in self._ends and not is_kept:
                self._ends.remove(end)
                os.close(end)


def _pages(data: bytes) -> int:
    """Return how many pages of a pipe a message takes at most."""
    return len(data) // PAGESIZE + 3  # its length may have one, and it may begin and end within one


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
