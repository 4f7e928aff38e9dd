"""Messages of an AWS event stream (application/vnd.amazon.eventstream).

A message is its length (4 bytes, big-endian, itself included), the length of its headers (4), the
CRC-32 of these eight bytes (4), the headers, the payload, and the CRC-32 of all before it (4).

Strategy: the prelude's CRC makes its lengths certain before anything else has come, so a message is
collected up to its length and cut into its parts once. Where a prelude is wrong, or missing bytes
hold one, the next place with a right prelude is looked for: by chance one is right in 2^32 places,
and its lengths must fit besides. A message whose own CRC is wrong is given, and said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from zlib import crc32

from ..diagnostics import diagnose
from ..limits import MAX_AWS_HEADERS, MAX_AWS_MESSAGE
from ..provenance import Element, Ending, Event
from .headers import Headers, read_headers

_PRELUDE = 12
_LEAST = 16
"""Bytes of a message without headers and payload."""
# What can begin a prelude: lengths below 2^25 and 2^18, which the limits are not far below.
_MAY_BEGIN = re.compile(rb"(?=[\x00\x01][\s\S]{3}\x00[\x00-\x02])")


class AwsEvent(Element, frozen=True):
    """One message."""

    start: int
    end: int
    index: int
    """From 0 in its body."""
    headers: Headers
    """Names and values, as text."""
    size: int
    """Bytes of its payload."""
    data: bytes
    """The payload."""
    crc_ok: bool
    """Whether the message's CRC is that of its bytes."""


