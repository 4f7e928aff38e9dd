"""Receivers that decode nothing."""

from __future__ import annotations

from ..diagnostics import Diagnostic
from ..provenance import Completion, Ending
from ..records import Record
from .writer import RecordWriter


class Ignored:
    """The receiver of bytes that no decoder here understands, from ``start`` on."""

    def __init__(self, writer: RecordWriter, start: int, exchange: int | None = None) -> None:
        self.writer = writer
        self._offset = start
        self._exchange = exchange

    def receive_data(self, data: bytes) -> list[Record]:
        self._offset += len(data)
        return []

    def receive_gap(self, length: int) -> list[Record]:
        start, self._offset = self._offset, self._offset + length
        return [self.writer.gap(start, length, self._exchange)]

    def pass_over(self, length: int) -> list[Record]:
        """Count missing bytes whose gap is recorded already."""
        self._offset += length
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self.writer.diagnostic(fault, self._exchange, shown)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()


class Unheard:
    """The receiver of a connection that nobody asked for: of it there are no records."""

    def receive_data(self, data: bytes) -> list[Record]:
        return []

    def receive_gap(self, length: int) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()


UNHEARD = Unheard()
"""One for all: it keeps nothing."""
