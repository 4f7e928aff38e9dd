"""The receiver of what follows a switch of protocols and is not decoded: what came, and when.

Strategy: each run is recorded as the packet brought it, with its bytes up to MAX_KEPT_RUNS; at the
end one note counts them. So nothing passes in silence, whatever it was.
"""

from __future__ import annotations

from ..diagnostics import Diagnostic, amount, diagnose
from ..limits import MAX_KEPT_RUNS
from ..provenance import Completion, Ending
from ..records import Record
from .runs import data_runs
from .side import is_of_requests
from .writer import RecordWriter


class RawSide:
    """The receiver of one side's bytes from ``start`` on, as rows of ``exchange``.

    ``what`` they are is said in the note at the end; None if that has been said.
    """

    def __init__(
        self, writer: RecordWriter, start: int, exchange: int, what: str | None = None
    ) -> None:
        self._writer = writer
        self._offset = start
        self._exchange = exchange
        self._what = what
        self._size = 0

    def receive_data(self, data: bytes) -> list[Record]:
        if not data:
            return []
        start, self._offset = self._offset, self._offset + len(data)
        room = MAX_KEPT_RUNS - self._size
        records = data_runs(self._writer, self._exchange, start, data, room)
        self._size += len(data)
        return records

    def receive_gap(self, length: int) -> list[Record]:
        start, self._offset = self._offset, self._offset + length
        return [self._writer.gap(start, length, self._exchange)]

    def pass_over(self, length: int) -> list[Record]:
        """Count missing bytes whose gap is recorded already."""
        self._offset += length
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        if is_of_requests(fault):
            return []
        return [self._writer.diagnostic(fault, self._exchange, shown)]

    def receive_eof(self, ending: Ending) -> list[Record]:
        if self._what is None or not self._size:
            return []
        detail = f"{amount(self._size, 'byte')} from the {self._writer.sender}, {self._what}"
        fault = diagnose("switch-not-decoded", self._offset, self._offset, detail)
        return [self._writer.diagnostic(fault, self._exchange)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()
