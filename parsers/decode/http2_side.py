"""One direction of an HTTP/2 connection: its frames as records (RFC 9113).

Strategy: both directions share what is known of the streams, and each tells the other what concerns
it: settings, windows, resets. An exchange is a stream, numbered as streams begin. A response may
come, in the capture, before its request is whole, and a reset ends what the other side sends: then
the records of one side come of the other's bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..diagnostics import Diagnostic, diagnose
from ..http1.messages import Request
from ..http2 import control
from ..http2.elements import DATA as DATA_FRAME
from ..http2.elements import (
    END_STREAM,
    GOAWAY,
    HEADERS,
    NAMES,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Content,
    DataFrame,
    Frame,
    HeaderBlock,
    Lost,
    MissingContent,
)  # fmt: skip
from ..http2.fields import Fault, request_faults, response_faults, trailer_faults
from ..http2.flow import FlowControl, Stall
from ..http2.frames import FrameDecoder
from ..http2.hpack import Field, HeaderDecoder, HpackError
from ..http2.streams import StreamState, StreamStates
from ..limits import MAX_HTTP2_FAULTS
from ..provenance import Completion, Ending, Event
from ..records import EndedBy, Framing, Http2FrameRecord, Record, StallRecord
from ..streams import ByteStream
from .http2_message import StreamMessage, request_of, response_of
from .writer import RecordWriter, wire_text

Owner = tuple[int | None, int | None]
"""Whose something is: an exchange and a stream, as far as it is of any."""
NOBODY: Owner = (None, None)
MAX_PINGS = 64
"""Pings that wait for their answers."""


class Http2Side:
    """A receiver of one side's frames."""

    peer: Http2Side

    def __init__(
        self,
        stream: ByteStream[Record],
        writer: RecordWriter,
        start: int,
        states: StreamStates,
        *,
        is_first: bool,
    ) -> None:
        self.stream = stream
        self.writer = writer
        self.states = states
        self.messages: dict[int, StreamMessage] = {}
        """Of the streams in which this side may still send."""
        self.requests: dict[int, Request] = {}
        """Of the open streams that this side asked in."""
        self.headers = HeaderDecoder()
        self.flow = FlowControl(is_partial=not is_first)
        """What holds this side."""
        self.goaway = ""
        """The error code of a GOAWAY that this side sent, empty if it sent none."""
        self.pings: dict[bytes, float] = {}
        """When this side sent the pings that are not answered."""
        self.allows_push = True
        self._pushes: bool | None = None  # what this side's last SETTINGS allow, not yet known
        self.frames = FrameDecoder(
            start, writer.sender, keep_data=writer.keeps_data, is_first=is_first
        )
        self._faults: Counter[str] = Counter()
        if not is_first:
            self.headers.forget()

    # --- the receiver ---

    def receive_data(self, data: bytes) -> list[Record]:
        return self._write(self.frames.receive_data(data))

    def receive_gap(self, length: int) -> list[Record]:
        gap: Record = self.writer.gap(self.frames.offset, length, None)
        return [gap, *self.pass_over(length)]

    def pass_over(self, length: int) -> list[Record]:
        """Go on after a gap that has its record already; of none, begin in the middle."""
        return self._write(self.frames.receive_gap(length) if length else self.frames.pass_over())

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self.writer.diagnostic(fault, None, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        records = self._write(self.frames.receive_eof(ending))
        for stall in self.flow.still_blocked():
            records.append(self._stall(stall, self.frames.offset))
        end = self.frames.offset
        gave_up = self.goaway or self.peer.goaway
        is_given_up = gave_up not in ("", "NO_ERROR")
        for stream_id, message in list(self.messages.items()):
            if not message.is_open:
                continue
            is_cut = message.has_body or (self.writer.sender == "server" and not message.head)
            if is_given_up and is_cut:
                code, detail = "http2-goaway-error", f"{gave_up}, with stream {stream_id} open"
                records += self._said(diagnose(code, end, end, detail), message.owner)
            elif is_cut and ending != "capture-end" and not self.stream.peer.is_ended:
                fault = diagnose("http2-stream-cut", end, end, f"stream {stream_id}")
                records += self._said(fault, message.owner)
            records += message.end("goaway" if is_given_up else ending)
        self.messages.clear()
        return records

    @property
    def open_offsets(self) -> tuple[int, ...]:
        opened = [one for message in self.messages.values() for one in message.open_offsets]
        return (*self.frames.open_offsets, *opened)

    # --- events ---

    def _write(self, found: list[Event]) -> list[Record]:
        records: list[Record] = []
        for event in found:
            if type(event) is Content:
                message = self._content_of(event.stream_id, event.start)
                if message is not None:
                    records += message.content(event)
            elif type(event) is DataFrame:
                self._end_data(event, records)
            elif isinstance(event, HeaderBlock):
                self._header_block(event, records)
            elif isinstance(event, Frame):
                self._control(event, records)
            elif isinstance(event, MissingContent):
                if (missing := self._content_of(event.stream_id, event.start)) is not None:
                    records += missing.missing(event.start, event.end)
            elif isinstance(event, Lost):
                self._lose(event, records)
            elif isinstance(event, Diagnostic):
                records += self._said(event, NOBODY)
            else:
                raise TypeError(f"no record is known for {event!r}")
        return records

    def _lose(self, lost: Lost, records: list[Record]) -> None:
        """Take note that frames may be missing: blocks, windows and the beginnings of streams."""
        self.headers.forget()
        self.flow.is_partial = self.peer.flow.is_partial = True
        self.states.is_partial = True
        for message in self.messages.values():
            if message.is_open:
                records += message.missing(lost.end, lost.end)

    def _said(self, found: Diagnostic, owner: Owner) -> list[Record]:
        """Write a fault, unless too many of its kind have come."""
        self._faults[found.code] += 1
        count = self._faults[found.code]
        if count > MAX_HTTP2_FAULTS:
            return []
        if count == MAX_HTTP2_FAULTS:
            summary = f"{found.summary} (further ones are not listed)"
            found = Diagnostic(found.start, found.end, found.code, summary)
        exchange, stream_id = owner
        writer = self.writer if stream_id is None else self.writer.for_stream(stream_id)
        return [writer.diagnostic(found, exchange)]

    def _report(
        self, faults: list[Fault], start: int, end: int, owner: Owner, records: list[Record]
    ) -> None:
        for code, detail in faults:
            records += self._said(diagnose(code, start, end, detail), owner)

    # --- streams ---

    def _owner(self, stream_id: int) -> Owner:
        """Return whose a frame is."""
        if not stream_id:
            return NOBODY
        state = self.states.get(stream_id)
        return None if state is None else state.exchange, stream_id

    def _begin(self, stream_id: int, exchange: int | None = None) -> StreamState:
        """Begin a stream, in which both sides may send."""
        state = self.states.begin(stream_id, exchange)
        for side in (self, self.peer):
            writer = side.writer.for_stream(stream_id)
            side.messages[stream_id] = StreamMessage(state.exchange, writer)
            side.flow.open(stream_id)
        return state

    def begin(self, stream_id: int, exchange: int) -> None:
        """Begin a stream whose request came before HTTP/2 did, from this side."""
        self._begin(stream_id, exchange)
        self.messages.pop(stream_id)
        self.states.end(stream_id, self.writer.sender)

    def _content_of(self, stream_id: int, start: int) -> StreamMessage | None:
        """Return the message that DATA at ``start`` belongs to, None if to none."""
        message = self.messages.get(stream_id)
        if message is None and self.states.is_partial and self.states.get(stream_id) is None:
            if self.states.is_full:
                return None
            self._begin(stream_id)
            message = self.messages[stream_id]
        if message is None:
            return None
        if message.head is None and not message.has_body and self.states.is_partial:
            message.join(start)
        return message

    def _end_stream(self, stream_id: int, records: list[Record]) -> None:
        """Take note of END_STREAM."""
        message = self.messages.pop(stream_id, None)
        if message is not None:
            if (fault := message.wrong_length()) is not None:
                records += self._said(fault, message.owner)
            records += message.end("end-stream")
        self.flow.close(stream_id)
        state = self.states.end(stream_id, self.writer.sender)
        if state is not None and state.is_over:
            self._forget(stream_id)

    def _forget(self, stream_id: int) -> None:
        for side in (self, self.peer):
            side.messages.pop(stream_id, None)
            side.requests.pop(stream_id, None)
            side.flow.close(stream_id)

    def _break(self, stream_id: int, ended_by: EndedBy, records: list[Record]) -> None:
        """End what both sides send in a stream that one gave up."""
        for side in (self, self.peer):
            message = side.messages.get(stream_id)
            if message is not None:
                records += message.end(ended_by)
        self._forget(stream_id)

    def _allowed(self, kind: int, event: Frame | DataFrame, records: list[Record]) -> bool:
        fault = self.states.violation(self.writer.sender, kind, event.stream_id)
        if fault is None:
            return True
        owner = self._owner(event.stream_id)
        self._report([fault], event.start, event.end, owner, records)
        return False

    # --- DATA ---

    def _end_data(self, frame: DataFrame, records: list[Record]) -> None:
        stream_id, ends = frame.stream_id, bool(frame.flags & END_STREAM)
        place = self.writer.place(frame.start, frame.end)
        stalls, exceeded = self.flow.send(stream_id, frame.size + frame.padding)
        records += [self._stall(stall, frame.start) for stall in stalls]
        is_allowed = self._allowed(DATA_FRAME, frame, records)
        for detail in exceeded if is_allowed else ():
            fault = diagnose("http2-window-exceeded", frame.start, frame.end, detail)
            records += self._said(fault, self._owner(stream_id))
        state = self.states.get(stream_id)
        message = self.messages.get(stream_id)
        if message is None and state is not None:
            # What was on its way when the stream was given up.
            message = StreamMessage(state.exchange, self.writer.for_stream(stream_id))
        if message is None:
            return
        records.append(message.data_frame(frame, ends=ends))
        if not ends:
            self.flow.wait(stream_id, (place[1], place[3]), frame.end)
        elif is_allowed:
            self._end_stream(stream_id, records)

    def _stall(self, stall: Stall, upto: int) -> StallRecord:
        writer = self.writer
        packet, time = stall.since
        _, last_packet, _, last_time = writer.place(max(upto - 1, 0), upto + 1)
        opened = stall.opened
        state = None if stall.stream_id is None else self.states.get(stall.stream_id)
        return StallRecord(
            writer.connection, None if state is None else state.exchange, writer.sender,
            packet, max(last_packet, packet), time, max(last_time, time), stall.offset, 0,
            "connection" if stall.stream_id is None else "stream",
            (last_time if opened is None else opened[1]) - time,
            None if opened is None else opened[0],
            layer=writer.layer, stream_id=stall.stream_id,
        )  # fmt: skip

    # --- header blocks ---

    def _header_block(self, found: HeaderBlock, records: list[Record]) -> None:
        fields = self._fields(found, records)
        if found.kind == HEADERS:
            self._headers(found, fields, records)
        else:
            self._promise(found, fields, records)

    def _fields(self, found: HeaderBlock, records: list[Record]) -> list[Field] | None:
        """Return a block's fields, None if it cannot be read; the table needs each to be."""
        if found.is_void:
            self.headers.forget()
            return None
        try:
            return self.headers.decode(found.block)
        except HpackError as error:
            owner, fault = self._owner(found.stream_id), (error.code, error.detail)
            self._report([fault], found.start, found.end, owner, records)
            self.headers.forget()
            return None

    def _headers(
        self, found: HeaderBlock, fields: list[Field] | None, records: list[Record]
    ) -> None:
        stream_id, sender = found.stream_id, self.writer.sender
        fault = self.states.violation(sender, HEADERS, stream_id)
        state = self.states.get(stream_id)
        if fault is not None:
            self._report([fault], found.start, found.end, self._owner(stream_id), records)
            return
        if state is None:
            if self.states.is_full:
                limit = diagnose("http2-stream-limit", found.start, found.end, f"{stream_id}")
                records += self._said(limit, NOBODY)
                return
            if fields is None and not self.states.is_partial:
                return
            state = self._begin(stream_id)
        message = self.messages.get(stream_id)
        ends = bool(found.flags & END_STREAM)
        if message is not None and fields is not None:
            self._message_head(found, fields, message, records, ends=ends)
        if ends:
            self._end_stream(stream_id, records)
        elif message is not None and message.head is not None:
            place = self.writer.place(found.start, found.end)
            if not (sender == "client" and message.head.framing == "none"):
                self.flow.wait(stream_id, (place[1], place[3]), found.end)

    def _message_head(
        self,
        found: HeaderBlock,
        fields: list[Field],
        message: StreamMessage,
        records: list[Record],
        *,
        ends: bool,
    ) -> None:
        start, end, owner = found.start, found.end, message.owner
        if unknown := sum(None in field for field in fields):
            note = diagnose("http2-fields-unknown", start, end, f"{unknown} of {len(fields)}")
            records += self._said(note, message.owner)
        if message.head is not None or message.has_body:
            self._report(trailer_faults(fields), start, end, owner, records)
            if not ends:
                fault = ("http2-trailers-invalid", "without END_STREAM")
                self._report([fault], start, end, owner, records)
            message.take_trailers(fields, start, end)
            return
        framing: Framing = "none" if ends else "http/2"
        if self.writer.sender == "client":
            request = request_of(fields, start, end, framing)
            self.requests[found.stream_id] = request
            records += message.begin(request, fields)
            self._report(request_faults(fields), start, end, owner, records)
            return
        response = response_of(fields, start, end, framing)
        if 100 <= response.status < 200:
            response = response_of(fields, start, end, "none")
        asked = self.peer.requests.get(found.stream_id) or self.requests.get(found.stream_id)
        records += message.begin(response, fields, asked)
        self._report(response_faults(fields), start, end, owner, records)

    def _promise(
        self, found: HeaderBlock, fields: list[Field] | None, records: list[Record]
    ) -> None:
        """Take a PUSH_PROMISE (RFC 9113 section 8.4): a request that its own answerer makes."""
        promised = found.promised
        owner = self._owner(found.stream_id)
        faults: list[Fault] = []
        if self.writer.sender == "client":
            faults.append(("http2-push-promise-invalid", "by a client"))
        elif not self.peer.allows_push:
            faults.append(("http2-push-promise-invalid", "the client does not allow push"))
        elif (fault := self.states.promise_violation(promised)) is not None:
            faults.append(fault)
        self._report(faults, found.start, found.end, owner, records)
        self._record(found, "PUSH_PROMISE", owner, records, promised_stream_id=promised)
        if faults or fields is None or self.states.is_full:
            return
        self._begin(promised)
        writer = self.writer.for_stream(promised)
        message = StreamMessage(self.states.open[promised].exchange, writer)
        request = request_of(fields, found.start, found.end, "none")
        self.requests[promised] = request
        records += message.begin(request, fields)
        self.peer.messages.pop(promised)
        self.states.end(promised, "client")

    # --- control ---

    def _control(self, frame: Frame, records: list[Record]) -> None:
        handle = _CONTROL.get(frame.kind)
        stream_id, kind = frame.stream_id, frame.kind
        is_allowed = not stream_id or kind not in NAMES or self._allowed(kind, frame, records)
        owner = self._owner(stream_id)
        said: dict[str, Any] = {}
        after: list[Record] = []
        if handle is None:
            said["size"] = len(frame.payload)
        elif is_allowed:
            said = handle(self, frame, owner, after)
        self._record(frame, NAMES.get(kind, f"{kind:#04x}"), owner, records, **said)
        records += after

    def _record(
        self,
        found: Event,
        name: str,
        owner: Owner,
        records: list[Record],
        **said: Any,
    ) -> None:
        writer = self.writer
        exchange, stream_id = owner
        first_packet, last_packet, first_time, last_time = writer.place(found.start, found.end)
        records.append(
            Http2FrameRecord(
                connection=writer.connection, exchange=exchange, sender=writer.sender,
                first_packet=first_packet, last_packet=last_packet, first_time=first_time,
                last_time=last_time, offset=found.start, length=found.end - found.start, type=name,
                layer=writer.layer, stream_id=stream_id, **said,
            )
        )  # fmt: skip

    def _completion(self, frame: Frame) -> Completion:
        _, packet, _, time = self.writer.place(frame.start, frame.end)
        return packet, time

    def _take_settings(self, frame: Frame, _: Owner, records: list[Record]) -> dict[str, Any]:
        if control.is_ack(frame):
            if self.peer._pushes is not None:
                self.peer.allows_push, self.peer._pushes = self.peer._pushes, None
            return {"ack": True}
        settings = control.read_settings(frame.payload)
        for detail in control.setting_faults(settings):
            self._report(
                [("http2-setting-invalid", detail)], frame.start, frame.end, NOBODY, records
            )
        for setting, value in settings:
            self._apply(setting, value, frame, records)
        names = [(control.setting_name(setting), value) for setting, value in settings]
        return {"ack": False, "settings": names}

    def _apply(self, setting: int, value: int, frame: Frame, records: list[Record]) -> None:
        """Let a setting hold for what the peer sends."""
        if setting == control.HEADER_TABLE_SIZE:
            self.peer.headers.allow(value)
        elif setting == control.MAX_FRAME_SIZE:
            self.peer.frames.max_frame_size = max(self.peer.frames.max_frame_size, value)
        elif setting == control.ENABLE_PUSH:
            self._pushes = bool(value)
        elif setting == control.INITIAL_WINDOW_SIZE and not self.peer.flow.settle(
            value, self._completion(frame)
        ):
            fault = ("http2-initial-window-overflow", f"{value:,}")
            self._report([fault], frame.start, frame.end, NOBODY, records)

    def _take_window_update(
        self, frame: Frame, owner: Owner, records: list[Record]
    ) -> dict[str, Any]:
        increment = control.number_at(frame, 0)
        code = ""
        if not increment:
            code = "http2-window-update-invalid"
        elif not self.peer.flow.update(frame.stream_id, increment, self._completion(frame)):
            code = "http2-window-overflow"
        if code:
            fault = (code, f"an increment of {increment:,}")
            self._report([fault], frame.start, frame.end, owner, records)
        return {"increment": increment}

    def _take_ping(self, frame: Frame, _: Owner, records: list[Record]) -> dict[str, Any]:
        data = frame.payload
        said: dict[str, Any] = {"ack": control.is_ack(frame), "ping": data.hex()}
        time = self._completion(frame)[1]
        if not said["ack"]:
            if len(self.pings) < MAX_PINGS:
                self.pings[data] = time
        elif (sent := self.peer.pings.pop(data, None)) is not None:
            said["rtt"] = time - sent
        return said

    def _take_priority(self, frame: Frame, _: Owner, records: list[Record]) -> dict[str, Any]:
        return {}

    def _take_reset(self, frame: Frame, owner: Owner, records: list[Record]) -> dict[str, Any]:
        error = control.error_of(frame)
        stream_id, sender = frame.stream_id, self.writer.sender
        if stream_id in self.states.open:
            answer = self.peer.messages.get(stream_id) or self.messages.get(stream_id)
            is_owed = answer is not None and answer.is_open and answer.writer.sender == "server"
            code = _reset_code(error, sender, is_owed=is_owed)
            if code:
                fault = (code, f"{error} by the {sender}, stream {stream_id}")
                self._report([fault], frame.start, frame.end, owner, records)
            self.states.reset(stream_id, sender)
            self._break(stream_id, "rst-stream", records)
        return {"error_code": error}

    def _take_goaway(self, frame: Frame, _: Owner, records: list[Record]) -> dict[str, Any]:
        last, error = control.number_at(frame, 0), control.error_of(frame)
        self.goaway = error
        parity = 1 if self.writer.sender == "server" else 0
        for stream_id, state in list(self.states.open.items()):
            if stream_id % 2 == parity and stream_id > last:
                detail = f"stream {stream_id}, the last one was {last}"
                fault = ("http2-refused", detail)
                self._report([fault], frame.start, frame.end, (state.exchange, stream_id), records)
                self.states.reset(stream_id, self.writer.sender)
                self._break(stream_id, "goaway", records)
        debug = wire_text(frame.payload[8:])
        return {"error_code": error, "last_stream_id": last, "debug": debug}


Handler = Callable[[Http2Side, Frame, Owner, list[Record]], dict[str, Any]]
_CONTROL: dict[int, Handler] = {
    SETTINGS: Http2Side._take_settings,
    WINDOW_UPDATE: Http2Side._take_window_update,
    PING: Http2Side._take_ping,
    PRIORITY: Http2Side._take_priority,
    RST_STREAM: Http2Side._take_reset,
    GOAWAY: Http2Side._take_goaway,
}


def _reset_code(error: str, sender: str, *, is_owed: bool) -> str:
    """Return the fault that a RST_STREAM is, empty if it is none."""
    if error == "REFUSED_STREAM":
        return "http2-refused"
    if sender == "client" and error in ("CANCEL", "NO_ERROR"):
        return "http2-cancelled"
    if error != "NO_ERROR":
        return "http2-reset"
    return "http2-truncated" if is_owed else ""


def http2_sides(
    streams: tuple[ByteStream[Record], ByteStream[Record]],
    writers: tuple[RecordWriter, RecordWriter],
    starts: tuple[int, int],
    next_exchange: int,
    *,
    is_first: bool,
) -> tuple[Http2Side, Http2Side]:
    """Return the receivers of both sides of a connection, the client's first.

    ``is_first`` says that what they get begins with the connection preface.
    """
    states = StreamStates(next_exchange, is_partial=not is_first)
    client, server = (
        Http2Side(stream, writer, start, states, is_first=is_first)
        for stream, writer, start in zip(streams, writers, starts, strict=True)
    )
    client.peer, server.peer = server, client
    return client, server
