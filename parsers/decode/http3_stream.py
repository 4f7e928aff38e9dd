"""Receivers of one stream of HTTP/3 (RFC 9114 section 6): of requests, of control, and of QPACK.

Strategy: a request stream is a message, frame by frame. A field section that refers to entries of
QPACK's table that have not come is blocked, and all that comes after it in its stream waits with
it: within bounds, past which the section is given up.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..diagnostics import FAULTS, Diagnostic, diagnose
from ..http1.chunked import Data
from ..http1.messages import Request
from ..http2.fields import Fault, request_faults, response_faults, trailer_faults
from ..http2.hpack import Field
from ..http3 import elements
from ..http3.elements import DataFrame, Frame, Lost, MissingContent
from ..http3.frames import FrameDecoder
from ..http3.qpack import QpackError, SectionDecoder
from ..limits import MAX_WAITING_EVENTS
from ..provenance import Completion, Ending, Event
from ..quic.reader import Malformed, Reader, read_varint
from ..quic.streams import QuicStream
from ..records import EndedBy, Http3FrameRecord, Record, Sender
from ..sse.resume import is_event_stream
from .http3_message import Http3Message
from .writer import RecordWriter

NOT_READ = -1
"""The type of a stream whose type is missing."""


class Shared(Protocol):
    """What the streams of a connection share."""

    def sections(self, sender: Sender) -> SectionDecoder:
        """Return what decodes the field sections that a side sends."""

    def take_settings(self, sender: Sender, settings: list[tuple[int, int]]) -> None:
        """Let a side's settings hold for what the other one sends."""

    def feed_encoder(self, sender: Sender, data: bytes) -> list[Record]:
        """Take a side's instructions; return what they let go on. Raises QpackError."""

    def wait(self, stream: RequestStream, size: int) -> bool:
        """Take note that a stream is blocked, with more bytes; return whether there is room."""

    def give_up(self, stream: RequestStream, why: str) -> list[Record]:
        """Go on in a blocked stream without the section that it waits for."""

    def unread(self, start: int, end: int, why: str) -> Diagnostic:
        """Return what is said of a section that cannot be read."""

    def lacks_packets(self, sender: Sender) -> bool:
        """Whether packets of a side arrived that the capture does not have."""

    def note_request(self, stream_id: int, request: Request) -> None:
        """Keep a request until its answer comes."""

    def request_of(self, stream_id: int) -> Request | None:
        """Return the request of a stream, if it was seen."""


