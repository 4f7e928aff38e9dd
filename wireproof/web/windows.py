"""The windows of HTTP/2 as they were at any time (RFC 9113 section 6.9), and what they held up.

Strategy: the decoder's own flow control is driven once more, by the records of frames, when
somebody asks; of each frame that changes a window five numbers are kept. A stream's window takes
only what concerns that stream, and the connection's, which all streams share, is an answer of its
own: all of them together take as long as there are frames. From where a frame may be missing no
window is known, and none is shown.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any, NamedTuple

from parsers import FlowControl
from parsers.records import (
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    Sender,
    TlsRecordRecord,
)

from .elements import SENDERS

WINDOWED = frozenset(
    (Http2DataRecord, Http2FrameRecord, RequestRecord, GapRecord, DiagnosticRecord, TlsRecordRecord)
)
"""Records that may tell of a window, or that one is not known any more."""
OPEN, DATA, UPDATE, INITIAL, LOST = range(5)
"""What happened: a stream began, bytes were sent, a window grew, all of them changed, frames may be
missing."""
INITIAL_WINDOW_SIZE = "INITIAL_WINDOW_SIZE"
EXCEEDED = "http2-window-exceeded"
MOST = 4_000
"""Sizes that are shown of one window; of more the lowest are."""
MOST_SETTLED = 256
"""Changes of all streams at once that one stream's window follows: a frame of 15 bytes changes as
many windows as there are streams, and gRPC, which changes them most, does so ten times or so."""


class Size(NamedTuple):
    """A window after a frame that changed it."""

    at: int
    """Which of all that changed a window of the connection that was, from 0: a frame of DATA
    changes two windows at once."""
    time: float
    packet: int
    size: int


class WindowsAside(NamedTuple):
    """What changed the windows of a connection, as it is put aside when that has ended."""

    columns: tuple[bytes, bytes, bytes, bytes, bytes]
    is_whole: bool


class Windows:
    """What changed the windows of one connection."""

    def __init__(self) -> None:
        self._times = array("d")
        self._packets = array("L")
        self._sides = array("B")
        """Whose windows changed: 0 those that hold the client, 1 the server; what happened << 1."""
        self._streams = array("L")
        self._sizes = array("q")
        self._is_whole = True
        self._has_begun = False
        self._by_stream = array("L")
        """The numbers of all that happened, by streams, each in order."""
        self._settled = array("L"), array("L")
        """Of those that changed all streams, by whose windows these are."""

    def aside(self) -> WindowsAside:
        """Return what is to be put aside."""
        times, packets, sides, streams, sizes = (column.tobytes() for column in self._columns)
        return WindowsAside((times, packets, sides, streams, sizes), self._is_whole)

    @staticmethod
    def back(_: int, aside: WindowsAside) -> Windows:
        """Return what was put aside."""
        windows = Windows()
        for column, kept in zip(windows._columns, aside.columns, strict=True):
            column.frombytes(kept)
        windows._is_whole, windows._has_begun = aside.is_whole, True
        return windows

    @property
    def _columns(self) -> tuple[array[Any], ...]:
        return self._times, self._packets, self._sides, self._streams, self._sizes

    def add(self, record: Record) -> None:
        """Take a record of the connection."""
        match record:
            case RequestRecord(stream_id=int(stream_id)):
                for sender in ("client", "server"):
                    self._keep(record, OPEN, SENDERS[sender], stream_id, 0)
            case Http2DataRecord(sender=sender, stream_id=int(stream_id)):
                self._keep(record, DATA, SENDERS[sender], stream_id, record.size + record.padding)
            case Http2FrameRecord():
                self._add_control(record)
            case GapRecord():
                self._lose(record)
            case DiagnosticRecord(code=code) if code == EXCEEDED:
                self._lose(record)
            case TlsRecordRecord(missing=missing) if missing:
                self._lose(record)

    def _add_control(self, record: Http2FrameRecord) -> None:
        held = SENDERS["server" if record.sender == "client" else "client"]
        if not self._has_begun and record.type != "SETTINGS":
            self._lose(record)  # it was joined in the middle (section 3.4)
        self._has_begun = True
        if record.increment is not None:
            self._keep(record, UPDATE, held, record.stream_id or 0, record.increment)
        for name, value in record.settings or ():
            if name == INITIAL_WINDOW_SIZE:
                self._keep(record, INITIAL, held, 0, value)

    def _lose(self, record: Record) -> None:
        if self._is_whole:
            self._keep(record, LOST, 0, 0, 0)
        self._is_whole = False

    def _keep(self, record: Record, what: int, side: int, stream_id: int, size: int) -> None:
        if not self._is_whole:
            return
        self._times.append(record.last_time)
        self._packets.append(max(record.last_packet, 0))
        self._sides.append(side | what << 1)
        self._streams.append(stream_id)
        self._sizes.append(size)

    def of_stream(self, stream_id: int, sender: Sender) -> dict[str, Any]:
        """Return the window that held a sender in a stream, from where that began, as columns;
        ``settled`` says after how many changes of all streams it is not followed any more."""
        if len(self._by_stream) != len(self._streams):  # not asked before, or more has come
            self._sort()
        own = self._by_stream
        first = bisect_left(own, stream_id, key=self._streams.__getitem__)
        last = bisect_right(own, stream_id, first, key=self._streams.__getitem__)
        flow, side = FlowControl(is_partial=False), SENDERS[sender]
        changes, settled = own[first:last], self._settled[side]
        # Of those before it began the last one tells with what window it did.
        begun = bisect_left(settled, changes[0]) if changes else len(settled)
        followed = settled[max(begun - 1, 0) : begun + MOST_SETTLED]
        is_cut = len(settled) - begun > MOST_SETTLED
        if is_cut:
            changes = changes[: bisect_left(changes, settled[begun + MOST_SETTLED])]
        found = self._answer(self._sizes_of(stream_id, side, merge(followed, changes), flow))
        return found | {"known": False, "settled": MOST_SETTLED} if is_cut else found

    def of_connection(self, sender: Sender) -> dict[str, Any]:
        """Return the window that held a sender in all streams together, as columns."""
        flow, side = FlowControl(is_partial=False), SENDERS[sender]
        changes = (
            at
            for at, about in enumerate(self._sides)
            if about >> 1 == DATA or (about >> 1 == UPDATE and not self._streams[at])
        )
        begin = flow.connection.size
        return self._answer(self._sizes_of(None, side, changes, flow)) | {"begin": begin}

    def _sort(self) -> None:
        """Bring what happened into the order of streams."""
        streams = self._streams
        self._by_stream = array("L", sorted(range(len(streams)), key=streams.__getitem__))
        self._settled = array("L"), array("L")
        for at, about in enumerate(self._sides):
            if about >> 1 == INITIAL:
                self._settled[about & 1].append(at)

    def _sizes_of(
        self, stream_id: int | None, side: int, changes: Iterable[int], flow: FlowControl
    ) -> Iterator[Size]:
        """Yield the size of a window after each of some changes that changed it."""
        size = None if stream_id is not None else flow.connection.size
        for at in changes:
            about, of, time, packet = (
                self._sides[at], self._streams[at], self._times[at], self._packets[at],
            )  # fmt: skip
            if about & 1 != side:
                continue
            _follow(flow, about >> 1, of, self._sizes[at], (packet, time))
            window = flow.connection if stream_id is None else flow.streams.get(stream_id)
            if window is not None and window.size != size:
                size = window.size
                yield Size(at, time, packet, size)

    def _answer(self, sizes: Iterable[Size]) -> dict[str, Any]:
        found = list(sizes)
        shown = list(_lowest(found)) if len(found) > MOST else found
        columns = zip(*shown, strict=True) if shown else ((),) * len(Size._fields)
        return {
            "known": self._is_whole,
            "total": len(found),
            **{name: list(column) for name, column in zip(Size._fields, columns, strict=True)},
        }


def _follow(
    flow: FlowControl, what: int, stream_id: int, size: int, now: tuple[int, float]
) -> None:
    if what == OPEN and stream_id not in flow.streams:
        flow.open(stream_id)
    elif what == DATA:
        flow.send(stream_id, size)
    elif what == UPDATE:
        flow.update(stream_id, size, now)
    elif what == INITIAL:
        flow.settle(size, now, 0)  # where a stall begins is not asked here


def _lowest(sizes: list[Size]) -> Iterator[Size]:
    """Yield of each run of sizes the least."""
    step = -(-len(sizes) // MOST)
    for first in range(0, len(sizes), step):
        yield min(sizes[first : first + step], key=lambda one: one.size)
