"""What a direction of a TCP connection hands its bytes to, and receivers that decode nothing."""

from __future__ import annotations

from typing import Protocol

from ..diagnostics import Diagnostic
from ..provenance import Completion, Ending
from ..records import Record
from .writer import RecordWriter


class Receiver(Protocol):
    """Takes one direction, in order, and returns what comes of it."""

    def receive_data(self, data: bytes) -> list[Record]: ...

    def receive_gap(self, start: int, end: int) -> list[Record]: ...

    def receive_eof(self, ending: Ending) -> list[Record]: ...

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]: ...

    @property
    def open_offsets(self) -> tuple[int, ...]: ...


class Ignored:
    """The receiver of bytes that no decoder here understands."""

    def __init__(self, writer: RecordWriter) -> None:
        self.writer = writer

    def receive_data(self, data: bytes) -> list[Record]:
        return []

    def receive_gap(self, start: int, end: int) -> list[Record]:
        return [self.writer.gap(start, end - start, None)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self.writer.diagnostic(fault, None, shown)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()


class Unheard:
    """The receiver of a connection that nobody asked for: of it there are no records."""

    def receive_data(self, data: bytes) -> list[Record]:
        return []

    def receive_gap(self, start: int, end: int) -> list[Record]:
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
