"""One request and what came back, as the packets tell it, with the assertions of a test.

Strategy: an exchange is the decoder's records of one (connection, exchange), sorted by kind; times
are those at which the kernel saw the packets. An assertion asks one of the modules beside this
(:mod:`.streaming`, :mod:`.endings`, :mod:`.conversation`, :mod:`.resumption`) for a
:class:`~.faults.Fault`, and raises it with the packets concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..exchanges import field_value
from ..text.escape import preview
from ..text.wording import body_end, connection_end, count, duration, span
from .faults import Fault, WireFailure

Element = SseEventRecord | WebSocketMessageRecord | ChunkRecord
"""What a stream is made of, for whoever receives it."""
ELEMENT_NAMES = {"sse": "event", "websocket": "message"}
TARGET_WIDTH = 60
"""Cells of a request target in a line."""


class Source(Protocol):
    """The capture that an exchange comes from."""

    def explain(self, fault: Fault, exchange: Exchange) -> str:
        """Return a fault with the packets concerned and where the capture is."""

    def windows(self, connection: int) -> frozenset[int]:
        """Return the packets that waited for the client to read."""

    def assert_matches(
        self, name: str, exchange: Exchange, *, replace: Mapping[str, str] | None = None
    ) -> None:
        """Compare an exchange with a stored transcript."""


@dataclass(eq=False)
class Exchange:
    """A request with its response: ``wire.exchange("/chat")``.

    All fields are as recorded; times are seconds since the epoch, packets count from 1.
    """

    number: int
    """From 0 in the order of its capture."""
    source: Source = field(repr=False)
    request: RequestRecord | None = None
    response: ResponseRecord | None = None
    """The final one; None if there was none."""
    body: BodyRecord | None = None
    """The end of the response's body, whole or not; a WebSocket has none."""
    chunks: list[ChunkRecord] = field(default_factory=list, repr=False)
    """Of the response, with the last one if it came."""
    blocks: list[SseEventRecord] = field(default_factory=list, repr=False)
    """Everything between blank lines: events, and comments that keep the line open."""
    frames: list[WebSocketFrameRecord] = field(default_factory=list, repr=False)
    messages: list[WebSocketMessageRecord] = field(default_factory=list, repr=False)
    diagnostics: list[DiagnosticRecord] = field(default_factory=list, repr=False)
    gaps: list[GapRecord] = field(default_factory=list, repr=False)
    connection: ConnectionRecord | None = field(default=None, repr=False)

    # --- what it was ---

    @property
    def method(self) -> str:
        """The request's method, empty if the request was not captured."""
        return self.request.method if self.request else ""

    @property
    def target(self) -> str:
        """The request's target, with its query."""
        return self.request.target if self.request else ""

    @property
    def status(self) -> int | None:
        """The response's status code."""
        return self.response.status if self.response else None

    @property
    def transport(self) -> str:
        """``sse``, ``chunked``, ``websocket`` or ``http``."""
        return self.response.transport if self.response else "http"

    @property
    def is_relayed(self) -> bool:
        """Whether a relay recorded it: then packet borders are its reads, not the server's."""
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
        """What streamed: events, messages of the server, or chunks of anything else."""
        if self.transport == "sse":
            return [*self.events]
        if self.transport == "websocket":
            return [message for message in self.messages if message.sender == "server"]
        return [chunk for chunk in self.chunks if chunk.size]

    @property
    def element_name(self) -> str:
        """``event``, ``message`` or ``chunk``."""
        return ELEMENT_NAMES.get(self.transport, "chunk")

    @property
    def is_complete(self) -> bool:
        """Whether the response came whole: to its last chunk, its length, or its Close frames."""
        if self.transport == "websocket":
            from .conversation import closing

            return len(closing(self)) == 2
        return self.body is not None and self.body.complete

    @property
    def last_event_id(self) -> str:
        """The last event ID that a client had from it; empty if none."""
        return self.events[-1].id if self.events else ""

    def header(self, name: str) -> str | None:
        """Return a field of the response's header, None if there is none of that name."""
        return field_value(self.response.headers, name.lower()) if self.response else None

    def request_header(self, name: str) -> str | None:
        """Return a field of the request's header, None if there is none of that name."""
        return field_value(self.request.headers, name.lower()) if self.request else None

    # --- when ---

    @property
    def start_time(self) -> float:
        """When the request was there: seconds since the epoch, by the kernel."""
        first = self.request or self.response
        return first.last_time if first else 0.0

    @property
    def time_to_headers(self) -> float | None:
        """Seconds from the request to the response's header; None if it did not come."""
        return self.response.last_time - self.start_time if self.response else None

    @property
    def time_to_first_event(self) -> float | None:
        """Seconds from the request to the first event, message or chunk; None without one."""
        elements = self.elements
        return elements[0].last_time - self.start_time if elements else None

    # --- assertions ---

    def assert_streamed(
        self,
        *,
        min_events: int = 2,
        max_events_per_segment: int = 1,
        min_gap: float | None = None,
    ) -> None:
        """Fail unless events went out one by one, as they came to be, and not collected.

        At least ``min_events`` events; at most ``max_events_per_segment`` of them in a segment;
        and spread over time: a good part of them at least ``min_gap`` seconds after the one
        before. By default that is 10 ms, which is longer than a busy machine takes between two
        writes, or less where the first event came so soon that nothing can have been collected.
        """
        __tracebackhide__ = True
        from .streaming import find_collected

        self._raise(find_collected(self, min_events, max_events_per_segment, min_gap))

    def assert_time_to_first_event(self, *, below: float) -> None:
        """Fail if the first event came ``below`` seconds or more after the request."""
        __tracebackhide__ = True
        from .streaming import find_late_start

        self._raise(find_late_start(self, below))

    def assert_no_gap_longer_than(self, seconds: float, *, keep_alives: bool = False) -> None:
        """Fail if anything but the first event was waited for longer than ``seconds``.

        That is between events, and from the last one to the end of a complete response. With
        ``keep_alives`` comments and pings count as signs of life too.
        """
        __tracebackhide__ = True
        from .streaming import find_gap

        self._raise(find_gap(self, seconds, keep_alives))

    def assert_ended_by(self, ended_by: str, *, closed_by: str | None = None) -> None:
        """Fail unless the body ended so: ``last-chunk``, ``content-length``, ``close``, ``reset``
        or ``capture-end``; with ``closed_by`` also unless ``client`` or ``server`` closed the
        connection first.
        """
        __tracebackhide__ = True
        from .endings import find_other_end

        self._raise(find_other_end(self, ended_by, closed_by))

    def assert_clean_end(self, *, app_terminator: str | None = None) -> None:
        """Fail unless the stream ended as its protocols want: the body whole, no event cut off, no
        reset; and, with ``app_terminator``, the last event's data being that.
        """
        __tracebackhide__ = True
        from .endings import find_unclean_end

        self._raise(find_unclean_end(self, app_terminator))

    def assert_ping_answered(self, *, within: float) -> None:
        """Fail unless there were pings, and each was answered in ``within`` seconds.

        Not judged is one that the end of the conversation overtook.
        """
        __tracebackhide__ = True
        from .conversation import find_unanswered_ping

        self._raise(find_unanswered_ping(self, within))

    def assert_closed(self, *, code: int | None = None, by: str | None = None) -> None:
        """Fail unless a WebSocket's closing handshake was held; with this ``code``, begun ``by``
        ``client`` or ``server``.
        """
        __tracebackhide__ = True
        from .conversation import find_other_close

        self._raise(find_other_close(self, code, by))

    def assert_resumed_from(
        self, previous: Exchange, *, respecting_retry: bool = False, exact: bool = False
    ) -> None:
        """Fail unless this request went on where ``previous`` ended.

        That is: its Last-Event-ID is an ID which ``previous`` delivered, no event up to that one
        comes again, and none is left out where IDs are numbers. ``exact``: it is the last ID that
        was sent, also if the client left before it read it. ``respecting_retry``: not before the
        ``retry`` that ``previous`` gave.
        """
        __tracebackhide__ = True
        from .resumption import find_bad_resumption

        self._raise(find_bad_resumption(self, previous, respecting_retry, exact))

    def assert_matches(self, name: str, *, replace: Mapping[str, str] | None = None) -> None:
        """Fail if this exchange differs from the stored transcript ``name``; see ``Wire``."""
        __tracebackhide__ = True
        self.source.assert_matches(name, self, replace=replace)

    def _raise(self, fault: Fault | None) -> None:
        __tracebackhide__ = True
        if fault is not None:
            raise WireFailure(self.source.explain(fault, self))

    # --- in words ---

    def __str__(self) -> str:
        what = f"{self.title} {self.status or 'no response'} {self.transport}"
        return f"{what}: {self._amount()}, {self._end()}; packets {self._packets()}"

    @property
    def title(self) -> str:
        """Method and target as they can be printed, cut if they are long."""
        said = preview(f"{self.method} {self.target}".strip(), "utf-8", TARGET_WIDTH)
        return said or "(request not captured)"

    def _amount(self) -> str:
        elements = self.elements
        amount = count(len(elements), self.element_name)
        if len(elements) > 1:
            amount += f" over {duration(elements[-1].last_time - elements[0].last_time)}"
        return amount

    def _end(self) -> str:
        if self.body is not None:
            return body_end(self.body)
        if self.connection is not None and self.transport == "websocket":
            return "closed" if self.is_complete else connection_end(self.connection)
        return "no end seen"

    def _packets(self) -> str:
        found = [record for record in self._records() if record.first_packet]
        if not found:
            return "none"
        return span(min(r.first_packet for r in found), max(r.last_packet for r in found))

    def _records(self) -> Iterator[Record]:
        for one in (self.request, self.response, self.body):
            if one is not None:
                yield one
        yield from self.chunks
        yield from self.frames


