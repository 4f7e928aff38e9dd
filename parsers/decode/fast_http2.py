"""DATA frames that are one server-sent event each: the commonest ones of HTTP/2, in one pass.

Strategy: nearly every server writes an event as a DATA frame of its own, without padding. Such a
frame, if it lies whole in the piece at hand, is matched with its event by one expression, and both
records are written at once. The layers between are not called, but told afterwards how far it went:
they must be between two elements, and both windows open before and after. Everything else is left
to them: frames of any other kind, the last one of a stream, and whatever is a fault. A test decodes
every capture with this path and without it.

It ties layers together that are better apart (``frames``, ``flow``, ``http2_message``, ``sse``,
``body``), for a number: a whole decode takes half of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..http2.elements import DEFAULT_FRAME_SIZE, HEADER_SIZE
from ..http2.flow import FlowControl, Window
from ..http2.frames import FrameDecoder
from ..limits import MAX_SSE_LINE
from ..records import Http2DataRecord, Record, SseEventRecord
from ..sse.stream import EventStreamDecoder, commonest_block
from .body import Body
from .http2_message import StreamMessage
from .writer import RecordWriter

Match = Callable[[bytes, int, int], "re.Match[bytes] | None"]
EVENTS: tuple[Match, ...] = tuple(
    re.compile(commonest_block(newline)).fullmatch for newline in (b"\n", b"\r\n")
)
LONGEST = min(DEFAULT_FRAME_SIZE, MAX_SSE_LINE)
"""Bytes of content that any receiver takes, and that one line of an event may have."""


class Lane:
    """A stream whose content is an event stream, not coded: what a frame of it concerns."""

    __slots__ = (
        "message", "body", "events", "window", "match", "exchange", "data_record", "event_record",
    )  # fmt: skip

    def __init__(
        self,
        message: StreamMessage,
        body: Body,
        events: EventStreamDecoder,
        window: Window | None,
        match: Match,
    ) -> None:
        self.message = message
        self.body = body
        self.events = events
        self.window = window
        """None if windows were not known when it began."""
        self.match = match
        self.exchange = message.exchange
        self.data_record = message.writer.within(Http2DataRecord)
        self.event_record = message.writer.within(SseEventRecord)


class FastHttp2:
    """Reads what it can of what one side sends; ``messages`` are those that are open."""

    __slots__ = ("_frames", "_flow", "_messages", "_writer", "_lanes")

    def __init__(
        self,
        frames: FrameDecoder,
        flow: FlowControl,
        messages: dict[int, StreamMessage],
        writer: RecordWriter,
    ) -> None:
        self._frames = frames
        self._flow = flow
        self._messages = messages
        self._writer = writer
        self._lanes: dict[int, Lane] = {}

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the frames that begin at ``pos`` of ``data``; return where they end.

        Long for one function: it is the hot loop.
        """
        frames, flow = self._frames, self._flow
        size = len(data)
        if size - pos <= HEADER_SIZE or data[pos + 3] or not frames.is_between:
            return pos
        writer = self._writer
        connection, sender, keeps_data = writer.connection, writer.sender, writer.keeps_data
        place = writer.place
        is_partial, shared = flow.is_partial, flow.connection
        base = frames.offset - pos
        run, last_run, run_ends, arrivals = writer.origins.runs_from(frames.offset)
        begin = pos
        while pos + HEADER_SIZE < size and not (data[pos] or data[pos + 3] or data[pos + 4]):
            length = data[pos + 1] << 8 | data[pos + 2]
            body_pos = pos + HEADER_SIZE
            end = body_pos + length
            if end > size or length > LONGEST:
                break
            lane = self._lane(int.from_bytes(data[pos + 5 : body_pos]), data, body_pos, end)
            if lane is None or lane.message.is_held or not lane.events.is_between:
                break
            window = None if is_partial else lane.window
            if window is not None and (
                shared.size <= length
                or window.size <= length
                or shared.is_waiting
                or window.is_waiting
            ):
                break
            found = lane.match(data, body_pos, end)
            if found is None:
                break
            found_id, found_type, value = found.groups()
            try:
                text = data[body_pos:end].decode()
                fields: list[tuple[str, str]] = []
                event_id = lane.events.last_event_id
                event_type = "message"
                if found_id is not None:
                    event_id = found_id.decode()
                    fields.append(("id", event_id))
                if found_type is not None:
                    event_type = found_type.decode()
                    fields.append(("event", event_type))
                shown = value.decode()
                fields.append(("data", shown))
            except UnicodeDecodeError:
                break
            start, content, stop = base + pos, base + body_pos, base + end
            while run < last_run and run_ends[run] <= start:
                run += 1
            whole = arrivals[run] if stop <= run_ends[run] or run == last_run else None
            first_packet, last_packet, first_time, last_time = whole or place(content, stop)
            records.append(
                lane.event_record(
                    connection, lane.exchange, sender, first_packet, last_packet, first_time,
                    last_time, content, length, event_type or "message",
                    shown if keeps_data else None, event_id, None, True,
                    fields if keeps_data else None, None, None,
                )
            )  # fmt: skip
            index = lane.message.advance(start, stop, length)
            first_packet, last_packet, first_time, last_time = whole or place(start, stop)
            records.append(
                lane.data_record(
                    connection, lane.exchange, sender, first_packet, last_packet, first_time,
                    last_time, start, HEADER_SIZE + length, index, length, 0, False,
                    text if keeps_data else None, "utf-8" if keeps_data else None, content,
                )
            )  # fmt: skip
            if window is not None:
                shared.size -= length
                window.size -= length
            lane.events.advance(length, event_id)
            lane.body.advance_within(content, stop, data[body_pos:end])
            pos = end
        frames.offset += pos - begin
        return pos

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where a frame of any kind ends that begins at ``pos``, else the end."""
        if pos + HEADER_SIZE > len(data) or not self._frames.is_between:
            return len(data)
        return min(len(data), pos + HEADER_SIZE + int.from_bytes(data[pos : pos + 3]))

    def _lane(self, stream_id: int, data: bytes, start: int, end: int) -> Lane | None:
        """Return what a frame of a stream concerns, None if it is not for this path."""
        message = self._messages.get(stream_id)
        lane = self._lanes.get(stream_id)
        if lane is not None and lane.message is message:
            return lane
        self._lanes.pop(stream_id, None)
        if message is None or (events := message.event_stream) is None:
            return None
        window = self._flow.streams.get(stream_id)
        match = next((match for match in EVENTS if match(data, start, end) is not None), None)
        is_followed = window is not None or self._flow.is_partial
        if match is None or not is_followed or message.body is None:
            return None
        lane = self._lanes[stream_id] = Lane(message, message.body, events, window, match)
        return lane
