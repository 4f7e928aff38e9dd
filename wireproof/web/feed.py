"""Where an index gets its packets from: a capture file, or a pipe that one comes through.

Strategy: one thread reads, so that the page can be looked at while a large file is being read, just
as while a recording goes on. It may be told to stop between two batches.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from threading import Event, Thread
from typing import BinaryIO, cast

from parsers import KeyLog, OrderedCapture, Packet

from .index import Index

BATCH = 256
"""Packets that are taken at once: the page's questions are answered between two batches."""
MAX_BATCH = 1_024
"""The same where there is no page yet."""
Rewrite = Callable[[Packet], Packet]


class FileFeed:
    """Reads a capture into an index, in a thread of its own.

    ``rewrite`` is what becomes of each packet before anything looks at it: so what it takes out is
    in no record, no row and no byte that is shown. ``keylog`` has keys of TLS, beside those in
    the file.
    """

    def __init__(
        self,
        index: Index,
        stream: BinaryIO,
        rewrite: Rewrite = lambda packet: packet,
        keylog: KeyLog | None = None,
        *,
        decrypts: bool = True,
    ) -> None:
        """Look at the beginning of ``stream``. Raises UnreadableCapture if it is no capture.

        With ``decrypts=False`` TLS stays as it is, whatever keys there are.
        """
        self.index = index
        self._size = _size(stream)
        self._batch = BATCH if self._size else 1  # a pipe may be fed by what goes on
        self._stream = stream
        self._capture = OrderedCapture(
            stream if self._size else _Piped(stream), is_live=not self._size, keylog=keylog
        )
        index.tracer.use_keys(self._capture.keys if decrypts else None)
        self._rewrite = rewrite
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no further. What blocks in a pipe ends with the process."""
        self._stopped.set()

    def read_all(self, tell: Callable[[], object] = lambda: None) -> None:
        """Read everything in this thread, while nobody asks; ``tell`` is called after each batch.
        Raises OSError for what cannot be read, or put aside."""
        self._batch = MAX_BATCH if self._size else 1
        self._read(tell)

    def _run(self) -> None:
        try:
            self._read(lambda: None)
        except OSError as error:  # the file, or the room for what is put aside
            problem = f"reading stopped: {error.strerror or error}"
            self.index.finish(self._capture.faults, problem)
        except Exception as error:
            self.index.break_off(error)  # nobody waits for this thread, and the page must not
            raise

    def _read(self, tell: Callable[[], object]) -> None:
        for batch in self._capture.batches(self._batch, lambda: self.index.tracer.room):
            if self._stopped.is_set():
                break
            if self._size:
                self.index.progress = min(self._stream.tell() / self._size, 1.0)
            self.index.receive(list(map(self._rewrite, batch)), self._capture.sort)
            tell()
        self.index.finish(self._capture.faults)


class _Piped:
    """A pipe, of which what is there is taken and nothing more is waited for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)

    def read(self, size: int, /) -> bytes:
        return cast(bytes, self._read(size))


def _size(stream: BinaryIO) -> int:
    """Return how long a regular file is; 0 for anything else."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0
