"""Bytes that wait until it is known whose they are.

Strategy: pieces are kept with their offsets, up to a limit. Where the offsets of two pieces do not
meet, bytes between them are missing: a gap needs no entry of its own, and a piece past the limit
becomes one.
"""

from __future__ import annotations

from collections import deque


class HeldBytes:
    """Keeps pieces of a stream, of ``limit`` bytes at most together.

    ``start`` is the offset from which bytes are held; ``size`` counts all that came, kept or not.
    """

    __slots__ = ("start", "size", "_limit", "_pieces")

    def __init__(self, start: int, limit: int) -> None:
        self.start = start
        self.size = 0
        self._limit = limit
        self._pieces: deque[tuple[int, bytes]] = deque()

    def hold(self, offset: int, data: bytes) -> bool:
        """Keep a piece; return whether it is the first that passes the limit and is not kept."""
        before, self.size = self.size, self.size + len(data)
        if self.size <= self._limit:
            self._pieces.append((offset, data))
            return False
        return before <= self._limit

    def take_run(self, end: int) -> bytes:
        """Return the bytes from ``start`` on up to missing ones, and move ``start`` behind them.

        Bytes that are missing at ``start`` itself are passed over. ``end`` is the stream's.
        """
        pieces = self._pieces
        self.start = pieces[0][0] if pieces else end
        run = []
        while pieces and pieces[0][0] == self.start:
            data = pieces.popleft()[1]
            self.start += len(data)
            run.append(data)
        return b"".join(run)