class RequestStream:
    """What one side sends in a request stream: the messages of an exchange."""

    def __init__(
        self, connection: Shared, stream: QuicStream[Record], writer: RecordWriter
    ) -> None:
        self.stream = stream
        self.exchange = stream.stream_id >> 2
        self.message = Http3Message(self.exchange, writer)
        self.is_reset = False
        """Whether RESET_STREAM ends it."""
        self._connection = connection
        self._writer = writer
        self._frames = FrameDecoder(keep_data=writer.keeps_data)
        self._waiting: list[Event] | None = None  # behind the first one, which is blocked
        self._ending: Ending | None = None
        self._is_headless = False  # whether a section of it cannot be read

    # --- the receiver ---

    def receive_data(self, data: bytes) -> list[Record]:
        return self._take(self._frames.receive_data(data))

    def receive_gap(self, length: int) -> list[Record]:
        gap = self._writer.gap(self._frames.offset, length, self.exchange)
        return [gap, *self._take(self._frames.receive_gap(length))]

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self._writer.diagnostic(fault, self.exchange, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        records = self._take(self._frames.receive_eof(ending))
        self._ending = ending
        return records if self._waiting is not None else records + self._end(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        waiting = (place for event in self._waiting or () for place in (event.start, event.end - 1))
        return (*self._frames.open_offsets, *self.message.open_offsets, *waiting)

    # --- QPACK ---

    def resume(self, fields: list[Field] | None) -> list[Record]:
        """Go on with a section that was blocked; None if it cannot be read."""
        waited, self._waiting = self._waiting or [], None
        block = waited[0]
        self._is_headless |= fields is None
        records = [] if fields is None else self._section(block, fields)
        records += self._take(waited[1:])
        if self._ending is not None and self._waiting is None:
            records += self._end(self._ending)
        return records

    def _wait(self, events: list[Event]) -> list[Record]:
        self._waiting = self._waiting or []
        self._waiting += events
        size = sum(len(event.data) for event in events if isinstance(event, Data))
        has_room = self._connection.wait(self, size)
        if has_room and len(self._waiting) <= MAX_WAITING_EVENTS:
            return []
        return self._connection.give_up(self, "too much waits for it")

    # --- events ---

    def _take(self, events: list[Event]) -> list[Record]:
        if self._waiting is not None:
            return self._wait(events) if events else []
        records: list[Record] = []
        for index, event in enumerate(events):
            if isinstance(event, Data):
                records += self._content(event)
            elif isinstance(event, DataFrame):
                records += self.message.settle()
                records.append(self.message.data_frame(event))
            elif isinstance(event, Lost):
                self._is_headless |= self.message.head is None
                records += self.message.lose(event.end)
            elif isinstance(event, MissingContent):
                records += self.message.missing(event.start, event.end)
            elif isinstance(event, Diagnostic):
                records.append(self._writer.diagnostic(event, self.exchange))
            elif isinstance(event, Frame) and not self._frame(event, records):
                return records + self._wait(events[index:])
        return records

    def _content(self, piece: Data) -> list[Record]:
        if self.message.head is not None or self.message.has_body:
            return self.message.content(piece)
        is_sse = self.stream.sender == "server" and is_event_stream(piece.data)
        self.message.join(piece.start, is_sse=is_sse)
        records = self.message.content(piece)
        if not self._is_headless:
            self._say("http3-frame-unexpected", piece, "DATA before HEADERS", records)
        return records

    def _frame(self, frame: Frame, records: list[Record]) -> bool:
        """Take a frame that is not DATA; return False if it has to wait."""
        if frame.kind == elements.HEADERS:
            return self._headers(frame, records)
        name = elements.NAMES.get(frame.kind)
        if frame.kind == elements.PUSH_PROMISE:
            records.append(frame_record(self._writer, frame, self.exchange))
            self._say("http3-push", frame, "", records)
        elif name is not None or frame.kind in elements.OF_HTTP2:
            found = name or f"type 0x{frame.kind:x} of HTTP/2"
            self._say("http3-frame-unexpected", frame, f"{found} in a request stream", records)
        return True

    def _headers(self, frame: Frame, records: list[Record]) -> bool:
        if not frame.is_whole:
            return self._fail(frame, "bytes of it are missing, or too many", records)
        try:
            found = self._connection.sections(self.stream.sender).decode(
                self.stream.stream_id, frame.payload
            )
        except QpackError as error:
            return self._fail(frame, str(error), records)
        if found == "blocked":
            return False
        records += self._section(frame, found)
        return True

    def _fail(self, frame: Frame, why: str, records: list[Record]) -> bool:
        """Go on after a section that cannot be read."""
        self._is_headless = True
        fault = self._connection.unread(frame.start, frame.end, why)
        records.append(self._writer.diagnostic(fault, self.exchange))
        return True

    def _section(self, block: Event, fields: list[Field]) -> list[Record]:
        """Take the fields of a section: a head, or trailers."""
        start, end, message = block.start, block.end, self.message
        records: list[Record] = []
        ends = end == self.stream.final_size
        if message.head is not None or message.has_body:
            faults = trailer_faults(fields)
            message.take_trailers(fields, start, end, is_malformed=bool(faults))
        elif self.stream.sender == "client":
            records += message.request(fields, start, end, ends=ends)
            faults = request_faults(fields)
            assert isinstance(message.head, Request)
            self._connection.note_request(self.stream.stream_id, message.head)
        else:
            asked = self._connection.request_of(self.stream.stream_id)
            records += message.response(fields, start, end, asked, ends=ends)
            faults = response_faults(fields)
        for fault in faults:
            self._say("http3-message-malformed", block, _same_fault(fault), records)
        return records

    # --- the end ---

    def _end(self, ending: Ending) -> list[Record]:
        message = self.message
        records: list[Record] = []
        ended_by: EndedBy = ending
        end = self._frames.offset
        is_cut = message.has_body or self.stream.sender == "server"
        if ending == "close":
            ended_by = "end-stream"
            if (fault := message.wrong_length()) is not None:
                records.append(self._writer.diagnostic(fault, self.exchange))
        elif self.is_reset:
            ended_by = "rst-stream"
        elif ending == "reset" and is_cut and self._connection.lacks_packets(self.stream.sender):
            ended_by = "capture-end"  # they may have held its FIN, or more
            fault = diagnose("http3-frames-missing", end, end, f"stream {self.stream.stream_id}")
            records.append(self._writer.diagnostic(fault, self.exchange))
        elif ending == "reset" and is_cut:
            fault = diagnose("http3-stream-cut", end, end, f"stream {self.stream.stream_id}")
            records.append(self._writer.diagnostic(fault, self.exchange))
        return records + message.end(ended_by)

    def _say(self, code: str, place: Event, detail: str, records: list[Record]) -> None:
        fault = diagnose(code, place.start, place.end, detail)
        records.append(self._writer.diagnostic(fault, self.exchange))


def _same_fault(fault: Fault) -> str:
    """Return a fault of a message in the words of HTTP/2, whose rules are the same."""
    code, detail = fault
    said = FAULTS[code].summary.replace(" (PROTOCOL_ERROR)", "").replace("HTTP/2", "HTTP/3")
    return f"{said}: {detail}" if detail else said


class UnidirectionalStream:
    """What one side sends in a stream of its own: its type first (RFC 9114 section 6.2)."""

    def __init__(
        self, connection: Shared, stream: QuicStream[Record], writer: RecordWriter
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._writer = writer
        self._head = b""
        self._kind: int | None = None
        self._frames: FrameDecoder | None = None

    def receive_data(self, data: bytes) -> list[Record]:
        if self._kind is not None:
            return self._receive(data)
        before = len(self._head)
        self._head += data[:8]
        found = read_varint(self._head, 0)
        if found is None:
            return []
        self._kind = found[0]
        if self._kind == elements.CONTROL:
            self._frames = FrameDecoder(found[1], keep_data=False)
        elif self._kind == elements.PUSH:
            fault = diagnose("http3-push", 0, found[1], f"stream {self._stream.stream_id}")
            return [self._writer.diagnostic(fault, None)]
        return self._receive(data[found[1] - before :])

    def receive_gap(self, length: int) -> list[Record]:
        if self._kind is None:
            self._kind = NOT_READ
        is_encoder = self._kind == elements.QPACK_ENCODER
        if self._frames is None and not is_encoder:
            return []  # of what is not read nothing is missed
        gap = self._writer.gap(self._stream.origins.size - length, length, None)
        if self._frames is not None:
            return [gap, *self._control(self._frames.receive_gap(length))]
        self._connection.sections(self._stream.sender).is_broken = True
        return [gap]

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self._writer.diagnostic(fault, None, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return () if self._frames is None else self._frames.open_offsets

    def _receive(self, data: bytes) -> list[Record]:
        if self._frames is not None:
            return self._control(self._frames.receive_data(data))
        if self._kind != elements.QPACK_ENCODER or not data:
            return []
        end = self._stream.origins.size
        try:
            return self._connection.feed_encoder(self._stream.sender, data)
        except QpackError as error:
            fault = diagnose("qpack-failed", end - len(data), end, str(error))
            return [self._writer.diagnostic(fault, None)]

    def _control(self, events: list[Event]) -> list[Record]:
        records: list[Record] = []
        for event in events:
            if isinstance(event, Diagnostic):
                records.append(self._writer.diagnostic(event, None))
            elif isinstance(event, Frame):
                records += self._frame(event)
            elif isinstance(event, DataFrame):
                detail = "DATA in a control stream"
                fault = diagnose("http3-frame-unexpected", event.start, event.end, detail)
                records.append(self._writer.diagnostic(fault, None))
        return records

    def _frame(self, frame: Frame) -> list[Record]:
        if frame.kind not in elements.NAMES:
            return []  # reserved, or of an extension (RFC 9114 section 7.2.8)
        records: list[Record] = [frame_record(self._writer, frame, None)]
        if frame.kind in elements.OF_REQUESTS:
            detail = f"{elements.NAMES[frame.kind]} in a control stream"
            fault = diagnose("http3-frame-unexpected", frame.start, frame.end, detail)
            return [*records, self._writer.diagnostic(fault, None)]
        if frame.kind == elements.SETTINGS:
            self._connection.take_settings(self._stream.sender, read_settings(frame))
        return records


def frame_record(writer: RecordWriter, frame: Frame, exchange: int | None) -> Http3FrameRecord:
    """Write a frame that is not of a message."""
    said: dict[str, Any] = {}
    if frame.kind == elements.SETTINGS:
        said["settings"] = [
            (elements.setting_name(setting), value) for setting, value in read_settings(frame)
        ]
    elif (found := read_varint(frame.payload, 0)) is not None:
        said["identifier"] = found[0]
    return Http3FrameRecord(
        writer.connection, exchange, writer.sender, *writer.place(frame.start, frame.end),
        frame.start, frame.end - frame.start, elements.NAMES[frame.kind],
        layer=writer.layer, stream_id=writer.stream_id, **said,
    )  # fmt: skip


def read_settings(frame: Frame) -> list[tuple[int, int]]:
    """Return identifier and value of each setting, as far as they are whole (section 7.2.4)."""
    reader = Reader(frame.payload)
    found: list[tuple[int, int]] = []
    try:
        while reader:
            found.append((reader.varint(), reader.varint()))
    except Malformed:
        return found
    return found
