"""One side's byte stream without its content: what takes the place of each of its bytes.

Strategy: each part of the stream is looked at once, as what its records say that it is
(:mod:`...bytes.dissection`), and what takes its place is given with its structure in it. What is
not given, because no record came for it, is masked by whoever writes. Frames are unmasked to be
looked at, and masked again with their key; compressed ones are replaced by some that inflate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter

from parsers import match_chunk_line
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
)

from ...bytes.dissection import MAX_HOLE, ElementStream
from ...exchange import CLOSE, CONTINUATION
from ..secrets import Report
from ..stars import Mask, deflated_stars, xored
from .content import Content, Prefixed, Undeclared, Unknown, content_of, is_coded
from .heads import HEAD_BEGINS, Heads
from .masking import Veil, stars
from .messages import MessageText
from .preface import masked_preface
from .tls import masked_record

START = attrgetter("start")
CLOSE_CODE = 2
"""Bytes of a Close frame's code (RFC 6455 section 5.5.1)."""
TEXT = 1
LINE_END = b"\r\n" + ElementStream.filling
"""What ends a chunk, with what stands for bytes that the capture lacks."""
OTHER_BEGINS = re.compile(rb"([\x14-\x17]\x03[\x00-\x04]\x00)|PRI \* HTTP/2\.0(?:[\r\nSM]{1,10})?")
"""How one side begins that speaks TLS or HTTP/2 although the other does not, or is cut."""
BORDER = re.compile(rb"(?:([\r\n]+)|[^ -~])\Z")
"""What parts a text from what follows: line ends, or a byte that is in no word."""
NOT_COMPRESSED = "websocket-rsv-set"
"""The fault of a frame whose first bits say that it is compressed, which was not agreed on."""
PREFACE = "proxy-protocol"
"""The note of what a proxy says first of whom it speaks for."""
# RFC 6455 section 5.2: FIN, RSV and opcode; MASK and the payload's length in 7, 16 or 64 bits.
FRAME_HEADER = re.compile(
    rb"[\x00-\xff](?:[\x00-\x7d\x80-\xfd]|[\x7e\xfe][\x00-\xff]{2}|[\x7f\xff][\x00-\xff]{8})"
)
FIRST_BYTES = frozenset(
    (0x00, 0x01, 0x02, 0x41, 0x42, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0xC2)
)
"""FIN, RSV1 where compressed messages begin (RFC 7692 section 6), and opcodes."""
SAMPLE_MASK = bytes.fromhex("37fa213d")
"""RFC 6455 section 5.7."""
CHUNK_SIZE = re.compile(rb"[ \t]*0*([0-9A-Fa-f]{1,16})[ \t]*")
LONGEST_SIZE = 8
"""Digits of a chunk's size: no longer one comes to its end, and a text may be made of such."""


