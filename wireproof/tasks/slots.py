"""What a worker has made of each batch, in memory that it shares with its parent.

Strategy: through a pipe every byte is copied into the kernel and out of it again, and once more
where messages are taken apart: of a gigabyte of all kinds a fourteenth of the time. So the bytes
stay where the worker puts them, in a slot of its own for each batch that may wait to be read, and a
message says only where each record ends. A slot is used anew when the batch in it has been written:
nobody asks for more batches before, see :meth:`~.feeds.Feed.has_room`.
"""

from __future__ import annotations

from mmap import mmap

from parsers.limits import MAX_BATCH

from .feeds import AHEAD

SLOT = 4 * MAX_BATCH
"""Bytes of one slot: what a batch holds, and more; what unfolds to more goes through the pipe."""
SLOTS = AHEAD + 1
"""After the last batch there is one more, which nobody asks for: what is said of the file."""


class Slots:
    """Those of one worker. They are made before the worker is."""

    def __init__(self) -> None:
        self._memory = mmap(-1, SLOTS * SLOT)

    def put(self, batch: int, data: bytes) -> bool:
        """Put what a worker has of its ``batch``, counted from 0; return whether there is room."""
        if len(data) > SLOT:
            return False
        start = batch % SLOTS * SLOT
        self._memory[start : start + len(data)] = data
        return True

    def look(self, batch: int, size: int) -> memoryview:
        """Return what was put, where it lies."""
        start = batch % SLOTS * SLOT
        return memoryview(self._memory)[start : start + size]
