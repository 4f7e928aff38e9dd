"""WebSocket messages of one direction: frames put together, inflated and checked.

Strategy: a :class:`MessageDecoder` is told of each frame, and of each part of a long one, and
adds what it needs: which message is open (RFC 6455 section 5.4), what permessage-deflate makes
of the payload, whether text is UTF-8 so far (section 8.1). A message that is one small frame,
not compressed, is made at once. UTF-8 is checked as it comes, three bytes at most being kept
for the next part, so that invalid text is reported with the frame that makes it certain; one
report for a message. The first ``MAX_MESSAGE`` bytes of a message are kept, in one buffer.

A message is given when its last frame is there, with the data that is certain: up to the first
byte that is missing from the capture, cannot be inflated or is past a limit; a diagnostic before
it says so. :class:`WebSocketDecoder` joins frames and messages into the decoder of a direction.
"""

from __future__ import annotations

import codecs

from ..diagnostics import diagnose
from ..limits import INFLATER_COST, MAX_FRAGMENTS, MAX_MESSAGE, PART_SIZE
from ..memory import Memory
from ..provenance import Element, Ending, Event
from ..records import MessageType, Sender
from .deflate import DeflateParameters, Inflater
from .frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPCODE_NAMES,
    TEXT,
    Frame,
    Framed,
    FrameDecoder,
    Part,
)


class Message(Element, frozen=True):
    """One message (RFC 6455 section 5.6), from its first frame to its last.

    Control frames may lie between them.
    """

    start: int
    end: int
    type: MessageType
    size: int
    """Of the whole message in bytes, inflated; as far as it could be inflated."""
    data: bytes
    """Inflated, text in UTF-8 as it was sent; empty if data are not kept."""
    frames: int
    compressed: bool


class _OpenMessage:
    """A message whose last frame has not come."""

    __slots__ = (
        "start", "type", "compressed", "frames", "framed", "taken", "kept", "rest", "checked",
        "limited", "lost",
    )  # fmt: skip

    def __init__(self, start: int, kind: MessageType, compressed: bool, checked: bool) -> None:
        self.start = start
        self.type = kind
        self.compressed = compressed
        self.frames = 0
        self.framed = 0  # payload bytes of all frames
        self.taken = 0  # bytes of the message, inflated
        self.kept = bytearray()
        self.rest = b""  # the beginning of a character
        self.checked = checked  # is text, and UTF-8 so far
        self.limited = False
        self.lost = False  # some of it is missing: what follows is not taken


