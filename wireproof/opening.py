"""Captures opened for reading: a file that grows ends where it ended when it was opened.

So the output does not depend on how long reading takes, nor on how many processes share it, and
what is read twice is the same both times.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import ExitStack
from io import SEEK_END, SEEK_SET, BufferedReader, FileIO, RawIOBase
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _FileOfNow(FileIO):
    """A regular file that has no more than it had when it was opened."""

    def __init__(self, file: str | int, *, closefd: bool = True) -> None:
        super().__init__(file, closefd=closefd)
        self._end = os.fstat(self.fileno()).st_size

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        left = max(self._end - self.tell(), 0)
        return super().readinto(memoryview(buffer).cast("B")[:left])

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes = RawIOBase.read(self, -1 if size is None else size)  # by readinto
        return data

    def readall(self) -> bytes:
        return RawIOBase.readall(self)

    def seek(self, position: int, whence: int = SEEK_SET, /) -> int:
        if whence == SEEK_END:
            return super().seek(self._end + position)
        return super().seek(position, whence)


def open_capture(path: str) -> BinaryIO:
    """Open a path; a regular file as it is now.

    Nothing here needs pathlib, which takes a twentieth of the time that a command takes to start.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
        return open(path, "rb")  # noqa: PTH123
    return BufferedReader(_FileOfNow(path))


def open_input(source: str, stack: ExitStack) -> BinaryIO:
    """Open a path, or standard input if that is ``-``, which stays open."""
    if source != "-":
        return stack.enter_context(open_capture(source))
    stream = sys.stdin.buffer
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return BufferedReader(_FileOfNow(stream.fileno(), closefd=False))
    return stream


def end_of(stream: BinaryIO) -> int:
    """Return where a file ends, or ended when it was opened; it is read on from where it stands."""
    place = stream.tell()
    end = stream.seek(0, SEEK_END)
    stream.seek(place)
    return end
