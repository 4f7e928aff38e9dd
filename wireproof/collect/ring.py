"""The files of a ring: which of them wait to be exported, and which may go.

Strategy: a file is in one of two queues, from the oldest on: it waits, or it is in the data set and
stays as long as there is room, for whoever wants to look at its packets. Only the latter are ever
deleted. When those that wait fill the disk's share, no other file begins: packets are dropped by
the kernel then, which counts them, and what was recorded is kept.

A file waits for the next one too, in which its last exchanges may go on: until that is whole, or
has had time enough to be, or cannot begin.

Three threads meet here: the one that records, the one that exports, and whoever reads the numbers.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path
from threading import Condition
from time import monotonic, sleep
from typing import NamedTuple

from capture import Statistics

from ..tables.files import RINGS, in_between
from ..text.wording import count
from .messages import File

Say = Callable[[str], object]
LOCK_PATIENCE = 1.0
"""Seconds that a folder may be another's before that is an error."""


class _File(NamedTuple):
    path: Path
    size: int
    since: float
    """When it was whole, by the monotonic clock."""


@dataclass
class Told:
    """What has become of files."""

    recorded: int = 0
    exported: int = 0
    unreadable: int = 0
    deleted: int = 0


class Ring:
    """Looks after the files of a folder; a :class:`~capture.output.Keeper`.

    ``share`` is how many bytes they may take, of which the open file has ``largest``. A file waits
    for the next one for ``patience`` seconds, at most.
    """

    def __init__(
        self, folder: Path, share: int, largest: int, say: Say, patience: float = 0
    ) -> None:
        self.folder = folder
        self.told = Told()
        self.fault: str | None = None
        """Why the folder cannot be written."""
        self._share = share - largest
        self._say = say
        self._changed = Condition()
        self._is_over = False
        self._lacks = False  # whether packets were dropped in the file before
        self._patience = patience
        self._waiting = deque(_left(folder))
        self._kept: deque[_File] = deque()
        self._before: str | None = None
        """The last one that is in the data set."""

    @property
    def waiting(self) -> int:
        """How many files are not in the data set yet."""
        return len(self._waiting)

    @property
    def size(self) -> int:
        """Bytes of all files but the open one."""
        with self._changed:
            return sum(file.size for file in (*self._waiting, *self._kept))

    # --- the thread that records ---

    def make_room(self) -> str | None:
        """Delete the oldest files that are in the data set, as far as another one needs; return
        why it may not begin, if it may not."""
        while self.size > self._share:
            with self._changed:
                if not self._kept:
                    waiting = count(len(self._waiting), "file")
                    return f"{waiting} waiting to be exported fill its share of the disk"
                oldest = self._kept.popleft()
            oldest.path.unlink(missing_ok=True)
            self.told.deleted += 1
        return None

    def ended(self, path: Path, found: Statistics) -> None:
        """Take a file that is whole; one without packets is no use to anybody."""
        self._tell_drops(path, found.dropped)
        if not found.captured:
            path.unlink(missing_ok=True)
            return
        with self._changed:
            self.told.recorded += 1
            self._waiting.append(_File(path, path.stat().st_size, monotonic()))
            self._changed.notify_all()

    def _tell_drops(self, path: Path, dropped: int) -> None:
        if dropped and not self._lacks:
            self._say(f"packets are being dropped: {path} is missing {dropped:,}")
        elif self._lacks and not dropped:
            self._say("packets are no longer being dropped")
        self._lacks = dropped > 0

    def held(self, reason: str) -> None:
        """Say that nothing can be recorded."""
        with self._changed:
            self.fault = reason
            self._changed.notify_all()
        self._say(
            f"{self.folder} cannot be written: {reason}; packets wait, and will be dropped later"
        )

    def goes_on(self) -> None:
        """Say that recording goes on."""
        self.fault = None
        self._say(f"{self.folder} is written again")

    # --- the thread that exports ---

    def next(self) -> File | None:
        """Wait for a file to export, and return the oldest one; None when it is over and there is
        none."""
        with self._changed:
            while (seconds := self._seconds_to_wait()) is None or seconds > 0:
                self._changed.wait(seconds)
            if not self._waiting:
                return None
            path, *rest = (str(file.path) for file in islice(self._waiting, 2))
            following = next((one for one in rest if in_between(path, one) is not None), None)
            before = self._before
            missing = "" if before is None else in_between(before, path)
            return File(
                path=path,
                following=following,
                before=before,
                is_next=missing is not None,
                missing=missing or "",
            )

    def _seconds_to_wait(self) -> float | None:
        """Return in how many seconds the oldest file is to be exported; None if there is none."""
        if self._is_over or len(self._waiting) > 1 or (self._waiting and self.fault is not None):
            return 0
        if not self._waiting:
            return None
        return self._waiting[0].since + self._patience - monotonic()

    def done(self, *, is_readable: bool = True, is_new: bool = True) -> None:
        """Take note that the oldest file need not wait any more; one that is not new was in the
        data set at the start."""
        with self._changed:
            file = self._waiting.popleft()
            self._kept.append(file)
            if is_readable:
                self._before = str(file.path)
        if is_readable:
            self.told.exported += is_new
        else:
            self.told.unreadable += 1

    def end(self) -> None:
        """Take note that no further file comes."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


def _left(folder: Path) -> Iterator[_File]:
    """Yield files that a recorder left behind, in the order in which it wrote them."""
    found = []
    for path in folder.iterdir():
        if match := RINGS[0].fullmatch(path.name):
            found.append((match["time"], int(match["number"]), path))
    for _, _, path in sorted(found):
        yield _File(path, path.stat().st_size, -inf)  # its recorder wrote no other


@contextmanager
def own(folder: Path) -> Iterator[None]:
    """Make a folder, and keep others from collecting in it. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Lock a folder. One that was killed just now may still hold it: a process that it was about to
    start does, until that runs a program of its own."""
    until = monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if monotonic() > until:
                said = "another collector records here"
                raise OSError(error.errno, said, str(folder)) from error
            sleep(LOCK_PATIENCE / 20)
        else:
            return
