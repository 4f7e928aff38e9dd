"""Which bytes of a connection are one body's, where other streams' lie between them (HTTP/2)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter

from ..limits import MAX_EXTENTS

START, END = itemgetter(0), itemgetter(1)


class Extents:
    """Which runs of a stream are one body's, where other bytes lie between them.

    At most MAX_EXTENTS are kept, the last ones.
    """

    __slots__ = ("_runs", "_has_dropped")

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []
        self._has_dropped = False

    def add(self, start: int, end: int) -> None:
        """Add [start, end), which comes after all before it."""
        runs = self._runs
        if runs and runs[-1][1] == start:
            runs[-1] = runs[-1][0], end
        elif start < end:
            runs.append((start, end))
            if len(runs) > MAX_EXTENTS:
                self._has_dropped = True
                del runs[: MAX_EXTENTS // 2]  # many at once: deleting moves the rest

    def within(self, start: int, end: int) -> list[tuple[int, int]] | None:
        """Return the runs of [start, end); None if that is one, or not all are known any more."""
        runs = self._runs
        if not runs or (self._has_dropped and start < runs[0][0]):
            return None
        first = bisect_right(runs, start, key=END)
        last = bisect_left(runs, end, key=START)
        found = [(max(begin, start), min(upto, end)) for begin, upto in runs[first:last]]
        return found if len(found) > 1 else None
