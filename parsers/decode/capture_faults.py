"""Faults of a capture that belong to no connection: of single packets, and of the file.

Strategy: what many packets have alike (an unknown link type, bytes that were not captured) is said
at the first of them. ``last`` is the number and the time, in nanoseconds, of the packet that was
taken last.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import Diagnostic, diagnose
from ..provenance import seconds
from ..records import DiagnosticRecord, Record

Choice = Callable[[int | None], bool]
"""Whether the connection of this number is decoded; None: whether faults of no connection are."""
Last = tuple[int, int]


class CaptureFaults:
    """Makes records of faults, if those of no connection are ``wanted``; None: they are."""

    def __init__(self, wanted: Choice | None) -> None:
        self._wanted = wanted
        self._link_types: set[tuple[str, int]] = set()
        """Of which it was said, and what."""
        self._has_cut = False

    def report(
        self, last: Last, code: str, detail: str, summary: str = "", packet: int | None = None
    ) -> list[Record]:
        """Report a fault, of the last packet unless another ``packet`` is named."""
        if self._wanted is not None and not self._wanted(None):
            return []
        number, time_ns = last
        fault = diagnose(code, 0, 0, detail)
        return [
            DiagnosticRecord(
                None,
                None,
                None,
                number if packet is None else packet,
                number if packet is None else packet,
                seconds(time_ns),
                seconds(time_ns),
                None,
                None,
                fault.severity,
                code,
                summary or fault.summary,
                fault.reference,
            )
        ]

    def of(self, last: Last, fault: Diagnostic) -> list[Record]:
        """Report a fault of a packet."""
        if fault.code == "packet-cut":
            return self.cut(last, 1)
        return self.report(last, fault.code, "", fault.summary)

    def cut(self, last: Last, missing: int) -> list[Record]:
        """Say at the first packet of which bytes are ``missing`` that the capture has some."""
        if not missing or self._has_cut:
            return []
        self._has_cut = True
        return self.report(last, "packet-cut", f"packet {last[0]} is the first")

    def of_link_type(self, last: Last, code: str, link_type: int, detail: str) -> list[Record]:
        """Report something about a link type, once."""
        if (code, link_type) in self._link_types:
            return []
        self._link_types.add((code, link_type))
        return self.report(last, code, detail)
