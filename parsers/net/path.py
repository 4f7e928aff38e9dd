"""What one direction tells of its path: ends, closed windows, holes, and what was said again.

Strategy: each fact is written down by a path that only rare segments take, as a row of what its
record says after the sender (:mod:`~parsers.records`). A window that is closed, a hole and a run of
acknowledgements that are not over yet stand apart. Each list has a limit: what comes after it is
not kept, and costs nothing.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeVar

from ..limits import MAX_ENDS, MAX_PATH_FACTS
from ..provenance import seconds

EndKind = Literal["fin", "reset"]
EndRow = tuple[int, float, EndKind]
"""packet, time, kind"""
WindowRow = tuple[int, float, int | None, float | None]
"""packet, time, packet that opened it, seconds"""
HoleRow = tuple[int, int, int, float, int | None, float | None, bool | None, bool | None]
"""offset, length, packet after it, its time, packet that filled it, seconds, whether what filled it
was overtaken, whether it was acknowledged"""
ResentRow = tuple[int, int, int, float, int | None]
"""offset, length, packet, time, packet that says its bytes came twice"""
AckWaitRow = tuple[int, float, int, float, int, int]
"""packet, time, packet that acknowledged, seconds, bytes in flight, window"""
RunRow = tuple[int, int, int, int, float, float]
"""offset, count, first and last packet, first and last time"""
Row = TypeVar("Row")

REORDERING_TIME = 3_000_000
"""Nanoseconds within which a late segment counts as reordered if no timestamp tells, later as sent
again, as in Wireshark."""
LEAST_ACK_WAIT = 10_000_000
"""Nanoseconds without a segment from which on a wait for an acknowledgement is listed: less is how
ACKs keep a sender going (RFC 5681 section 3.1)."""


TWICE_WITHIN = 1_000_000_000
"""Nanoseconds after a segment was sent again within which its receiver says that it came twice: one
round trip, which is less than the first time-out (RFC 6298 section 2.1)."""


class Moment(NamedTuple):
    """When a segment came, and when it was sent by its sender's clock."""

    time_ns: int
    stamp: int | None = None


def was_overtaken(late: Moment, earlier: Moment) -> bool | None:
    """Whether a segment was sent before one of later bytes that came ``earlier``: then it is no
    retransmission. None if nothing tells.

    Timestamps tell (RFC 7323 section 3.2), which grow with each millisecond or so.
    """
    if late.stamp is not None and earlier.stamp is not None and late.stamp != earlier.stamp:
        return (earlier.stamp - late.stamp) & 0xFFFFFFFF < 0x80000000
    return True if late.time_ns - earlier.time_ns < REORDERING_TIME else None


class Path:
    """The facts of one direction: what its sender did, and what became of its bytes."""

    __slots__ = (
        "ends", "resent", "ack_waits", "_windows", "_holes", "_runs", "_closed", "_hole", "_run",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ends: list[EndRow] = []
        self.resent: list[ResentRow] = []
        self.ack_waits: list[AckWaitRow] = []
        self._windows: list[WindowRow] = []
        self._holes: list[HoleRow] = []
        self._runs: list[RunRow] = []
        self._closed: tuple[int, int] | None = None  # packet, nanoseconds
        self._hole: tuple[int, int, int, Moment] | None = None  # offset, length, packet
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
        offset, length, packet, shown = self._hole
        row = offset, length, packet, seconds(shown.time_ns), None, None, None, None
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

    def open_hole(self, offset: int, length: int, packet: int, shown: Moment) -> None:
        """Take note that bytes are missing before those that ``packet`` brought."""
        self._hole = self._hole or (offset, length, packet, shown)

    def fill_hole(self, packet: int, filled: Moment) -> None:
        """Take note of the packet that filled the hole."""
        if self._hole is not None:
            shown = self._hole[3]
            waited = seconds(filled.time_ns - shown.time_ns)
            self._close_hole(packet, waited, was_overtaken(filled, shown), None)

    def give_up_hole(self, acknowledged: bool | None) -> None:
        """Take note that nothing filled the hole, and whether its receiver had these bytes."""
        if self._hole is not None:
            self._close_hole(None, None, None, acknowledged)

    def _close_hole(
        self, packet: int | None, waited: float | None, overtaken: bool | None, had: bool | None
    ) -> None:
        assert self._hole is not None
        offset, length, shown_by, shown = self._hole
        self._hole = None
        row = offset, length, shown_by, seconds(shown.time_ns), packet, waited, overtaken, had
        _add(self._holes, row)

    def note_resent(self, offset: int, length: int, packet: int, time_ns: int) -> None:
        """Take note of a segment whose bytes had been sent before."""
        _add(self.resent, (offset, length, packet, seconds(time_ns), None))

    def note_twice(self, start: int, end: int, packet: int, time_ns: int) -> None:
        """Take note that ``packet`` says of some bytes that they came twice.

        It says so once for each copy: of several the first is meant that nothing was said of. What
        is said of a part of a segment says nothing of the rest, and a probe of a connection that
        is idle comes twice, too.
        """
        since = seconds(time_ns - TWICE_WITHIN)
        for at, (offset, length, again, time, said) in enumerate(self.resent):
            if said is None and time >= since and start <= offset and offset + length <= end:
                self.resent[at] = offset, length, again, time, packet
                return

    def note_ack_wait(
        self, sent: tuple[int, float], packet: int, time_ns: int, in_flight: int, window: int
    ) -> None:
        """Take note that ``packet`` acknowledged some of what was under way.

        ``sent`` is the packet with the last of it, and its time.
        """
        last, since = sent
        waited = round(seconds(time_ns) - since, 6)
        if waited < seconds(LEAST_ACK_WAIT):
            return
        if self.ack_waits and self.ack_waits[-1][0] == last:
            *_, in_flight, window = self.ack_waits.pop()
        _add(self.ack_waits, (last, since, packet, waited, in_flight, window))

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
