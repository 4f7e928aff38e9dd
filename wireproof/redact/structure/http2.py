"""One direction of HTTP/2 without its content: frames and header blocks stay, not what they say.

Strategy: bytes of frames are kept as they will be written until nothing more becomes of them.
Content and literals of header blocks are masked there as soon as they come, and content that
turns out to have structure gets it back when that is known. So what is missed is masked.
"""

from __future__ import annotations

import re
from typing import Any

from parsers import UNREADABLE, FieldText, PlacedContent, Plain, rewritten_field
from parsers.records import Record

from ..http2 import Http2Stream, laid_out
from ..http2_content import StreamContent
from ..secrets import Report
from .heads import Heads, masked_name
from .masking import Veil, stars
from .streams import StructureStream

VEILED = (b"last-event-id", b"sec-websocket-key", b"sec-websocket-accept")
"""Fields whose values get other signs than asterisks, which may take more bits than there are."""
PRIORITY, RST_STREAM, PING, GOAWAY, WINDOW_UPDATE, PRIORITY_UPDATE = 2, 3, 6, 7, 8, 16
KEPT = {RST_STREAM: 4, WINDOW_UPDATE: 4, PRIORITY: 5, GOAWAY: 8, PRIORITY_UPDATE: 4}
"""Bytes of payloads that are numbers (RFC 9113 section 6, RFC 9218 section 7.1)."""

# No header of a frame has four such bytes in a row: no length is as large, and no stream's number.
TEXT = re.compile(rb"(?P<preface>PRI \* HTTP/2\.0\r\n\r\nSM\r\n\r\n)|[\t\n\r\x20-\x7e]{4,}")
"""What was taken for frames' headers or settings, and is text, as a stream may be out of step."""


class StructureHttp2Stream(Http2Stream, StructureStream):
    """One direction of a connection, which may turn out to speak HTTP/2."""

    def __init__(self, heads: Heads, veil: Veil, report: Report) -> None:
        super().__init__(heads, veil, report)
        self._image = bytearray()
        """What came of frames, as it will be written."""
        self._untold = bytearray()
        """The same as it came, with zeros for what something else took the place of."""
        self._image_start = 0

    def receive_data(self, data: bytes) -> list[Record]:
        if self._frames is not None:
            self._keep(data)
        return super().receive_data(data)

    def receive_gap(self, length: int) -> list[Record]:
        if self._frames is not None:
            self._keep(bytes(length))
        return super().receive_gap(length)

    def _keep(self, data: bytes) -> None:
        if not self._image:
            self._image_start = self._fed
        self._image += data
        self._untold += data

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
            self._mask_text(upto)
            self._give(self._image_start, bytes(self._image[:upto]))
            del self._image[:upto], self._untold[:upto]
            self._image_start += upto

    def _put(self, start: int, data: bytes) -> None:
        """Let other bytes take the place of some that are kept."""
        begin = start - self._image_start
        self._image[begin : begin + len(data)] = data
        self._tell_of(start, start + len(data))

    def _tell_of(self, start: int, end: int) -> None:
        """Take note that bytes are known to be as they may be written."""
        begin = start - self._image_start
        self._untold[begin : begin + end - start] = bytes(end - start)

    def _mask_text(self, upto: int) -> None:
        """Mask text that nothing took the place of."""
        for match in TEXT.finditer(self._untold, 0, upto):
            if match["preface"] is None:
                self._image[match.start() : match.end()] = stars(len(match[0]))

    # --- what becomes of each part ---

    def new_content(self) -> StreamContent[Any]:
        return StreamContent(StructureStream(self._heads, self._veil, self._report))

    def placed_content(self, content: PlacedContent) -> None:
        self._put(content.start, stars(len(content.data)))
        super().placed_content(content)

    def field(self, field: FieldText) -> None:
        text = field.text
        if not field.is_value:
            masked = masked_name(text)
        elif field.name is None:
            masked = stars(len(text))
        else:
            masked = self._heads.value(field.name, text)
        if field.is_coded and masked != text:
            spans = [(at, at + 1) for at, byte in enumerate(masked) if byte != text[at]]
            spans = [(0, len(text))] if field.name in VEILED else spans
            is_name = not field.is_value
            masked = rewritten_field(text, spans, is_coded=True, is_name=is_name)
        elif field.is_coded:
            for start, end in field.places:
                self._tell_of(start, end)
            return
        for mask in laid_out(masked, field):
            assert mask.data is not None
            self._put(mask.start, mask.data)

    def plain(self, plain: Plain) -> None:
        if plain.kind == PING:
            masked = self._veil.over(plain.data)
        else:
            size = KEPT.get(plain.kind or 0, 0)
            masked = plain.data[:size] + stars(len(plain.data[size:]))
        self._put(plain.start, masked)

    def unread(self, start: int, end: int) -> None:
        self._report.unread += 1
        self._put(start, UNREADABLE * (end - start))
