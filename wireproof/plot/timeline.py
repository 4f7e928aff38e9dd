"""What the timeline of an exchange shows: its packets, chunks, events and frames as numbers.

Strategy: one pass over the capture keeps, of every exchange that goes on, columns of numbers: when
each element was whole and how many bytes it took. Nothing is kept of what elements say. Of those
that are over one is kept: the one that is asked for, or of several the one with most elements.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from parsers import BATCH, NANOSECONDS, KeyLog, OrderedCapture, completion
from parsers.records import (
    BodyElement,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    Sender,
    SseEventRecord,
    Transport,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter, Heads, heads_of
from ..analysis.recorded import gaps
from ..analysis.selection import Wanted
from ..bytes.segment_tap import Placed, SegmentTap, TracedStream
from ..bytes.stream_tap import Pair
from ..exchange import CLOSE, Exchange
from ..exchanges import Exchanges
from ..open_exchanges import Key
from ..opening import open_input
from ..tasks.chosen import choosing, seekable
from ..tasks.unread import CaptureFaults
from ..text.progress import shown
from ..text.wording import body_end, connection_end, recorded_end
from .told import Told, read_sealed, read_told

Marked = (
    ChunkRecord
    | DataRecord
    | SseEventRecord
    | BodyElement
    | WebSocketFrameRecord
    | WebSocketMessageRecord
)
"""What a lane shows."""
ELEMENT_LANES = {
    "json_line": "values",
    "part": "parts",
    "aws_event": "AWS events",
    "grpc_message": "messages",
}
"""The lanes of what bodies are made of, by the kinds of their records: messages are those of
WebSocket too, which has no such body."""
LANES = (
    *("chunks", "data", "frames", "control", "comments", "SSE events"),
    *ELEMENT_LANES.values(),
)
"""Their names, from what frames to what is framed."""
RECEIVED = ("SSE events", *ELEMENT_LANES.values(), "chunks", "data", "packets")
"""What the application receives, if it has one of these lanes: the first of them."""
MAX_MARKS = 4_000_000
"""Elements and payloads that are kept of one capture, 17 bytes each; as many packets have times."""
SENDERS: tuple[Sender, Sender] = ("client", "server")


@dataclass(slots=True)
class Lane:
    """Elements of one kind."""

    times: array[float] = field(default_factory=lambda: array("d"))
    """When each was whole, in seconds since the epoch."""
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    """Bytes that each takes in the stream, framing included."""
    senders: array[int] = field(default_factory=lambda: array("b"))
    """0 for the client, 1 for the server."""

    def add(self, time: float, size: int, sender: Sender) -> None:
        self.times.append(time)
        self.sizes.append(size)
        self.senders.append(sender == "server")

    def __len__(self) -> int:
        return len(self.times)


@dataclass(slots=True)
class Timeline:
    """One exchange."""

    connection: int
    exchange: int
    title: str = ""
    """Method and target as on the wire, and the status."""
    transport: Transport = "http"
    start: float = 0.0
    """Seconds since the epoch, of the request's first packet; else of what came first."""
    end: float = 0.0
    first_packet: int = 0
    last_packet: int = 0
    lanes: dict[str, Lane] = field(default_factory=dict)
    """By the name that stands beside it, from the lowest layer to the highest."""
    ended: str = ""
    """How it ended."""
    ended_as_recorded: str = ""
    """The same where the capture may lack its end; empty if its body did not end."""
    is_whole: bool = True
    head: float = 0.0
    """When the head of its response was whole; without one, when it was asked for."""
    errors: list[tuple[float, str]] = field(default_factory=list)
    """When a fault showed, and its code."""
    told: Told = Told()
    """What is said of it."""
    heads: Heads | None = None
    """What it is, by its heads; None as long as it goes on."""

    def finish(self, exchange: Exchange) -> None:
        """Take from an exchange that is over what is known of it."""
        if (request := exchange.request) is not None:
            self.title = f"{request.method} {request.target}"
        responses = [*exchange.interim, *([exchange.response] if exchange.response else [])]
        self.title += "".join(f" \u2192 {response.status}" for response in responses)
        self.heads = heads_of(exchange)
        self.transport = exchange.transport
        self.start, self.end = exchange.first_time, exchange.last_time
        self.first_packet, self.last_packet = exchange.first_packet, exchange.last_packet
        response = exchange.response
        self.head = exchange.asked_time if response is None else response.last_time
        if (body := exchange.response_body) is not None:
            self.ended, self.is_whole = body_end(body), body.complete
            self.ended_as_recorded = recorded_end(body)
        elif (connection := exchange.connection) is not None:
            self.ended = connection_end(connection)
            self.is_whole = connection.close != "reset"

    def tell(self, told: Told) -> None:
        """Take what is said of it."""
        self.told = told
        if told.is_lacking and not self.is_whole:  # nobody knows whether it was
            self.ended, self.is_whole = self.ended_as_recorded or self.ended, True

    @property
    def elements(self) -> int:
        """How many chunks, events and frames there are."""
        return sum(map(len, self.lanes.values()))

    @property
    def rank(self) -> tuple[int, int, int]:
        """What the best one has most of: elements, and of as many it is the first one."""
        return self.elements, -self.connection, -self.exchange

    @property
    def top(self) -> tuple[str, Lane] | None:
        """The lane that an application sees: events, messages, or chunks."""
        names = [name for name in RECEIVED if self.lanes.get(name)]
        return (names[0], self.lanes[names[0]]) if names else None

    def gaps(self) -> list[float]:
        """Return the seconds between one element of the top lane and the next, where nothing is
        missing."""
        found = self.top
        return [] if found is None else gaps(sorted(found[1].times), self.told.holes)


