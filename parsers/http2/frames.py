"""Frames of one direction (RFC 9113 sections 4 and 6): bytes in, whole frames out.

Strategy: the current state is a bound method, as in the decoders of HTTP/1.1. A frame is collected
and given when it is whole, but for the content of DATA, which is given as it comes: an event in it
is complete with the packet that completed it. A header block is one event, whatever it was cut into
(section 4.3). Whether a frame is right by itself (its size, its stream, its padding) is said here;
what depends on others is not.

Missing bytes within a frame cost that frame. Where a border is missing, decoding goes on at the
next place where three frame headers, one after another, can be nothing else; or fewer, if they end
where the bytes do.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import amount, diagnose, excerpt
from ..kept import KeptBytes
from ..limits import (
    MAX_CONTINUATIONS,
    MAX_CONTROL_FRAME,
    MAX_HEADER_BLOCK,
    MAX_KEPT_DATA_FRAME,
)
from ..provenance import CLOSED, Ending, Event
from ..records import Sender
from .elements import (
    ACK,
    CONTINUATION,
    DATA,
    DEFAULT_FRAME_SIZE,
    END_HEADERS,
    FIXED_SIZES,
    GOAWAY,
    HEADER_SIZE,
    HEADERS,
    LARGEST_FRAME_SIZE,
    NAMES,
    OF_CONNECTION,
    OF_STREAM,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Content,
    DataFrame,
    Frame,
    HeaderBlock,
    Lost,
    MissingContent,
)
from .resume import find_frames

_CODES = {
    DATA: "http2-data-invalid",
    HEADERS: "http2-headers-invalid",
    PRIORITY: "http2-priority-invalid",
    RST_STREAM: "http2-rst-stream-invalid",
    SETTINGS: "http2-settings-invalid",
    PUSH_PROMISE: "http2-push-promise-invalid",
    PING: "http2-ping-invalid",
    GOAWAY: "http2-goaway-invalid",
    WINDOW_UPDATE: "http2-window-update-invalid",
    CONTINUATION: "http2-continuation-invalid",
}
MAX_PLACES = 64
"""Pieces that wait whose packets are kept apart."""


class FrameDecoder:
    """Decode the frames of one direction, from ``offset`` on.

    ``is_first`` says that they begin at the connection's beginning: a client's with the preface.
    """

    def __init__(
        self, offset: int, sender: Sender, *, keep_data: bool, is_first: bool = True
    ) -> None:
        self.offset = offset
        """The number of the byte that comes next."""
        self.max_frame_size = DEFAULT_FRAME_SIZE if is_first else LARGEST_FRAME_SIZE
        """The largest SETTINGS_MAX_FRAME_SIZE of the receiver that was ever seen."""
        self._sender = sender
        self._keeps_data = keep_data
        self._is_first = is_first
        self._receive: Callable[[bytes, int, list[Event]], int] = self._read_header
        if is_first and sender == "client":
            self._receive = self._read_preface
        self._base = offset  # of the first byte of the piece at hand
        self._held = bytearray()  # the beginning of a preface or of a header; what is searched
        self._places: list[int] = []
        self._start = offset  # of the open frame
        self._kind = self._flags = self._stream_id = 0
        self._length = 0  # of its payload
        self._left = 0  # bytes of its payload, or of its content, to come
        self._payload = KeptBytes(MAX_CONTROL_FRAME)
        self._is_damaged = False
        self._pad = 0
        self._content_start = 0
        self._content: KeptBytes | None = None
        self._block: bytearray | None = None  # of the open header block
        self._block_start = 0
        self._block_kind = self._block_flags = self._block_stream = self._promised = 0
        self._continuations = 0
        self._is_void = False

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what they completed."""
        events: list[Event] = []
        pos, size = 0, len(data)
        self._base = self.offset
        while pos < size:
            pos = self._receive(data, pos, events)
        self.offset += size
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Take note of missing bytes: they cost the frame they are in, or all up to a proof."""
        events: list[Event] = []
        start, self.offset = self.offset, self.offset + length
        self._base = self.offset
        if self._receive == self._search:
            self._held.clear()
            self._places.clear()
            return events
        if self._receive == self._read_content:
            size = min(length, self._left)
            events.append(MissingContent(start, start + size, self._stream_id))
            self._content = None
            self._left -= size
            length -= size
            start += size
            if not self._left:
                self._end_content(start, events)
        if length and self._receive in (self._read_payload, self._skip_padding):
            size = min(length, self._left)
            self._is_damaged = self._is_damaged or self._receive == self._read_payload
            self._left -= size
            length -= size
            if not self._left:
                self._end_payload(start + size, events)
        if length:
            self._lose(start, events)
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the bytes end inside a frame; take what is searched for what it can be."""
        events: list[Event] = []
        if self._receive == self._search:
            self._find_again(events, at_end=True)
        elif ending in CLOSED and self._open_start < self.offset:
            name = NAMES.get(self._kind, hex(self._kind))
            detail = "in its header" if self._held else f"{name} of {amount(self._length, 'byte')}"
            events.append(diagnose("http2-frame-cut", self._open_start, self.offset, detail))
        return events

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open frame and the open header block begin."""
        if self._receive == self._search:
            return (self.offset, *self._places)
        block = () if self._block is None else (self._block_start,)
        return (self._open_start, *block)

    @property
    def is_between(self) -> bool:
        """Whether the next byte begins a frame that may be any."""
        is_header = self._receive == self._read_header
        return is_header and not self._held and self._block is None and not self._is_first

    @property
    def is_searching(self) -> bool:
        """Whether frames may wait until it is certain where they begin."""
        return self._receive == self._search

    @property
    def _open_start(self) -> int:
        is_between = self._receive in (self._read_header, self._read_preface)
        return self.offset - len(self._held) if is_between else self._start

    def pass_over(self) -> list[Event]:
        """Begin in the middle: at the next place that is certain."""
        events: list[Event] = []
        self._lose(self.offset, events)
        return events

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_preface(self, data: bytes, pos: int, events: list[Event]) -> int:
        held = self._held
        end = pos + len(PREFACE) - len(held)
        held += data[pos:end]
        if held != PREFACE[: len(held)]:
            start = self._base + min(end, len(data)) - len(held)
            said = excerpt(bytes(held))
            events.append(diagnose("http2-preface-invalid", start, start + len(held), said))
            self._is_first = False
        elif len(held) < len(PREFACE):
            return len(data)
        held.clear()
        self._receive = self._read_header
        return min(end, len(data))

    def _read_header(self, data: bytes, pos: int, events: list[Event]) -> int:
        held = self._held
        end = pos + HEADER_SIZE - len(held)
        if held or end > len(data):
            held += data[pos:end]
            if len(held) < HEADER_SIZE:
                return len(data)
            header = bytes(held)
            held.clear()
        else:
            header = data[pos:end]
        self._start = self._base + end - HEADER_SIZE
        self._length = self._left = int.from_bytes(header[:3])
        self._kind, self._flags = header[3], header[4]
        self._stream_id = int.from_bytes(header[5:]) & 0x7FFFFFFF
        self._is_damaged = False
        self._begin(self._base + end, events)
        return end

    def _read_pad(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Read the pad length of a DATA frame (section 6.1)."""
        self._pad = data[pos]
        self._content_start = self._base + pos + 1
        self._left = self._length - 1 - self._pad
        if self._left < 0:
            detail = f"a pad length of {self._pad} in {amount(self._length, 'byte')}"
            events.append(self._fault("http2-data-invalid", detail))
            self._pad, self._left = self._length - 1, 0
        self._receive = self._read_content
        if not self._left:
            self._end_content(self._content_start, events)
        return pos + 1

    def _read_content(self, data: bytes, pos: int, events: list[Event]) -> int:
        piece = data[pos : pos + self._left]
        start = self._base + pos
        self._left -= len(piece)
        if self._content is not None:
            self._content.add(piece)
        events.append(Content(start, start + len(piece), piece, None, self._stream_id))
        if not self._left:
            self._end_content(start + len(piece), events)
        return pos + len(piece)

    def _skip_padding(self, data: bytes, pos: int, events: list[Event]) -> int:
        return self._read_payload(data, pos, events)

    def _read_payload(self, data: bytes, pos: int, events: list[Event]) -> int:
        piece = data[pos : pos + self._left]
        self._left -= len(piece)
        if self._receive == self._read_payload:
            self._payload.add(piece)
        if not self._left:
            self._end_payload(self._base + pos + len(piece), events)
        return pos + len(piece)

    def _search(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Look for the next place that is certain."""
        if len(self._places) < MAX_PLACES:
            self._places.append(self._base + pos)
        self._held += data[pos:]
        offset, self.offset = self.offset, self._base + len(data)
        self._find_again(events)
        self.offset = offset
        return len(data)

    # --- one frame ---

    def _begin(self, end: int, events: list[Event]) -> None:
        """Take a frame's header, which ends at ``end``."""
        kind = self._kind
        self._check_header(events)
        if kind == DATA and self._stream_id:
            self._begin_data(end, events)
            return
        limit = MAX_HEADER_BLOCK if kind in (HEADERS, PUSH_PROMISE, CONTINUATION) else 0
        self._payload = KeptBytes(limit or MAX_CONTROL_FRAME)
        self._receive = self._read_payload
        if not self._length:
            self._end_payload(end, events)

    def _begin_data(self, end: int, events: list[Event]) -> None:
        self._pad = 0
        self._content_start = end
        self._content = KeptBytes(MAX_KEPT_DATA_FRAME) if self._keeps_data else None
        if self._flags & PADDED and self._length:
            self._receive = self._read_pad
            return
        if self._flags & PADDED:
            events.append(self._fault("http2-data-invalid", "without its pad length"))
        self._receive = self._read_content
        if not self._left:
            self._end_content(end, events)

    def _end_content(self, end: int, events: list[Event]) -> None:
        self._left = self._pad
        self._receive = self._skip_padding
        if not self._pad:
            self._end_payload(end, events)

    def _end_payload(self, end: int, events: list[Event]) -> None:
        """Give the frame, which is whole."""
        self._receive = self._read_header
        kind = self._kind
        if kind == DATA and self._stream_id:
            self._end_data(end, events)
            return
        payload, is_whole = self._payload.data, self._payload.is_whole
        if kind in (HEADERS, PUSH_PROMISE, CONTINUATION):
            self._add_block(payload, end, events, is_whole=is_whole and not self._is_damaged)
        elif self._is_damaged:
            events.append(Lost(self._start, end))
        elif (fault := self._wrong_size()) is not None:
            events.append(self._fault(_CODES[kind], fault, end))
        elif not self._is_of_wrong_stream():
            events.append(Frame(self._start, end, kind, self._flags, self._stream_id, payload))

    def _end_data(self, end: int, events: list[Event]) -> None:
        kept, self._content = self._content, None
        content = kept.data if kept is not None and kept.is_whole else None
        has_pad = bool(self._flags & PADDED and self._length)
        padding = self._pad + has_pad
        size = self._length - padding
        events.append(
            DataFrame(
                self._start, end, self._flags, self._stream_id, self._content_start, size, padding,
                content,
            )
        )  # fmt: skip

    # --- what is wrong with a frame by itself ---

    def _check_header(self, events: list[Event]) -> None:
        kind = self._kind
        if self._is_first:
            self._is_first = False
            if kind != SETTINGS or self._flags & ACK:
                detail = f"the first frame is {NAMES.get(kind, hex(kind))}"
                events.append(self._fault("http2-preface-invalid", detail))
        if self._block is not None and (
            kind != CONTINUATION or self._stream_id != self._block_stream
        ):
            detail = f"{NAMES.get(kind, hex(kind))} of stream {self._stream_id} within the header"
            detail += f" block of stream {self._block_stream}"
            events.append(self._fault("http2-continuation-invalid", detail))
            self._void_block(events)
        elif self._is_of_wrong_stream():
            where = "of stream 0" if not self._stream_id else f"of stream {self._stream_id}"
            events.append(self._fault(_CODES[kind], where))
        elif self._length > self.max_frame_size:
            detail = f"{self._length:,} bytes, {self.max_frame_size:,} allowed"
            events.append(self._fault("http2-frame-too-long", detail))

    def _is_of_wrong_stream(self) -> bool:
        return self._kind in (OF_STREAM if not self._stream_id else OF_CONNECTION)

    def _wrong_size(self) -> str | None:
        kind, length = self._kind, self._length
        right = FIXED_SIZES.get(kind, length)
        is_right = length == right
        if kind == SETTINGS:
            is_right = not length if self._flags & ACK else not length % 6
        elif kind == GOAWAY:
            is_right = length >= 8
        return None if is_right else amount(length, "byte")

    def _fault(self, code: str, detail: str, end: int | None = None) -> Event:
        return diagnose(code, self._start, end or self._start + HEADER_SIZE, detail)

    # --- header blocks ---

    def _add_block(self, payload: bytes, end: int, events: list[Event], *, is_whole: bool) -> None:
        """Add what a HEADERS, PUSH_PROMISE or CONTINUATION frame holds of a block."""
        if self._is_of_wrong_stream():
            events.append(Lost(self._start, end))
            return
        if self._kind == CONTINUATION:
            if self._block is None:
                if not self._is_void:
                    detail = f"of stream {self._stream_id} without a header block before it"
                    events.append(self._fault("http2-continuation-invalid", detail))
                return
            self._continuations += 1
        else:
            self._begin_block(payload, events)
            payload = self._fragment(payload, events)
        assert self._block is not None
        self._block += payload
        if not is_whole:
            self._is_void = True
        if self._flags & END_HEADERS:
            self._end_block(end, events)
        elif self._continuations > MAX_CONTINUATIONS or len(self._block) > MAX_HEADER_BLOCK:
            detail = f"{len(self._block):,} bytes in {self._continuations:,} CONTINUATION frames"
            if not self._is_flooded:
                events.append(self._fault("http2-continuation-flood", detail))
            self._is_void = True
            self._block.clear()

    @property
    def _is_flooded(self) -> bool:
        """Whether the open block has passed its limit before."""
        return self._is_void and self._continuations > MAX_CONTINUATIONS + 1

    def _begin_block(self, payload: bytes, events: list[Event]) -> None:
        self._block = bytearray()
        self._block_start, self._block_kind = self._start, self._kind
        self._block_flags, self._block_stream = self._flags, self._stream_id
        self._continuations = self._promised = 0
        self._is_void = False

    def _fragment(self, payload: bytes, events: list[Event]) -> bytes:
        """Return the fragment in a HEADERS or PUSH_PROMISE frame (sections 6.2 and 6.6)."""
        pad = before = 0
        if self._flags & PADDED:
            pad, before = (payload[0] if payload else 0), 1
        if self._kind == HEADERS:
            before += 5 if self._flags & PRIORITY_FLAG else 0
        else:
            self._promised = int.from_bytes(payload[before : before + 4]) & 0x7FFFFFFF
            before += 4
        end = self._length - pad
        if end < before:
            detail = f"{amount(self._length, 'byte')}, {before + pad:,} of them before and after"
            events.append(self._fault(_CODES[self._kind], detail))
            self._is_void = True
        return payload[before : max(end, before)]

    def _end_block(self, end: int, events: list[Event]) -> None:
        block, self._block = bytes(self._block or b""), None
        events.append(
            HeaderBlock(
                self._block_start, end, self._block_kind, self._block_flags, self._block_stream,
                block, self._promised, self._is_void,
            )
        )  # fmt: skip
        self._is_void = False

    def _void_block(self, events: list[Event]) -> None:
        """Give up the open header block."""
        self._is_void = True
        self._end_block(self._start, events)

    # --- after missing bytes ---

    def _lose(self, start: int, events: list[Event]) -> None:
        """Give up what is open: where the next frame begins is not known."""
        if self._block is not None:
            self._void_block(events)
        self._held.clear()
        self._places.clear()
        self._is_first = False
        self._is_void = True  # the rest of a block whose beginning is missing may come
        self._receive = self._search
        events.append(Lost(start, self.offset))

    def _find_again(self, events: list[Event], *, at_end: bool = False) -> None:
        held = self._held
        found, is_proved = find_frames(held, self._sender, at_end=at_end)
        del held[:found]
        place = self.offset - len(held)
        self._places = [one for one in self._places if one >= place]
        if not is_proved:
            return
        data = bytes(held)
        held.clear()
        self._places.clear()
        detail = f"at byte {place:,}"
        events.append(diagnose("http2-resumed", place, place + HEADER_SIZE, detail))
        self._receive = self._read_header
        self._base = place
        pos = 0
        while pos < len(data):
            pos = self._receive(data, pos, events)
