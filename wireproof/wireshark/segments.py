"""tshark's own segments: which frame brought each byte, as a witness of our arrival times.

Strategy: tshark is asked for the number, time, stream, port, relative sequence number and length of
each TCP packet, one line each. Of each direction we keep where the bytes in order ended after each
packet that moved this end, and the packets that came too early. What arrived when is then a
bisection. Nothing of our own TCP code is used: a fault there must not vouch for itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from .elements import Element
from .fields import SEGMENT, TCP_PACKETS
from .locate import Tshark
from .run import TsharkFailed, run_tshark


class TsharkSegment(NamedTuple):
    """One TCP packet as tshark shows it."""

    frame: int
    time: str
    """Seconds since the epoch, to the microsecond."""
    stream: int
    port: int
    """Of its sender."""
    start: int
    """Offset in its sender's stream; -1 for a SYN."""
    length: int


def microseconds(time: float) -> str:
    """Return a time to the microsecond: what both sides can tell exactly."""
    return f"{time:.6f}"


def segment(columns: Iterable[str]) -> TsharkSegment:
    """Return a packet from tshark's texts, in the order of :data:`~.fields.SEGMENT`."""
    frame, time, stream, port, seq, length = columns
    return TsharkSegment(
        int(frame), microseconds(float(time)), int(stream), int(port), int(seq) - 1, int(length)
    )


def read_segments(tshark: Tshark, capture: Path) -> Iterator[TsharkSegment]:
    """Yield each TCP packet of a capture; HTTP is not dissected, so this pass is fast."""
    arguments = ["-Y", TCP_PACKETS, "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
    arguments += ["--disable-protocol", "http", "--disable-protocol", "tls"]
    for name in SEGMENT:
        arguments += ["-e", name]
    with run_tshark(tshark, capture, arguments) as lines:
        yield from read_lines(lines)


def read_lines(lines: Iterable[bytes]) -> Iterator[TsharkSegment]:
    """Yield packets from tshark's lines. Raises TsharkFailed for a line that is none."""
    for line in lines:
        try:
            found = segment(line.decode().rstrip("\r\n").split("\t"))
        except ValueError as error:
            raise TsharkFailed(f"tshark printed {line[:80]!r} for a packet") from error
        yield found


@dataclass(slots=True)
class TsharkDirection:
    """How one side's bytes came in."""

    frontier: int = 0
    """Where the bytes in order end."""
    ends: list[int] = field(default_factory=list)
    runs: list[tuple[TsharkSegment, TsharkSegment]] = field(default_factory=list)
    """For each end: the packet that carried the bytes before it, and the one that put them in
    order."""
    early: list[tuple[int, int, TsharkSegment]] = field(default_factory=list)
    """(start, frame, packet): what waits behind a hole, as a heap."""

    def receive(self, packet: TsharkSegment) -> None:
        if packet.start > self.frontier:
            heappush(self.early, (packet.start, packet.frame, packet))
            return
        end = packet.start + packet.length
        while True:
            next_early = self.early[0][0] if self.early else end
            self._extend(min(end, next_early), packet, packet)
            if not self.early or next_early > self.frontier:
                return
            _, _, waited = heappop(self.early)
            self._extend(waited.start + waited.length, waited, packet)

    def _extend(self, end: int, carried: TsharkSegment, completed: TsharkSegment) -> None:
        if end > self.frontier:
            self.frontier = end
            self.ends.append(end)
            self.runs.append((carried, completed))

    def arrival(self, start: int, end: int) -> tuple[TsharkSegment, TsharkSegment] | None:
        """Return the packet that carried the byte at ``start``, and the one that completed
        everything before ``end``; None if tshark's segments do not reach so far in order."""
        if not start < end <= self.frontier:
            return None
        first = self.runs[bisect_right(self.ends, start)][0]
        return first, self.runs[bisect_right(self.ends, end - 1)][1]


@dataclass(slots=True)
class Stream:
    """One TCP stream as tshark numbers it."""

    first: TsharkSegment
    last: TsharkSegment
    frames: list[int] = field(default_factory=list)
    directions: dict[int, TsharkDirection] = field(default_factory=dict)
    """By the sender's port."""


class Witness:
    """All that tshark's segments say."""

    def __init__(self, packets: Iterable[TsharkSegment]) -> None:
        self.streams: dict[int, Stream] = {}
        self.by_frame: dict[int, TsharkSegment] = {}
        for packet in packets:
            self._receive(packet)

    def _receive(self, packet: TsharkSegment) -> None:
        self.by_frame[packet.frame] = packet
        stream = self.streams.get(packet.stream)
        if stream is None:
            stream = self.streams[packet.stream] = Stream(packet, packet)
        stream.last = packet
        stream.frames.append(packet.frame)
        if packet.length and packet.start >= 0:
            stream.directions.setdefault(packet.port, TsharkDirection()).receive(packet)

    def arrival(
        self, stream: int, port: int, start: int, end: int
    ) -> tuple[TsharkSegment, TsharkSegment] | None:
        """Return who carried and who completed [start, end) of what ``port`` sent."""
        found = self.streams.get(stream)
        direction = None if found is None else found.directions.get(port)
        return None if direction is None else direction.arrival(start, end)

    def packets_after(self, stream: int, frame: int) -> int:
        """Return how many packets of a stream come after ``frame``."""
        found = self.streams.get(stream)
        return 0 if found is None else len(found.frames) - bisect_right(found.frames, frame)

    def connections(self) -> Iterator[Element]:
        """Yield each stream as an element to compare."""
        for number, stream in self.streams.items():
            first, last = stream.first, stream.last
            values: dict[str, str | int | bytes | None] = {
                "first_packet": first.frame,
                "last_packet": last.frame,
                "first_time": first.time,
                "last_time": last.time,
                "packets": len(stream.frames),
            }
            yield Element("connection", number, "", 0, first.frame, values)
