"""Where a stream may be decoded whose beginning is not in the capture: at what proves itself.

Strategy: a direction is searched for what can only be a stream's middle. A chunk must be followed
by another chunk's size where its own says; two blocks of server-sent events, one after another,
must hold nothing but known fields; WebSocket frames begin where segments do, and two of them at
least must be so plausible that chance is ruled out, counted in bits; headers of HTTP/2 frames must
follow one another, each where the one before says. What came before the first of
them is not decoded: what it meant is not known. Each byte is looked at a few times at most, and at
most MAX_RESYNCHRONISE bytes are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import log2
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..http1.resynchronise import Resynchroniser
from ..limits import MAX_RESYNCHRONISE, MAX_UNDECIDED
from ..provenance import Completion, Ending
from ..records import Framing, Record
from ..sse.resume import BLOCK, DATA_LINE, is_event_stream
from ..streams import ByteStream, Receiver
from .writer import RecordWriter

NEVER = rb"(?!)"
_TWO_BLOCKS = re.compile(rb"\n\r?\n(?=" + BLOCK + BLOCK + rb")")
_EMPTY_LINE = re.compile(rb"\n\r?\n")

# --- WebSocket: bits by which chance is ruled out ---
CERTAIN = 26.0
"""One in 60 million for random bytes at a given place."""
_HEADER_BITS = 5.0
"""Whole messages in one frame, and control frames: 7 of 256 first bytes."""
_MASK_BITS = 1.0
_END_BITS = 8.0
"""A length that ends exactly where a segment does."""
_TEXT_BITS = 1.4
"""A byte of printable text, of which 95 of 256 are."""
_MOST_TEXT_BITS = 14.0
_UNMASKED_BINARY_BITS = 4.0
"""Altogether: other protocols begin messages with such a byte and a length, as MQTT does."""
HTTP2_HEADER = 9
LEAST_FRAMES = 2
"""Frames of HTTP/2 that a connection has at least which is joined in them."""
_FIRST_BYTES = frozenset((0x81, 0x82, 0xC1, 0xC2, 0x88, 0x89, 0x8A))
_TEXT, _CLOSE = 1, 8
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Place(NamedTuple):
    """Where decoding may begin, and with what."""

    framing: Framing
    offset: int
    is_sse: bool

    @property
    def text(self) -> str:
        """What it is, and why that is certain."""
        if self.framing == "close":
            return "server-sent events, certain by two blocks, one after another"
        content = ", whose content is server-sent events" if self.is_sse else ""
        return f"a chunked body{content}, certain by two chunks, one after another"


class ContentSearch:
    """Searches one direction for chunks and for server-sent events."""

    def __init__(self, offset: int) -> None:
        self._begin(offset)

    def _begin(self, offset: int) -> None:
        self._offset = offset  # of the next byte
        self._chunks = Resynchroniser(offset, NEVER, chunks=True, joins=True)
        self._text = bytearray()
        self._from = 0  # in _text

    def receive_data(self, data: bytes) -> Place | None:
        """Search on; return the place once it is certain."""
        self._offset += len(data)
        if (found := self._chunks.receive_data(data, 0)) is not None:
            offset, rest = found
            line, _, content = rest.partition(b"\r\n")
            return Place("chunked", offset, is_event_stream(content[: int(line, 16)]))
        self._text += data
        place = self._search_blocks() if b"\n" in data else None
        self._forget()
        return place

    def receive_gap(self, length: int) -> None:
        """Begin anew after missing bytes."""
        self._begin(self._offset + length)

    def _search_blocks(self) -> Place | None:
        text = self._text
        found = _TWO_BLOCKS.search(text, self._from)
        while found is not None:
            if DATA_LINE.search(found[1]) or DATA_LINE.search(found[2]):
                return Place("close", self._offset - len(text) + found.end(), True)
            found = _TWO_BLOCKS.search(text, found.start() + 1)
        ends = [match.start() for match in _EMPTY_LINE.finditer(text, self._from)]
        self._from = ends[-3] if len(ends) > 2 else self._from
        return None

    def _forget(self) -> None:
        if len(self._text) > MAX_UNDECIDED:
            size = max(self._from, len(self._text) - MAX_UNDECIDED // 2)
            del self._text[:size]
            self._from = max(0, self._from - size)


class Http2Search:
    """Looks for frames of HTTP/2 in one direction, one after another (RFC 9113 section 4.1).

    At most three frames are kept: a place that none follow is none.
    """

    def __init__(self, offset: int) -> None:
        self.start = offset
        """Where frames may begin; they do not before."""
        self._held = bytearray()

    def receive_data(self, data: bytes) -> str:
        """Search on; return why it is certain that they begin at ``start``, empty if it is not."""
        self._held += data
        return self._search(at_end=False)

    def receive_eof(self) -> str:
        """Take note that nothing follows: then fewer frames prove it, if they end with the data."""
        return self._search(at_end=True)

    def receive_gap(self, length: int) -> None:
        """Begin anew after missing bytes."""
        self.start += len(self._held) + length
        self._held.clear()

    @property
    def is_pending(self) -> bool:
        """Whether a frame's header may have come, so that what follows must tell."""
        return len(self._held) >= HTTP2_HEADER

    def _search(self, *, at_end: bool) -> str:
        from ..http2.resume import HEADER_BITS, find_frames  # of HTTP/2, which is rarely joined

        if not self._held:
            return ""
        found, headers = find_frames(self._held, "server", at_end=at_end)
        del self._held[:found]
        self.start += found
        # It was looked for at each of MAX_RESYNCHRONISE places, more than are ever kept.
        bits = headers * HEADER_BITS - log2(MAX_RESYNCHRONISE)
        if headers < LEAST_FRAMES or bits < CERTAIN:
            return ""
        proof = f"{headers} headers, one after another: by chance less than once in 2^{int(bits)}"
        return f"HTTP/2 frames, certain by {proof}"


