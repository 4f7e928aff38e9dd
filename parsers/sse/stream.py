"""Server-sent events: the body of a ``text/event-stream`` response, block by block.

Strategy: the decoder gets decoded content in pieces of any size and returns one
:class:`ServerSentEvent` for each block, dispatched by a browser or not. Two paths give the same
events. The general path reads as the standard does: it looks for the next CR or LF, processes
the line, and keeps between pieces the unfinished line (as pieces, joined once) and what the
fields of the open block have set. The fast path takes blocks that lie whole in one piece, in a
piece that uses a single kind of line end, and whose lines hold nothing that needs a diagnostic;
all else it leaves to the general path. No byte is looked at more than three times, so time is
linear, also when the input comes byte by byte; what is kept is bounded by ``MAX_SSE_LINE``,
``MAX_SSE_EVENT`` and ``MAX_SSE_FIELDS``.

Where an event ends: a CR ends its line at once (WHATWG HTML section 9.2.5), but an LF that
follows belongs to the same line end. Only the stream before it decides whether a blank line's
CR waits for that LF, never how the input was cut: if the line before ended with CRLF, the event
is dispatched with the byte after the CR (or the end of the stream), and its ``end`` is after the
LF if there is one; in every other case it is dispatched at the CR, its ``end`` is after the CR,
and an LF that follows counts to no event.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from ..diagnostics import diagnose
from ..expressions import when_used
from ..limits import MAX_SSE_FIELDS, MAX_SSE_LINE
from ..provenance import ElementSearch, Ending, Event
from .block import Block, Line, ServerSentEvent, milliseconds

__all__ = ["EventStreamDecoder", "ServerSentEvent"]

# bom = %xFEFF ; U+FEFF BYTE ORDER MARK, once, at the start of the stream (section 9.2.5)
_BOM = codecs.BOM_UTF8
# end-of-line = ( cr lf / cr / lf ) (section 9.2.5). The LF after a CR is the business of
# _read_after_cr, since it may be in the next piece. Not splitlines(): that also splits at VT, FF,
# NEL, U+2028 and others.
_END_OF_LINE = re.compile(rb"[\r\n]")

_LF = 10
_CR = 13
_SEPARATORS = {b"\n": ("\n", b"\n\n"), b"\r\n": ("\r\n", b"\r\n\r\n")}


def commonest_block(newline: bytes) -> bytes:
    """Match a block of one ``data`` line after at most one ``id`` and one ``event`` line.

    That is what most encoders write; one match costs half of taking such a block line by line.
    """
    return rb"(?:id: ([^\r\n\0]*+)%b)?(?:event: ([^\r\n]*+)%b)?data: ([^\r\n]*+)%b%b" % (
        (newline,) * 4
    )


_COMMONEST_BLOCKS = {newline: when_used(commonest_block(newline)) for newline in _SEPARATORS}


class EventStreamDecoder:
    """Decode an event stream (WHATWG HTML sections 9.2.5 and 9.2.6)."""

    __slots__ = (
        "_receive",
        "_offset",
        "_end_of_line",
        "_line",
        "_line_size",
        "_line_start",
        "_previous_line_ended_crlf",
        "_block",
        "_waiting_block",
        "_last_event_id",
        "_unknown_fields",
    )

    def __init__(self, offset: int = 0) -> None:
        # Of the class, not of itself: thousands that hold themselves would stay until a collection
        # of garbage comes, which is seldom.
        self._receive: _Read = EventStreamDecoder._read_bom
        self._offset = offset  # of the first byte of the piece at hand
        self._end_of_line: bytes | None = None  # the only kind in the piece at hand
        self._line: list[bytes] = []  # pieces of the unfinished line
        self._line_size = 0  # its length, also of what is not kept
        self._line_start = offset
        self._previous_line_ended_crlf = False
        self._block: Block | None = None
        self._waiting_block: Block | None = None  # for the byte after its blank line's CR
        self._last_event_id = ""
        self._unknown_fields: set[str] = set()

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the events they completed."""
        events: list[Event] = []
        self._end_of_line = _only_end_of_line(data)
        position = 0
        size = len(data)
        while position < size:
            position = self._receive(self, data, position, events)
        self._offset += size
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """End the open block undispatched, and skip what follows up to the next blank line."""
        events: list[Event] = []
        self._end_waiting(events)
        if self._block is None or not self._block.lost:
            self._end_unfinished(events)
            self._block = Block(self._offset + length, self._unknown_fields)
            self._block.lost = True
        self._offset += length
        self._line = []
        self._line_size = 1  # what is missing counts as a byte: the line may not be blank
        self._line_start = self._offset
        self._previous_line_ended_crlf = False
        self._receive = EventStreamDecoder._read_lines
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Return the unfinished block, if there is one: it is never dispatched."""
        events: list[Event] = []
        self._end_waiting(events)
        if ending != "capture-end" and self._is_missed():
            start = self._block.start if self._block else self._line_start
            events.append(diagnose("sse-event-unfinished", start, self._offset))
        self._end_unfinished(events)
        return events

    @property
    def is_between(self) -> bool:
        """Whether it is between two blocks, and nothing waits."""
        return self._receive is EventStreamDecoder._read_blocks

    @property
    def is_lost(self) -> bool:
        """Whether it skips what follows missing bytes, up to the next blank line."""
        return self._block is not None and self._block.lost

    def search(self) -> ElementSearch:
        """Return what looks for a frame that begins with an event."""
        from .resume import BlockSearch  # few captures lack anything

        return BlockSearch()

    def resume(self) -> list[Event]:
        """Begin a block with the next byte."""
        self._block = None
        self._line = []
        self._line_size = 0
        self._line_start = self._offset
        self._receive = EventStreamDecoder._read_blocks
        return []

    @property
    def last_event_id(self) -> str:
        """What the blocks so far have set."""
        return self._last_event_id

    def advance(self, length: int, event_id: str) -> None:
        """Pass over blocks that another has read; ``event_id`` is the last one after them."""
        self._offset += length
        self._line_start = self._offset
        self._last_event_id = event_id

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open block and the unfinished line begin."""
        block = self._block or self._waiting_block
        line = (self._line_start,) if self._line_start < self._offset else ()
        return line if block is None else (block.start, *line)

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_bom(self, data: bytes, position: int, events: list[Event]) -> int:
        """Hold bytes back while they may be a BOM; ``_line_start`` stays before it."""
        held = b"".join(self._line)
        head = held + data[position : position + len(_BOM) - len(held)]
        if not _BOM.startswith(head):
            self._receive = (
                EventStreamDecoder._read_lines if held else EventStreamDecoder._read_blocks
            )
            return position
        self._line_size = len(head)
        self._line = [head]
        if head == _BOM:
            self._line_size = 0
            self._line = []
            self._receive = EventStreamDecoder._read_lines
        return position + len(head) - len(held)

    def _read_blocks(self, data: bytes, position: int, events: list[Event]) -> int:
        """Take blocks that lie whole in the piece: the fast path, between two blocks.

        With LF or CRLF throughout, a blank line is found by one search, and the whole block is
        decoded at once: 1.5 microseconds for three lines, a quarter of the general path.
        """
        newline = self._end_of_line
        size = len(data)
        if newline is not None:
            separator, blank_line = _SEPARATORS[newline]
            match_commonest = _COMMONEST_BLOCKS[newline].match
            offset = self._offset
            while position < size:
                if (block := match_commonest(data, position)) is not None:
                    after = block.end()
                    found = self._commonest_event(block, offset + position, offset + after)
                    if found is not None:
                        events.append(found)
                        position = after
                        continue
                if data[position] <= _CR:
                    position = _skip_empty_lines(data, position, newline)
                end = data.find(blank_line, position)
                if end < 0:
                    break
                after = end + len(blank_line)
                found = self._usual_block(
                    data[position:end], separator, offset + position, offset + after
                )
                if found is None:
                    break
                events.append(found)
                position = after
        self._line_start = self._offset + position
        if position < size:
            self._receive = EventStreamDecoder._read_lines
        return position

    def _read_lines(self, data: bytes, position: int, events: list[Event]) -> int:
        """Take lines as the standard does, up to the end of the block or of the piece."""
        newline = self._end_of_line
        while True:
            if newline is not None:  # a tenth of the time of an expression
                end = data.find(newline, position)
            else:
                found = _END_OF_LINE.search(data, position)
                end = -1 if found is None else found.start()
            if end < 0:
                break
            self._extend_line(data[position:end], events)
            position = end + 1
            if data[end] != _LF:
                self._end_line(end, events, crlf_expected=self._previous_line_ended_crlf)
                self._receive = EventStreamDecoder._read_after_cr
                return position
            self._end_line(end, events)
            self._previous_line_ended_crlf = False
            if self._block is None:
                self._receive = EventStreamDecoder._read_blocks
                return position
        self._extend_line(data[position:], events)
        return len(data)

    def _read_after_cr(self, data: bytes, position: int, events: list[Event]) -> int:
        """Take the LF that belongs to the line end whose CR was taken."""
        is_crlf = data[position] == _LF
        if is_crlf:
            position += 1
        self._previous_line_ended_crlf = is_crlf
        if self._waiting_block is not None:
            self._end_block(self._waiting_block, self._offset + position, events)
            self._waiting_block = None
        self._line_start = self._offset + position
        self._receive = (
            EventStreamDecoder._read_blocks
            if self._block is None
            else EventStreamDecoder._read_lines
        )
        return position

    # --- the fast path's blocks ---

    def _commonest_event(
        self, block: re.Match[bytes], start: int, end: int
    ) -> ServerSentEvent | None:
        """Return the event of a block that ``_COMMONEST_BLOCKS`` matched, None if it is unusual."""
        if end - start > MAX_SSE_LINE:
            return None
        event_id, event_type, data = block.groups()
        fields: list[tuple[str, str]] = []
        try:
            text = data.decode()
            if event_id is not None:
                fields.append(("id", event_id.decode()))
            name = "message"
            if event_type is not None:
                name = event_type.decode()
                fields.append(("event", name))
        except UnicodeDecodeError:
            return None
        fields.append(("data", text))
        if event_id is not None:
            self._last_event_id = fields[0][1]
        return ServerSentEvent(
            start, end, name or "message", text, self._last_event_id, None, True, fields
        )

    def _usual_block(
        self, block: bytes, separator: str, start: int, end: int
    ) -> ServerSentEvent | None:
        """Return the event of a block that needs no diagnostic, None for any other.

        Long for one function: it is the hot loop, and a call for each line would double it.
        """
        if len(block) > MAX_SSE_LINE:
            return None
        try:
            lines = block.decode().split(separator)
        except UnicodeDecodeError:
            return None
        if len(lines) > MAX_SSE_FIELDS:
            return None
        fields: list[tuple[str, str]] = []
        values: list[str] = []
        event_type = ""
        event_id: str | None = None
        retry: int | None = None
        for line in lines:
            name, _, value = line.partition(":")
            if not name:
                fields.append(("", value))
                continue
            value = value.removeprefix(" ")
            if name == "data":
                values.append(value)
            elif name == "event":
                event_type = value
            elif name == "id" and "\0" not in value:
                event_id = value
            elif name == "retry" and (number := milliseconds(value)) is not None:
                retry = number
            elif name not in self._unknown_fields:
                return None
            fields.append((name, value))
        if event_id is not None:
            self._last_event_id = event_id
        return ServerSentEvent(
            start,
            end,
            event_type or "message",
            "\n".join(values),
            self._last_event_id,
            retry,
            bool(values),
            fields,
        )

    # --- lines ---

    def _extend_line(self, piece: bytes, events: list[Event]) -> None:
        """Append to the unfinished line; past the limit it is only counted."""
        room = MAX_SSE_LINE - self._line_size
        self._line_size += len(piece)
        if len(piece) > room:
            if room >= 0:
                self._line.append(piece[:room])
                events.append(
                    diagnose(
                        "sse-line-limit",
                        self._line_start,
                        self._line_start + MAX_SSE_LINE,
                        f"more than {MAX_SSE_LINE:,} bytes",
                    )
                )
        elif piece:
            self._line.append(piece)

    def _end_line(self, end: int, events: list[Event], crlf_expected: bool = False) -> None:
        """Process the line that ends before position ``end`` of the piece."""
        if self._line_size:
            self._process_line(self._offset + end, events)
            self._line = []
            self._line_size = 0
        elif self._block is not None:
            if crlf_expected:
                self._waiting_block = self._block
            else:
                self._end_block(self._block, self._offset + end + 1, events)
            self._block = None
        self._line_start = self._offset + end + 1

    def _process_line(self, end: int, events: list[Event]) -> None:
        """Process a line that is not blank (section 9.2.6)."""
        block = self._block
        if block is None:
            block = self._block = Block(self._line_start, self._unknown_fields)
        if block.lost:
            block.has_rest = block.has_rest or bool(self._line)
        else:
            block.process_line(self._taken_line(end), events)

    def _taken_line(self, end: int) -> Line:
        return Line(self._line_start, end, b"".join(self._line), self._line_size)

    # --- blocks ---

    def _end_block(self, block: Block, end: int, events: list[Event]) -> None:
        """Dispatch a block at its blank line, or say that a lost one has ended."""
        if block.lost:
            events.append(diagnose("sse-resynchronised", block.start, end))
            return
        if block.id is not None:
            self._last_event_id = block.id
        events.append(block.event(end, self._last_event_id))

    def _end_waiting(self, events: list[Event]) -> None:
        """Dispatch the block whose blank line ended with a CR that nothing follows."""
        if self._waiting_block is not None:
            self._end_block(self._waiting_block, self._offset, events)
            self._waiting_block = None

    def _end_unfinished(self, events: list[Event]) -> None:
        """Give the open block as it stands, with its unfinished line, which has no effect."""
        if self._block is None and self._line_size:
            self._block = Block(self._line_start, self._unknown_fields)
        block = self._block
        if block is not None and not block.lost:
            if self._line_size:
                block.keep_unfinished(self._taken_line(self._offset), events)
            events.append(block.event(self._offset, self._last_event_id, is_ended=False))
        self._block = None
        self._line = []
        self._line_size = 0
        self._line_start = self._offset

    def _is_missed(self) -> bool:
        """Return whether the unfinished block could have become more than a comment."""
        block = self._block
        if block is not None and block.lost:
            return block.has_rest or bool(self._line)  # a line end alone may be of a blank line
        if block is not None and any(name for name, _ in block.fields):
            return True
        return self._line_size > 0 and not b"".join(self._line).startswith(b":")


def _only_end_of_line(data: bytes) -> bytes | None:
    """Return the one end-of-line that the piece uses: LF, CRLF, or None for CR or a mixture."""
    returns = data.count(b"\r")
    if not returns:
        return b"\n"
    if returns == data.count(b"\n") == data.count(b"\r\n"):
        return b"\r\n"
    return None


def _skip_empty_lines(data: bytes, position: int, newline: bytes) -> int:
    """Return where the empty lines at ``position`` end."""
    while data.startswith(newline, position):
        position += len(newline)
    return position


_Read = Callable[[EventStreamDecoder, bytes, int, list[Event]], int]
"""Reads a piece from a place on, and returns how far it has come."""
