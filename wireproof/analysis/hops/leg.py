"""One exchange as one point of its way saw it."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.records import (
    BodyElement,
    BodyElementRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Fields,
    GapRecord,
    Record,
    SseEventRecord,
    WebSocketMessageRecord,
)

from ...exchanges import Exchange, Exchanges
from .content import Splitter, content_bytes
from .flow import Flow

MAX_LEGS = 8_192
"""Exchanges of one capture that are kept."""


class Leg:
    """What was seen of an exchange between two neighbours on its way."""

    def __init__(self, about: Exchange) -> None:
        self.about = about
        self.capture = 0
        """Which capture, from 0."""
        self.name = ""
        """What that is called."""
        self.down = Flow()
        """What the server sent: elements of the response, or messages."""
        self.up = Flow()
        """What the client sent."""
        self.is_plain = False
        """Whether the response has no elements: its content is cut where it says so."""
        self._splitter: Splitter | None = None

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
    def line_ends(self) -> str:
        return self._splitter.line_ends.name if self._splitter else ""

    @property
    def is_whole(self) -> bool:
        """Whether the capture has all of the response, and it all of its content."""
        body = self.about.response_body
        if self.about.transport == "websocket":
            return not self.down.gaps and self.about.response is not None
        return body is not None and body.complete and self.about.response is not None

    # --- taking records ---

    def add(self, record: Record) -> None:
        """Take the next record, which the exchange has taken already."""
        match record:
            case SseEventRecord():
                self._block(record)
            case BodyElement():
                self._element(record)
            case WebSocketMessageRecord():
                flow = self.down if record.sender == "server" else self.up
                content = record.type, record.data
                flow.add(content, record.size, record.last_time, record.last_packet)
            case ChunkRecord() | DataRecord() if record.size:
                self._piece(record)
            case GapRecord():
                (self.down if record.sender == "server" else self.up).gaps += 1

    def finish(self) -> None:
        """Take note that nothing follows of it."""
        rest = self._splitter.finish() if self._splitter else b""
        body = self.about.response_body
        if rest and self.is_plain and body is not None:
            self.down.add(rest, len(rest), body.last_time, body.last_packet)

    def _block(self, block: SseEventRecord) -> None:
        flow = self.down if block.sender == "server" else self.up
        if not block.dispatched:
            flow.keep_alives += 1
            return
        self._divide(flow)
        size = sum(len(name) + len(value) + 3 for name, value in block.fields or ()) + 1
        flow.add((block.event, block.data), size, block.last_time, block.last_packet)
        if block.fields and any(name == "id" for name, _ in block.fields):
            flow.add_id(block.id)

    def _element(self, element: BodyElementRecord) -> None:
        flow = self.down if element.sender == "server" else self.up
        self._divide(flow)
        flow.add(element.data, element.size, element.last_time, element.last_packet)

    def _divide(self, flow: Flow) -> None:
        """Take note of an element: content that nothing seemed to divide has some."""
        if self.is_plain and flow is self.down:
            self.is_plain = False
            flow.clear()

    def _piece(self, piece: ChunkRecord | DataRecord) -> None:
        if piece.sender == "client":
            self.up.add_piece(piece.size, piece.last_time)
            return
        flow = self.down
        flow.add_piece(piece.size, piece.last_time)
        if self._splitter is None:
            response = self.about.response
            self._splitter = Splitter(response.codings if response else [])
            self.is_plain = not flow.count and self.about.transport in ("chunked", "http")
        if piece.data is None or (self._splitter.line_ends.is_sure and not self.is_plain):
            return
        data = content_bytes(piece.data, piece.encoding)
        for run in self._splitter.receive_data(data, cut=self.is_plain):
            flow.add(run, len(run), piece.last_time, piece.last_packet)


def read_legs(records: Iterable[Record], capture: int = 0, name: str = "") -> list[Leg]:
    """Return what a capture saw of each exchange, the first MAX_LEGS of them, in their order."""
    exchanges: Exchanges[Leg] = Exchanges(Leg)
    found: list[Leg] = []
    for record in records:
        taken = exchanges.add(record)
        if taken is not None:
            taken[1].add(record)
        found += [leg for _, leg in exchanges.over()]
        del found[MAX_LEGS:]
    found += [leg for _, leg in exchanges.finish()]
    for leg in found:
        leg.capture, leg.name = capture, name
        leg.finish()
    return sorted(found[:MAX_LEGS], key=lambda leg: leg.about.number)
