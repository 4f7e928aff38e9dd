"""Every fault that wireproof can name: one registry, and the event that reports one.

A fault never ends a decode. It becomes a :class:`Diagnostic` with its place, and decoding goes
on as far as framing allows.
"""

from __future__ import annotations

from .faults import content, http1, http2, http3, tls, transport, websocket
from .faults.fault import Fault as Fault
from .faults.fault import Severity as Severity
from .provenance import Element

FAMILIES = transport, http1, tls, http2, http3, content, websocket
FAULTS: dict[str, Fault] = {
    code: fault for family in FAMILIES for code, fault in family.FAULTS.items()
}


class Diagnostic(Element, frozen=True):
    """A fault at [start, end) of a decoder's input."""

    start: int
    end: int
    code: str
    """A key of :data:`FAULTS`."""
    summary: str

    @property
    def severity(self) -> Severity:
        return FAULTS[self.code].severity

    @property
    def reference(self) -> str:
        return FAULTS[self.code].reference


def diagnose(code: str, start: int, end: int, detail: str = "") -> Diagnostic:
    """Return the diagnostic ``code`` for [start, end); ``detail`` says what was found.

    Raises KeyError for a code that is not registered.
    """
    summary = FAULTS[code].summary
    return Diagnostic(start, end, code, f"{summary}: {detail}" if detail else summary)


def amount(number: int, thing: str) -> str:
    """Return ``1 byte``, ``2,000 bytes``, for a message; things are words that take an s."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def excerpt(data: bytes, length: int = 60) -> str:
    """Return the beginning of ``data`` as a bytes literal without its b, for a message."""
    shown = repr(data[:length])[1:]
    return f"{shown}... ({len(data):,} bytes)" if len(data) > length else shown
