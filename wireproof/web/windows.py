"""The windows of HTTP/2 as they were at any time (RFC 9113 section 6.9), and what they held up.

Strategy: the decoder's own flow control is driven once more, by the records of frames, when
somebody asks; of each frame that changes a window five numbers are kept. From where a frame may be
missing no window is known, and none is shown.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
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
"""Moments that are shown of one stream; of more the lowest windows are."""


class Moment(NamedTuple):
    """Two windows after a frame that changed one of them."""

    time: float
    packet: int
    stream: int
    connection: int
    change: int
    """By how many bytes the frame changed a window; less than 0 for DATA."""


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

    def moments(self, stream_id: int, sender: Sender) -> Iterator[Moment]:
        """Yield both windows that held a sender in a stream, after each frame that changed one."""
        flow = FlowControl(is_partial=False)
        side, known = SENDERS[sender], None
        rows = zip(*self._columns, strict=True)
        for time, packet, about, of, size in rows:
            if about >> 1 == LOST:
                return
            if about & 1 != side:
                continue
            _follow(flow, about >> 1, of, size, (packet, time))
            if (window := flow.streams.get(stream_id)) is None:
                continue
            now = window.size, flow.connection.size
            if known != now:
                by = 0 if known is None else now[0] - known[0] or now[1] - known[1]
                yield Moment(time, packet, *now, by)
            known = now

    def answer(self, stream_id: int, sender: Sender) -> dict[str, Any]:
        """Return columns of the windows that held a sender in a stream."""
        found = list(self.moments(stream_id, sender))
        shown = list(_lowest(found)) if len(found) > MOST else found
        columns = zip(*shown, strict=True) if shown else ((),) * len(Moment._fields)
        return {
            "known": self._is_whole,
            "total": len(found),
            **{name: list(column) for name, column in zip(Moment._fields, columns, strict=True)},
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


def _lowest(moments: list[Moment]) -> Iterator[Moment]:
    """Yield of each run of moments that in which there was least room."""
    step = -(-len(moments) // MOST)
    for first in range(0, len(moments), step):
        yield min(moments[first : first + step], key=lambda one: min(one[2:4]))
