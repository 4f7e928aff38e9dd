"""Bytes that are put aside and read again by place: packets, and encoded records.

Strategy: one temporary file without a name, only ever appended to. So a compressed capture, a pipe
and a recording that goes on are all alike, memory holds numbers only, and nothing is left behind
however the process ends.
"""

from __future__ import annotations

from ..output import scratch

BUFFER = 256 * 1024
"""Bytes that wait in memory before they are written."""


class Spool:
    """Takes bytes and gives them back. One thread at a time."""

    def __init__(self) -> None:
        self._file = scratch()
        self._written = 0
        self._waiting = bytearray()

    @property
    def size(self) -> int:
        """Where the next bytes will lie."""
        return self._written + len(self._waiting)

    def append(self, data: bytes) -> int:
        """Put bytes aside and return where they lie. Raises OSError if there is no room."""
        place = self.size
        self._waiting += data
        if len(self._waiting) > BUFFER:
            self._flush()
        return place

    def read(self, place: int, size: int) -> bytes:
        """Return ``size`` bytes at ``place``."""
        if place + size > self._written:
            self._flush()
        self._file.seek(place)
        return self._file.read(size)

    def close(self) -> None:
        """Give the room back."""
        self._file.close()

    def _flush(self) -> None:
        self._file.seek(self._written)
        view = memoryview(bytes(self._waiting))
        self._waiting.clear()
        while view:
            done = self._file.write(view)
            self._written += done
            view = view[done:]