class FrameSearch:
    """Looks for a chain of WebSocket frames in one direction.

    ``bits`` is how unlikely chance is for the ``frames`` that were found from ``start`` on.
    """

    def __init__(self, offset: int) -> None:
        self._offset = offset  # of the next byte
        self._kept = bytearray()
        self._begin()

    def _begin(self) -> None:
        self.start = self._offset
        self.frames = 0
        self.bits = 0.0
        self.is_masked: bool | None = None
        self._binary_bits = 0.0
        self._kept.clear()
        self._pos = 0  # in _kept, of the next frame

    def receive_data(self, data: bytes) -> None:
        """Go on with the chain, or begin one: ``data`` is a segment's."""
        while True:
            had = bool(self._kept)
            if not had:
                self._begin()
            self._kept += data
            if self._read() and len(self._kept) <= MAX_UNDECIDED:
                break
            self._begin()
            if not had:
                break
        self._offset += len(data)

    def receive_gap(self, length: int) -> None:
        """Begin anew after missing bytes."""
        self._offset += length
        self._begin()

    @property
    def is_pending(self) -> bool:
        """Whether what came last is part of a chain that may go on."""
        return bool(self._kept)

    def _read(self) -> bool:
        """Read the frames that are whole; return whether the chain goes on."""
        kept = self._kept
        while (end := frame_end(kept, self._pos, self.is_masked)) is not None:
            if end < 0:
                return False
            if end > len(kept):
                break
            if not self._count(self._pos, end):
                return False
            self._pos = end
        return True

    def _count(self, pos: int, end: int) -> bool:
        """Count a whole frame; return whether its payload is what its header says."""
        kept = self._kept
        self.is_masked = bool(kept[pos + 1] & 0x80)
        payload = _payload(kept, pos, end)
        bits = _HEADER_BITS + _MASK_BITS + (_END_BITS if end == len(kept) else 0.0)
        opcode = kept[pos] & 0x0F
        if opcode == _TEXT and not kept[pos] & 0x40:
            if not _is_text(payload):
                return False
            bits += min(_MOST_TEXT_BITS, _TEXT_BITS * len(payload))
        elif opcode == _CLOSE and not _is_close(payload):
            return False
        elif not self.is_masked:
            bits = min(bits, _UNMASKED_BINARY_BITS - self._binary_bits)
            self._binary_bits += bits
        self.frames += 1
        self.bits += bits
        return True