class AwsEventStreamDecoder:
    """Decode an AWS event stream. The current state is a bound method."""

    __slots__ = (
        "_receive", "_offset", "_kept", "_start", "_length", "_missing", "_lost_start", "_count",
    )  # fmt: skip

    def __init__(self, offset: int = 0) -> None:
        self._receive: Callable[[bytes, int, list[Event]], int] = self._read_prelude
        self._offset = offset  # of the first byte of the piece at hand
        self._kept = bytearray()  # of the open message, or of what may begin a prelude
        self._start = offset  # of the open message
        self._length = 0  # of the open message; 0 before its prelude is whole
        self._missing = 0  # bytes of the open message that the capture lacks
        self._lost_start = offset
        self._count = 0

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the messages that they completed."""
        events: list[Event] = []
        pos = 0
        while pos < len(data):
            pos = self._receive(data, pos, events)
        self._offset += len(data)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Go on after the message if the hole lies in it; else look for the next prelude."""
        events: list[Event] = []
        end = self._offset + length
        left = self._start + self._length - self._offset
        if self._receive in (self._read_message, self._skip_message) and length <= left:
            self._missing += length
            self._kept.clear()
            self._receive = self._skip_message
            if length == left:
                self._end_missing(end, events)
        else:
            self._lose(self._start if self._kept else self._offset)
        self._offset = end
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the content ends inside a message."""
        is_open = bool(self._kept) or self._missing > 0
        events: list[Event] = []
        if ending != "capture-end" and is_open and self._receive != self._resynchronise:
            came = self._offset - self._start
            of = f" of {self._length:,}" if self._length else ""
            detail = f"after {came:,}{of} bytes"
            events.append(diagnose("aws-message-cut", self._start, self._offset, detail))
        self._kept.clear()
        self._missing = 0
        return events

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open message begins, or what is skipped, and what may begin a prelude."""
        if self._receive == self._resynchronise:
            return (self._lost_start, *range(self._offset - len(self._kept), self._offset))
        if self._receive == self._read_prelude:  # it may be wrong: then the next byte may begin one
            return tuple(range(self._offset - len(self._kept), self._offset))
        return (self._start,)

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_prelude(self, data: bytes, pos: int, events: list[Event]) -> int:
        if not self._kept:
            self._start = self._offset + pos
        end = pos + _PRELUDE - len(self._kept)
        self._kept += data[pos:end]
        if len(self._kept) < _PRELUDE:
            return len(data)
        prelude = bytes(self._kept)
        if (fault := prelude_fault(prelude)) is None:
            self._length = int.from_bytes(prelude[:4])
            self._receive = self._read_message
        else:
            place = self._start, self._start + _PRELUDE
            events.append(diagnose("aws-prelude-wrong", *place, fault))
            self._lose(self._start)
            self._kept += prelude[1:]
        return end

    def _read_message(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = pos + self._length - len(self._kept)
        self._kept += data[pos:end]
        if end > len(data):
            return len(data)
        self._end_message(bytes(self._kept), events)
        return end

    def _skip_message(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Pass over what came of a message of which bytes are missing."""
        end = self._start + self._length - self._offset
        if end > len(data):
            return len(data)
        self._end_missing(self._offset + end, events)
        return end

    def _resynchronise(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Look for the next prelude that is right."""
        kept = len(self._kept)
        held = bytes(self._kept) + data[pos:]
        place = 0
        while (found := _MAY_BEGIN.search(held, place)) is not None:
            place = found.start()
            if len(held) - place < _PRELUDE:
                break
            if prelude_fault(held[place : place + _PRELUDE]) is None:
                begin = self._offset + pos + place - kept
                proved = begin + _PRELUDE
                events.append(diagnose("aws-resynchronised", self._lost_start, proved))
                return self._go_on(held[place : place + _PRELUDE], begin, pos + place - kept)
            place += 1
        self._kept = bytearray(held[-_PRELUDE + 1 :])
        return len(data)

    # --- what they have in common ---

    def _go_on(self, prelude: bytes, begin: int, pos: int) -> int:
        """Begin the message at ``begin``, of which the prelude has come; return what follows it."""
        self._kept = bytearray(prelude)
        self._start = begin
        self._length = int.from_bytes(prelude[:4])
        self._receive = self._read_message
        return pos + _PRELUDE

    def _lose(self, start: int) -> None:
        if self._receive != self._resynchronise:
            self._lost_start = start
        self._kept.clear()
        self._length = self._missing = 0
        self._receive = self._resynchronise

    def _end_message(self, message: bytes, events: list[Event]) -> None:
        end = self._start + self._length
        crc_ok = crc32(message[:-4]) == int.from_bytes(message[-4:])
        if not crc_ok:
            detail = f"{message[-4:].hex()}, it should be {crc32(message[:-4]):08x}"
            events.append(diagnose("aws-crc-wrong", self._start, end, detail))
        headers_end = _PRELUDE + int.from_bytes(message[4:8])
        headers, fault = read_headers(message[_PRELUDE:headers_end])
        if fault:
            events.append(diagnose("aws-header-invalid", self._start, end, fault))
        payload = message[headers_end:-4]
        events.append(
            AwsEvent(self._start, end, self._count, headers, len(payload), payload, crc_ok)
        )
        self._next(end)

    def _end_missing(self, end: int, events: list[Event]) -> None:
        detail = f"{self._missing:,} of {self._length:,} bytes"
        events.append(diagnose("aws-message-missing", self._start, end, detail))
        self._next(end)

    def _next(self, end: int) -> None:
        self._count += 1
        self._kept.clear()
        self._start = end
        self._length = self._missing = 0
        self._receive = self._read_prelude


def prelude_fault(prelude: bytes) -> str | None:
    """Return what is wrong with the 12 bytes of a prelude, None if its lengths are certain."""
    length, headers = int.from_bytes(prelude[:4]), int.from_bytes(prelude[4:8])
    crc = int.from_bytes(prelude[8:])
    if crc32(prelude[:8]) != crc:
        return f"its CRC is {crc:08x}, it should be {crc32(prelude[:8]):08x}"
    if not _LEAST + headers <= length <= MAX_AWS_MESSAGE or headers > MAX_AWS_HEADERS:
        return f"{length:,} bytes, {headers:,} of them headers"
    return None
