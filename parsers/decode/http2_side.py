"""One direction of an HTTP/2 connection: its frames as records (RFC 9113).

Strategy: both directions share what is known of the streams, and each tells the other what concerns
it: settings, windows, resets. An exchange is a stream, numbered as streams begin. A response may
come, in the capture, before its request is whole, and a reset ends what the other side sends: then
the records of one side come of the other's bytes.
"""

from __future__ import annotations

from ..diagnostics import Diagnostic, amount, diagnose
from ..http2.elements import DATA as DATA_FRAME
from ..http2.elements import (
    END_STREAM,
    HEADERS,
    LARGEST_FRAME_SIZE,
    Content,
    DataFrame,
    Frame,
    HeaderBlock,
    Lost,
    MissingContent,
)  # fmt: skip
from ..http2.fields import Fault, request_faults, response_faults, trailer_faults, value_of
from ..http2.flow import Stall
from ..http2.hpack import Field, HpackError
from ..http2.streams import StreamStates
from ..limits import MAX_HEADER_TABLE
from ..provenance import Completion, Ending, Event
from ..records import Framing, Record, StallRecord
from ..streams import ByteStream
from .http2_link import NOBODY
from .http2_message import HeldHead, StreamMessage, request_of
from .http2_tunnel import Speak
from .http2_tunnel_side import Http2TunnelSide
from .side import completion, is_of_requests
from .writer import RecordWriter


