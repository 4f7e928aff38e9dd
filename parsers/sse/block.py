"""One block of an event stream: what its lines mean (WHATWG HTML section 9.2.6).

Strategy: where lines and blocks end is the business of ``sse.py``. Here a :class:`Block` takes
one line after the other, keeps what its fields have set, and gives the :class:`ServerSentEvent`
when it has ended. It takes no more than ``MAX_SSE_FIELDS`` lines and ``MAX_SSE_EVENT`` bytes.
"""

from __future__ import annotations

import codecs

from msgspec import Struct

from ..diagnostics import diagnose
from ..expressions import when_used
from ..limits import MAX_SSE_EVENT, MAX_SSE_FIELDS, MAX_SSE_UNKNOWN_FIELDS
from ..provenance import Element, Event

# "If the field value consists of only ASCII digits" (section 9.2.6). Not isdigit() nor int(): the
# one takes other scripts' digits, the other "+5", " 5" and "1_0".
_DIGITS = when_used(r"[0-9]+")
_MAX_RETRY_DIGITS = 18  # any such number fits into the 64 bits of other programs


class ServerSentEvent(Element, frozen=True):
    """One block of the stream: the lines up to a blank line (WHATWG HTML section 9.2.6).

    ``start`` is the first byte of its first line (of the BOM, for the first block), ``end`` is
    after the blank line, or the end of the input for a block that has none.
    """

    start: int
    end: int
    type: str
    """What the last ``event`` field said; ``message`` if there was none or it was empty."""
    data: str
    """The ``data`` fields, joined with LF; empty if the block was not dispatched."""
    last_event_id: str
    """The last event ID after this block: a block without data sets it, an unfinished one not."""
    retry: int | None
    """Milliseconds, if a valid ``retry`` field stood in this block."""
    dispatched: bool
    """False for a block without ``data`` field, and for one that has no blank line."""
    fields: list[tuple[str, str]]
    """Names and values in wire order, unknown ones too; a comment has the name ``""``."""


class Line(Struct, frozen=True, gc=False):
    """A line without its end: [start, end) of the stream."""

    start: int
    end: int
    content: bytes
    """Its first bytes: all, or as many as were kept."""
    size: int
    """How many bytes it has."""


class Block:
    """What the lines of the open block have set."""

    __slots__ = (
        "start",
        "fields",
        "data",
        "lost",
        "has_rest",
        "id",
        "_type",
        "_retry",
        "_size",
        "_cut",
        "_utf8",
        "_unknown_fields",
    )

    def __init__(self, start: int, unknown_fields: set[str]) -> None:
        """``unknown_fields`` are the stream's, to which the block adds its own."""
        self.start = start
        self.fields: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.lost = False  # bytes are missing in it: it is only read to find its end
        self.has_rest = False  # of a lost one more than a line end came
        self.id: str | None = None
        self._type = ""
        self._retry: int | None = None
        self._size = 0
        self._cut = False  # a limit was reached, and reported
        self._utf8 = True  # False once invalid UTF-8 was reported
        self._unknown_fields = unknown_fields

    def process_line(self, line: Line, events: list[Event]) -> None:
        """Process a line that is not blank, keeping within the limits."""
        if not self._has_room(line, events):
            return
        name, value = _field(self._decode(line, events))
        self.fields.append((name, value))
        self._process_field(name, value, line, events)

    def keep_unfinished(self, line: Line, events: list[Event]) -> None:
        """Show a line that never ended: it has no effect."""
        if self._has_room(line, events) and (text := self._decode(line, events, is_ended=False)):
            self.fields.append(_field(text))

    def event(self, end: int, last_event_id: str, *, is_ended: bool = True) -> ServerSentEvent:
        """Return what the block came to; one that no blank line ended is never dispatched."""
        dispatched = is_ended and bool(self.data)
        return ServerSentEvent(
            self.start,
            end,
            self._type or "message",
            "\n".join(self.data) if dispatched else "",
            last_event_id,
            self._retry,
            dispatched,
            self.fields,
        )

    def _has_room(self, line: Line, events: list[Event]) -> bool:
        """Count the line; past a limit of the block say so once, and return False."""
        self._size += len(line.content)
        if self._size > MAX_SSE_EVENT:
            detail = f"more than {MAX_SSE_EVENT:,} bytes"
        elif len(self.fields) >= MAX_SSE_FIELDS:
            detail = f"more than {MAX_SSE_FIELDS:,} fields"
        else:
            return True
        if not self._cut:
            self._cut = True
            events.append(diagnose("sse-event-limit", self.start, line.end, detail))
        return False

    def _decode(self, line: Line, events: list[Event], is_ended: bool = True) -> str:
        """Decode a line as the stream would be: neither CR nor LF is ever part of a character."""
        content = line.content
        # Where a line was cut it may end inside a character.
        is_whole = is_ended and line.size == len(content)
        try:
            return codecs.utf_8_decode(content, "strict", is_whole)[0]
        except UnicodeDecodeError as error:
            if self._utf8:
                self._utf8 = False
                place = f"byte {error.start} of the line, {content[error.start]:#x}"
                detail = f"{error.reason} in {place}"
                events.append(diagnose("sse-utf8-invalid", line.start, line.end, detail))
            return codecs.utf_8_decode(content, "replace", is_whole)[0]

    def _process_field(self, name: str, value: str, line: Line, events: list[Event]) -> None:
        """Process the field; its diagnostics span the line."""
        fault = ""
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id":
            if "\0" in value:
                fault = "sse-id-ignored"
            else:
                self.id = value
        elif name == "retry":
            number = milliseconds(value)
            if number is None:
                fault = "sse-retry-ignored"
            else:
                self._retry = number
        elif name:
            self._note_unknown(name, line, events)
        if fault:
            events.append(diagnose(fault, line.start, line.end, f"{value[:40]!r}"))

    def _note_unknown(self, name: str, line: Line, events: list[Event]) -> None:
        """Name an unknown field the first time: some streams have one in every event."""
        known = self._unknown_fields
        name = name[:40]
        if name not in known and len(known) < MAX_SSE_UNKNOWN_FIELDS:
            known.add(name)
            events.append(diagnose("sse-field-unknown", line.start, line.end, f"{name!r}"))


def _field(line: str) -> tuple[str, str]:
    """Return a line's field name and value; ``("", text)`` for a comment.

    comment = colon *any-char end-of-line
    field = 1*name-char [ colon [ space ] *any-char ] end-of-line (section 9.2.5)
    """
    name, _, value = line.partition(":")
    return (name, value.removeprefix(" ")) if name else ("", value)


def milliseconds(value: str) -> int | None:
    """Return the number that a ``retry`` field gives; None if the field is to be ignored."""
    if not _DIGITS.fullmatch(value):
        return None
    digits = value.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_RETRY_DIGITS else None
