"""What one direction tells of its path: ends, closed windows, holes, and what was said again.

Strategy: each fact is written down by a path that only rare segments take, as a row of what its
record says after the sender (:mod:`~parsers.records`). A window that is closed, a hole and a run of
acknowledgements that are not over yet stand apart. Each list has a limit: what comes after it is
not kept, and costs nothing.
"""

from __future__ import annotations

from typing import Literal, TypeVar

from ..limits import MAX_ENDS, MAX_PATH_FACTS
from ..provenance import seconds

EndKind = Literal["fin", "reset"]
EndRow = tuple[int, float, EndKind]
"""packet, time, kind"""
WindowRow = tuple[int, float, int | None, float | None]
"""packet, time, packet that opened it, seconds"""
HoleRow = tuple[int, int, int, float, int | None, float | None]
"""offset, length, packet after it, its time, packet that filled it, seconds"""
ResentRow = tuple[int, int, int, float]
"""offset, length, packet, time"""
RunRow = tuple[int, int, int, int, float, float]
"""offset, count, first and last packet, first and last time"""
Row = TypeVar("Row")


class Path:
    """The facts of one direction: what its sender did, and what became of its bytes."""

    __slots__ = ("ends", "resent", "_windows", "_holes", "_runs", "_closed", "_hole", "_run")

    def __init__(self) -> None:
        self.ends: list[EndRow] = []
        self.resent: list[ResentRow] = []
        self._windows: list[WindowRow] = []
        self._holes: list[HoleRow] = []
        self._runs: list[RunRow] = []
        self._closed: tuple[int, int] | None = None  # packet, nanoseconds
        self._hole: tuple[int, int, int, int] | None = None  # offset, length, packet, nanoseconds
        self._run: RunRow | None = None

    @property
    def closed_windows(self) -> list[WindowRow]:
        if self._closed is None:
            return self._windows
        packet, time_ns = self._closed
        return [*self._windows, (packet, seconds(time_ns), None, None)][:MAX_PATH_FACTS]

    @property
    def holes(self) -> list[HoleRow]:
        if self._hole is None:
            return self._holes
        offset, length, packet, time_ns = self._hole
        row = offset, length, packet, seconds(time_ns), None, None
        return [*self._holes, row][:MAX_PATH_FACTS]

    @property
    def duplicate_acks(self) -> list[RunRow]:
        return self._runs if self._run is None else [*self._runs, self._run][:MAX_PATH_FACTS]

    @property
    def hole_end(self) -> int:
        """Up to where bytes are missing; 0 if none are."""
        return 0 if self._hole is None else self._hole[0] + self._hole[1]

    def note_end(self, packet: int, time_ns: int, kind: EndKind) -> None:
        """Take note of a FIN or a RST that the sender sent."""
        if len(self.ends) < MAX_ENDS:
            self.ends.append((packet, seconds(time_ns), kind))

    def note_window(self, window: int, packet: int, time_ns: int) -> None:
        """Take note of the window that the sender advertises."""
        if not window:
            self._closed = self._closed or (packet, time_ns)
        elif self._closed is not None:
            closed_by, since = self._closed
            self._closed = None
            row = closed_by, seconds(since), packet, seconds(time_ns - since)
            _add(self._windows, row)

    def open_hole(self, offset: int, length: int, packet: int, time_ns: int) -> None:
        """Take note that bytes are missing before those that ``packet`` brought."""
        self._hole = self._hole or (offset, length, packet, time_ns)

    def close_hole(self, packet: int | None, time_ns: int) -> None:
        """Take note of the packet that filled the hole, None if nothing did."""
        if self._hole is None:
            return
        offset, length, shown_by, since = self._hole
        self._hole = None
        waited = None if packet is None else seconds(time_ns - since)
        row = offset, length, shown_by, seconds(since), packet, waited
        _add(self._holes, row)

    def note_resent(self, offset: int, length: int, packet: int, time_ns: int) -> None:
        """Take note of a segment whose bytes had been sent before."""
        _add(self.resent, (offset, length, packet, seconds(time_ns)))

    def note_repeated_ack(self, offset: int, packet: int, time_ns: int) -> None:
        """Take note of an acknowledgement that repeats the one before."""
        time = seconds(time_ns)
        run = self._run
        if run is not None and run[0] == offset:
            self._run = offset, run[1] + 1, run[2], packet, run[4], time
            return
        if run is not None:
            _add(self._runs, run)
        self._run = offset, 1, packet, packet, time, time


def _add(rows: list[Row], row: Row) -> None:
    """Append a row, if there is room."""
    if len(rows) < MAX_PATH_FACTS:
        rows.append(row)
