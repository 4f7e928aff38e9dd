"""Where in one side's byte stream the secrets are: the same ones as in its records.

Strategy: a :class:`Stream` is the receiver of one direction of TCP. It keeps the bytes that no
record has told the meaning of yet, up to MAX_WAITING, and is then told of each head, chunk, frame
and body with its place. Those say what the bytes are, and which part of them is looked at how.
Bytes that no record comes for (what is unfinished where the capture ends, protocols that are not
decoded) are looked at as they stand. Each byte is looked at once; what is kept is what waits, and
the places of the masks.

A payload whose coding hides what it holds is masked whole. Under permessage-deflate what takes its
place inflates to asterisks, so that the messages behind it can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from parsers.limits import KiB, MiB
from parsers.provenance import Completion, Ending
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
)

from ..selection import field_value, transport_of
from .content import ContentFinder
from .fields import secret_spans
from .records import CLOSE, CONTINUATION, is_coded
from .secrets import MASK, Policy, Report, Span, find, merged

MAX_WAITING = 17 * MiB
"""Bytes that wait for the record that tells what they are: a chunk or frame as long as is kept."""
MAX_UNTOLD = 256 * KiB
"""The same on a connection of which there has been no record: what is unknown stays unknown."""
MAX_HOLE = 64 * KiB
"""A hole in the capture up to here is filled with zeros; a larger one ends what waits."""

STAR = MASK.encode()

# field-line = field-name ":" OWS field-value OWS, and obs-fold (RFC 9112 sections 5 and 5.2).
FIELD_LINE = re.compile(
    r"^([^\r\n:]{1,256}):[ \t]*((?:[^\r\n]|\r?\n[ \t]|\r(?!\n))*+)", re.MULTILINE
)
# RFC 6455 section 5.2: FIN, RSV and opcode; MASK and the payload's length in 7, 16 or 64 bits.
FRAME_HEADER = re.compile(
    rb"[\x00-\xff](?:[\x00-\x7d\x80-\xfd]|[\x7e\xfe][\x00-\xff]{2}|[\x7f\xff][\x00-\xff]{8})"
)
LINE_TEXT = re.compile(r"[^\r\n]+")


class Mask(NamedTuple):
    """What takes the place of [start, end) of a stream."""

    start: int
    end: int
    data: bytes | None
    """None for asterisks."""


class Stream:
    """One direction of a connection: bytes in, masks out."""

    def __init__(self, policy: Policy, report: Report) -> None:
        self._policy = policy
        self._report = report
        self.masks: list[Mask] = []
        """In order."""
        self.done = 0
        """Up to here it is known what is secret."""
        self._raw = bytearray()
        """What follows."""
        self._finder = ContentFinder(is_event_stream=False)
        self._has_been_told = False
        self._is_coded = False
        self._is_in_body = False
        """Whether what comes is content that no chunk's record will tell of."""
        self._is_chunked = False
        self._is_websocket = False
        self._in_compressed_message = False

    # --- the receiver of a direction of TCP ---

    def receive_data(self, data: bytes) -> list[Record]:
        self._raw += data
        return []

    def receive_gap(self, start: int, end: int) -> list[Record]:
        if end - start <= MAX_HOLE:
            self._raw += bytes(end - start)
        else:
            self.look_at_rest(is_end=True)
            self.done = end
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    def receive_fault(self, fault: object, shown: Completion) -> list[Record]:
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()

    # --- what records tell ---

    def take(self, record: Record) -> None:
        """Take the next record of this direction; kinds that tell nothing are passed over."""
        match record:
            case RequestRecord() | ResponseRecord():
                self._look_at_unfinished(record.offset)
                self._head(record)
            case ChunkRecord():
                self._chunk(record)
            case BodyRecord():
                self._content(record.offset + record.length)
                self._is_in_body = self._is_chunked = False
            case WebSocketFrameRecord():
                self._frame(record)
            case _:
                return
        self._has_been_told = True

    def switch_to_websocket(self) -> None:
        """Take note that what comes next are frames."""
        self._is_websocket, self._is_in_body = True, False

    def look_at_rest(self, *, is_end: bool) -> None:
        """Look at what need not wait for a record; at the end, at all that waits."""
        end = self.done + len(self._raw)
        if self._is_in_body and not self._is_chunked:
            self._content(end)
        elif self._policy == "headers" and (self._is_in_body or self._is_websocket):
            self._skip(end)
        elif is_end or len(self._raw) > (MAX_WAITING if self._has_been_told else MAX_UNTOLD):
            self._look_at_unfinished(end)

    def _head(self, record: RequestRecord | ResponseRecord) -> None:
        """Look at a head's lines, and learn of what kind the content behind it is."""
        text, start = self._text_of(record.offset, record.offset + record.length)
        end_of_line = text.find("\n") + 1
        if self._policy == "all":
            self._mask(_start_line_spans(text[:end_of_line], record), start)
        self._field_lines(text[end_of_line:], start + end_of_line)
        self._skip(record.offset + record.length)
        self._is_coded = is_coded(record.headers)
        if isinstance(record, RequestRecord):
            framing, transport = _request_framing(record), None
        else:
            framing, transport = record.framing, transport_of(record)
        self._finder = ContentFinder(is_event_stream=transport == "sse")
        self._is_in_body = framing in ("chunked", "content-length", "close")
        self._is_chunked = framing == "chunked"

    def _chunk(self, record: ChunkRecord) -> None:
        end = record.offset + record.length
        if not record.size:
            text, start = self._text_of(record.offset, end)
            line = text.find("\n") + 1
            if self._policy == "all":
                self._mask(find(text[:line].rstrip("\r\n")), start)
            self._field_lines(text[line:], start + line)
            self._skip(end)
            return
        begin = end - 2 - record.size
        if self._policy == "all":
            text, start = self._text_of(record.offset, begin)
            self._mask(find(text.rstrip("\r\n")), start)
        self._skip(begin)
        self._content(end - 2)
        self._skip(end)

    def _frame(self, record: WebSocketFrameRecord) -> None:
        end = record.offset + record.length
        start = end - record.payload_length
        self._skip(start)
        if self._policy != "all" or not record.payload_length or start < self.done:
            self._skip(end)
            return
        is_control = record.opcode >= CLOSE
        is_compressed = not is_control and (
            record.rsv1 or (record.opcode == CONTINUATION and self._in_compressed_message)
        )
        if not is_control:
            self._in_compressed_message = is_compressed and not record.fin
        key = bytes.fromhex(record.masking_key or "00000000")
        if is_compressed:
            self._report.left_out += 1
            stars = deflated_stars(record.payload_length, is_last=record.fin)
            self.masks.append(Mask(start, end, xored(stars, key, 0)))
        else:
            self._payload(start, end, key, is_control=is_control)
        self._skip(end)

    def _payload(self, start: int, end: int, key: bytes, *, is_control: bool) -> None:
        payload = xored(bytes(self._raw[: end - start]), key, 0).decode("latin-1")
        spans = find(payload) if is_control else self._finder.feed(payload)
        for first, last in self._counted(spans):
            stars = xored(STAR * (last - first), key, first)
            self.masks.append(Mask(start + first, start + last, stars))

    def _unfinished_frame(self, end: int) -> None:
        """Look at a frame that the capture, or the connection, does not hold whole."""
        header = FRAME_HEADER.match(self._raw)
        if header is None:
            return
        is_masked, is_compressed = self._raw[1] >> 7, self._raw[0] & 0x40
        start = self.done + header.end() + 4 * is_masked
        key = bytes(self._raw[header.end() : start - self.done]) if is_masked else bytes(4)
        is_control = self._raw[0] & 0x0F >= CLOSE
        self._skip(min(start, end))
        if is_compressed or (self._in_compressed_message and not is_control):
            self.masks.append(Mask(self.done, end, None))
        elif self.done < end:
            self._payload(self.done, end, key, is_control=is_control)

    def _content(self, end: int) -> None:
        """Look at the content of a body, as far as ``end``."""
        if end <= self.done:
            return
        if self._policy == "all" and self._is_coded:
            self._report.left_out += 1
            self.masks.append(Mask(self.done, end, None))
        elif self._policy == "all":
            text, start = self._text_of(self.done, end)
            self._mask(self._finder.feed(text), start)
        self._skip(end)

    def _look_at_unfinished(self, end: int) -> None:
        """Look at bytes of which no record tells what they are."""
        if end <= self.done:
            return
        text, start = self._text_of(self.done, end)
        if self._policy == "all" and self._is_websocket:
            self._unfinished_frame(end)
        elif self._policy == "all" and self._is_coded and self._is_in_body:
            self.masks.append(Mask(start, end, None))
        else:
            self._field_lines(text, start)
            if self._policy == "all":
                self._mask(self._finder.feed(text), start)
        self._skip(end)

    # --- helpers ---

    def _text_of(self, start: int, end: int) -> tuple[str, int]:
        """Return what waits of [start, end), a character for each byte, and where that begins."""
        start = max(start, self.done)
        raw = self._raw[start - self.done : max(end - self.done, 0)]
        return raw.decode("latin-1"), start

    def _skip(self, end: int) -> None:
        if end > self.done:
            del self._raw[: end - self.done]
            self.done = end

    def _field_lines(self, text: str, start: int) -> None:
        for span in field_line_spans(text, self._policy):
            self._mask([span], start)

    def _mask(self, spans: list[Span], offset: int) -> None:
        for start, end in self._counted(spans):
            self.masks.append(Mask(offset + start, offset + end, None))

    def _counted(self, spans: list[Span]) -> list[Span]:
        found = merged(spans)
        self._report.masked += len(found)
        return found


