"""Where an index gets its packets from: a capture file, or a pipe that one comes through.

Strategy: one thread reads, so that the page can be looked at while a large file is being read, just
as while a recording goes on. It may be told to stop between two batches.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from threading import Event, Thread
from typing import BinaryIO

from parsers.capture_file import CaptureReader

from .index import Index

BATCH = 256
"""Packets that are taken at once: the page's questions are answered between two batches."""


class FileFeed:
    """Reads a capture into an index, in a thread of its own."""

    def __init__(self, index: Index, stream: BinaryIO) -> None:
        """Look at the beginning of ``stream``. Raises UnreadableCapture if it is no capture."""
        self._index = index
        self._stream = stream
        self._reader = CaptureReader(stream)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no further. What blocks in a pipe ends with the process."""
        self._stopped.set()

    def read_all(self, tell: Callable[[], object] = lambda: None) -> None:
        """Read everything in this thread; ``tell`` is called after each batch."""
        self._read(tell)

    def _run(self) -> None:
        self._read(lambda: None)

    def _read(self, tell: Callable[[], object]) -> None:
        packets = iter(self._reader)
        size = _size(self._stream)
        problem = None
        try:
            while not self._stopped.is_set() and (batch := list(islice(packets, BATCH))):
                if size:
                    self._index.progress = min(self._stream.tell() / size, 1.0)
                self._index.receive(batch)
                tell()
        except OSError as error:  # the file, or the room for what is put aside
            problem = f"reading stopped: {error.strerror or error}"
        self._index.finish(self._reader.faults, problem)


def _size(stream: BinaryIO) -> int:
    """Return how long a file is; 0 for what has no length."""
    try:
        stream.tell()
        return os.fstat(stream.fileno()).st_size
    except OSError:
        return 0
