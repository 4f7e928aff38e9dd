"""What the decoders of requests and of responses have in common (RFC 9112 section 2.1).

Strategy: the state is a method that reads on at ``pos`` and returns where it stopped:

    start_line -> header_section -> chunked_body | sized_body | close_delimited_body -> start_line
                                                                                     -> closed
                                                                                     -> holding

``holding`` keeps the bytes after a switch of protocols until the owner says whose they are.
``skip`` is where bytes are no HTTP: it looks for a start line and says nothing till then.
``surplus`` is the same after a complete message, whose they may be: it counts them.
``unframed_body`` is after a head that is cut: it looks for chunks, or for the next message.
``lost`` is after a head whose framing is invalid: what follows could be read in two ways.
Each byte is looked at once by its state, and once by a search for a line's or section's end:
the time is linear. Kept is an unfinished head, up to MAX_HEAD, or held bytes up to
MAX_HELD_UPGRADE, and never a body.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from ..diagnostics import amount, diagnose, excerpt
from ..expressions import every, when_used
from ..limits import MAX_FIELDS, MAX_HEAD, MAX_HELD_UPGRADE, MAX_LINE
from ..memory import Account, Holding
from ..provenance import Ending, Event
from ..records import EndedBy, Framing
from .chunked import ChunkedDecoder, Data, MissingData
from .collectors import SectionCollector
from .cut_heads import CutHeads
from .framing import BodyFraming
from .head import read_section
from .messages import EndOfMessage
from .pending import PendingBytes
from .searching import State
from .surplus import SHOWN

# Any number of them, so that many cost no more than other bytes.
EMPTY_LINES = when_used(rb"\n*+" + every(rb"\r\n++"))

Switch = Literal["upgrade", "connect", "http2", "refusal"]
"""What another protocol comes after: a request or response to upgrade, CONNECT, a preface; or
none: after a refusal, the requests that the client sent meanwhile must be read first."""


_NO_END: dict[Ending, str] = {
    "reset": "a reset",
    "close-notify-missing": "no close_notify",  # RFC 9112 section 9.8
}
"""What ends no body that the end of the connection delimits."""


class MessageDecoder(CutHeads):
    """The states of one direction. Not for use by itself."""

    def __init__(
        self, offset: int = 0, *, keep_data: bool = True, account: Account | None = None
    ) -> None:
        """``account`` is charged with what is held."""
        super().__init__(offset)
        self._account = account
        self._holding = Holding(account)
        self._keep_data = keep_data
        self._section = SectionCollector(MAX_HEAD)
        self._section_start = offset
        self._empty_line = False  # whether one came before the start line
        # the body that is open
        self._body_start = offset
        self._left = 0  # bytes of a sized body to come
        self._whole = True
        self._is_cut = False  # the head at hand
        self._has_head = True  # whether the last message's was captured
        # what comes after the message
        self._keep_alive = True
        self.paused_for: Switch | None = None
        """What the bytes after the last message wait for, while ``paused``."""
        self._held = PendingBytes(offset, MAX_HELD_UPGRADE)
        self._takes_preface = True  # until HTTP/2 has been refused
        self._ending: Ending | None = None
        self._hole: tuple[int, int] | None = None
        """Missing bytes since the last message began that may have held others."""
        self._state: State = self.start_line

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state.__name__} at {self._offset}>"

    # --- the Decoder interface ---

    def receive_data(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        self._base = self._offset
        pos = 0
        end = len(data)
        while pos < end:
            pos = self._state(data, pos, events)
        self._offset += end
        return events

    @property
    def next_chunk(self) -> int | None:
        """The index of the chunk that comes next, if the next byte begins one; else None."""
        return self._body.next_index if self._state == self.chunked_body else None

    def advance(self, chunks: int, length: int) -> None:
        """Pass over whole chunks that another has read, and that take ``length`` bytes."""
        self._offset += length
        self._body.advance(chunks, length)

    @property
    def awaits_message(self) -> bool:
        """Whether the next byte begins a message, before which nothing is open, odd or missing."""
        is_at_start = self._state == self.start_line and self._start == self._offset
        return is_at_start and self._hole is None and not self._empty_line

    def _pass_message(self, head: int, content: int) -> None:
        """Pass over a message that another has read, by the sizes of its parts."""
        self._has_head = self._whole = True
        self._body_start = self._offset + head
        self._offset = end = self._body_start + content
        self._go_on(end)

    def receive_gap(self, length: int) -> list[Event]:
        """Count the missing bytes where that is exact, else search for the next start line."""
        events: list[Event] = []
        start, self._offset = self._offset, self._offset + length
        state = self._state
        if state not in (self.sized_body, self.close_delimited_body):
            self._hole = start if self._hole is None else self._hole[0], self._offset
        if state == self.chunked_body:
            self._whole = False
            events += self._body.receive_gap(length)
        elif state == self.unframed_body:
            self._body.receive_gap(length)
        elif state == self.close_delimited_body:
            self._whole = False
            events.append(MissingData(start, self._offset, None))
        elif state == self.sized_body:
            self._miss_sized_body(start, length, events)
        elif state not in (self.holding, self.released):
            self._miss_head(start, length, events)
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        events: list[Event] = []
        state = self._state
        if state == self.holding:
            self._ending = ending
        elif state == self.surplus:
            self._end_surplus(self._offset, events)
        elif state == self.start_line:
            self._end_in_start_line(ending, events)
        elif state == self.header_section:
            self._end_in_header_section(ending, events)
        elif state == self.chunked_body:
            events += self._body.receive_eof(ending)
            self._end_message(self._offset, ending, False, events)
        elif state == self.unframed_body:
            self._end_message(self._body_start, None, False, events)
        elif state == self.sized_body:
            if ending != "capture-end":
                self._cut_body(f"{amount(self._left, 'byte')} to come", events)
            self._end_message(self._offset, ending, False, events)
        elif state == self.close_delimited_body:
            if (found := _NO_END.get(ending)) is not None:
                self._cut_body(f"{found}, where closing the connection ends it", events)
            complete = ending == "close" and self._whole
            self._end_message(self._offset, ending, complete, events)
        return events

    @property
    def offset(self) -> int:
        """The number of the byte that comes next."""
        return self._offset

    @property
    def open_offsets(self) -> tuple[int, ...]:
        state = self._state
        if state == self.unframed_body:
            return self._body.open_offsets
        if state == self.chunked_body:
            return (self._body_start, *self._body.open_offsets)
        if state in (self.sized_body, self.close_delimited_body):
            return (self._body_start,)
        if state == self.holding:
            return (self._held.start,)
        if state in (self.start_line, self.header_section, self.surplus):
            return (min(self._start, self._offset),)
        return ()

    # --- bytes after a switch of protocols ---

    @property
    def paused(self) -> bool:
        """Whether bytes are held for :meth:`resume` or :meth:`release`."""
        return self._state == self.holding

    @property
    def held(self) -> tuple[int, int]:
        """Where the bytes begin that are held, and how many came, missing ones included."""
        return (self._held.start, self._offset - self._held.start) if self.paused else (0, 0)

    def join(self, framing: Framing) -> None:
        """Begin inside a body, chunked or ended by closing, whose head is not in the capture."""
        self._has_head = False
        self._begin_body(BodyFraming(framing, None, (), []), self._offset, [])
        self._whole = False

    @property
    def switch_offset(self) -> int:
        """Where what is another protocol's begins, if it was agreed on: held bytes, or the next."""
        return self._held.first_offset(self._offset) if self.paused else self._offset

    def resume(self) -> list[Event]:
        """The switch was refused: decode what was held, and what follows, as HTTP."""
        held, end = self._held, self._offset
        is_preface, self.paused_for = self.paused_for == "http2", None
        self._takes_preface = not is_preface
        self._offset = held.start
        self._holding.hold(0)
        if is_preface:
            self._await_message(held.start)
        else:
            self._go_on(held.start)
        events: list[Event] = []
        while self._offset < end:
            data = held.take_run(end)
            if (missing := held.start - len(data) - self._offset) > 0:
                events += self.receive_gap(missing)
            events += self.receive_data(data)
        if self._ending is not None:
            ending, self._ending = self._ending, None
            events += self.receive_eof(ending)
        return events

    def release(self) -> tuple[int, bytes]:
        """The switch was made: return what was held, and its offset, for the next decoder.

        Where bytes are missing among it, only what comes before them is returned, and the decoder
        stays ``paused``: another call returns what comes after them, with its offset.
        """
        data = self._held.take_run(self._offset)
        if self._held.start == self._offset:
            self._state = self.released
            self._holding.hold(0)
        return self._held.start - len(data), data

    # --- states: each reads ``data`` on at ``pos`` and returns where it stopped ---

    def start_line(self, data: bytes, pos: int, events: list[Event]) -> int:
        beginning = self._line.beginning if self._is_after_message else b""
        begin = pos
        pos, line = self._line.take(data, pos)
        if line is None:
            return pos
        end = self._base + pos
        if line in (b"\r\n", b"\n"):
            # RFC 9112 section 2.2: "SHOULD ignore at least one empty line"; servers only.
            if not self._empty_line:
                events.append(diagnose(self._empty_line_fault, self._start, end))
            self._empty_line = True
            further = EMPTY_LINES.match(data, pos)
            pos = further.end() if further else pos
            self._start = self._base + pos
        elif line and self._take_start_line(line):
            self._is_after_message = False
            if not self.paused:
                self._section = SectionCollector(MAX_HEAD - len(line))
                self._section_start = end
                self._state = self.header_section
        elif line and self._is_after_message:
            self._begin_surplus(self._start, "http-surplus")
            return self._replay(self._start, line, pos, events)
        elif self._is_surplus(beginning := (beginning + data[begin : begin + SHOWN])[:SHOWN]):
            surplus = self._begin_surplus(self._start, "http-surplus")
            surplus.pass_over(end - self._start, beginning)
        elif not line:
            detail = f"the first line has more than {MAX_LINE:,} bytes"
            events.append(diagnose("http-line-limit", self._start, end, detail))
            self._skip(end, at_line_start=False)
        else:
            detail = excerpt(line)
            events.append(diagnose("http-start-line-invalid", self._start, end, detail))
            self._skip(end)
        return pos

    def header_section(self, data: bytes, pos: int, events: list[Event]) -> int:
        pos, section = self._section.take(data, pos)
        if section is None:
            self._holding.hold(len(self._section))
            return pos
        if self._holding.size:
            self._holding.hold(0)
        end = self._base + pos
        if not section:
            detail = f"more than {MAX_HEAD:,} bytes"
            events.append(diagnose("http-head-limit", self._start, end, detail))
            self._skip(end, at_line_start=False)
            return pos
        fields, faults = read_section(section, self._section_start)
        self._has_head = True
        framing = self._begin_message(fields, end, events)
        events += faults
        if framing.faults:
            self._report_framing(framing.faults, section, end, events)
        if len(fields) > MAX_FIELDS:
            detail = f"{len(fields):,} of {MAX_FIELDS:,} fields"
            events.append(diagnose("http-field-limit", self._start, end, detail))
        self._begin_body(framing, end, events)
        return pos

    def chunked_body(self, data: bytes, pos: int, events: list[Event]) -> int:
        body = self._body
        pos = body.decode(data, pos, events)
        if not body.done:
            return pos
        # Where it ended the capture does not hold if it was interrupted.
        ended_by: EndedBy = "capture-end" if body.interrupted else "last-chunk"
        return self._end_chunked(ended_by, pos, len(data), events)

    def _end_chunked(
        self, ended_by: EndedBy | None, pos: int, size: int, events: list[Event]
    ) -> int:
        offset, rest = self._body.release()
        end = self._body_start if ended_by is None else offset
        complete = ended_by == "last-chunk" and self._whole
        self._end_message(end, ended_by, complete, events)
        if ended_by is None:
            self._await_message(offset)
        return self._replay(offset, rest, size, events) if rest else pos

    def sized_body(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = min(pos + self._left, len(data))
        base = self._base
        events.append(Data(base + pos, base + end, data[pos:end], None))
        self._left -= end - pos
        if not self._left:
            self._end_message(base + end, "content-length", self._whole, events)
        return end

    def close_delimited_body(self, data: bytes, pos: int, events: list[Event]) -> int:
        events.append(Data(self._base + pos, self._base + len(data), data[pos:], None))
        return len(data)

    def closed(self, data: bytes, pos: int, events: list[Event]) -> int:
        """After a message that closes the connection: anything but empty lines is a fault."""
        while pos < len(data) and data[pos] in b"\r\n":
            pos += 1
        if pos < len(data):
            self._begin_surplus(self._base + pos, "http-data-after-close")
        return pos

    def holding(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Keep the bytes of a protocol that is not decided yet."""
        offset = self._base + pos
        if self._held.hold(offset, data[pos:]):
            detail = f"more than {MAX_HELD_UPGRADE:,} bytes"
            events.append(diagnose("http-upgrade-limit", offset, self._base + len(data), detail))
        self._holding.hold(min(self._held.size, MAX_HELD_UPGRADE))
        return len(data)

    def lost(self, data: bytes, pos: int, events: list[Event]) -> int:
        """After a head with invalid framing."""
        return len(data)

    def released(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Another decoder has taken over."""
        return len(data)

    # --- what states have in common ---

    _empty_line_fault: str

    @property
    @abstractmethod
    def _says_its_end(self) -> bool:
        """Whether the last message says where it ends: whether :meth:`_end_said` says anything."""

    @abstractmethod
    def _take_start_line(self, line: bytes) -> bool:
        """Keep what a first line says; return whether it is a start line."""

    def _begin_body(self, body: BodyFraming, start: int, events: list[Event]) -> None:
        self._body_start = start
        self._whole = True
        if body.lost:
            self.paused_for = None  # what follows is nobody's
            events.append(EndOfMessage(start, start, None, False))
            self._start = start
            self._state = self.lost
        elif body.framing == "chunked":
            self._body = ChunkedDecoder(
                start,
                keep_data=self._keep_data,
                next_message=self.certain_message,
                account=self._account,
            )
            self._state = self.chunked_body
        elif body.length:
            self._left = body.length
            self._state = self.sized_body
        elif body.framing == "close":
            self._state = self.close_delimited_body
        else:
            ended_by: EndedBy | None = "content-length" if body.length == 0 else None
            self._end_message(start, ended_by, True, events)

    def _end_message(
        self, end: int, ended_by: EndedBy | None, complete: bool, events: list[Event]
    ) -> None:
        events.append(EndOfMessage(self._body_start, end, ended_by, complete))
        if self.paused_for is not None:
            self._hold_from(end)
        else:
            self._go_on(end)

    def _go_on(self, start: int) -> None:
        if self._keep_alive:
            self._await_message(start)
            self._is_after_message = self._has_head and self._says_its_end
        else:
            self._state = self.closed

    def _hold_from(self, start: int) -> None:
        self._held = PendingBytes(start, MAX_HELD_UPGRADE)
        self._state = self.holding

    def _await_message(self, start: int) -> None:
        self._is_after_message = False
        self._start = start
        self._empty_line = False
        self._state = self.start_line

    def _miss_sized_body(self, start: int, length: int, events: list[Event]) -> None:
        self._whole = False
        missing = min(length, self._left)
        events.append(MissingData(start, start + missing, None))
        self._left -= missing
        if not self._left:
            self._end_message(start + missing, "content-length", False, events)
        if missing < length:
            self._hole = start + missing, self._offset
            if not self.paused:
                self._skip(self._offset)

    def _cut_body(self, detail: str, events: list[Event]) -> None:
        arrived = f"after {amount(self._offset - self._body_start, 'byte')}"
        events.append(
            diagnose("http-body-cut", self._body_start, self._offset, f"{arrived}, {detail}")
        )
