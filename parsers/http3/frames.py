"""Frames of HTTP/3 in one stream (RFC 9114 section 7): bytes in, frames out.

Strategy: a frame is its type, its length and its payload, the first two of variable length. Content
of DATA goes on as it comes; payloads of other frames are kept, within bounds, until they are whole.
After missing bytes decoding goes on where they lay inside one frame; if they held the beginning of
another one, it goes on if a chain of frames proves itself (:mod:`.resume`), else no more of the
stream is read.
"""

from __future__ import annotations

from ..diagnostics import amount, diagnose
from ..http1.chunked import Data
from ..kept import KeptBytes
from ..limits import (
    MAX_CONTROL_FRAME,
    MAX_HEADER_BLOCK,
    MAX_KEPT_DATA_FRAME,
    MAX_RESYNCHRONISE,
)
from ..provenance import Ending, Event
from ..quic.reader import read_varint
from .elements import DATA, HEADERS, NAMES, PUSH_PROMISE, DataFrame, Frame, Lost, MissingContent
from .resume import follow_frames

_BLOCKS = frozenset((HEADERS, PUSH_PROMISE))
_LONGEST_HEADER = 16


class FrameDecoder:
    """Decodes one side's bytes of one stream; ``offset`` is the number of the first one."""

    def __init__(self, offset: int = 0, *, keep_data: bool = True) -> None:
        self.offset = offset
        self._keep_data = keep_data
        self._header = b""
        self._start = offset  # of the open frame
        self._kind: int | None = None
        self._content_start = 0
        self._end = 0
        self._kept = KeptBytes(0)
        self._has_hole = False
        self._is_lost = False
        self._search: bytearray | None = None  # all since missing bytes, while it may be frames
        self._lost_from = 0

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what they completed."""
        search = self._search
        return self._receive(data) if search is None else self._search_on(search, data)

    def _search_on(self, search: bytearray, data: bytes, *, at_end: bool = False) -> list[Event]:
        """Look whether frames begin after the missing bytes: in ``search``, and in ``data``."""
        search += data
        answer = follow_frames(search, at_end=at_end)
        start = self.offset + len(data) - len(search)
        if answer == "unknown" and len(search) <= MAX_RESYNCHRONISE:
            self.offset += len(data)
            return []
        self._search = None
        if answer == "frames":
            self.offset, self._is_lost = start, False
            said = diagnose("http3-resumed", start, start, f"at byte {start:,} of the stream")
            return [said, *self._receive(bytes(search))]
        self.offset += len(data)
        return [diagnose("http3-frames-lost", self._lost_from, start)]

    def _receive(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        begin, pos = self.offset, 0
        self.offset += len(data)
        while not self._is_lost and (pos < len(data) or self._is_complete(begin + pos)):
            if self._kind is None:
                pos = self._read_header(data, pos, begin)
            elif self._is_complete(begin + pos):
                events.append(self._end_frame())
            else:
                pos = self._read_payload(data, pos, begin, events)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Take note that the capture lacks the next ``length`` bytes."""
        start, self.offset = self.offset, self.offset + length
        if self._is_lost and self._search is None:
            return []
        if self._search is not None or self._kind is None or self.offset > self._end:
            if not self._is_lost:
                self._lost_from = start
            held = not self._is_lost and self._kind == DATA and start < self._end
            self._is_lost, self._search = True, bytearray()
            upto, self._kind, self._header = self._end, None, b""
            lost = Lost(start, self.offset)
            return [MissingContent(start, upto), lost] if held else [lost]
        self._has_hole = True
        events: list[Event] = []
        if self._kind == DATA:
            events.append(MissingContent(start, self.offset))
        return events + self.receive_data(b"")

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Take note that nothing follows: a frame that is open then was cut."""
        found: list[Event] = []
        if self._search and ending == "close":
            found = self._search_on(self._search, b"", at_end=True)
        held, self._search = self._search, None
        if held:
            found = [diagnose("http3-frames-lost", self._lost_from, self.offset)]
        is_open = self._kind is not None or self._header
        if self._is_lost or not is_open or ending == "capture-end":
            return found
        if self._kind is None:
            detail = f"after {amount(len(self._header), 'byte')} of its header"
        else:
            left = amount(self._end - self.offset, "byte")
            detail = f"{NAMES.get(self._kind, 'a frame')} lacks {left}"
        self._is_lost = True
        return [*found, diagnose("http3-frame-cut", self._start, self.offset, detail)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        if self._search:
            return (self.offset - len(self._search),)
        return (self._start,) if self._kind is not None or self._header else ()

    def _is_complete(self, offset: int) -> bool:
        return self._kind is not None and offset == self._end

    def _read_header(self, data: bytes, pos: int, begin: int) -> int:
        """Read a frame's type and length, or as much of them as there is."""
        if not self._header:
            self._start = begin + pos
        before = len(self._header)
        header = self._header + data[pos : pos + _LONGEST_HEADER - before]
        kind = read_varint(header, 0)
        size = None if kind is None else read_varint(header, kind[1])
        if kind is None or size is None:
            self._header = header
            return pos + len(header) - before
        self._header = b""
        self._kind = kind[0]
        self._content_start = self._start + size[1]
        self._end = self._content_start + size[0]
        self._has_hole = False
        self._kept = KeptBytes(self._limit(kind[0]))
        return pos + size[1] - before

    def _limit(self, kind: int) -> int:
        if kind == DATA:
            return MAX_KEPT_DATA_FRAME if self._keep_data else 0
        if kind in _BLOCKS:
            return MAX_HEADER_BLOCK
        return MAX_CONTROL_FRAME if kind in NAMES else 0

    def _read_payload(self, data: bytes, pos: int, begin: int, events: list[Event]) -> int:
        end = min(self._end - begin, len(data))
        piece = data[pos:end]
        self._kept.add(piece)
        if self._kind == DATA:
            events.append(Data(begin + pos, begin + end, piece, None))
        return end

    def _end_frame(self) -> Event:
        kind, self._kind = self._kind, None
        assert kind is not None
        is_whole = self._kept.is_whole and not self._has_hole
        start, end = self._start, self._end
        if kind != DATA:
            return Frame(start, end, kind, self._kept.take(), is_whole)
        size = end - self._content_start
        content = self._kept.take() if is_whole and self._keep_data else None
        return DataFrame(start, end, self._content_start, size, content)
