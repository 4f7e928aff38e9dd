"""What in a stream some clients are unprepared for, noted as its records come.

Strategy: of each hazard it is kept how often it came and in which packet first. Borders that a
client reads by are those of chunks, and of runs where a body has no chunks; where packets cut a
chunk is not looked at. An event costs a few tests of its data; what was found is looked for no
longer where once is enough.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence

from parsers.records import BodyElementRecord, ChunkRecord, DataRecord, SseEventRecord

from ..exchange import Exchange
from .blocks import Blocks

LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What Unicode and Python's splitlines take for line ends, and event streams do not."""
UNUSUAL = re.compile("[\n\x0b\x0c\x1c-\x1e]")
"""What of ASCII has to be looked at more closely: a line end is what joins data lines."""
CUT = "unexpected end of data"
"""Why Python's decoder says that bytes end inside a character."""
LOOKED_AT = 64
"""Pieces whose line ends are looked at: a server does not change them."""


class HazardFacts:
    """Of one response."""

    __slots__ = ("_about", "_cr", "_pieces", "found")

    def __init__(self, about: Exchange) -> None:
        self.found: dict[str, list[int]] = {}
        """By code: how often, and the packet that showed it first."""
        self._about = about
        self._pieces = 0
        self._cr = False
        """Whether the last piece ended with CR."""

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        """Return what was noted, where nothing more is looked at."""
        return None, {"found": self.found}

    def event(self, block: SseEventRecord) -> None:
        """Look at a block of an event stream."""
        data = block.data
        if not block.dispatched:
            self._undispatched(block)
        elif data is not None and (not data or not data.isascii() or UNUSUAL.search(data)):
            if not data:
                self._note("empty-data", block.last_packet)
            elif "\n" in data:
                self._note("multi-line-data", block.last_packet)
            self._text(data, block.last_packet)
        if block.first_chunk != block.last_chunk:
            self._note("event-over-chunks", block.last_packet)

    def events(self, several: Blocks) -> None:
        """Look at several blocks: at each only if there is anything to be seen in them."""
        blocks, data = several.blocks, several.data
        if several.are_dispatched and "" not in data:
            text = "".join(filter(None, data))
            is_plain = text.isascii() and len(text.splitlines()) < 2
            if is_plain and True not in [one.first_chunk != one.last_chunk for one in blocks]:
                return
        for block in blocks:
            self.event(block)

    def pieces(self, pieces: Sequence[ChunkRecord | DataRecord]) -> None:
        """Look at several pieces: at each only if there is anything to be seen in them."""
        looked_at = LOOKED_AT - self._pieces
        for piece in pieces[:looked_at]:
            self.piece(piece)
        rest = pieces[looked_at:]
        is_text = {piece.encoding for piece in rest} <= {"utf-8", None}
        if is_text and not self._cr and "\r" not in [(one.data or "")[-1:] for one in rest]:
            return
        for piece in rest:
            self.piece(piece)

    def element(self, element: BodyElementRecord) -> None:
        """Look at an element of another kind."""
        if element.data is not None and element.encoding == "utf-8":
            self._text(element.data, element.last_packet)

    def piece(self, piece: ChunkRecord | DataRecord) -> None:
        """Look at a chunk of an event stream, or a run of one that has no chunks."""
        data = piece.data
        if not data:
            return
        if piece.encoding != "utf-8":
            self._cr = False
            self._cut_character(piece, data)
            return
        if self._cr and data[0] == "\n":
            self._note("crlf-cut", piece.first_packet)
        self._cr = data[-1] == "\r"
        if self._pieces < LOOKED_AT:
            self._pieces += 1
            if "\r" in data:
                self._note("crlf-line-ends", piece.last_packet)

    def _cut_character(self, piece: ChunkRecord | DataRecord, data: str) -> None:
        try:
            b64decode(data).decode()
        except UnicodeDecodeError as error:
            if error.reason == CUT:
                self._note("character-cut", piece.last_packet)

    def _undispatched(self, block: SseEventRecord) -> None:
        names = {name for name, _ in block.fields or ()}
        if names == {""} and block.id:
            self._note("comment-after-id", block.last_packet)
        elif "event" in names and "data" not in names:
            self._note("event-without-data", block.last_packet)

    def _text(self, data: str, packet: int) -> None:
        if LINE_ENDS.search(data):
            self._note("line-separator", packet)
        if not data.isascii():
            content_type = (self._about.header("content-type") or "").strip().lower()
            # JSON is UTF-8, and its media types have no such parameter (RFC 8259 section 11).
            if content_type.startswith("text/") and "charset" not in content_type:
                self._note("no-charset", packet)

    def _note(self, code: str, packet: int) -> None:
        known = self.found.setdefault(code, [0, packet])
        known[0] += 1