def collect(records: Iterable[Record], source: Source) -> list[Exchange]:
    """Return the exchanges of a capture in the order in which they began."""
    found: dict[tuple[int, int], Exchange] = {}
    connections: dict[int, ConnectionRecord] = {}
    for record in records:
        if isinstance(record, ConnectionRecord):
            connections[record.connection] = record
        elif record.connection is not None and record.exchange is not None:
            key = record.connection, record.exchange
            if key not in found:
                found[key] = Exchange(len(found), source)
            _file(record, found[key])
    for (number, _), exchange in found.items():
        exchange.connection = connections.get(number)
    return list(found.values())


def _file(record: Record, exchange: Exchange) -> None:
    """Put a record where it belongs in its exchange."""
    match record:
        case RequestRecord():
            exchange.request = record
        case ResponseRecord():  # the last one is final
            exchange.response = record
        case ChunkRecord(sender="server"):
            exchange.chunks.append(record)
        case SseEventRecord(sender="server"):
            exchange.blocks.append(record)
        case BodyRecord(sender="server"):
            exchange.body = record
        case WebSocketFrameRecord():
            exchange.frames.append(record)
        case WebSocketMessageRecord():
            exchange.messages.append(record)
        case DiagnosticRecord():
            exchange.diagnostics.append(record)
        case GapRecord():
            exchange.gaps.append(record)
