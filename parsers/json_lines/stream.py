"""``application/json`` that is a stream: an array whose elements come one by one, or values.

Gemini sends its answers as an array, an element as it is ready; Kubernetes, Docker and others send
values one after another, and call that ``application/json`` too, which has room for one only.

Strategy: the first two bytes that are no white space decide. ``[{`` is an array of objects, whose
elements are given as they end. ``{`` is an object: it is kept, and given when another value begins
after it; if none does it is a plain document, and nothing is said of it. Anything else is a plain
document at once, and costs nothing more. After missing bytes nesting is unknown, but for a line
that begins where no line inside a value can begin.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from ..diagnostics import diagnose
from ..provenance import Ending, Event
from .value import Values, ValueScanner, new_text, unfinished

_NOT_SPACE = re.compile(rb"[^ \t\r\n]")
# Strings hold no raw LF (RFC 8259 section 7). An object that begins after an object without a
# comma is in no container; and those who write an element's comma at the beginning of a line write
# none inside a value so.
_NEXT_VALUE = re.compile(rb"\}\r?\n(?=\{)")
_NEXT_ELEMENT = re.compile(rb"\n,[\r\n]{0,2}(?=\{)")
_LONGEST = 4
"""Bytes of either, before the bracket."""


class JsonStreamDecoder:
    """Decode JSON that may be a stream of values. The current state is a bound method."""

    __slots__ = (
        "_receive", "_offset", "_text", "_start", "_scanner", "_first", "_is_array", "_tail",
        "_values",
    )  # fmt: skip

    def __init__(self, offset: int = 0) -> None:
        self._receive: Callable[[bytes, int, list[Event]], int] = self._read_beginning
        self._offset = offset  # of the first byte of the piece at hand
        self._text = new_text()
        self._start = offset  # the open value, or the first of what may be many
        self._scanner = ValueScanner()
        self._first: tuple[int, int, bytes, int] | None = None
        self._is_array = False
        self._tail = b""  # the last bytes after a hole, or the beginning of the body
        self._values = Values()

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the values that they completed."""
        events: list[Event] = []
        pos = 0
        while pos < len(data):
            pos = self._receive(data, pos, events)
        self._offset += len(data)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Go on after the hole where a value certainly begins, if this is a stream."""
        is_stream = self._is_array or self._values.count
        self._offset += length
        self._text.take()
        self._tail = b""
        self._first = None
        self._start = self._offset
        if self._receive != self._ignore:
            self._receive = self._read_lost if is_stream else self._ignore
        return []

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the content ends inside a value, or inside the array."""
        is_open = self._receive in (self._read_value, self._read_between) and self._is_array
        is_open = is_open or self._receive == self._read_value
        text = self._text.take()
        self._first = None
        if ending == "capture-end" or not is_open:
            return []
        start = self._start if text else self._offset
        return [unfinished(start, self._offset, text or b"[", self._values.count)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open value begins; of the first, while it may be the only one, its end too."""
        if self._first is not None:
            return (self._first[0], self._first[1] - 1)
        return (self._start,) if self._receive in (self._read_value, self._read_lost) else ()

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_beginning(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Decide by the first bytes what this is."""
        found = _NOT_SPACE.search(data, pos)
        if found is None:
            return len(data)
        self._tail += found[0]
        if codecs.BOM_UTF8.startswith(self._tail):
            self._tail = b"" if self._tail == codecs.BOM_UTF8 else self._tail
        elif self._tail == b"[{":
            self._is_array = True
            return self._begin_value(found.start())
        elif self._tail == b"{":
            return self._begin_value(found.start())
        elif self._tail != b"[":
            self._receive = self._ignore
        return found.end()

    def _read_value(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = self._scanner.scan(data, pos)
        self._text.add(data[pos : end if end >= 0 else len(data)])
        if end < 0:
            return len(data)
        self._end_value(self._offset + end, events)
        self._receive = self._read_between
        return end

    def _read_between(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take what is between two values: white space, and in an array a comma."""
        found = _NOT_SPACE.search(data, pos)
        if found is None:
            return len(data)
        if self._is_array and found[0] in b",]":
            self._receive = self._read_between if found[0] == b"," else self._ignore
            return found.end()
        if found[0] in b",:]}" or (self._first is not None and found[0] not in b"{["):
            self._first = None
            self._receive = self._ignore
            return found.end()
        if self._first is not None:
            self._add_first(self._first, events)
        return self._begin_value(found.start())

    def _read_lost(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Look after a hole for the next value that is certain."""
        held = self._tail + data[pos:]
        found = (_NEXT_ELEMENT if self._is_array else _NEXT_VALUE).search(held)
        if found is None:
            self._tail = held[-_LONGEST - 1 :]
            return len(data)
        pos += found.end() - len(self._tail)
        events.append(diagnose("json-resynchronised", self._start, self._offset + pos + 1))
        self._tail = b""
        return self._begin_value(pos)

    def _ignore(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take everything: it is no stream of values, or none any more."""
        return len(data)

    # --- values ---

    def _begin_value(self, pos: int) -> int:
        self._scanner.clear()
        self._start = self._offset + pos
        self._receive = self._read_value
        return pos

    def _end_value(self, end: int, events: list[Event]) -> None:
        size = self._text.size
        text = self._text.take()
        if self._is_array or self._values.count:
            self._values.add(self._start, end, text, size, events)
        else:
            self._first = self._start, end, text, size

    def _add_first(self, first: tuple[int, int, bytes, int], events: list[Event]) -> None:
        """Add the value that was the only one, now that another begins after it."""
        self._first = None
        start, end, text, size = first
        self._values.add(start, end, text, size, events)
        events.append(diagnose("json-lines-undeclared", start, end))