class StructureStream(ElementStream):
    """One direction of a connection: bytes in, what takes their place out."""

    __slots__ = (
        "found", "asked", "expected", "_report", "_heads", "_veil", "_content", "_places",
        "_in_compressed", "_is_out_of_step", "_not_compressed", "is_opaque",
    )  # fmt: skip

    def __init__(self, heads: Heads, veil: Veil, report: Report) -> None:
        super().__init__()
        self.found: list[Mask] = []
        """What takes the place of bytes, since it was taken last; not in order."""
        self.asked: str | None = None
        """The key of a WebSocket that was asked for last."""
        self.expected: str | None = None
        """What the other side's answers; None if that is not known."""
        self._report = report
        self._heads = heads
        self._veil = veil
        self._content: Content = Undeclared(veil)
        self._places: list[tuple[int, int, bytes]] = []
        """Where what waits of content lies, and what it is masked with."""
        self.is_opaque = False
        """Whether it carries bytes that are no text: frames, lengths, what is encrypted."""
        self._in_compressed = False
        """Whether the message at hand is compressed."""
        self._is_out_of_step = False
        """Whether what was taken for the header of a frame is none."""
        self._not_compressed = -1
        """Where the last frame begins that is none that RSV1 says to be compressed."""

    @property
    def settled(self) -> int:
        """Up to here nothing more will be given."""
        return self._places[0][0] if self._places else self.done

    def take_masks(self) -> list[Mask]:
        """Return what was given since the last call, in order; what lies side by side as one."""
        taken, self.found = sorted(self.found, key=START), []
        joined: list[Mask] = []
        run: list[bytes] = []
        start = end = -1
        for mask in taken:
            if mask.start != end:
                if run:
                    joined.append(Mask(start, end, b"".join(run)))
                run, start = [], mask.start
            assert mask.data is not None
            run.append(mask.data)
            end = mask.end
        if run:
            joined.append(Mask(start, end, b"".join(run)))
        return joined

    def end(self) -> None:
        """Take note that nothing more comes."""
        self._end_message()

    def _give(self, start: int, data: bytes) -> None:
        if data:
            self.found.append(Mask(start, start + len(data), data))

    # --- HTTP/1.1 ---

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        self._end_message()
        is_accepted = True
        if isinstance(record, RequestRecord):
            self.asked = _value(record, "sec-websocket-key")
        elif self.expected is not None:
            is_accepted = _value(record, "sec-websocket-accept") in (None, self.expected)
        self._give(start, self._heads.masked(data, is_accepted=is_accepted))
        self._content = content_of(record, self._heads, self._veil)
        self._report.left_out += is_coded(record) and record.framing != "none"
        self.is_opaque = self.is_opaque or isinstance(self._content, Prefixed)

    def framing(self, data: bytes, start: int) -> None:
        self._give(start, masked_chunk_line(data))

    def trailers(self, data: bytes, start: int) -> None:
        end = data.find(b"\n") + 1
        self._give(start, masked_chunk_line(data[:end]) + self._heads.fields(data[end:]))

    def content(self, data: bytes, start: int) -> None:
        at = start
        for first, last in self._holes_in(start, start + len(data)):
            self._take_piece(data[at - start : first - start], at, b"")
            self._places.append((first, last, b""))
            self._give_places(self._content.lose(last - first))
            at = last
        self._take_piece(data[at - start :], at, b"")

    def receive_gap(self, length: int) -> list[Record]:
        if length > MAX_HOLE:  # no byte takes its place
            self.hand_on(is_end=True)
            self._give_places(self._content.lose(0))
        return super().receive_gap(length)

    def _has_hole(self, start: int) -> bool:
        """Whether the capture lacks something from ``start`` on."""
        return bool(self.holes) and self.holes[-1][1] > start

    def _holes_in(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield what the capture lacks of [start, end)."""
        if self._has_hole(start):
            for first, last in self.holes:
                if max(first, start) < min(last, end):
                    yield max(first, start), min(last, end)

    def body(self, record: BodyRecord) -> None:
        self._end_message()

    def _take_chunk(self, record: ChunkRecord) -> None:
        if not record.size:
            super()._take_chunk(record)
            return
        self._take_unfinished(record.offset)
        start, end = self.done, record.offset + record.length
        begin = record.content_offset - start
        is_unusual = start != record.offset or record.extension or self._has_hole(record.offset)
        if begin <= 0 or self._places or is_unusual:
            if begin > 0:
                self.framing(self._take(record.content_offset), start)
            self._take_content(record.content_offset + record.size)
            self._take_line_end(end)
            return
        data = self._take(end)  # as nearly all are: at half the cost
        said = data[begin : begin + record.size]
        done = self._content.feed(said)
        if len(done) == len(said):
            self._give(start, data[:begin] + done + data[begin + record.size :])
            return
        self._give(start, data[:begin] + done)
        at = start + begin
        self._places.append((at + len(done), at + len(said), b""))
        self._give(at + len(said), data[begin + record.size :])

    def _take_line_end(self, end: int) -> None:
        """Take what ends a chunk."""
        start = self.done
        if end > start:
            data = self._take(end)
            self._give(start, stars(len(data)) if data.strip(LINE_END) else data)

    def _take_sealed(self, record: TlsRecordRecord) -> None:
        if record.layer == "tcp" and record.stream_id is None:
            self._take_unfinished(record.offset)
            self.is_opaque = True
            start = self.done
            self._give(start, masked_record(self._take(record.offset + record.length), self._veil))

    def _take_piece(self, data: bytes, start: int, key: bytes) -> None:
        """Take content, and give what can be given of it."""
        if not self._places and not key:
            done = self._content.feed(data)
            self._give(start, done)
            if len(done) < len(data):
                self._places.append((start + len(done), start + len(data), key))
            return
        self._places.append((start, start + len(data), key))
        self._give_places(self._content.feed(data))

    def _give_places(self, data: bytes) -> None:
        """Give the next bytes of content where they lie."""
        while data:
            start, end, key = self._places[0]
            size = min(len(data), end - start)
            self._give(start, xored(data[:size], key, 0))
            data = data[size:]
            if start + size == end:
                del self._places[0]
            else:
                self._places[0] = start + size, end, key[size % 4 :] + key[: size % 4]

    def _end_message(self) -> None:
        self._give_places(self._content.end())
        self._content = Undeclared(self._veil)

    def unfinished(self, data: bytes, start: int) -> None:
        if self.is_websocket:
            self._unfinished_frame(data, start)
        elif self.is_in_body:
            self.content(data, start)
        else:
            at = start
            for first, last in self._holes_in(start, start + len(data)):
                self._untold(data[at - start : first - start], at)
                at = last
            self._untold(data[at - start :], at)

    def _untold(self, data: bytes, start: int) -> None:
        """Give the head that begins what no record tells of, or what of it parts it from what
        follows: asterisks could be a method's name."""
        if HEAD_BEGINS.match(data.lstrip(b"\r\n")) is not None:
            self._end_message()
            self._give(start, self._heads.masked(data))
        elif not start and (begun := OTHER_BEGINS.match(data)) is not None:
            self.is_opaque = self.is_opaque or begun[1] is not None
            self._give(start, masked_record(data, self._veil) if begun[1] else begun[0])
        elif start + len(data) < self._end:
            border = BORDER.search(data)
            if border is not None:
                self._give(start + border.start(), border[1] or b"\0")

    def fault(self, record: DiagnosticRecord) -> None:
        if record.code == NOT_COMPRESSED and record.offset is not None:
            self._not_compressed = record.offset
        if record.code == PREFACE and record.offset == self.done and record.length:
            start = self.done
            self._give(start, masked_preface(self._take(start + record.length)))

    # --- WebSocket ---

    def _take_frame(self, record: WebSocketFrameRecord) -> None:
        self._skip(record.offset)  # what a capture lacks, or what is no frame
        if record.offset == self.done and record.content_offset > self.done:
            header = self._take(record.content_offset)
            self._is_out_of_step = header[0] not in FIRST_BYTES
            key = masked_key(bytes.fromhex(record.masking_key or ""))
            self._give(record.offset, masked_header(header[: len(header) - len(key)]) + key)
        super()._take_frame(record)

    def switch_to_websocket(self, response: ResponseRecord) -> None:
        super().switch_to_websocket(response)
        self.is_opaque = True

    def payload(self, record: WebSocketFrameRecord, data: bytes, start: int) -> None:
        self.is_opaque = True  # a stream may begin in the middle of one
        if self._is_out_of_step:
            self._give(start, stars(len(data)))
            return
        found = bytes.fromhex(record.masking_key or "")
        key = masked_key(found)
        data = xored(data, found, 0)
        if record.opcode >= CLOSE:
            self._give(start, xored(self._control(record.opcode, data), key, 0))
            return
        if record.opcode != CONTINUATION:
            self._in_compressed = record.rsv1 and record.offset != self._not_compressed
            self._end_message()
            self._content = MessageText() if record.opcode == TEXT else Unknown()
        if self._in_compressed:
            self._give(start, xored(deflated_stars(len(data), is_last=record.fin), key, 0))
        else:
            if record.fin and not self._places:
                self._give(start, xored(self._content.feed(data) + self._content.end(), key, 0))
                self._content = Unknown()
                return
            self._take_piece(data, start, key)
        if record.fin:
            self._end_message()

    def _control(self, opcode: int, plain: bytes) -> bytes:
        if opcode == CLOSE:
            return plain[:CLOSE_CODE] + stars(len(plain[CLOSE_CODE:]))
        return self._veil.over(plain)  # a Pong answers the Ping that has the same

    def _unfinished_frame(self, data: bytes, start: int) -> None:
        """Give the header of a frame that the capture, or the connection, does not hold whole."""
        header = FRAME_HEADER.match(data)
        if header is None:
            return
        begin = header.end() + 4 * (data[1] >> 7)
        key = masked_key(data[header.end() : begin])
        said = xored(stars(len(data[begin:])), key, 0)
        self._give(start, masked_header(data[: header.end()]) + key + said)


def masked_chunk_line(data: bytes) -> bytes:
    """Return the line before a chunk's data: its size, and what ends it."""
    end = data.find(b"\n") + 1
    if 0 < end < len(data):
        return masked_chunk_line(data[:end]) + stars(len(data) - end)
    size = CHUNK_SIZE.match(data)
    if size is not None and size.end(1) - size.start(1) > LONGEST_SIZE:
        nines = b"9" * (size.end(1) - size.start(1))
        data = data[: size.start(1)] + nines + data[size.end(1) :]
    if match_chunk_line(data) is not None and b";" not in data:
        return data
    said = data.rstrip(b"\r\n")
    kept = b"" if size is None else data[: size.end()]
    if said[len(kept) : len(kept) + 1] == b";":
        kept += b";"
    return kept + stars(len(said) - len(kept)) + data[len(said) :]


def masked_key(key: bytes) -> bytes:
    """Return what takes the place of a frame's key: a stream out of step takes text for one, and
    what is masked with it tells it."""
    return SAMPLE_MASK[: len(key)]


def masked_header(data: bytes) -> bytes:
    """Return the header of a frame, masked if it is none (RFC 6455 section 5.2): of text that a
    stream out of step takes for one, nearly none is."""
    return data if data[0] in FIRST_BYTES else stars(len(data))


def _value(record: RequestRecord | ResponseRecord, name: str) -> str | None:
    return next((value for field, value in record.headers if field.lower() == name), None)
