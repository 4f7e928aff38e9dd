"""What both directions of an HTTP/2 connection share, and the frames that control it (RFC 9113).

Strategy: each side tells the other what concerns it: settings, windows, resets. A reset ends what
the other side sends, so the records of one side may come of the other's bytes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from ..diagnostics import Diagnostic, diagnose
from ..http1.messages import Request
from ..http2 import control
from ..http2.elements import (
    GOAWAY,
    NAMES,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    DataFrame,
    Frame,
)  # fmt: skip
from ..http2.fields import Fault
from ..http2.flow import FlowControl
from ..http2.frames import FrameDecoder
from ..http2.hpack import HeaderDecoder
from ..http2.streams import StreamState, StreamStates
from ..limits import MAX_CLOSED_STREAMS, MAX_HTTP2_FAULTS, STREAM_COST
from ..provenance import Completion, Event
from ..records import EndedBy, Http2FrameRecord, Record
from ..streams import ByteStream
from .fast_http2 import FastHttp2
from .http2_message import StreamMessage
from .http2_tunnel import Speak, TunnelStream
from .writer import RecordWriter, wire_text

Owner = tuple[int | None, int | None]
"""Whose something is: an exchange and a stream, as far as it is of any."""
NOBODY: Owner = (None, None)


class LateReset(NamedTuple):
    """A reset of a stream by the side that does not send in it."""

    packet: int
    """The packet that carried it: what came before it was not reset."""
    fault: Diagnostic | None
    owner: Owner
    ended_by: EndedBy = "rst-stream"


class EarlyEnd(NamedTuple):
    """A frame that ends a stream of the peer's, and was read before what begins that stream."""

    at: Completion
    fault: Diagnostic
    ended_by: EndedBy


MAX_PINGS = 64
"""Pings that wait for their answers."""