class Http2Side(Http2TunnelSide):
    """A receiver of one side's frames."""

    peer: Http2Side
    _awaited: Ending | None = None
    """How this side ended, while bytes that the peer sent before are still to come."""

    # --- the receiver ---

    def receive_data(self, data: bytes) -> list[Record]:
        """Take the next bytes: what it can by the fast path, frame by frame, and the others."""
        if self.late:
            return self._write(self.frames.receive_data(data))
        records: list[Record] = []
        fast_path, pos, end = self._fast_path, 0, len(data)
        while (upto := fast_path.receive(data, pos, records)) < end:
            pos = fast_path.end_of_element(data, upto)
            records += self._write(self.frames.receive_data(data[upto:pos]))
            if pos == end:
                break
        return records

    def receive_gap(self, length: int) -> list[Record]:
        gap: Record = self.writer.gap(self.frames.offset, length, None)
        return [gap, *self.pass_over(length)]

    def pass_over(self, length: int) -> list[Record]:
        """Go on after a gap that has its record already; of none, begin in the middle."""
        return self._write(self.frames.receive_gap(length) if length else self.frames.pass_over())

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [] if is_of_requests(fault) else [self.writer.diagnostic(fault, None, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        records = self._write(self.frames.receive_eof(ending))
        self._settle_late(None, records)
        for stall in self.flow.still_blocked():
            records.append(self._stall(stall, self.frames.offset))
        if self.peer.is_behind and not self.stream.peer.is_ended:
            self._awaited = ending  # what the peer sent before may have reset streams
            return records
        records += self._end_messages(ending)
        if self.peer._awaited is not None:
            records += self.peer._end_messages(self.peer._awaited)
        return records

    def _end_messages(self, ending: Ending) -> list[Record]:
        """End what is open where the connection does."""
        records: list[Record] = []
        self._awaited = None
        end = self.frames.offset
        gave_up = self.goaway or self.peer.goaway
        is_given_up = gave_up not in ("", "NO_ERROR")
        for stream_id, message in list(self.messages.items()):
            self._give_up_search(message, records)
            is_cut = message.has_body or (self.writer.sender == "server" and not message.head)
            if is_given_up and is_cut:
                code, detail = "http2-goaway-error", f"{gave_up}, with stream {stream_id} open"
                records += self._said(diagnose(code, end, end, detail), message.owner)
            elif is_cut and (lost := self._lost_by_client(stream_id)):
                place, said = self.peer.frames.offset, f"a RST_STREAM, in {amount(lost, 'byte')}"
                fault = diagnose("http2-frames-missing", place, place, said)
                records += self.peer._said(fault, message.owner)
            elif message.may_have_ended:
                pass  # that frames of it may be missing has been said
            elif is_cut and ending != "capture-end" and not self.stream.peer.is_ended:
                fault = diagnose("http2-stream-cut", end, end, f"stream {stream_id}")
                records += self._said(fault, message.owner)
            records += message.end("goaway" if is_given_up else ending)
        self.messages.clear()
        return records

    def _lost_by_client(self, stream_id: int) -> int:
        """Return how many bytes of the client's are missing that may have reset a stream."""
        state = self.states.get(stream_id)
        return 0 if state is None or self.writer.sender == "client" else state.lost

    @property
    def open_offsets(self) -> tuple[int, ...]:
        opened = [one for message in self.messages.values() for one in message.open_offsets]
        return (*self.frames.open_offsets, *opened)

    # --- events ---

    def _write(self, found: list[Event]) -> list[Record]:
        records: list[Record] = []
        is_in_order = True
        for event in found:
            if self.late:
                self._settle_late(self.writer.place(event.start, event.end)[0], records)
            if type(event) is Content:
                message = self._content_of(event.stream_id, event.start)
                if message is not None:
                    records += message.content(event)
            elif type(event) is DataFrame:
                self._end_data(event, records)
                is_in_order = False  # what its content completed stands before it
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
                if not (event.code == "http2-frame-too-long" and self.peer.is_behind):
                    records += self._said(event, NOBODY)
            else:
                raise TypeError(f"no record is known for {event!r}")
        if not is_in_order and len(records) > 1:
            records.sort(key=completion)
        return records

    def _lose(self, lost: Lost, records: list[Record]) -> None:
        """Take note that frames may be missing: blocks, windows and the beginnings of streams."""
        self.headers.forget()
        self.flow.is_partial = self.peer.flow.is_partial = True
        self.states.is_partial = True
        self._allow_all()
        shown = self.writer.place(lost.start, lost.end)[0]
        for stream_id, message in self.messages.items():
            state = self.states.get(stream_id)
            if state is None or state.packet <= shown:
                records += message.lose(lost.start, lost.end)
        if self.writer.sender == "client":
            for state in self.states.open.values():
                state.lost += lost.end - lost.start if state.packet <= shown else 0

    def _allow_all(self) -> None:
        """Let the other side send as much as any settings allow: those of this side may be lost."""
        self.peer.frames.max_frame_size = LARGEST_FRAME_SIZE
        self.peer.headers.allow(MAX_HEADER_TABLE)

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
        is_unknown = message.head is None and not (message.has_body or message.has_begun)
        if is_unknown and self.states.is_partial:
            self._search(message)
            message.join(start, self.peer.requests.get(stream_id))
        return message

    def _end_stream(self, stream_id: int, records: list[Record]) -> None:
        """Take note of END_STREAM."""
        message = self.messages.pop(stream_id, None)
        if message is not None:
            if (fault := message.wrong_length()) is not None:
                records += self._said(fault, message.owner)
            records += message.end("end-stream")
        self.flow.close(stream_id)
        if (late := self.late.pop(stream_id, None)) is not None:  # it had ended before the reset
            if stream_id in self.peer.messages:  # which ended what the peer itself was sending
                self.peer.give_up(stream_id, late, records)
            self._forget(stream_id)
        state = self.states.end(stream_id, self.writer.sender)
        if state is not None and state.is_over:
            self._forget(stream_id)

    # --- DATA ---

    def _end_data(self, frame: DataFrame, records: list[Record]) -> None:
        stream_id, ends = frame.stream_id, bool(frame.flags & END_STREAM)
        place = self.writer.place(frame.start, frame.end)
        stalls, exceeded = self.flow.send(stream_id, frame.size + frame.padding)
        records += [self._stall(stall, frame.start) for stall in stalls]
        if exceeded and self.peer.is_behind:  # what gave room may be missing, or wait
            self.flow.is_partial, exceeded = True, []
        is_allowed = self._allowed(DATA_FRAME, frame, records)
        for detail in exceeded if is_allowed else ():
            fault = diagnose("http2-window-exceeded", frame.start, frame.end, detail)
            records += self._said(fault, self._owner(stream_id))
            self.flow.is_partial = True  # what it is from here on nobody knows
        state = self.states.get(stream_id)
        message = self.messages.get(stream_id)
        if message is None and state is not None:
            # What was on its way when the stream was given up.
            message = StreamMessage(state.exchange, self.writer.for_stream(stream_id))
        if message is None:
            return
        self._judge(message, records)
        records += message.settle()
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
        if self.peer.is_behind:  # settings that allow a larger table may be missing
            self.headers.allow(MAX_HEADER_TABLE)
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
        fault = self._violation(HEADERS, stream_id)
        state, begun = self.states.get(stream_id), None
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
            state.packet = self.writer.place(found.start, found.end)[0]
            begun = state if sender == "client" else None
        message = self.messages.get(stream_id)
        ends = bool(found.flags & END_STREAM)
        if message is not None and fields is not None:
            self._message_head(found, fields, message, records, ends=ends)
        if begun is not None:
            self.peer.end_early(stream_id, begun, records)
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
        is_late = ends and self.states.is_partial and _is_without_pseudo_fields(fields)
        if message.has_begun or is_late:  # or what came before it was missed
            self._give_up_search(message, records)
            faults = trailer_faults(fields)
            if not ends:
                faults.append(("http2-trailers-invalid", "without END_STREAM"))
            self._report(faults, start, end, owner, records)
            message.take_trailers(fields, start, end, is_malformed=bool(faults))
            self._record(found, "HEADERS", owner, records)
            return
        framing: Framing = "none" if ends else "http/2"
        if self.writer.sender == "client":
            is_connect = value_of(fields, b":method") == b"CONNECT"
            request = request_of(fields, start, end, "none" if is_connect else framing)
            self.requests[found.stream_id] = request
            records += message.begin(request, fields)
            if is_connect:
                self._ask_tunnel(found.stream_id, message)
            self._report(request_faults(fields), start, end, owner, records)
            self.peer._answer_late(found.stream_id, request, records)
            return
        status = value_of(fields, b":status") or b""
        head = HeldHead(fields, start, end, "none" if status[:1] == b"1" else framing)
        asked = self.peer.requests.get(found.stream_id) or self.requests.get(found.stream_id)
        if asked is None and self._hold(head, message):
            return
        response = self._take_answer(head, message, asked, records)
        if asked is not None and response.framing == "upgrade":
            self._switch(message, asked, response, records)
        elif response.status >= 300:
            self.peer.refuse_tunnel(found.stream_id)
        self._report(response_faults(fields), start, end, owner, records)
        if message.head is not None:
            self._give_up_search(message, records)

    # --- promises ---

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


def _is_without_pseudo_fields(fields: list[Field]) -> bool:
    """Whether a block can be no head, which begins with such fields (section 8.3)."""
    return not any(one[0] is None or one[0].startswith(b":") for one in fields)


def http2_sides(
    streams: tuple[ByteStream[Record], ByteStream[Record]],
    writers: tuple[RecordWriter, RecordWriter],
    starts: tuple[int, int],
    next_exchange: int,
    speak: Speak,
    *,
    is_first: bool,
) -> tuple[Http2Side, Http2Side]:
    """Return the receivers of both sides of a connection, the client's first.

    ``is_first`` says that what they get begins with the connection preface; ``speak`` finds out
    what is spoken in a tunnel.
    """
    states = StreamStates(next_exchange, is_partial=not is_first)
    client, server = (
        Http2Side(stream, writer, start, states, speak, is_first=is_first)
        for stream, writer, start in zip(streams, writers, starts, strict=True)
    )
    client.peer, server.peer = server, client
    return client, server
