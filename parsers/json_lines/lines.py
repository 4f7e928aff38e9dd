"""JSON lines, also called NDJSON: a JSON value a line (jsonlines.org, github.com/ndjson).

Strategy: a raw LF cannot stand in a JSON value that is written on one line, so a line's end is the
value's end, and one search finds it. Between two pieces only the unfinished line is kept, up to
``MAX_KEPT_JSON_VALUE``. After missing bytes the next line end is certain.
"""

from __future__ import annotations

import codecs

from ..diagnostics import diagnose
from ..limits import MAX_KEPT_JSON_VALUE
from ..provenance import ElementSearch, Ending, Event
from .value import WHITE_SPACE, Values, fault_of, new_text, unfinished


class JsonLinesDecoder:
    """Decode JSON lines. Lines of white space hold no value; the last one needs no LF."""

    __slots__ = ("_offset", "_line", "_line_start", "_is_lost", "_values")

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset  # of the byte that comes next
        self._line = new_text()
        self._line_start = offset
        self._is_lost = False  # in the line that missing bytes have left
        self._values = Values()

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the values whose lines they ended."""
        events: list[Event] = []
        base = self._offset
        pos = 0
        while (end := data.find(b"\n", pos)) >= 0:
            self._end_line(data[pos:end], base + end + 1, events)
            pos = end + 1
        self._offset += len(data)
        if pos < len(data):
            self._line.add(data[pos:])
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Give up the open line, and what follows up to the next line end."""
        self._offset += length
        self._line.take()
        self._line_start = self._offset
        self._is_lost = True
        return []

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Return the value of a last line without LF, or say that it is none."""
        events: list[Event] = []
        size, start = self._line.size, self._line_start
        text = self._text(self._line.take())
        self._line_start = self._offset
        if self._is_lost or not text:
            return events
        if size > MAX_KEPT_JSON_VALUE or fault_of(text) is None:
            self._add(start, self._offset, text, size, events)
        elif ending != "capture-end":
            events.append(unfinished(start, self._offset, text, self._values.count))
        return events

    @property
    def is_between(self) -> bool:
        """Whether no line is open."""
        return not (self._is_lost or self._line.size)

    @property
    def is_lost(self) -> bool:
        """Whether it skips what follows missing bytes, up to the next line end."""
        return self._is_lost

    def search(self) -> ElementSearch:
        """Return what looks for a frame that begins with a line."""
        from .resume import LineSearch  # few captures lack anything

        return LineSearch()

    def resume(self) -> list[Event]:
        """Begin a line with the next byte."""
        self._is_lost = False
        self._line.take()
        self._line_start = self._offset
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the unfinished line begins."""
        return (self._line_start,) if self._line_start < self._offset else ()

    def _end_line(self, rest: bytes, end: int, events: list[Event]) -> None:
        """Take the line that ``rest`` completes; ``end`` is after its LF."""
        start, self._line_start = self._line_start, end
        if self._is_lost:
            self._is_lost = False
            self._line.take()
            events.append(diagnose("json-resynchronised", start, end))
            return
        size = self._line.size + len(rest)
        if self._line.size:
            self._line.add(rest)
            rest = self._line.take()
        if text := self._text(rest[:MAX_KEPT_JSON_VALUE]):
            self._add(start, end, text, size, events)

    def _add(self, start: int, end: int, text: bytes, size: int, events: list[Event]) -> None:
        size = size if size > MAX_KEPT_JSON_VALUE else len(text)
        self._values.add(start, end, text, size, events)

    def _text(self, line: bytes) -> bytes:
        """Return a line without what is no part of its value.

        That is white space after it, and the byte order mark that some put first (RFC 8259
        section 8.1 lets a parser ignore it).
        """
        line = line.rstrip(WHITE_SPACE)
        return line if self._values.count else line.removeprefix(codecs.BOM_UTF8)
