"""Bytes that wait until it is known whose they are.

Strategy: runs of bytes are kept with their offsets, up to a limit; a piece that meets the last run
is added to it, so that small pieces take no more memory than their bytes. Between two runs bytes
are missing: a gap needs no entry of its own, and what is past the limit becomes one.
"""

from __future__ import annotations

from collections import deque


class PendingBytes:
    """Keeps pieces of a stream, of ``limit`` bytes at most together.

    ``start`` is the offset from which bytes are held; ``size`` counts all that came, kept or not.
    """

    __slots__ = ("start", "size", "_limit", "_runs")

    def __init__(self, start: int, limit: int) -> None:
        self.start = start
        self.size = 0
        self._limit = limit
        # Few hold any: an empty deque takes 760 bytes.
        self._runs: deque[tuple[int, bytearray]] | None = None

    def hold(self, offset: int, data: bytes) -> bool:
        """Keep a piece up to the limit; return whether it is the first that passes it."""
        room = self._limit - self.size
        self.size += len(data)
        passes = 0 <= room < len(data)
        data = data[: max(room, 0)]
        if not data:
            return passes
        if self._runs is None:
            self._runs = deque()
        runs = self._runs
        if runs and runs[-1][0] + len(runs[-1][1]) == offset:
            runs[-1][1].extend(data)
        else:
            runs.append((offset, bytearray(data)))
        return passes

    def first_offset(self, end: int) -> int:
        """Return where the first bytes lie that are held; ``end`` if none are."""
        return self._runs[0][0] if self._runs else end

    def take_run(self, end: int) -> bytes:
        """Return the bytes from ``start`` on up to missing ones, and move ``start`` after them.

        Bytes that are missing at ``start`` itself are passed over. ``end`` is the stream's.
        """
        if not self._runs:
            self.start = end
            return b""
        offset, run = self._runs.popleft()
        self.start = offset + len(run)
        return bytes(run)
