"""One direction of HTTP/2 without its content: frames and header blocks stay, not what they say.

Strategy: an allowlist. Of what came nothing is written but masks, until the frames tell what it is:
headers, indexes and lengths stay, numbers of control frames, and fields as in HTTP/1.1. Content is
masked, and what of it turns out to have structure gets that back when it is known. A stream may be
out of step, so what reads as a frame may be text: a header or number that can be none is masked.
"""

from __future__ import annotations

import re
from typing import Any

from parsers import (
    UNREADABLE,
    FieldText,
    Plain,
    Syntax,
    rewritten_field,
)
from parsers.records import Record

from ..http2 import Http2Stream, laid_out
from ..http2_content import StreamContent
from ..secrets import Report
from .heads import Heads, masked_name
from .masking import Veil, stars
from .streams import StructureStream

VEILED = (b"last-event-id", b"sec-websocket-key", b"sec-websocket-accept")
"""Fields whose values get other signs than asterisks, which may take more bits than there are."""
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY = range(8)
WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE = 8, 9, 16
KEPT = {RST_STREAM: 4, WINDOW_UPDATE: 4, PRIORITY: 5, GOAWAY: 8, PRIORITY_UPDATE: 4}
"""Bytes of payloads that are numbers (RFC 9113 section 6, RFC 9218 section 7.1)."""
FLAGS = {
    DATA: 0x09, HEADERS: 0x2D, SETTINGS: 0x01, PUSH_PROMISE: 0x0C, PING: 0x01, CONTINUATION: 0x04,
}  # fmt: skip
"""Flags that frames have (RFC 9113 section 6)."""
HEADER_SIZE = 9
"""Bytes of a frame's header (RFC 9113 section 4.1)."""
LARGEST_OTHER = 1 << 16
"""Bytes of a frame of another type: of a larger one nobody knows that it is one."""
OF_CONNECTION = frozenset((SETTINGS, PING, GOAWAY, PRIORITY_UPDATE))
LAST_STREAM = (1 << 24) - 1
"""No connection has so many streams that it had this one."""
SETTING, LARGEST_SETTING = 6, 16
RESERVED, RESERVED_IS = 0x0F0F, 0x0A0A
"""Identifiers of settings that mean nothing (draft-edm-protocol-greasing)."""
TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xfe]{4}")
"""What no number of a frame has in all of its bytes: it is taken for text, in whatever alphabet."""


class StructureHttp2Stream(Http2Stream, StructureStream):
    """One direction of a connection, which may turn out to speak HTTP/2."""

    def __init__(self, heads: Heads, veil: Veil, report: Report) -> None:
        super().__init__(heads, veil, report)
        self._image = bytearray()
        """What takes the place of what came of frames."""
        self._image_start = 0

    def receive_data(self, data: bytes) -> list[Record]:
        if self._frames is not None:
            self._make_room(len(data))
        return super().receive_data(data)

    def receive_gap(self, length: int) -> list[Record]:
        if self._frames is not None:
            self._make_room(length)
        return super().receive_gap(length)

    def _make_room(self, size: int) -> None:
        if not self._image:
            self._image_start = self._fed
        self._image += stars(size)

    def hand_on(self, *, is_end: bool) -> None:
        super().hand_on(is_end=is_end)
        if self._frames is None:
            return
        self.is_opaque = True
        taken, self.found = self.found, []
        for mask in taken:
            if mask.start < self._image_start:  # of what came before its first frame
                self.found.append(mask)
            else:
                assert mask.data is not None
                self._put(mask.start, mask.data)
        upto = (self._fed if is_end else self.settled) - self._image_start
        if upto > 0:
            self._give(self._image_start, bytes(self._image[:upto]))
            del self._image[:upto]
            self._image_start += upto

    def _put(self, start: int, data: bytes) -> None:
        """Let other bytes take the place of some that are kept."""
        begin = start - self._image_start
        self._image[begin : begin + len(data)] = data

    # --- what becomes of each part ---

    def new_content(self) -> StreamContent[Any]:
        return StreamContent(StructureStream(self._heads, self._veil, self._report))

    def field(self, field: FieldText) -> None:
        text = field.text
        if not field.is_value:
            masked = masked_name(text)
        elif field.name is None:
            masked = stars(len(text))
        else:
            masked = self._heads.value(field.name, text)
        if masked == text:
            return  # it stands there with the rest of its block
        if field.is_coded:
            spans = [(at, at + 1) for at, byte in enumerate(masked) if byte != text[at]]
            spans = [(0, len(text))] if field.name in VEILED else spans
            is_name = not field.is_value
            masked = rewritten_field(text, spans, is_coded=True, is_name=is_name)
        for mask in laid_out(masked, field):
            assert mask.data is not None
            self._put(mask.start, mask.data)

    def syntax(self, syntax: Syntax) -> None:
        self._put(syntax.start, masked_header(syntax.data) if syntax.is_header else syntax.data)

    def plain(self, plain: Plain) -> None:
        if plain.kind == PING:
            masked = self._veil.over(plain.data)
        elif plain.kind == SETTINGS:
            masked = masked_settings(plain.data)
        else:
            size = KEPT.get(plain.kind or 0, 0)
            masked = _numbers(plain.data[:size]) + stars(len(plain.data[size:]))
        self._put(plain.start, masked)

    def unread(self, start: int, end: int) -> None:
        self._report.unread += 1
        self._put(start, UNREADABLE * (end - start))


def masked_header(header: bytes) -> bytes:
    """Return the header of a frame: its length, its type, the flags that it has, and its stream;
    masked if it can be none, or if the capture lacks its end."""
    if len(header) < HEADER_SIZE:
        return stars(len(header))
    size, kind, stream = header[:3], header[3], header[5:]
    is_known = kind in FLAGS or kind in KEPT
    most = 0 if kind in OF_CONNECTION else LAST_STREAM
    is_large = int.from_bytes(size) > LARGEST_OTHER and not is_known
    if is_large or int.from_bytes(stream) > most or TEXT.search(header) is not None:
        return stars(len(header))
    return size + bytes((kind, header[4] & FLAGS.get(kind, 0))) + stream


def masked_settings(payload: bytes) -> bytes:
    """Return settings, those that are defined with their values (RFC 9113 section 6.5.1)."""
    whole = len(payload) // SETTING * SETTING
    found = (_setting(payload[at : at + SETTING]) for at in range(0, whole, SETTING))
    return b"".join(found) + stars(len(payload) - whole)


def _setting(entry: bytes) -> bytes:
    kind = int.from_bytes(entry[:2])
    if kind <= LARGEST_SETTING:
        return entry[:2] + _numbers(entry[2:])
    is_reserved = kind & RESERVED == RESERVED_IS
    return (entry[:2] if is_reserved else bytes(2)) + bytes(4)


def _numbers(data: bytes) -> bytes:
    """Return numbers of four bytes; zeros in the place of text."""
    words = (data[at : at + 4] for at in range(0, len(data), 4))
    return b"".join(bytes(4) if TEXT.fullmatch(word) else word for word in words)
