"""The table of one connection: its records, in order, become lines.

Strategy: each record gives its lines at once, with one exception: where one packet completes both
a chunk or a run and the element in it, or a frame and a message, the two stand together, in one row
if they can. They come one after the other, the one that began earlier first; so what may be the
first of such a pair is held until the next record. What is kept is that one record, and beside each
exchange that is open what its rows are measured from, and who reads what its elements say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard, get_args

from parsers.records import (
    BodyElement,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    QuicPacketRecord,
    QuicRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.silence import silence_before_end
from ..dialects.payload import OTHER, Payload
from ..dialects.reader import DialectReader, RawReader, Reader, Readers, is_read
from ..exchange import DATA_FRAMES, Exchange
from ..exchanges import Exchanges, is_usual_event
from ..heads import field_value
from ..text.wording import count, duration
from .body import SHORT_NAMES, data_lines, element_lines, has_elements
from .columns import (
    INDENT,
    MIN_DATA,
    Cells,
    Row,
    beside,
    cells,
    data_width,
    has_usual_width,
    heading,
    plain_cells,
)
from .endings import connection_lines, diagnostic_lines, quic_lines, tls_lines
from .http import body_lines, chunk_lines, head_fields, start_line
from .json_body import JsonBody, is_json
from .lines import Line, fit, measure
from .payload import dialect_line
from .sse import count_lines, event_lines, plain_lines
from .websocket import frame_lines, frame_type, message_lines

Element = (
    ChunkRecord
    | SseEventRecord
    | DataRecord
    | BodyElementRecord
    | WebSocketFrameRecord
    | WebSocketMessageRecord
    | TlsRecordRecord
    | QuicPacketRecord
    | GapRecord
)
"""What takes a row."""
ELEMENTS: frozenset[type[Record]] = frozenset(get_args(Element))
BELOW = " " * INDENT
"""Stands before data on the lines below their row."""


@dataclass(slots=True)
class Clock:
    """What the rows of an exchange are measured from, and how they are read."""

    reader: Reader | None = None
    is_named: bool = False
    """Whether the dialect of its elements has been said."""
    json: dict[Sender, JsonBody | None] = field(default_factory=dict)
    """What its messages hold, if that is JSON."""
    start: float | None = None
    """When its request began, in seconds since the epoch: zero of the Time column."""
    last: float | None = None
    """When the row before was complete."""
    said: Payload = OTHER
    """What the last event said that was taken together with its chunk."""

    @property
    def says_nothing(self) -> bool:
        """Whether neither that event nor its dialect is anything to say a word of."""
        is_named = self.is_named or self.reader is None or self.reader.dialect is None
        return is_named and self.said is OTHER


class Sent(NamedTuple):
    """An element, and what its row takes from its exchange."""

    element: Element
    clock: Clock
    ping: WebSocketFrameRecord | None
    """The one that it answers, if it is a Pong."""
    payload: Payload = OTHER
    """What it says in the dialect of its exchange."""


class ConnectionTable:
    """Turns the records of one connection into lines that are at most ``width`` cells wide.

    ``width`` may be changed between two records; ``readers`` decides what is shown of an element.
    With ``is_plain`` styles are of no use, and usual rows have none.
    """

    def __init__(
        self,
        connection: int,
        width: int,
        readers: Readers = DialectReader,
        *,
        is_plain: bool = False,
    ) -> None:
        self._connection = connection
        self.width = width
        self._is_plain = is_plain
        self._exchanges: Exchanges[Clock] = Exchanges(lambda about: Clock(readers(about)))
        self._outside = Clock()  # for what belongs to no exchange
        self._held: Sent | None = None
        self._block = ""  # what the last line belongs to: "title", "head", "rows", ...

    def title(self, about: str = "") -> list[Line]:
        """Return the lines that begin the table; ``about`` is what is known of the connection."""
        self._block = "title"
        name = f"Connection {self._connection}{':' if about else ''} "
        line: Line = [(name, "title"), (f"{about} " if about else "", "")]
        return [fit([*line, ("─" * (self.width - measure(line)), "faint")], self.width)]

    def add(self, record: Record) -> list[Line]:
        """Return the lines of the next record, and before them what was held."""
        exchange, clock = self._exchanges.add(record) or (None, self._outside)
        if _is_element(record):
            ping = None if exchange is None else exchange.answer.ping
            sent = Sent(record, clock, ping, _payload(record, clock))
            named = self._name(record.exchange, clock)
            if exchange is not None and isinstance(record, ChunkRecord | DataRecord):
                _collect(record, exchange, clock)
            joined = None if self._held is None else self._join(self._held, sent)
            if joined is None:
                joined = self.release() + self._element(sent, exchange)
            return named + joined
        return self.release() + self._lines(record, exchange, clock)

    def add_event(self, chunk: ChunkRecord, event: SseEventRecord) -> list[Line] | None:
        """Return the lines of a chunk and of the event that follows it, if it is all of that, as
        nearly all are: what :meth:`add` gives for one and the other, in half the time.

        None if they are not so usual: then neither has been taken.
        """
        clock = self._take_event(chunk, event)
        return None if clock is None else self._event(self._row_of(chunk, clock), clock, event)

    def skip_event(self, chunk: ChunkRecord, event: SseEventRecord) -> int | None:
        """Return how many lines :meth:`add_event` gives, where there is no room for them: nearly
        always without making them."""
        clock = self._take_event(chunk, event)
        if clock is None:
            return None
        row = self._row_of(chunk, clock)
        room = self.width - INDENT
        if clock.says_nothing and self._block == f"rows of {event.exchange}" and room >= MIN_DATA:
            lines = count_lines(event, room) if has_usual_width(row) else 0
            if lines:
                return lines
        return len(self._event(row, clock, event))

    def _take_event(self, chunk: ChunkRecord, event: SseEventRecord) -> Clock | None:
        """Take a chunk and the event that follows it and return their exchange's clock, if they are
        usual."""
        found = self._exchanges.known(chunk.connection, chunk.exchange)
        if found is None or self._held is not None:
            return None
        exchange, clock = found
        reader = clock.reader
        if (
            reader is None
            or not event.dispatched
            or not chunk.index == event.first_chunk == event.last_chunk
            or not chunk.size
            or chunk.exchange != event.exchange
            or event.sender != "server"
            or chunk.sender != "server"
            or not exchange.counts.blocks
            or clock.json.get("server", exchange) is not None
            or reader.takes_pieces
        ):
            return None
        if is_usual_event(chunk, event):
            self._exchanges.add_event(exchange, chunk, event)
        else:
            self._exchanges.add(chunk)
            exchange.add(event)
        clock.said = reader.read(event)
        return clock

    def _event(self, row: Row, clock: Clock, event: SseEventRecord) -> list[Line]:
        """Return the lines of the row of a chunk, and of the event in it."""
        named = self._name(event.exchange, clock)
        payload = clock.said
        lines = self._plain_event(row, event) if self._is_plain and payload is OTHER else []
        if not lines:
            first = cells(row)
            data = event_lines(event, event.first_chunk, data_width(first, self.width), payload)
            lines = beside(first, data, self.width)
        return named + self._in_block(f"rows of {event.exchange}", lines)

    def _plain_event(self, row: Row, event: SseEventRecord) -> list[Line]:
        """Return a row and its event without styles; none if they are not so usual."""
        first = plain_cells(row)
        room = self.width - max(len(first), INDENT)  # no character takes two
        texts = plain_lines(event, room) if room >= MIN_DATA else []
        return [[(f"{BELOW if number else first}{text}", "")] for number, text in enumerate(texts)]

    def release(self) -> list[Line]:
        """Return the row that is held, if there is one, without waiting for what it meant."""
        held, self._held = self._held, None
        return [] if held is None else self._row(held)

    def _lines(self, record: Record, exchange: Exchange | None, clock: Clock) -> list[Line]:
        match record:
            case RequestRecord():
                return self._request(record, clock)
            case ResponseRecord():
                return self._response(record, exchange, clock)
            case BodyRecord():
                lines = body_lines(record, self.width) + self._json(record, exchange, clock)
                return self._in_block("body", lines)
            case DiagnosticRecord():
                return diagnostic_lines(record, self.width)
            case TlsConnectionRecord():
                return self._in_block("end", tls_lines(record, self.width))
            case QuicRecord():
                return self._in_block("end", quic_lines(record, self.width))
            case ConnectionRecord():
                lines = self._silent_lines() + connection_lines(record, self.width)
                return self._in_block("end", lines)
        return []

    def _silent_lines(self) -> list[Line]:
        """Return how long nothing came before the connection ended, of what that cut off."""
        found = (silence_before_end(exchange) for exchange, _ in self._exchanges.over())
        lines: list[Line] = [[(str(silence), "error")] for silence in found if silence is not None]
        return [fit(line, self.width) for line in lines]

    def _json(self, body: BodyRecord, exchange: Exchange | None, clock: Clock) -> list[Line]:
        """Return a body that is JSON, laid out, unless it was a stream of values."""
        held = clock.json.pop(body.sender, None)
        if held is None or exchange is None or exchange.counts.elements > 1:
            return []
        head = exchange.request if body.sender == "client" else exchange.response
        return [] if head is None else held.lines(head.codings, self.width)

    # --- heads ---

    def _request(self, request: RequestRecord, clock: Clock) -> list[Line]:
        clock.start, clock.last = request.first_time, None
        lines = [start_line(request, "", self.width)]
        lines += head_fields(request.headers, None, self.width)
        return self._in_block(f"exchange {request.exchange}", lines)

    def _response(
        self, response: ResponseRecord, exchange: Exchange | None, clock: Clock
    ) -> list[Line]:
        request = None if exchange is None else exchange.request
        key = after = None
        if request is not None:
            key = field_value(request.headers, "sec-websocket-key")
            waited = duration(response.last_time - request.first_time)
            after = f"  {waited} after the request"
        elif clock.start is None:
            clock.start = response.first_time
        lines = [start_line(response, after or "", self.width)]
        lines += head_fields(response.headers, key, self.width)
        return self._in_block(f"exchange {response.exchange}", lines)

    def _name(self, exchange: int | None, clock: Clock) -> list[Line]:
        """Return what the elements of an exchange speak, once, when that is known."""
        dialect = None if clock.reader is None or clock.is_named else clock.reader.dialect
        if dialect is None:
            return []
        clock.is_named = True
        line = fit(dialect_line(dialect), self.width)
        return self._in_block(f"exchange {exchange}", [line])

    # --- rows ---

    def _element(self, sent: Sent, exchange: Exchange | None) -> list[Line]:
        """Return the row of an element; none yet if the next record may belong into it."""
        element = sent.element
        if isinstance(element, WebSocketMessageRecord) and _is_its_frame(element):
            return []
        if not _may_begin_pair(element, exchange):
            return self._row(sent)
        self._held = sent
        return []

    def _join(self, held: Sent, sent: Sent) -> list[Line] | None:
        """Return the rows of what is held and of its other half; None if this is not that."""
        match held.element, sent.element:
            case (ChunkRecord() as chunk, SseEventRecord() as event) | (
                SseEventRecord() as event,
                ChunkRecord() as chunk,
            ) if chunk.index == event.last_chunk:
                self._held = None
                return self._chunk_with_event(_carried(held, sent, chunk), event)
            case (ChunkRecord() | DataRecord() as carrier, BodyElement() as element) | (
                BodyElement() as element,
                ChunkRecord() | DataRecord() as carrier,
            ) if _ends_in(element, carrier):
                self._held = None
                return self._carrier_with_element(_carried(held, sent, carrier), element)
            case (DataRecord() as run, SseEventRecord() as event) | (
                SseEventRecord() as event,
                DataRecord() as run,
            ) if _ends_in(event, run):
                self._held = None
                return self._chunk_with_event(_carried(held, sent, run), event)
            case WebSocketFrameRecord(), WebSocketMessageRecord(frames=1) as message:
                self._held = None
                return self._row(held._replace(payload=sent.payload), message)
            case WebSocketMessageRecord(), WebSocketFrameRecord(fin=True, opcode=0):
                self._held = None
                return self._row(sent) + self._row(held)
        return None

    def _chunk_with_event(self, chunk: Sent, event: SseEventRecord) -> list[Line]:
        first = self._cells(chunk.element, chunk.clock)
        index = chunk.element.index if isinstance(chunk.element, ChunkRecord) else None
        data = event_lines(event, index, data_width(first, self.width), chunk.payload)
        return self._rows_of(chunk.element.exchange, first, data)

    def _carrier_with_element(self, carrier: Sent, element: BodyElementRecord) -> list[Line]:
        first = self._cells(carrier.element, carrier.clock)
        begins_before = element.offset < carrier.element.offset
        width = data_width(first, self.width)
        data = element_lines(
            element, width, carrier.payload, is_beside=True, begins_before=begins_before
        )
        return self._rows_of(carrier.element.exchange, first, data)

    def _row(self, sent: Sent, message: WebSocketMessageRecord | None = None) -> list[Line]:
        """Return a row; ``message`` is the one that a frame is all of."""
        first = self._cells(sent.element, sent.clock)
        data = _data(sent, message, data_width(first, self.width))
        return self._rows_of(sent.element.exchange, first, data)

    def _rows_of(self, exchange: int | None, first: Cells, data: list[Line]) -> list[Line]:
        return self._in_block(f"rows of {exchange}", beside(first, data, self.width))

    def _cells(self, element: Element, clock: Clock) -> Cells:
        return cells(self._row_of(element, clock))

    def _row_of(self, element: Element, clock: Clock) -> Row:
        if clock.start is None:
            clock.start = element.first_time
        gap = None if clock.last is None else element.last_time - clock.last
        clock.last = element.last_time
        time = element.last_time - clock.start
        where = (element.sender, element.first_packet, element.last_packet)
        return Row(*where, time, gap, *_size_and_type(element))

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


def _is_element(record: Record) -> TypeGuard[Element]:
    """Whether a record takes a row: a look-up costs a fifth of comparisons."""
    return type(record) in ELEMENTS


def _is_its_frame(message: WebSocketMessageRecord) -> bool:
    """Whether the one frame of a message has said all of it."""
    return message.frames == 1 and not message.compressed


def _payload(record: Element, clock: Clock) -> Payload:
    """Return what an element says to the reader of its exchange."""
    reader = clock.reader
    return OTHER if reader is None or not is_read(record, reader) else reader.read(record)


def _collect(piece: ChunkRecord | DataRecord, exchange: Exchange, clock: Clock) -> None:
    """Put aside what a chunk or run holds of a body that is JSON."""
    if isinstance(clock.reader, RawReader):
        return
    sender = piece.sender
    if sender not in clock.json:
        clock.json[sender] = JsonBody() if is_json(exchange, sender) else None
    if (body := clock.json[sender]) is not None:
        body.add(piece)


def _carried(held: Sent, sent: Sent, carrier: ChunkRecord | DataRecord) -> Sent:
    """Return a chunk or run with what the element says that stands in its row."""
    said = held if sent.element is carrier else sent
    return held._replace(element=carrier, payload=said.payload)


def _may_begin_pair(element: Element, exchange: Exchange | None) -> bool:
    """Return whether the next record may belong into the row of this one."""
    match element:
        case ChunkRecord() | DataRecord():
            return element.size > 0 and exchange is not None and has_elements(exchange)
        case BodyElement():
            return element.first_packet != element.last_packet
        case SseEventRecord():
            return element.first_chunk != element.last_chunk
        case WebSocketFrameRecord():
            return element.fin and element.opcode in DATA_FRAMES
        case WebSocketMessageRecord():
            return element.frames > 1
        case _:
            return False


def _ends_in(
    element: BodyElementRecord | SseEventRecord, carrier: ChunkRecord | DataRecord
) -> bool:
    """Whether a chunk or run holds the last byte of an element of the same sender."""
    end = element.offset + element.length
    is_inside = carrier.offset < end <= carrier.offset + carrier.length
    return is_inside and element.sender == carrier.sender


def _data(sent: Sent, message: WebSocketMessageRecord | None, width: int) -> list[Line]:
    element, payload = sent.element, sent.payload
    match element:
        case ChunkRecord():
            return chunk_lines(element, width, payload)
        case SseEventRecord():
            return event_lines(element, None, width, payload)
        case DataRecord():
            return data_lines(element, width, payload)
        case BodyElement():
            return element_lines(element, width, payload)
        case WebSocketFrameRecord():
            return frame_lines(element, message, sent.ping, width, payload)
        case WebSocketMessageRecord():
            return message_lines(element, width, payload)
        case TlsRecordRecord() | QuicPacketRecord():
            return []
        case _:
            return [[(f"[{count(element.missing, 'byte')} not captured]", "error")]]


def _size_and_type(element: Element) -> tuple[int, str]:
    match element:
        case ChunkRecord():
            return element.size, f"chunk {element.index}" if element.size else "last chunk"
        case SseEventRecord():
            return element.length, "event"
        case DataRecord():
            return element.size, "data"
        case BodyElement():
            return element.size, f"{SHORT_NAMES[element.record]} {element.index}"
        case WebSocketFrameRecord():
            return element.payload_length, frame_type(element)
        case WebSocketMessageRecord():
            return element.size, "message"
        case TlsRecordRecord():
            return element.size, f"TLS {element.type.replace('_', ' ')}"
        case QuicPacketRecord():
            return element.size, f"QUIC {element.type}"
        case _:
            return element.missing, "gap"
