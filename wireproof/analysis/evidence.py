"""What a verdict looks at: an exchange, with the elements that it was made of.

Strategy: evidence is the state that the fold of exchanges keeps beside each of them, so it is made
of records alone: those of a capture that is being decoded, those of a test, and those read back
from a file (:mod:`.stored`) give the same. Up to MAX_ELEMENTS are kept of one exchange, and of all
others it is counted that they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from parsers.records import (
    BodyElement,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    Transport,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..text.wording import ELEMENT_NAMES
from .flaws import SURPLUS

E = TypeVar("E", bound="Evidence")
Element = (
    SseEventRecord
    | WebSocketMessageRecord
    | BodyElementRecord
    | ChunkRecord
    | DataRecord
    | Http2DataRecord
    | Http3DataRecord
)
"""What a stream is made of, for whoever receives it."""
MAX_ELEMENTS = 1_000_000
"""Elements of one exchange that are kept."""


@dataclass(eq=False)
class Evidence:
    """An exchange and its elements, as recorded; times are seconds since the epoch."""

    about: Exchange
    chunks: list[ChunkRecord] = field(default_factory=list, repr=False)
    """Of the response, with the last one if it came."""
    runs: list[DataRecord] = field(default_factory=list, repr=False)
    """Of a response that has no framing of its own: what each packet brought."""
    data_frames: list[Http2DataRecord | Http3DataRecord] = field(default_factory=list, repr=False)
    """Of the response in HTTP/2 and HTTP/3."""
    body_elements: list[BodyElementRecord] = field(default_factory=list, repr=False)
    """Of a response that is JSON values, parts, AWS events or gRPC messages."""
    blocks: list[SseEventRecord] = field(default_factory=list, repr=False)
    """Everything between blank lines: events, and comments that keep the line open."""
    frames: list[WebSocketFrameRecord] = field(default_factory=list, repr=False)
    messages: list[WebSocketMessageRecord] = field(default_factory=list, repr=False)
    diagnostics: list[DiagnosticRecord] = field(default_factory=list, repr=False)
    gaps: list[GapRecord] = field(default_factory=list, repr=False)
    answers: list[tuple[WebSocketFrameRecord, WebSocketFrameRecord]] = field(
        default_factory=list, repr=False
    )
    """Each Ping that was answered, and the first Pong that does."""
    kept: int = 0
    """Records that were looked at, heads included."""
    left_out: int = 0
    """Those past MAX_ELEMENTS."""

    def add(self, record: Record) -> None:
        """Take the next record, which its exchange has taken already."""
        if self.kept >= MAX_ELEMENTS:
            self.left_out += 1
            return
        self.kept += 1
        match record:
            case ChunkRecord(sender="server"):
                self.chunks.append(record)
            case DataRecord(sender="server"):
                self.runs.append(record)
            case Http2DataRecord(sender="server") | Http3DataRecord(sender="server"):
                self.data_frames.append(record)
            case BodyElement(sender="server"):
                self.body_elements.append(record)
            case SseEventRecord(sender="server"):
                self.blocks.append(record)
            case WebSocketFrameRecord():
                self.frames.append(record)
                self.answers += [(ping, record) for ping in self.about.answer.answered]
            case WebSocketMessageRecord():
                self.messages.append(record)
            case DiagnosticRecord():
                self.diagnostics.append(record)
            case GapRecord():
                self.gaps.append(record)

    def waited(self) -> frozenset[int]:
        """Return the packets of its connection that had to wait for the client to read.

        Records do not tell: whoever has the packets, tells by :mod:`.windows`.
        """
        return frozenset()

    # --- what it was ---

    @property
    def request(self) -> RequestRecord | None:
        return self.about.request

    @property
    def response(self) -> ResponseRecord | None:
        """The final one; None if there was none."""
        return self.about.response

    @property
    def body(self) -> BodyRecord | None:
        """The end of the response's body, whole or not; a WebSocket has none."""
        return self.about.response_body

    @property
    def connection(self) -> ConnectionRecord | None:
        return self.about.connection

    @property
    def closing(self) -> Sequence[WebSocketFrameRecord]:
        """The first Close frame, and the other side's, as far as they came."""
        return self.about.closing

    @property
    def transport(self) -> Transport:
        """``sse``, ``chunked``, ``websocket`` or ``http``; a refused upgrade is ``websocket``."""
        return self.about.transport

    @property
    def is_websocket(self) -> bool:
        """Whether frames can have come: an upgrade was asked for and not refused."""
        return self.about.is_websocket

    @property
    def is_relayed(self) -> bool:
        """Whether a relay recorded it: then packet boundaries are its reads, not the server's."""
        return self.connection is not None and self.connection.recorded_by == "relay"

    @property
    def events(self) -> list[SseEventRecord]:
        """The events that a client was given: comments and unfinished blocks are none."""
        return [block for block in self.blocks if block.dispatched]

    @property
    def comments(self) -> list[SseEventRecord]:
        """Blocks of comments alone, which keep the line open."""
        return [
            block
            for block in self.blocks
            if not block.dispatched and block.fields and all(not name for name, _ in block.fields)
        ]

    @property
    def elements(self) -> list[Element]:
        """What streamed: events, messages of the server, or what else the content is made of.

        That is JSON values, parts, AWS events and gRPC messages; of anything else the chunks, and
        of a body that has none what each packet brought, or each DATA frame.
        """
        if self.transport == "sse":
            return [*self.events]
        if self.is_websocket:
            return [message for message in self.messages if message.sender == "server"]
        if self.body_elements:
            return [*self.body_elements]
        return (
            [chunk for chunk in self.chunks if chunk.size]
            or [*self.runs]
            or [frame for frame in self.data_frames if frame.size]
        )

    @property
    def element_name(self) -> str:
        """What one of :attr:`elements` is called: ``event``, ``message``, ``chunk``, ..."""
        if self.is_websocket:
            return ELEMENT_NAMES["websocket_message"]
        kind = "sse_event" if self.transport == "sse" else "chunk"
        return ELEMENT_NAMES[next((one.record for one in self.elements), kind)]

    @property
    def is_complete(self) -> bool:
        """Whether the response came whole: to its last chunk, its length, or its Close frames."""
        if self.is_websocket:
            return len(self.closing) == 2
        if self.about.is_bodiless:
            return not self.is_head_cut
        return self.body is not None and self.body.complete

    @property
    def is_head_cut(self) -> bool:
        """Whether the end of the response's head is missing."""
        return any(
            fault.code == "http-message-cut" and fault.sender == "server"
            for fault in self.diagnostics
        )

    @property
    def surplus(self) -> DiagnosticRecord | None:
        """What is said of bytes that came after the response was complete; None if none did."""
        after = (fault for fault in self.diagnostics if fault.code in SURPLUS)
        return next((fault for fault in after if fault.sender == "server"), None)

    def header(self, name: str) -> str | None:
        """Return a field of the response's header, None if there is none of that name."""
        return self.about.header(name)

    def request_header(self, name: str) -> str | None:
        """Return a field of the request's header, None if there is none of that name."""
        return self.about.request_header(name)

    # --- when ---

    @property
    def start_time(self) -> float:
        """When the request was there: seconds since the epoch, by the kernel."""
        first = self.request or self.response
        return first.last_time if first else 0.0

    @property
    def time_to_headers(self) -> float | None:
        """Seconds from the end of the request to the response's header; None without either."""
        if self.request is None or self.response is None:
            return None
        return self.response.last_time - self.about.asked_time

    @property
    def time_to_first_event(self) -> float | None:
        """Seconds from the end of the request to the first event, message or chunk; None without
        either."""
        if self.request is None or not (elements := self.elements):
            return None
        return elements[0].last_time - self.about.asked_time


def collect(records: Iterable[Record], make: Callable[[Exchange], E]) -> list[E]:
    """Return the evidence of all exchanges, in the order in which they began."""
    found: list[E] = []

    def begin(about: Exchange) -> E:
        found.append(make(about))
        return found[-1]

    exchanges: Exchanges[E] = Exchanges(begin)
    for record in records:
        if (one := exchanges.add(record)) is not None:
            one[1].add(record)
    return found
