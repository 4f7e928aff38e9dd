"""The table of one connection: its records, in order, become lines.

Strategy: each record gives its lines at once, with one exception: where one packet completes
both a chunk and an event, or a frame and a message, the two stand together, in one row if they
can. They come one after the other, the one that began earlier first; so what may be the first
of such a pair is held until the next record. What is kept is that one record, and for each
exchange that is not over what its rows are measured from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
from ..text.escape import escape
from ..text.wording import connection_end, count, duration, recorded_by, span
from .columns import Cells, Row, beside, cells, data_width, heading
from .http import body_lines, chunk_lines, head_fields, start_line
from .lines import Line, fit, flow, measure, words
from .sse import event_lines
from .websocket import Pings, frame_lines, frame_type, message_lines

MAX_OPEN_EXCHANGES = 1_024
"""Exchanges of one connection that are remembered at once: as many as may be pipelined."""

WHILE_RECORDING = frozenset(("packets-dropped", "packets-late", "packets-skipped"))
"""Faults of no connection that a packet shows, and not a file."""

Element = ChunkRecord | SseEventRecord | WebSocketFrameRecord | WebSocketMessageRecord | GapRecord
"""What takes a row."""


@dataclass(slots=True)
class Exchange:
    """What the rows of an exchange are measured from."""

    start: float
    """When its request began, in seconds since the epoch: zero of the Time column."""
    last: float | None = None
    """When the row before was complete."""
    key: str | None = None
    """Sec-WebSocket-Key of the request."""
    event_stream: bool = False
    pings: Pings = field(default_factory=Pings)


class ConnectionTable:
    """Turns the records of one connection into lines that are at most ``width`` cells wide.

    ``width`` may be changed between two records.
    """

    def __init__(self, connection: int, width: int) -> None:
        self._connection = connection
        self.width = width
        self._exchanges: dict[int | None, Exchange] = {}
        self._held: Element | None = None
        self._block = ""  # what the last line belongs to: "title", "head", "rows", ...

    def title(self, about: str = "") -> list[Line]:
        """Return the lines that begin the table; ``about`` is what is known of the connection."""
        self._block = "title"
        name = f"Connection {self._connection}{':' if about else ''} "
        line: Line = [(name, "title"), (f"{about} " if about else "", "")]
        return [fit([*line, ("─" * (self.width - measure(line)), "faint")], self.width)]

    def add(self, record: Record) -> list[Line]:
        """Return the lines of the next record, and before them what was held."""
        joined = None if self._held is None else self._join(record)
        return self.release() + self._lines(record) if joined is None else joined

    def release(self) -> list[Line]:
        """Return the row that is held, if there is one, without waiting for what it meant."""
        held, self._held = self._held, None
        return [] if held is None else self._row(held)

    def _lines(self, record: Record) -> list[Line]:
        match record:
            case RequestRecord():
                return self._request(record)
            case ResponseRecord():
                return self._response(record)
            case WebSocketMessageRecord(frames=1, compressed=False):
                return []  # its one frame has said it all
            case BodyRecord():
                return self._in_block("body", body_lines(record, self.width))
            case DiagnosticRecord():
                return diagnostic_lines(record, self.width)
            case ConnectionRecord():
                return self._in_block("end", connection_lines(record, self.width))
            case _:
                return self._hold(record) if self._may_begin_pair(record) else self._row(record)

    # --- heads ---

    def _request(self, request: RequestRecord) -> list[Line]:
        if len(self._exchanges) >= MAX_OPEN_EXCHANGES:
            del self._exchanges[next(iter(self._exchanges))]
        key = field_value(request.headers, "sec-websocket-key")
        self._exchanges[request.exchange] = Exchange(request.first_time, key=key)
        lines = [start_line(request, "", self.width)]
        lines += head_fields(request.headers, None, self.width)
        return self._in_block(f"exchange {request.exchange}", lines)

    def _response(self, response: ResponseRecord) -> list[Line]:
        is_answer = response.exchange in self._exchanges
        exchange = self._exchange(response)
        # Responses come in the order of their requests: those before are over.
        for number in [n for n in self._exchanges if n is not None and n < response.exchange]:
            del self._exchanges[number]
        exchange.event_stream = response.transport == "sse"
        waited = f"  {duration(response.last_time - exchange.start)} after the request"
        after = waited if is_answer else ""
        lines = [start_line(response, after, self.width)]
        lines += head_fields(response.headers, exchange.key, self.width)
        return self._in_block(f"exchange {response.exchange}", lines)

    # --- rows ---

    def _may_begin_pair(self, element: Element) -> bool:
        """Return whether the next record may belong into the row of this one."""
        match element:
            case ChunkRecord():
                return element.size > 0 and self._exchange(element).event_stream
            case SseEventRecord():
                return element.first_chunk != element.last_chunk
            case WebSocketFrameRecord():
                return element.fin and element.rsv1
            case WebSocketMessageRecord():
                return element.frames > 1
            case _:
                return False

    def _hold(self, element: Element) -> list[Line]:
        self._held = element
        return []

    def _join(self, record: Record) -> list[Line] | None:
        """Return the rows of what is held and of its other half; None if this is not that."""
        held = self._held
        match held, record:
            case (ChunkRecord() as chunk, SseEventRecord() as event) | (
                SseEventRecord() as event,
                ChunkRecord() as chunk,
            ) if chunk.index == event.last_chunk:
                self._held = None
                return self._chunk_with_event(chunk, event)
            case WebSocketFrameRecord(), WebSocketMessageRecord(frames=1):
                self._held = None
                return self._frame_with_message(held, record)
            case WebSocketMessageRecord(), WebSocketFrameRecord(fin=True, opcode=0):
                self._held = None
                return self._row(record) + self._row(held)
        return None

    def _chunk_with_event(self, chunk: ChunkRecord, event: SseEventRecord) -> list[Line]:
        first = self._cells(chunk)
        data = event_lines(event, chunk.index, data_width(first, self.width))
        return self._rows_of(chunk, first, data)

    def _frame_with_message(
        self, frame: WebSocketFrameRecord, message: WebSocketMessageRecord
    ) -> list[Line]:
        first = self._cells(frame)
        pings = self._exchange(frame).pings
        data = frame_lines(frame, message, pings, data_width(first, self.width))
        return self._rows_of(frame, first, data)

    def _row(self, element: Element) -> list[Line]:
        first = self._cells(element)
        return self._rows_of(element, first, self._data(element, data_width(first, self.width)))

    def _rows_of(self, element: Element, first: Cells, data: list[Line]) -> list[Line]:
        return self._in_block(f"rows of {element.exchange}", beside(first, data, self.width))

    def _data(self, element: Element, width: int) -> list[Line]:
        match element:
            case ChunkRecord():
                return chunk_lines(element, width)
            case SseEventRecord():
                return event_lines(element, None, width)
            case WebSocketFrameRecord():
                return frame_lines(element, None, self._exchange(element).pings, width)
            case WebSocketMessageRecord():
                return message_lines(element, width)
            case _:
                return [[(f"[{count(element.missing, 'byte')} not captured]", "error")]]

    def _cells(self, element: Element) -> Cells:
        exchange = self._exchange(element)
        gap = None if exchange.last is None else element.last_time - exchange.last
        exchange.last = element.last_time
        time = element.last_time - exchange.start
        where = (element.sender, element.first_packet, element.last_packet)
        return cells(Row(*where, time, gap, *_size_and_type(element)))

    def _exchange(self, record: ResponseRecord | Element) -> Exchange:
        """Return the exchange of a record; one whose request was not captured begins with it."""
        exchange = self._exchanges.get(record.exchange)
        if exchange is None:
            exchange = self._exchanges[record.exchange] = Exchange(record.first_time)
        return exchange

    def _in_block(self, block: str, lines: list[Line]) -> list[Line]:
        """Return the lines of a block; one that begins is set apart, rows get their heading."""
        if block == self._block:
            return lines
        apart = block != "body" and (block != "end" or self._block != "body")
        self._block = block
        begin: list[Line] = [[]] if apart else []
        if block.startswith("rows"):
            begin.append(fit(heading(), self.width))
        return begin + lines


def _size_and_type(element: Element) -> tuple[int, str]:
    match element:
        case ChunkRecord():
            return element.size, f"chunk {element.index}" if element.size else "last chunk"
        case SseEventRecord():
            return element.length, "event"
        case WebSocketFrameRecord():
            return element.payload_length, frame_type(element)
        case WebSocketMessageRecord():
            return element.size, "message"
        case _:
            return element.missing, "gap"


def diagnostic_lines(fault: DiagnosticRecord, width: int) -> list[Line]:
    """Return a fault: how bad, what, where, and the rule."""
    where = f"packet {span(fault.first_packet, fault.last_packet)}"
    if fault.connection is None and fault.code not in WHILE_RECORDING:
        where = "in the capture file"
    rule = f"{fault.reference}; " if fault.reference else ""
    units: list[Line] = [
        *words(f"{fault.severity}: ", fault.severity, width - 2),
        *words(escape(fault.summary), "", width - 2),
        *words(f"({rule}{where}; {fault.code})", "faint", width - 2),
    ]
    begin: Line = [("! ", fault.severity)]
    indent: Line = [("  ", "")]
    lines = flow(units, width - 2, " ")
    return [(indent if n else begin) + line for n, line in enumerate(lines)]


def connection_lines(connection: ConnectionRecord, width: int) -> list[Line]:
    """Return who ended a connection and how, between whom it was, and what it took."""
    facts = [
        f"{connection.client} → {connection.server}",
        connection.protocol,
        f"{count(connection.packets, 'packet')}",
    ]
    if connection.retransmissions:
        facts.append(count(connection.retransmissions, "retransmission"))
    if connection.out_of_order:
        facts.append(f"{connection.out_of_order:,} out of order")
    if connection.midstream:
        facts.append("its start was not captured")
    if recorded := recorded_by(connection):
        facts.append(recorded)
    style = "error" if connection.close == "reset" else "title"
    units: list[Line] = [[(connection_end(connection) + ":", style)]]
    units += [[(fact, "")] for fact in facts]
    return flow(units, width, "  ")