def field_line_spans(text: str, policy: Policy) -> Iterator[Span]:
    """Yield which parts of a text that holds field lines are secret, without their line ends."""
    for match in FIELD_LINE.finditer(text):
        base = match.start(2)
        for start, end in secret_spans(match[1], match[2].rstrip(" \t"), policy):
            for line in LINE_TEXT.finditer(text, base + start, base + end):
                yield line.span()


def _start_line_spans(line: str, record: RequestRecord | ResponseRecord) -> list[Span]:
    """Return the secrets of a target or a reason, as they stand in the start line."""
    shown = record.target if isinstance(record, RequestRecord) else record.reason
    if not shown:
        return []
    first = line.find(" ") + 1
    last = line.rfind(" ") if isinstance(record, RequestRecord) else len(line.rstrip("\r\n"))
    return [(first + start, first + end) for start, end in find(line[first:last])]


def _request_framing(record: RequestRecord) -> str:
    if field_value(record.headers, "transfer-encoding") is not None:
        return "chunked"
    length = field_value(record.headers, "content-length") or "0"
    return "none" if length.strip() == "0" else "content-length"


def xored(data: bytes, key: bytes, phase: int) -> bytes:
    """Return a payload masked or unmasked (RFC 6455 section 5.3); ``phase`` is its first byte's."""
    if not any(key):
        return data
    size = len(data)
    turned = key[phase % 4 :] + key[: phase % 4]
    pad = (turned * (size // 4 + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(size)


def deflated_stars(size: int, *, is_last: bool) -> bytes:
    """Return ``size`` bytes that inflate to asterisks, as a part of a compressed message.

    The last part lacks the empty block that RFC 7692 section 7.2.1 has a sender leave out; any
    other one ends with it, so that the next one begins at a byte. Parts of less than six bytes
    that are not the last have no room for that: asterisks, which do not inflate.
    """
    empty = b"" if is_last else b"\x00\x00\xff\xff"
    room = size - len(empty)
    if room < 1 or (room < 2 and not is_last):
        return STAR * size
    if room == 1:
        return b"\x00"
    # RFC 1951 section 3.2.6: a block with fixed Huffman codes, in which "*" is the code 01011010,
    # end-of-block 0000000; then the header of an empty stored block.
    bits = "010" + "01011010" * (room - 2) + "0000000" + "000"
    bits += "0" * (8 * room - len(bits))
    packed = int(bits[::-1], 2).to_bytes(room, "little")
    return packed + empty
