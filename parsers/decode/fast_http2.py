"""DATA frames that lie whole in the piece at hand: the commonest ones of HTTP/2, in one pass.

Strategy: nearly every server writes an event as a DATA frame of its own, without padding. Such a
frame is matched with its event by one expression, and both records are written at once. The layers
between are not called, but told afterwards how far it went: they must be between two elements, and
both windows open before and after. Other content is handed over to what reads it, and only the
layers of frames and flow control are passed by. Everything else is left to them: frames of any
other kind, the last one of a stream, and whatever is a fault. A test decodes
every capture with this path and without it.

It ties layers together that are better apart (``frames``, ``flow``, ``http2_message``, ``sse``,
``body``), for a number: a whole decode takes half of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..http2.elements import DEFAULT_FRAME_SIZE, HEADER_SIZE, Content
from ..http2.flow import FlowControl, Window
from ..http2.frames import FrameDecoder
from ..limits import MAX_SSE_LINE
from ..records import Http2DataRecord, Record, SseEventRecord, text_or_base64
from ..sse.stream import commonest_block
from .fast_sse import utf8
from .http2_message import StreamMessage
from .side import in_order
from .writer import RecordWriter

Match = Callable[[str, int, int], "re.Match[str] | None"]
EVENTS: tuple[Match, ...] = tuple(
    re.compile(commonest_block(newline).decode("ascii")).fullmatch for newline in (b"\n", b"\r\n")
)
"""They match text with a character for each byte (Latin-1): what is ASCII need not be decoded."""
WINDOW = 1 << 16
"""Bytes that are made text at once: no more, as there may be a call for each frame of a piece."""
LONGEST = min(DEFAULT_FRAME_SIZE, MAX_SSE_LINE)
"""Bytes of content that any receiver takes, and that one line of an event may have."""


class Lane:
    """A stream: what a DATA frame of it concerns."""

    __slots__ = (
        "message", "body", "events", "window", "match", "exchange", "stream_id", "data_record",
        "event_record",
    )  # fmt: skip

    def __init__(self, message: StreamMessage, window: Window | None, stream_id: int) -> None:
        self.message = message
        self.body = message.body
        self.events = message.event_stream
        """None if its content is no event stream, or is coded."""
        self.window = window
        """None if windows were not known when it began."""
        self.match: Match | None = None
        """What matches its events; None if the first frame was none."""
        self.exchange = message.exchange
        self.stream_id = stream_id
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
        lanes, messages = self._lanes, self._messages
        begin = pos
        characters = data[begin : begin + WINDOW].decode("latin-1")
        size = min(size, begin + WINDOW)
        while pos + HEADER_SIZE < size and not (data[pos] or data[pos + 3] or data[pos + 4]):
            length = data[pos + 1] << 8 | data[pos + 2]
            body_pos = pos + HEADER_SIZE
            end = body_pos + length
            if end > size or length > LONGEST:
                break
            stream_id = int.from_bytes(data[pos + 5 : body_pos])
            lane = lanes.get(stream_id)
            if lane is None or lane.message is not messages.get(stream_id):
                lane = self._lane(stream_id, characters, body_pos - begin, end - begin)
            if lane is None or lane.message.is_held:
                break
            window = None if is_partial else lane.window
            if window is not None and (
                shared.size <= length
                or window.size <= length
                or shared.is_waiting
                or window.is_waiting
            ):
                break
            start, content, stop = base + pos, base + body_pos, base + end
            events = lane.events
            found = None
            if events is not None and events.is_between and lane.match is not None:
                found = lane.match(characters, body_pos - begin, end - begin)
            if found is None or events is None:
                records += self._any_content(lane, start, content, data[body_pos:end])
                if window is not None:
                    shared.size -= length
                    window.size -= length
                pos = end
                continue
            text = found[0]
            event_id, event_type, value = found.groups()
            if not text.isascii():
                try:
                    text, value = utf8(text), utf8(value)
                except UnicodeDecodeError:
                    break
                event_id, event_type = event_id and utf8(event_id), event_type and utf8(event_type)
            fields: list[tuple[str, str]] = []
            if event_id is not None:
                fields.append(("id", event_id))
            else:
                event_id = events.last_event_id
            if event_type is not None:
                fields.append(("event", event_type))
            fields.append(("data", value))
            while run < last_run and run_ends[run] <= start:
                run += 1
            whole = arrivals[run] if stop <= run_ends[run] or run == last_run else None
            index = lane.message.advance(start, stop, length)
            first_packet, last_packet, first_time, last_time = whole or place(start, stop)
            records.append(
                lane.data_record(
                    connection, lane.exchange, sender, first_packet, last_packet, first_time,
                    last_time, start, HEADER_SIZE + length, index, length, 0, False,
                    text if keeps_data else None, "utf-8" if keeps_data else None, content,
                )
            )  # fmt: skip
            first_packet, last_packet, first_time, last_time = whole or place(content, stop)
            records.append(
                lane.event_record(
                    connection, lane.exchange, sender, first_packet, last_packet, first_time,
                    last_time, content, length, event_type or "message",
                    value if keeps_data else None, event_id, None, True,
                    fields if keeps_data else None, None, None,
                )
            )  # fmt: skip
            if window is not None:
                shared.size -= length
                window.size -= length
            events.advance(length, event_id)
            assert lane.body is not None
            lane.body.advance_within(content, stop, data[body_pos:end])
            pos = end
        frames.offset += pos - begin
        return pos

    def _any_content(self, lane: Lane, start: int, content: int, piece: bytes) -> list[Record]:
        """Take a frame at ``start`` whose content is not one usual event, as the layers do."""
        writer, message, length = self._writer, lane.message, len(piece)
        stop = content + length
        records: list[Record] = []
        if piece:
            records = message.content(Content(content, stop, piece, None, lane.stream_id))
        text, encoding = text_or_base64(piece) if writer.keeps_data else (None, None)
        records.append(
            lane.data_record(
                writer.connection, lane.exchange, writer.sender, *writer.place(start, stop), start,
                HEADER_SIZE + length, message.advance(start, stop, 0), length, 0, False, text,
                encoding, content,
            )
        )  # fmt: skip
        return in_order(records)

    def settle(self) -> None:
        """They are told of each run of frames when it has been read: nothing is left to tell."""

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where a frame of any kind ends that begins at ``pos``, else the end."""
        if pos + HEADER_SIZE > len(data) or not self._frames.is_between:
            return len(data)
        return min(len(data), pos + HEADER_SIZE + int.from_bytes(data[pos : pos + 3]))

    def _lane(self, stream_id: int, characters: str, start: int, end: int) -> Lane | None:
        """Return what frames of a stream concern, None if they are not for this path."""
        message = self._messages.get(stream_id)
        self._lanes.pop(stream_id, None)
        window = self._flow.streams.get(stream_id)
        if message is None or (window is None and not self._flow.is_partial):
            return None
        if message.body is None and message.tunnel is None:
            return None
        lane = self._lanes[stream_id] = Lane(message, window, stream_id)
        found = (match for match in EVENTS if match(characters, start, end) is not None)
        lane.match = next(found, None)
        return lane