class MessageDecoder:
    """Put the messages of one sender together from its frames, in order."""

    __slots__ = ("_message", "_inflater", "_keep_data", "_closed")

    def __init__(
        self,
        sender: Sender,
        deflate: DeflateParameters | None = None,
        *,
        keep_data: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self._message: _OpenMessage | None = None
        self._inflater = deflate.inflater(sender, memory) if deflate is not None else None
        self._keep_data = keep_data
        self._closed = False  # a close frame was sent

    @property
    def is_between(self) -> bool:
        """Whether the next frame may begin a message."""
        return self._message is None and not self._closed

    @property
    def held(self) -> int:
        """What is kept of the open message, and of the window that it refers to, in bytes."""
        message = self._message
        kept = 0 if message is None else len(message.kept)
        return kept if self._inflater is None else kept + INFLATER_COST

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open message begins."""
        return () if self._message is None else (self._message.start,)

    def receive_frame(self, frame: Frame, events: list[Event]) -> None:
        """Take a frame, after its parts; append what it breaks and the message it completes."""
        opcode = frame.opcode
        payload = frame.payload
        # The most common case: a whole message in a small frame that breaks no rule.
        if (
            frame.fin
            and CONTINUATION < opcode <= BINARY
            and payload is not None
            and frame.payload_length <= PART_SIZE
            and not frame.rsv1
            and self._message is None
            and not self._closed
        ):
            if opcode == TEXT and not payload.isascii():
                _check_text(payload, frame, events)
            events.append(
                Message(
                    frame.start,
                    frame.end,
                    "text" if opcode == TEXT else "binary",
                    frame.payload_length,
                    payload if self._keep_data else b"",
                    1,
                    False,
                )
            )
        else:
            self._receive_any_frame(frame, events)

    def receive_part(self, part: Part, events: list[Event]) -> None:
        """Take a part of the payload of a frame that is still coming."""
        if self._closed:
            return  # the frame is reported when it is whole
        if part.is_first:
            self._begin_frame(part, events)
        message = self._message
        if message is None or message.lost:
            return
        if part.data is None:
            self._lose(message)
        elif message.compressed and self._inflater is not None:
            for data in self._inflater.inflate(part.data):
                self._take(message, data, part, events)
            self._report_inflater(self._inflater, message, part, events)
        else:
            self._take(message, part.data, part, events)

    def receive_eof(self, offset: int) -> list[Event]:
        """Say so if the stream ends, at ``offset``, inside a fragmented message."""
        message = self._message
        if message is None:
            return []
        detail = f"after {message.frames:,} frames"
        return [diagnose("websocket-message-cut", message.start, offset, detail)]

    def _receive_any_frame(self, frame: Frame, events: list[Event]) -> None:
        if self._closed:
            name = OPCODE_NAMES[frame.opcode]
            detail = f"a {name} frame"
            events.append(diagnose("websocket-data-after-close", frame.start, frame.end, detail))
        elif frame.opcode == CLOSE:
            self._closed = True
            if self._message is not None:
                events.append(diagnose("websocket-message-abandoned", frame.start, frame.end))
                self._message = None
        elif frame.opcode <= BINARY:
            payload = frame.payload
            if payload is not None and frame.payload_length <= PART_SIZE:
                part = Part(frame.start, frame.end, frame.opcode, frame.rsv1, True, payload)
                self.receive_part(part, events)
            if self._message is not None:
                self._end_frame(self._message, frame, events)

    # --- which message a frame belongs to (RFC 6455 section 5.4) ---

    def _begin_frame(self, part: Part, events: list[Event]) -> None:
        message = self._message
        if part.opcode == CONTINUATION:
            if message is None:
                events.append(diagnose("websocket-continuation-unexpected", part.start, part.end))
                return
        else:
            if message is not None:
                detail = f"a {OPCODE_NAMES[part.opcode]} frame after {message.frames:,} frames"
                events.append(
                    diagnose("websocket-continuation-expected", part.start, part.end, detail)
                )
                self._lose(message)
            message = self._message = self._open_message(part)
        message.frames += 1
        if message.frames == MAX_FRAGMENTS + 1:
            detail = f"more than {MAX_FRAGMENTS:,} frames"
            events.append(diagnose("websocket-fragment-limit", part.start, part.end, detail))

    def _open_message(self, part: Part) -> _OpenMessage:
        """Open a message; what RSV1 means without permessage-deflate is not known."""
        is_text = part.opcode == TEXT
        compressed = part.rsv1 and self._inflater is not None
        if compressed and self._inflater is not None:
            self._inflater.begin()
        checked = is_text and (compressed or not part.rsv1)
        return _OpenMessage(part.start, "text" if is_text else "binary", compressed, checked)

    def _end_frame(self, message: _OpenMessage, frame: Frame, events: list[Event]) -> None:
        """Count the frame, and give the message if this was its last one."""
        message.framed += frame.payload_length
        if not frame.fin:
            return
        self._message = None
        if message.compressed and not message.lost and self._inflater is not None:
            for data in self._inflater.finish():
                self._take(message, data, frame, events)
            self._report_inflater(self._inflater, message, frame, events)
        if message.checked and message.rest and not message.lost:
            detail = f"the last character lacks bytes after byte {message.taken - 1}"
            events.append(diagnose("websocket-utf8-invalid", frame.start, frame.end, detail))
        size = message.taken if message.compressed else message.framed
        events.append(
            Message(
                message.start,
                frame.end,
                message.type,
                size,
                bytes(message.kept),
                message.frames,
                message.compressed,
            )
        )

    # --- the content of a message ---

    def _take(
        self, message: _OpenMessage, data: bytes, source: Frame | Part, events: list[Event]
    ) -> None:
        """Keep and check the next bytes of the message, inflated."""
        taken = message.taken
        message.taken += len(data)
        if self._keep_data and taken < MAX_MESSAGE:
            message.kept += data[: MAX_MESSAGE - taken]
        if message.taken > MAX_MESSAGE and not message.limited:
            message.limited = True
            detail = f"more than {MAX_MESSAGE:,} bytes"
            events.append(diagnose("websocket-message-limit", source.start, source.end, detail))
        if message.checked and (message.rest or not data.isascii()):
            before = taken - len(message.rest)
            rest = _check_text(message.rest + data, source, events, before, is_end=False)
            message.checked = rest is not None
            message.rest = rest or b""

    def _lose(self, message: _OpenMessage) -> None:
        """Take no more of the message: the rest of it, or some of it, is missing."""
        message.lost = True
        if message.compressed and self._inflater is not None:
            self._inflater.abandon()

    def _report_inflater(
        self,
        inflater: Inflater,
        message: _OpenMessage,
        source: Frame | Part,
        events: list[Event],
    ) -> None:
        message.lost = inflater.is_stopped
        for code, detail in inflater.faults:
            events.append(diagnose(code, source.start, source.end, detail))
        inflater.faults.clear()


def _check_text(
    data: bytes, source: Frame | Part, events: list[Event], before: int = 0, is_end: bool = True
) -> bytes | None:
    """Return the unfinished character at the end of text; None if it is not UTF-8.

    ``before`` is the place of ``data`` in the message. Python's strict decoder is RFC 3629's: no
    surrogates, nothing above U+10FFFF, no long forms. It says so at the first byte that cannot
    be, but for surrogates (ED A0 to ED BF), for which it waits for the third byte.
    """
    try:
        _, used = codecs.utf_8_decode(data, "strict", is_end)
        rest = data[used:]
        if not rest.startswith(b"\xed") or rest[1:] < b"\xa0":
            return rest
        place, reason = used, "surrogate"
    except UnicodeDecodeError as error:
        place, reason = error.start, error.reason
    detail = f"{reason} in byte {before + place:,} of the message, {data[place]:#x}"
    events.append(diagnose("websocket-utf8-invalid", source.start, source.end, detail))
    return None


class WebSocketDecoder:
    """Decode what ``sender`` sent after the opening handshake: frames, messages and faults.

    ``deflate`` is what the handshake agreed. Without ``keep_data``, payloads and messages are
    checked and counted, but not given. A frame's own faults come before it, then the frame, then
    what it does to its message, then the message that it ends.
    """

    __slots__ = ("_frames", "_messages", "_keep_data")

    def __init__(
        self,
        sender: Sender,
        offset: int = 0,
        deflate: DeflateParameters | None = None,
        *,
        keep_data: bool = True,
        memory: Memory | None = None,
    ) -> None:
        is_deflated = deflate is not None
        self._frames = FrameDecoder(sender, offset, deflate=is_deflated, keep_data=keep_data)
        self._messages = MessageDecoder(sender, deflate, keep_data=keep_data, memory=memory)
        self._keep_data = keep_data

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what they completed."""
        return self._with_messages(self._frames.receive_data(data))

    def receive_gap(self, length: int) -> list[Event]:
        """Go on if only payload of the open frame is missing; else say that framing is lost."""
        return self._with_messages(self._frames.receive_gap(length))

    def lacks_more(self, length: int) -> bool:
        """Whether a gap costs more than payload of the open frame, and so its borders."""
        return self._frames.lacks_more(length)

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the stream ends inside a frame or a fragmented message."""
        events: list[Event] = [*self._frames.receive_eof(ending)]
        if ending != "capture-end" and not self._frames.is_lost:
            events += self._messages.receive_eof(self._frames.offset)
        return events

    @property
    def held(self) -> int:
        """What is kept of the open frame and of the open message, in bytes."""
        return self._frames.held + self._messages.held

    @property
    def offset(self) -> int:
        """The number of the byte that comes next."""
        return self._frames.offset

    @property
    def is_between(self) -> bool:
        """Whether the next byte begins a frame that may be a message."""
        return self._frames.is_between and self._messages.is_between

    def advance(self, length: int) -> None:
        """Pass over frames that another has read, and that are whole messages."""
        self._frames.advance(length)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open frame, its open part and the open message begin, and a header ends."""
        return self._frames.open_offsets + self._messages.open_offsets

    def _with_messages(self, found: list[Framed]) -> list[Event]:
        """Return frames and faults, each frame followed by what it does to its message."""
        events: list[Event] = []
        receive_frame = self._messages.receive_frame
        for item in found:
            if isinstance(item, Frame):
                events.append(item if self._keep_data else _without_payload(item))
                receive_frame(item, events)
            elif isinstance(item, Part):
                self._messages.receive_part(item, events)
            else:
                events.append(item)
        return events


def _without_payload(frame: Frame) -> Frame:
    """Return the frame as it is given if data are not kept."""
    return Frame(
        frame.start,
        frame.end,
        frame.fin,
        frame.rsv1,
        frame.rsv2,
        frame.rsv3,
        frame.opcode,
        frame.masked,
        frame.masking_key,
        frame.payload_length,
        None,
        frame.close_code,
        frame.close_reason,
    )