def proof_of_frames(first: FrameSearch, second: FrameSearch) -> str:
    """Return why it is certain that two sides send frames, by both together; empty if it is not.

    One of them alone masks its frames (RFC 6455 section 5.1).
    """
    frames, bits = first.frames + second.frames, first.bits + second.bits
    masks = {first.is_masked, second.is_masked} - {None}
    if frames < 2 or bits < CERTAIN or (first.frames and second.frames and len(masks) < 2):
        return ""
    return f"WebSocket frames, certain by {frames}: by chance less than once in 2^{int(bits)}"


def frame_end(data: bytes | bytearray, pos: int, is_masked: bool | None = None) -> int | None:
    """Return where the frame at ``pos`` ends; None if its header is cut, -1 if it is implausible.

    Only frames that are whole messages are plausible, and control frames; their lengths must be in
    the shortest form (RFC 6455 section 5.2).
    """
    head = data[pos : pos + 10]
    if not head:
        return None
    if head[0] not in _FIRST_BYTES:
        return -1
    if len(head) < 2:
        return None
    masked, length, size = bool(head[1] & 0x80), head[1] & 0x7F, 2
    if is_masked not in (None, masked) or (head[0] >= 0x88 and head[0] < 0xC0 and length > 125):
        return -1
    if length >= 126:
        extended, least = (2, 126) if length == 126 else (8, 65_536)
        if len(head) < 2 + extended:
            return None
        size, length = 2 + extended, int.from_bytes(head[2 : 2 + extended])
        if length < least or length > MAX_RESYNCHRONISE:
            return -1
    return pos + size + 4 * masked + length


def _payload(data: bytearray, pos: int, end: int) -> bytes:
    """Return the payload of the frame at [pos, end), unmasked."""
    size = 2 + {126: 2, 127: 8}.get(data[pos + 1] & 0x7F, 0)
    if not data[pos + 1] & 0x80:
        return bytes(data[pos + size : end])
    key = data[pos + size : pos + size + 4]
    masked = data[pos + size + 4 : end]
    return bytes(byte ^ key[index & 3] for index, byte in enumerate(masked))


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return _NO_TEXT.search(payload) is None


def _is_close(payload: bytes) -> bool:
    """Whether this is a close frame's payload (RFC 6455 sections 5.5.1 and 7.4.2)."""
    if not payload:
        return True
    code = int.from_bytes(payload[:2])
    return len(payload) > 1 and 1000 <= code < 5000 and _is_text(payload[2:])


class AwaitedFrame:
    """The receiver of a direction of a WebSocket until a piece of it begins with a frame.

    ``begin`` returns the receiver of the frames of ``exchange`` from an offset on.
    """

    def __init__(
        self,
        stream: ByteStream[Record],
        offset: int,
        writer: RecordWriter,
        begin: Callable[[int], Receiver[Record]],
        exchange: int = 0,
    ) -> None:
        self._stream = stream
        self._offset = offset
        self._writer = writer
        self._begin = begin
        self._exchange = exchange

    def receive_data(self, data: bytes) -> list[Record]:
        start, self._offset = self._offset, self._offset + len(data)
        end = frame_end(data, 0)
        if end is None or end < 0:
            return []
        receiver = self._stream.receiver = self._begin(start)
        return receiver.receive_data(data)

    def receive_gap(self, length: int) -> list[Record]:
        start, self._offset = self._offset, self._offset + length
        return [self._writer.gap(start, length, self._exchange)]

    def pass_over(self, length: int) -> list[Record]:
        """Count missing bytes whose gap is recorded already."""
        self._offset += length
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self._writer.diagnostic(fault, self._exchange, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()