class Http2Link:
    """One side: what it has sent, what holds it, and what its frames of control do."""

    peer: Http2Link

    def __init__(
        self,
        stream: ByteStream[Record],
        writer: RecordWriter,
        start: int,
        states: StreamStates,
        speak: Speak,
        *,
        is_first: bool,
    ) -> None:
        self.stream = stream
        self.late: dict[int, LateReset] = {}
        """Streams that the peer reset while what this side had sent before was still to come."""
        self.writer = writer
        self.states = states
        self.messages: dict[int, StreamMessage] = {}
        """Of the streams in which this side may still send."""
        self.requests: dict[int, Request] = {}
        """Of the open streams that this side asked in."""
        self.tunnels: dict[int, TunnelStream] = {}
        """What this side sends in those of them that asked for a tunnel and may have it."""
        self._speak = speak
        self.headers = HeaderDecoder()
        self.flow = FlowControl(is_partial=not is_first)
        """What holds this side."""
        self.goaway = ""
        """The error code of a GOAWAY that this side sent, empty if it sent none."""
        self._last_taken: tuple[int, EarlyEnd] | None = None
        """The last stream of the peer's that its GOAWAY takes, and what those above it get."""
        self._early: OrderedDict[int, EarlyEnd] = OrderedDict()
        """Resets by this side of streams whose beginning is still to come."""
        self.pings: dict[bytes, float] = {}
        """When this side sent the pings that are not answered."""
        self.allows_push = True
        self._pushes: bool | None = None  # what this side's last SETTINGS allow, not yet known
        self.frames = FrameDecoder(
            start, writer.sender, keep_data=writer.keeps_data, is_first=is_first
        )
        self._fast_path = FastHttp2(self.frames, self.flow, self.messages, writer)
        self._faults: Counter[str] = Counter()
        if not is_first:
            self.headers.forget()

    def _said(
        self, found: Diagnostic, owner: Owner, shown: Completion | None = None
    ) -> list[Record]:
        """Write a fault, unless too many of its kind have come; ``shown`` is its packet."""
        self._faults[found.code] += 1
        count = self._faults[found.code]
        if count > MAX_HTTP2_FAULTS:
            return []
        if count == MAX_HTTP2_FAULTS:
            summary = f"{found.summary} (further ones are not listed)"
            found = Diagnostic(found.start, found.end, found.code, summary)
        exchange, stream_id = owner
        writer = self.writer if stream_id is None else self.writer.for_stream(stream_id)
        return [writer.diagnostic(found, exchange, shown)]

    def _report(
        self, faults: list[Fault], start: int, end: int, owner: Owner, records: list[Record]
    ) -> None:
        for code, detail in faults:
            records += self._said(diagnose(code, start, end, detail), owner)

    @property
    def is_behind(self) -> bool:
        """Whether this side has sent more than was read: it is missing, or waits behind that."""
        return self.stream.lacks_bytes or self.frames.is_searching

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
        self._charge_streams()
        return state

    def begin(self, stream_id: int, exchange: int) -> None:
        """Begin a stream whose request came before HTTP/2 did, from this side."""
        self._begin(stream_id, exchange)
        self.messages.pop(stream_id)
        self.states.end(stream_id, self.writer.sender)

    def refuse_tunnel(self, stream_id: int) -> None:
        """Take note that there is no tunnel in a stream in which this side asked for one."""
        if self.tunnels.pop(stream_id, None) is not None and stream_id in self.messages:
            self.messages[stream_id].tunnel = None

    def _forget(self, stream_id: int) -> None:
        for side in (self, self.peer):
            side.messages.pop(stream_id, None)
            side.requests.pop(stream_id, None)
            side.tunnels.pop(stream_id, None)
            side.flow.close(stream_id)
        self._charge_streams()

    def _charge_streams(self) -> None:
        """Charge what the open streams hold, beside their bodies."""
        held = len(self.states.open) * STREAM_COST
        self.writer.account.charge(held - self.states.charged)
        self.states.charged = held

    def _break(self, stream_id: int, ended_by: EndedBy, records: list[Record]) -> None:
        """End what both sides send in a stream that one gave up."""
        for side in (self, self.peer):
            message = side.messages.get(stream_id)
            if message is not None:
                records += message.end(ended_by)
        self._forget(stream_id)

    def give_up(self, stream_id: int, reset: LateReset, records: list[Record]) -> None:
        """Let a stream end that this side has reset."""
        if reset.fault is not None:
            records += self._said(reset.fault, reset.owner)
        self._break(stream_id, reset.ended_by, records)

    def end_early(self, stream_id: int, state: StreamState, records: list[Record]) -> None:
        """Let what this side said of a stream hold, which begins in the bytes of the peer now.

        It was on its way when this side said so, or waited behind missing bytes.
        """
        early = self._early.pop(stream_id, None)
        if early is None and self._last_taken is not None and stream_id > self._last_taken[0]:
            early = self._last_taken[1]
        if early is None:
            return
        owner = state.exchange, stream_id
        records += self._said(early.fault, owner, early.at)
        self.states.reset(stream_id, self.writer.sender)
        self.peer.late[stream_id] = LateReset(early.at[0], None, owner, early.ended_by)

    def _settle_late(self, packet: int | None, records: list[Record]) -> None:
        """Let resets by the peer hold that came before ``packet``; all of them, if that is None."""
        for stream_id, reset in list(self.late.items()):
            if packet is None or reset.packet < packet:
                del self.late[stream_id]
                self.peer.give_up(stream_id, reset, records)

    def _violation(self, kind: int, stream_id: int) -> Fault | None:
        """Return what is wrong with a frame of this kind now, as far as that is known."""
        fault = self.states.violation(self.writer.sender, kind, stream_id)
        if fault is None or not self.peer.is_behind:
            return fault
        self.states.is_partial = True  # what allows it may be missing, or wait
        return self.states.violation(self.writer.sender, kind, stream_id)

    def _allowed(self, kind: int, event: Frame | DataFrame, records: list[Record]) -> bool:
        fault = self._violation(kind, event.stream_id)
        if fault is None:
            return True
        owner = self._owner(event.stream_id)
        self._report([fault], event.start, event.end, owner, records)
        return False

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
            value, self._completion(frame), self.peer.frames.offset
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
            server = self if sender == "server" else self.peer
            answer = server.messages.get(stream_id)
            is_owed = answer is not None
            has_begun = answer is not None and answer.has_begun
            code = _reset_code(error, sender, is_owed=is_owed, has_begun=has_begun)
            detail = f"{error} by the {sender}, stream {stream_id}"
            fault = diagnose(code, frame.start, frame.end, detail) if code else None
            self.states.reset(stream_id, sender)
            reset = LateReset(self._completion(frame)[0], fault, owner)
            if self.peer.is_behind:
                self.peer.late[stream_id] = reset
            else:
                self.give_up(stream_id, reset, records)
        elif self.states.get(stream_id) is None and self.peer.is_behind:
            self._expect(stream_id, frame, error)
        return {"error_code": error}

    def _expect(self, stream_id: int, frame: Frame, error: str) -> None:
        """Keep a reset of a stream of which nothing was read yet."""
        sender = self.writer.sender
        code = _reset_code(error, sender, is_owed=True, has_begun=False)
        detail = f"{error} by the {sender}, stream {stream_id}"
        fault = diagnose(code, frame.start, frame.end, detail)
        self._early[stream_id] = EarlyEnd(self._completion(frame), fault, "rst-stream")
        if len(self._early) > MAX_CLOSED_STREAMS:
            self._early.popitem(last=False)

    def _take_goaway(self, frame: Frame, _: Owner, records: list[Record]) -> dict[str, Any]:
        last, error = control.number_at(frame, 0), control.error_of(frame)
        self.goaway = error
        parity = 1 if self.writer.sender == "server" else 0
        for stream_id, state in list(self.states.open.items()):
            if stream_id % 2 == parity and stream_id > last:
                detail = f"stream {stream_id}, the last one was {last}"
                answer = self.messages.get(stream_id)
                has_begun = answer is not None and answer.has_begun
                fault = ("http2-reset" if has_begun else "http2-refused", detail)
                self._report([fault], frame.start, frame.end, (state.exchange, stream_id), records)
                self.states.reset(stream_id, self.writer.sender)
                self._break(stream_id, "goaway", records)
        if self.writer.sender == "server":
            said = diagnose("http2-refused", frame.start, frame.end, f"the last stream was {last}")
            self._last_taken = last, EarlyEnd(self._completion(frame), said, "goaway")
        debug = wire_text(frame.payload[8:])
        return {"error_code": error, "last_stream_id": last, "debug": debug}


Handler = Callable[[Http2Link, Frame, Owner, list[Record]], dict[str, Any]]
_CONTROL: dict[int, Handler] = {
    SETTINGS: Http2Link._take_settings,
    WINDOW_UPDATE: Http2Link._take_window_update,
    PING: Http2Link._take_ping,
    PRIORITY: Http2Link._take_priority,
    RST_STREAM: Http2Link._take_reset,
    GOAWAY: Http2Link._take_goaway,
}


def _reset_code(error: str, sender: str, *, is_owed: bool, has_begun: bool) -> str:
    """Return the fault that a RST_STREAM is, empty if it is none.

    ``has_begun``: the answer has. Then the request was processed, whatever the code says.
    """
    if error == "REFUSED_STREAM" and not has_begun:
        return "http2-refused"
    if sender == "client" and error in ("CANCEL", "NO_ERROR"):
        return "http2-cancelled"
    if error != "NO_ERROR":
        return "http2-reset"
    return "http2-truncated" if is_owed else ""
