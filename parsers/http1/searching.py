"""Where a direction's bytes begin no message: until the next one that is sure, or to the end.

Strategy: two states of :mod:`.states`, and what they share with the others. ``skip`` says nothing
of what it passes over. ``surplus`` is after a complete message: it counts the bytes that follow,
and says once what they are (:mod:`.surplus`). What a search had kept is decoded again where it
found a message.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from ..diagnostics import diagnose
from ..limits import MAX_LINE, MAX_SURPLUS
from ..provenance import Event
from .collectors import LineCollector
from .resynchronise import Resynchroniser
from .surplus import Surplus

State = Callable[[bytes, int, list[Event]], int]
"""Reads input on at a place, adds what it found, and returns where it stopped."""


class Searching(ABC):
    """The states between messages. Not for use by itself."""

    certain_message: bytes
    start_line_begins: re.Pattern[bytes]
    _state: State

    def __init__(self, offset: int) -> None:
        self._offset = offset  # of the next byte
        self._base = offset  # of data[0] in the piece at hand
        self._start = offset  # of the message, or of what is skipped
        self._line = LineCollector(MAX_LINE)
        self._search: Resynchroniser | None = None
        self._surplus: Surplus | None = None
        self._is_after_message = False  # nothing has come since one ended

    @abstractmethod
    def _await_message(self, start: int) -> None:
        """Go on with a start line."""

    @abstractmethod
    def _end_said(self) -> str:
        """What the last message says of where it ends, as the cause of bytes after it."""

    def surplus(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Count bytes up to a line that is surely a start line."""
        assert self._surplus is not None
        found = self._surplus.receive_data(data, pos)
        if found is not None:
            self._end_surplus(found[0], events)
            if self._surplus.code != "http-surplus" or found[0] - self._start > MAX_SURPLUS:
                self._note_resynchronised(found[0], events)
            return self._go_on_at(found, pos, events)
        if self._surplus.is_past_limit:
            self._end_surplus(self._base + len(data), events)
            self._search = self._surplus.search
            self._state = self.skip
        return len(data)

    def skip(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Look for a line that is surely a start line."""
        assert self._search is not None
        found = self._search.receive_data(data, pos)
        if found is None:
            return len(data)
        self._note_resynchronised(found[0], events)
        return self._go_on_at(found, pos, events)

    def _replay(self, offset: int, data: bytes, end: int, events: list[Event]) -> int:
        """Decode bytes again that a search had kept; they end where the piece at hand does."""
        base, self._base = self._base, offset
        pos = 0
        while pos < len(data):
            pos = self._state(data, pos, events)
        self._base = base
        return end

    def _note_resynchronised(self, offset: int, events: list[Event]) -> None:
        detail = f"message at {offset:,}"
        events.append(diagnose("http-resynchronised", self._start, offset, detail))

    def _go_on_at(self, found: tuple[int, bytes], pos: int, events: list[Event]) -> int:
        """Await the message that a search found; what it had kept before ``pos`` comes again."""
        offset, rest = found
        here = self._base + pos
        self._await_message(offset)
        if offset >= here:
            return offset - self._base
        return self._replay(offset, rest[: here - offset], pos, events)

    def _begin_surplus(self, start: int, code: str) -> Surplus:
        self._start = start
        self._line.clear()
        self._surplus = Surplus(start, self.certain_message, code, self._end_said())
        self._state = self.surplus
        return self._surplus

    def _is_surplus(self, line: bytes) -> bool:
        """Whether a line that has not ended follows a message, and begins no other one."""
        return self._is_after_message and not self.start_line_begins.fullmatch(line)

    def _say_surplus(self, line: bytes, events: list[Event]) -> None:
        end = self._start + len(line)
        self._begin_surplus(self._start, "http-surplus").receive_data(line, 0)
        self._end_surplus(end, events)

    def _end_surplus(self, end: int, events: list[Event]) -> None:
        """Say what came after a complete message up to ``end``."""
        assert self._surplus is not None
        events.append(self._surplus.fault(end))

    def _skip(self, start: int, *, at_line_start: bool = True) -> None:
        self._is_after_message = False
        self._start = start
        self._line.clear()
        self._search = Resynchroniser(start, self.certain_message, at_line_start=at_line_start)
        self._state = self.skip
