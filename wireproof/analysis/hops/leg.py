"""One exchange as one point of its way saw it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any

from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Fields,
    GapRecord,
    GrpcMessageRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    Sent,
    SseEventRecord,
    WebSocketMessageRecord,
)

from ...exchange import Exchange
from ...exchanges import Exchanges
from ..recorded import gaps
from .content import Splitter, content_bytes
from .flow import MAX_IDS, Flow, with_hole

MAX_LEGS = 8_192
"""Exchanges of one capture that are kept."""
MAX_RUNS = 524_288
"""Runs of content without elements, of all exchanges of a capture together, after which no further
exchange is kept: they are cut out of what bodies unfold to, 256 bytes at a time at most."""


class Room:
    """How many runs there may still be, of all exchanges together."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_RUNS


class Leg:
    """What was seen of an exchange between two neighbours on its way."""

    def __init__(self, about: Exchange, room: Room) -> None:
        self.about = about
        self.is_kept = True
        """Whether anything is taken of it."""
        self._room = room
        self.capture = 0
        """Which capture, from 0."""
        self.name = ""
        """What that is called."""
        self.down = Flow()
        """What the server sent: elements of the response, or messages."""
        self.up = Flow()
        """What the client sent."""
        self.holes_around: array[float] | None = None
        """When bytes of the server's were missing of which nobody knows the stream (HTTP/2)."""
        self.is_plain = False
        """Whether the response has no elements: its content is cut where it says so."""
        self._splitter: Splitter | None = None
        self._is_coded = False

    # --- what it was ---

    @property
    def connection(self) -> ConnectionRecord | None:
        return self.about.connection

    @property
    def client(self) -> str:
        """Address and port of who asked; empty if not known."""
        return self.connection.client if self.connection else ""

    @property
    def server(self) -> str:
        return self.connection.server if self.connection else ""

    @property
    def request_fields(self) -> Fields:
        return self.about.request.headers if self.about.request else []

    @property
    def response_fields(self) -> Fields:
        return self.about.response.headers if self.about.response else []

    @property
    def asked_at(self) -> float | None:
        """When the head of the request was whole; None if it was not seen."""
        return self.about.request.last_time if self.about.request else None

    @property
    def answered_at(self) -> float | None:
        """When the head of the response was whole; None if it was not seen."""
        return self.about.response.last_time if self.about.response else None

    @property
    def first_time(self) -> float:
        return self.about.first_time if self.asked_at is None else self.asked_at

    @property
    def begun_at(self) -> float:
        return self.about.first_time

    @property
    def last_time(self) -> float:
        return self.about.last_time

    @property
    def answered_until(self) -> float:
        return self.down.last_time

    def arrivals(self) -> Iterable[tuple[int, float]]:
        """Return the elements of the answer by their marks, and when each came."""
        return zip(self.down.marks, self.down.times, strict=True)

    @property
    def line_ends(self) -> str:
        return self._splitter.line_ends.name if self._splitter else ""

    @property
    def is_whole(self) -> bool:
        """Whether the capture has all of the response, and it all of its content."""
        body, response = self.about.response_body, self.about.response
        if response is None or self.down.gaps:
            return False
        if self.about.transport == "websocket" or response.framing == "none":
            return True
        return body is not None and body.complete

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end by itself: the answer was whole, the WebSocket closed."""
        if self.about.transport == "websocket":
            return bool(self.about.closing)
        return self.is_whole

    @property
    def longest_gap(self) -> float:
        """For how many seconds nothing came of the response, at most, where nothing is missing."""
        missing = sorted([*(self.down.holes or ()), *(self.holes_around or ())])
        return max(gaps([self.first_time, *self.down.times], missing), default=0.0)

    # --- taking records ---

    def add(self, record: Record) -> None:
        """Take the next record, which the exchange has taken already."""
        take = _TAKE.get(type(record))
        if take is not None and self.is_kept:
            take(self, record)

    def finish(self) -> None:
        """Take note that nothing follows of it."""
        self.down.head = self.about.response.length if self.about.response else 0
        rest = self._splitter.finish() if self._splitter else b""
        body = self.about.response_body
        if rest and self.is_plain and body is not None:
            self.down.add(rest, len(rest), body.last_time, body.last_packet)

    def _flow(self, record: Sent | GapRecord) -> Flow:
        return self.down if record.sender == "server" else self.up

    def _block(self, block: SseEventRecord) -> None:
        flow = self._flow(block)
        if not block.dispatched:
            flow.keep_alives += 1
            return
        self._divide(flow)
        size = len(block.data or "") if self._is_coded else block.length
        flow.add((block.event, block.data), size, block.last_time, block.last_packet)
        if flow.count <= MAX_IDS and any(name == "id" for name, _ in block.fields or ()):
            flow.ids.setdefault(flow.marks[-1], block.id)

    def _element(self, element: BodyElementRecord) -> None:
        flow = self._flow(element)
        self._divide(flow)
        flow.add(element.data, element.size, element.last_time, element.last_packet)

    def _message(self, message: WebSocketMessageRecord) -> None:
        content = message.type, message.data
        flow = self._flow(message)
        flow.add(content, message.size, message.last_time, message.last_packet)

    def _gap(self, gap: GapRecord) -> None:
        self._flow(gap).add_hole(gap.last_time)

    def _divide(self, flow: Flow) -> None:
        """Take note of an element: content that nothing seemed to divide has some."""
        if self.is_plain and flow is self.down:
            self.is_plain = False
            flow.clear()

    def _piece(self, piece: ChunkRecord | DataRecord) -> None:
        if not piece.size:
            return
        flow = self._flow(piece)
        flow.add_piece(piece.size, piece.last_time)
        if flow is self.up:
            return
        if self._splitter is None:
            self._splitter = self._begin()
        if piece.data is None or (self._splitter.line_ends.is_sure and not self.is_plain):
            return
        data = content_bytes(piece.data, piece.encoding)
        runs = self._splitter.receive_data(data, cut=self.is_plain)
        self._room.left -= len(runs)
        for run in runs:
            flow.add(run, len(run), piece.last_time, piece.last_packet)

    def _begin(self) -> Splitter:
        """Begin with the content of the response."""
        response = self.about.response
        codings = response.codings if response else []
        self._is_coded = any(coding != "identity" for coding in codings)
        self.is_plain = not self.down.count and self.about.transport in ("chunked", "http")
        return Splitter(codings)


_TAKE: dict[type[Any], Callable[[Leg, Any], None]] = {
    SseEventRecord: Leg._block,
    JsonLineRecord: Leg._element,
    PartRecord: Leg._element,
    AwsEventRecord: Leg._element,
    GrpcMessageRecord: Leg._element,
    WebSocketMessageRecord: Leg._message,
    ChunkRecord: Leg._piece,
    DataRecord: Leg._piece,
    GapRecord: Leg._gap,
}
"""What a leg does with each kind of record; a look-up costs less than comparisons."""


def read_legs(records: Iterable[Record], capture: int = 0, name: str = "") -> list[Leg]:
    """Return what a capture saw of each exchange, in their order: the first MAX_LEGS, or those that
    begin before MAX_RUNS."""
    found: list[Leg] = []
    room = Room()

    def begin(about: Exchange) -> Leg:
        leg = Leg(about, room)
        leg.is_kept = len(found) < MAX_LEGS and room.left > 0
        if leg.is_kept:
            found.append(leg)
        return leg

    exchanges: Exchanges[Leg] = Exchanges(begin)
    around: dict[int, array[float]] = {}
    for record in records:
        taken = exchanges.add(record)
        if taken is not None:
            taken[1].add(record)
        elif type(record) is GapRecord and record.exchange is None and record.sender == "server":
            around[record.connection] = with_hole(around.get(record.connection), record.last_time)
    for leg in found:
        leg.holes_around = around.get(leg.about.key.connection)
        leg.capture, leg.name = capture, name
        leg.finish()
    return found
