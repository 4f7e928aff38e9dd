"""What exchanges on a connection of HTTP/2 or HTTP/3 share: windows, DATA frames, who gave it up.

Strategy: a response may wait for what is not its own: for the connection's window, which holds all
streams (RFC 9113 section 5.2), and for the bytes of other streams on the way before it. Of both a
few numbers are kept, of each frame of the server's where it lies and whose it is, the latest ones.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter

from parsers.records import (
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    Record,
    Sender,
    StallRecord,
)

MAX_FRAMES = 65_536
"""DATA frames of one connection that are remembered: the latest."""
MAX_STALLS = 4_096
"""Stalls of one connection's windows that are remembered: the first."""
MAX_HOLES = 4_096
"""Holes in what a side sent that are remembered: the first."""
MAX_ENDED = 4_096
"""Streams of one connection, the latest, for which it is kept who ended its part first."""
MAX_ROUNDS = 256
"""Answered pings of one connection that are remembered: the first."""


class Http2Facts:
    """What is known of one connection of HTTP/2, or of HTTP/3."""

    def __init__(self) -> None:
        self.stalls: list[StallRecord] = []
        """Of every window that held the server."""
        self.goaway: Http2FrameRecord | None = None
        """The last one: it says which streams are undone."""
        self.rounds: list[float] = []
        """Seconds that pings took."""
        self.holes: dict[Sender, list[float]] = {"client": [], "server": []}
        """When bytes of a side were found missing: of which streams, nobody knows."""
        self.ended: dict[int, Http2DataRecord] = {}
        """Of each stream, the first DATA frame with END_STREAM."""
        self._times = array("d")
        self._ends = array("q")
        self._starts = array("q")
        self._streams = array("q")
        self._sizes = array("q")
        self._firsts = array("q")  # of each, the packet that carried its first byte

    def add(self, record: Record) -> None:
        """Take a record of the connection, whoever it belongs to."""
        if type(record) is Http2DataRecord or type(record) is Http3DataRecord:
            if type(record) is Http2DataRecord and record.end_stream:
                self._end(record)
            if record.sender == "server":
                self._add_frame(record)
        elif type(record) is StallRecord:
            if record.sender == "server" and len(self.stalls) < MAX_STALLS:
                self.stalls.append(record)
        elif type(record) is GapRecord:
            if len(holes := self.holes[record.sender]) < MAX_HOLES:
                holes.append(record.first_time)
        elif type(record) is Http2FrameRecord:
            if record.type == "GOAWAY":
                self.goaway = record
            elif record.rtt is not None and len(self.rounds) < MAX_ROUNDS:
                self.rounds.append(record.rtt)

    def _end(self, record: Http2DataRecord) -> None:
        if record.stream_id is not None:
            self.ended.setdefault(record.stream_id, record)
        if len(self.ended) > MAX_ENDED:
            del self.ended[next(iter(self.ended))]

    def _add_frame(self, record: Http2DataRecord | Http3DataRecord) -> None:
        if len(self._times) >= MAX_FRAMES:
            numbers = self._ends, self._starts, self._streams, self._sizes, self._firsts
            for column in (self._times, *numbers):
                del column[: MAX_FRAMES // 2]
        self._times.append(record.last_time)
        self._firsts.append(record.first_packet)
        self._starts.append(record.offset)
        self._ends.append(record.offset + record.length)
        self._streams.append(record.stream_id or 0)
        padding = record.padding if type(record) is Http2DataRecord else 0
        self._sizes.append(record.size + padding)

    def sent_between(self, start: float, end: float) -> tuple[Counter[int], list[float]]:
        """Return the bytes that each stream had whole after one time and before another, and when.

        The times are those of its frames, both ends of the span among them.
        """
        first, last = bisect_right(self._times, start), bisect_left(self._times, end)
        sizes: Counter[int] = Counter()
        for at in range(first, last):
            sizes[self._streams[at]] += self._sizes[at]
        return sizes, [start, *self._times[first:last], end]

    def carried_by(self, packet: int) -> set[int]:
        """Return the streams whose DATA frames begin in a packet.

        Where TLS lies between, a frame begins where its record does.
        """
        pairs = zip(self._firsts, self._streams, strict=True)
        return {stream_id for first, stream_id in pairs if first == packet}

    def filled_by(self, stall: StallRecord) -> Counter[int]:
        """Return how many bytes each stream had sent since the connection's window was open last.

        That is since the stall before it ended.
        """
        shared = (one for one in self.stalls if one.window == "connection")
        before = [one for one in shared if one.first_time < stall.first_time]
        since = max((one.first_time + one.seconds for one in before), default=float("-inf"))
        first = bisect_left(self._times, since)
        sizes: Counter[int] = Counter()
        for at in range(first, bisect_right(self._times, stall.first_time)):
            sizes[self._streams[at]] += self._sizes[at]
        return sizes
