"""A row of the registry of faults."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["note", "warning", "error"]


class Fault(Struct, frozen=True, gc=False):
    """One row of the registry."""

    severity: Severity
    """``note``: legal, but worth knowing. ``warning``: the capture or a peer deviates, and what
    it means is certain. ``error``: something is lost, wrong, or read differently by others."""
    summary: str
    reference: str
    """The rule: ``RFC 9112 section 7.1``; empty where no standard has one."""
