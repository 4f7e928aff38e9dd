"""What is whole of a head that is not: bytes of it are missing, or its connection ended in it.

Strategy: what :mod:`.states` does where a head breaks off. A start line that is whole is shown, and
the fields that are. After missing bytes neither the framing nor its beginning is known:
``unframed_body`` looks for chunks that prove themselves, or for the next message.
"""

from __future__ import annotations

import re
from abc import abstractmethod

from ..diagnostics import Diagnostic, amount, diagnose, excerpt
from ..limits import MAX_HEAD
from ..memory import Account
from ..provenance import Ending, Event
from ..records import EndedBy
from .chunked import ChunkedDecoder, Data
from .collectors import SectionCollector
from .framing import BodyFraming, Fault, by_name, cut_section_framing_faults
from .head import Fields, FieldSection, cut_line_faults, cut_section
from .messages import BodyFound, EndOfMessage
from .searching import Searching, State


class CutHeads(Searching):
    """The states of a head that is cut. Not for use by itself."""

    start_line: State
    header_section: State
    chunked_body: State
    paused_for: str | None
    _keep_data: bool
    _account: Account | None
    _section: SectionCollector
    _section_start: int
    _body: ChunkedDecoder
    _body_start: int
    _whole: bool
    _is_cut: bool
    _has_head: bool

    @abstractmethod
    def _end_message(
        self, end: int, ended_by: EndedBy | None, complete: bool, events: list[Event]
    ) -> None:
        """End the message at hand."""

    @abstractmethod
    def _end_chunked(
        self, ended_by: EndedBy | None, pos: int, size: int, events: list[Event]
    ) -> int:
        """End a chunked body; return where in the piece of ``size`` bytes that was."""

    @abstractmethod
    def _take_cut_line(self, line: bytes) -> bool:
        """Keep what the beginning of a first line says; return whether that can be shown."""

    @property
    @abstractmethod
    def _may_be_chunked(self) -> bool:
        """Whether the body of a head that is cut can be chunks, as far as the head says."""

    @abstractmethod
    def _begin_message(self, fields: Fields, end: int, events: list[Event]) -> BodyFraming:
        """Add the message and the faults of its first line; return its body's framing."""

    def _report_framing(
        self, faults: list[Fault], section: bytes, end: int, events: list[Event]
    ) -> None:
        """Report faults at the field lines that they are about, else over the whole head."""
        for code, detail, name in faults:
            start, stop = _place(section, name)
            if stop:
                offset = self._section_start
                events.append(diagnose(code, offset + start, offset + stop, detail))
            else:
                events.append(diagnose(code, self._start, end, detail))

    def unframed_body(self, data: bytes, pos: int, events: list[Event]) -> int:
        """After a head that is cut: look for chunks that prove themselves, or the next message."""
        body = self._body
        found: list[Event] = []
        pos = body.decode(data, pos, found)
        if body.interrupted:
            events += found
            return self._end_chunked(None, pos, len(data), events)
        if not found:
            return pos
        self._state = self.chunked_body
        first = next(event for event in found if isinstance(event, Data))
        resynchronised = found[0]
        assert isinstance(resynchronised, Diagnostic)
        self._body_start = resynchronised.end
        events += [resynchronised, BodyFound(self._body_start, first.end, first.data), *found[1:]]
        return self._end_chunked("last-chunk", pos, len(data), events) if body.done else pos

    def _miss_head(self, start: int, length: int, events: list[Event]) -> None:
        if self._state == self.surplus:
            self._end_surplus(start, events)
        elif self._state == self.start_line and self._is_surplus(self._line.pending):
            self._say_surplus(self._line.pending, events)
        elif self._state == self.header_section:
            self._cut_head(start, length, events)
            return
        elif self._take_cut_line(self._line.pending):
            self._section = SectionCollector(MAX_HEAD)
            self._section_start = start
            self._cut_head(start, length, events)
            return
        elif self._line.pending.strip(b"\r"):
            self._cut(length, start, events)
        self._skip(self._offset)

    def _cut(self, length: int, start: int, events: list[Event]) -> None:
        before = amount(start - self._start, "byte")
        detail = f"{amount(length, 'byte')} missing after {before} of its head"
        events.append(diagnose("http-message-cut", self._start, self._offset, detail))

    def _cut_head(self, start: int, length: int, events: list[Event]) -> None:
        """Show what is whole of a head whose rest is missing; its body cannot be told."""
        read = cut_section(self._section.pending, self._section_start)
        body = self._begin_cut_message(read, start, events)
        events += read.faults
        self._cut(length, start, events)
        self._body_start = self._offset
        if body.framing == "upgrade":
            self._end_message(self._offset, None, True, events)
            return
        is_refusal, self.paused_for = self.paused_for == "refusal", None
        if self._may_be_chunked and not is_refusal:
            self._has_head = self._whole = False
            self._body = ChunkedDecoder(
                self._offset,
                keep_data=self._keep_data,
                next_message=self.certain_message,
                account=self._account,
            )
            self._body.seek()
            self._state = self.unframed_body
            return
        events.append(EndOfMessage(self._offset, self._offset, None, False))
        self._skip(self._offset)

    def _begin_cut_message(self, read: FieldSection, end: int, events: list[Event]) -> BodyFraming:
        """Show what is whole of a head."""
        self._is_cut = True
        body = self._begin_message(read.fields, end, events)
        self._is_cut = False
        return body

    def _end_in_start_line(self, ending: Ending, events: list[Event]) -> None:
        line = self._line.pending
        if not line:  # as nearly always
            return
        faults: list[tuple[str, str]] = []
        is_shown = False
        if self._is_surplus(line):
            self._say_surplus(line, events)
        elif not self.start_line_begins.fullmatch(line):
            faults.append(("http-start-line-invalid", excerpt(line)))
        else:
            faults += cut_line_faults(line)
            if ending != "capture-end":
                detail = f"{_ended(ending)} in its first line, after {amount(len(line), 'byte')}"
                faults.append(("http-message-cut", detail))
                is_shown = self._take_cut_line(line)
        if is_shown:
            self._section_start = self._offset
            self._begin_cut_message(FieldSection(b"", self._offset), self._offset, events)
        for code, detail in faults:
            events.append(diagnose(code, self._start, self._offset, detail))
        if is_shown:
            events.append(EndOfMessage(self._offset, self._offset, None, False))

    def _end_in_header_section(self, ending: Ending, events: list[Event]) -> None:
        section = self._section.pending
        read = cut_section(section, self._section_start)
        is_shown = ending != "capture-end"  # what comes after it may make it whole
        if is_shown:
            self._begin_cut_message(read, self._offset, events)
        events += read.faults
        faults = cut_section_framing_faults(by_name(read.fields))
        self._report_framing(faults, section, self._offset, events)
        if is_shown:
            before = amount(self._offset - self._start, "byte")
            detail = f"{_ended(ending)} in its header section, after {before}"
            events.append(diagnose("http-message-cut", self._start, self._offset, detail))
            events.append(EndOfMessage(self._offset, self._offset, None, False))


def _ended(ending: Ending) -> str:
    return "reset" if ending == "reset" else "closed"


def _place(section: bytes, name: bytes) -> tuple[int, int]:
    """Return where a section's first field line of this name lies; (0, 0) if there is none."""
    line = re.search(rb"(?im)^" + re.escape(name) + rb"[ \t]*+:[^\n]*+\n", section)
    return line.span() if line is not None else (0, 0)
