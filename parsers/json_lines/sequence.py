"""JSON text sequences: ``application/json-seq`` (RFC 7464).

Strategy: an RS begins each text and cannot stand inside one, so it is where decoding goes on after
anything that went wrong: after missing bytes, or a text that was cut. A text is complete with the
LF after its value, which the scanner finds; without the LF it is complete with the next RS.
"""

from __future__ import annotations

from ..diagnostics import diagnose, excerpt
from ..limits import MAX_KEPT_JSON_VALUE
from ..provenance import Ending, Event
from .value import WHITE_SPACE, Values, ValueScanner, fault_of, new_text, unfinished

# JSON-sequence = *(RS JSON-text LF); RS = %x1E (section 2.2)
_RS = b"\x1e"
_LF = b"\n"


class JsonSequenceDecoder:
    """Decode a JSON text sequence."""

    __slots__ = (
        "_offset", "_text", "_start", "_scanner", "_is_open", "_has_begun", "_value_ended",
        "_is_lost", "_has_stray", "_values",
    )  # fmt: skip

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset  # of the byte that comes next
        self._text = new_text()
        self._start = offset  # the open text's RS
        self._scanner = ValueScanner()
        self._is_open = False  # after an RS whose text is not complete
        self._has_begun = False  # the open text's value has
        self._value_ended = False  # the scanner has found the end of the open text's value
        self._is_lost = False  # after missing bytes
        self._has_stray = False  # bytes outside any text were noted
        self._values = Values()

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the values that they completed."""
        events: list[Event] = []
        base = self._offset
        pos = 0
        while pos < len(data):
            end = data.find(_RS, pos)
            self._read(data[pos : end if end >= 0 else len(data)], base + pos, events)
            if end < 0:
                break
            self._begin(base + end, events)
            pos = end + 1
        self._offset = base + len(data)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Give up the open text, and what follows up to the next RS."""
        self._offset += length
        self._close()
        self._start = self._offset
        self._is_lost = True
        return []

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Return a last text whose LF is missing, or say that it is cut."""
        events: list[Event] = []
        if self._is_open and (ending != "capture-end" or self._value_ended):
            self._end_without_lf(self._offset, events)
        self._close()
        return events

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open text begins."""
        return (self._start,) if self._is_open or self._is_lost else ()

    def _begin(self, start: int, events: list[Event]) -> None:
        """Begin a text at its RS."""
        if self._is_open:
            self._end_without_lf(start, events)
        if self._is_lost:
            events.append(diagnose("json-resynchronised", self._start, start))
        self._close()
        self._is_lost = False
        self._is_open = True
        self._start = start

    def _read(self, data: bytes, at: int, events: list[Event]) -> None:
        """Take bytes without RS: the rest of a text, and what is between it and the next RS."""
        pos = 0
        if self._is_open:
            pos = self._end_of_text(data)
            self._text.add(data[:pos])
            if not self._value_ended or data[pos - 1 : pos] != _LF:
                return
            self._add(at + pos, events)
        if not self._is_lost and not self._has_stray and (stray := data[pos:].lstrip(WHITE_SPACE)):
            self._has_stray = True
            place = at + len(data) - len(stray)
            detail = f"{excerpt(stray[:1])} without an RS before it"
            events.append(diagnose("json-value-invalid", place, place + 1, detail))

    def _end_of_text(self, data: bytes) -> int:
        """Return where the text's bytes end: after the LF that follows the value."""
        pos = 0
        if not self._value_ended:
            if not self._has_begun:
                pos = len(data) - len(data.lstrip(WHITE_SPACE))
                self._has_begun = pos < len(data)
            pos = self._scanner.scan(data, pos)
            if pos < 0:
                return len(data)
            self._value_ended = True
        return data.find(_LF, pos) + 1 or len(data)

    def _end_without_lf(self, end: int, events: list[Event]) -> None:
        """Take the open text as it stands: an RS, or the end, came where its LF should be.

        A number or a literal without it may have been cut (section 2.4).
        """
        text = self._text.data.strip(WHITE_SPACE)
        if not text:
            return  # RS RS: an empty element is ignored (section 2.1)
        is_cut = self._scanner.is_scalar and not self._value_ended
        if self._text.is_whole and (is_cut or fault_of(text) is not None):
            events.append(unfinished(self._start, end, text, self._values.count))
            self._close()
        else:
            self._add(end, events)

    def _add(self, end: int, events: list[Event]) -> None:
        size = self._text.size
        text = self._text.take().strip(WHITE_SPACE)
        size = size if size > MAX_KEPT_JSON_VALUE else len(text)
        self._values.add(self._start, end, text, size, events)
        self._close()

    def _close(self) -> None:
        self._text.take()
        self._scanner.clear()
        self._is_open = False
        self._has_begun = False
        self._value_ended = False