class NoSuchExchange(ValueError):
    """The capture has no such exchange, or none at all."""


class _Side(TracedStream):
    """One side's payloads: their packets and sizes. What they hold is not looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = array("L")
        self.sizes = array("Q")
        """Of those that the trail does not tell of."""
        self.missing: set[int] = set()
        """Where bytes begin that the capture lacks: the trail has them for what showed that."""

    def receive_data(self, data: bytes) -> list[Record]:
        self.done += len(data)
        return []

    def receive_gap(self, length: int) -> list[Record]:
        self.missing.add(self.done)
        self.done += length
        return []

    def payloads(self) -> Iterator[tuple[int, int]]:
        """Yield packet and size of each payload."""
        others = set(self.numbers)
        for start, end, packet in self.trail.runs(0, self.trail.size):
            if packet not in others and start not in self.missing:
                yield packet, end - start
        yield from zip(self.numbers, self.sizes, strict=True)


class _Packets(SegmentTap[_Side]):
    """Decodes a capture, and keeps which packets carried payloads."""

    def __init__(self, connection: int | None) -> None:
        wanted = None if connection is None else {connection}.__contains__
        super().__init__(_Side, keep_data=False, wanted=wanted)
        self.kept = 0

    def placed(self, stream: _Side, placed: Placed, payload: bytes) -> None:
        if self.kept < MAX_MARKS:
            self.kept += 1
            stream.numbers.append(placed.packet)
            stream.sizes.append(len(payload))


class Timelines:
    """The timelines of a capture's exchanges, or of those of one connection.

    One is chosen: the one with most elements, of those that are wanted.
    """

    def __init__(self, connection: int | None = None, wanted: Wanted = EVERYTHING) -> None:
        self._packets = _Packets(connection)
        self._wanted = wanted
        self.count = 0
        """How many exchanges are wanted."""
        self._times = array("d")
        """Of each packet, in order of their numbers; 0 for numbers that are none."""
        self._places = array("L")
        """Which packet in order of time each is, from 1."""
        self._count = 0
        self._exchanges: Exchanges[Timeline] = Exchanges(self._begin)
        self._last = (-1, -1)
        """The last exchange of all, by connection."""
        self._best: Timeline | None = None
        """The one with most elements that is wanted and over."""
        self.faults = CaptureFaults()
        """What is wrong with the capture itself."""
        self._pair: Pair[_Side] | None = None
        """What carried its connection, once that is over."""

    def read(self, source: BinaryIO, keylog: KeyLog | None = None) -> None:
        """Read a capture, whose TLS ``keylog`` opens.

        Raises UnreadableCapture (a ValueError) if it is none.
        """
        capture = OrderedCapture(source, keylog=keylog)
        self._packets.decoder.keys = capture.keys
        for batch in capture.batches(BATCH, lambda: self._packets.room):
            for number, time_ns, *_ in batch:
                if (missing := number - len(self._times)) > 0:
                    self._times.extend([0.0] * missing)
                    self._places.extend([0] * missing)
                self._times[number - 1] = (time_ns or 0) / NANOSECONDS
                self._count += 1
                self._places[number - 1] = self._count
            records = self._packets.receive(batch)
            capture.sort(records)
            self._take(records)
        self._take(sorted(chain.from_iterable(self._packets.endings()), key=completion))
        self.faults.of_file(capture.faults)

    def choose(self) -> Timeline:
        """Return the timeline that was chosen. Raises NoSuchExchange."""
        if self._best is None:
            is_any = self._wanted is EVERYTHING
            raise NoSuchExchange("no exchange in this capture" if is_any else self._why_not())
        return self._with_packets(self._best)

    def _why_not(self) -> str:
        found, (connection, exchange) = "no matching exchange", self._last
        if connection < 0:
            return found
        return f"{found}; the last one is connection {connection} exchange {exchange}"

    def _take(self, records: list[Record]) -> None:
        for record in records:
            found = self._exchanges.add(record)
            if found is not None:
                self._add(found[1], record)
            for exchange, timeline in self._exchanges.over():
                timeline.finish(exchange)
                self._compare(timeline)
            if isinstance(record, ConnectionRecord):
                self._end(record)

    def _compare(self, found: Timeline) -> None:
        """Keep a timeline that is over if it is the best so far, and nothing of another one."""
        assert found.heads is not None
        if not self._wanted.takes_heads(found.heads):
            self._packets.kept -= found.elements
            return
        self.count += 1
        best = self._best
        if best is not None and best.rank >= found.rank:
            best, found = found, best
        if best is not None:
            self._packets.kept -= best.elements
        self._best = found

    def _end(self, record: ConnectionRecord) -> None:
        """Let a connection's end be that of an exchange that had no other, and keep what carried
        its packets if it is the best."""
        pair = self._packets.pairs.pop(record.connection, None)
        best = self._best
        if best is not None and best.connection == record.connection:
            pair, self._pair = self._pair, pair
            if not best.ended:
                best.ended = connection_end(record)
                best.is_whole = record.close != "reset"
        if pair is not None:
            self._packets.kept -= sum(len(side.numbers) for side in pair.streams)

    def _begin(self, exchange: Exchange) -> Timeline:
        self._last = max(self._last, exchange.key)
        return Timeline(*exchange.key)

    def _add(self, found: Timeline, record: Record) -> None:
        match record:
            case ChunkRecord() if record.size:
                self._mark(found, "chunks", record)
            case SseEventRecord():
                self._mark(found, "SSE events" if record.dispatched else "comments", record)
            case DataRecord():
                self._mark(found, "data", record)
            case BodyElement():
                self._mark(found, ELEMENT_LANES[record.record], record)
            case WebSocketFrameRecord():
                self._mark(found, "frames" if record.opcode < CLOSE else "control", record)
            case WebSocketMessageRecord():
                self._mark(found, "messages", record)
            case DiagnosticRecord() if record.severity == "error":
                found.errors.append((record.last_time, record.code))

    def _mark(
        self,
        found: Timeline,
        lane: str,
        record: Marked,
    ) -> None:
        if self._packets.kept < MAX_MARKS:
            self._packets.kept += 1
            kept = found.lanes.get(lane)
            if kept is None:
                kept = found.lanes[lane] = Lane()
            kept.add(record.last_time, record.length, record.sender)

    def _with_packets(self, found: Timeline) -> Timeline:
        """Add the lane of the packets that lie within the exchange, and put lanes in order."""
        lane = Lane()
        pair = self._pair
        first, last = self._place(found.first_packet), self._place(found.last_packet)
        for sender in SENDERS:
            side = None if pair is None else pair.stream(sender)
            for number, size in () if side is None else side.payloads():
                if first <= self._place(number) <= last:
                    lane.add(self._times[number - 1], size, sender)
        lanes = {name: found.lanes[name] for name in LANES if name in found.lanes}
        found.lanes = ({"packets": lane} if lane else {}) | lanes
        return found

    def _place(self, packet: int) -> int:
        """Return the place of a packet in order of time; 0 for what no packet carried."""
        return self._places[packet - 1] if 0 < packet <= len(self._places) else 0


def read_timeline(
    source: str,
    wanted: ExchangeFilter = EVERYTHING,
    keylog: KeyLog | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> tuple[Timeline, int]:
    """Return the timeline of a capture's exchange that has most elements, of those that are wanted,
    and how many these are. ``say`` is told what is wrong with the capture itself.

    Raises OSError, ValueError for what is no capture, and NoSuchExchange (one too).
    """
    with ExitStack() as stack:
        file: BinaryIO = open_input(source, stack)
        file, choice = choosing(file, wanted, stack, keylog)
        file = seekable(file, stack)
        stream = stack.enter_context(shown(file, "reading"))
        found = choice or (EVERYTHING if wanted.is_empty else wanted)
        timelines = Timelines(wanted.only_connection, found)
        timelines.read(stream, keylog)
        try:
            chosen = timelines.choose()
        except NoSuchExchange as nothing:
            file.seek(0)
            if (sealed := read_sealed(file, wanted, keylog)) is None:
                raise
            raise NoSuchExchange(sealed) from nothing
        file.seek(0)
        chosen.tell(read_told(file, Key(chosen.connection, chosen.exchange), keylog))
    for fault in timelines.faults.sentences():
        say(fault)
    return chosen, timelines.count
