"""What a capture lacks, and what is wrong with what it holds."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..faults.fault import Severity
from .place import ByteSpace, Sender


class GapRecord(ByteSpace, frozen=True, tag_field="record", tag="gap"):
    """Bytes of the stream that the capture lacks."""

    record: ClassVar[Literal["gap"]] = "gap"
    connection: int
    exchange: int | None
    """The exchange whose message lacks them; null if that is none or several."""
    sender: Sender
    first_packet: int
    """The packet that revealed them to be missing."""
    last_packet: int
    """The packet that revealed them to be missing."""
    first_time: float
    last_time: float
    offset: int
    length: int
    missing: int
    """How many bytes are missing: ``length``."""


class DiagnosticRecord(ByteSpace, frozen=True, tag_field="record", tag="diagnostic"):
    """A fault, with its packets and the rule it breaks; [diagnostics.md](diagnostics.md) lists them
    all."""

    record: ClassVar[Literal["diagnostic"]] = "diagnostic"
    connection: int | None
    """As in other records; null for a fault of the file itself."""
    exchange: int | None
    """As in other records; null for a fault outside any exchange."""
    sender: Sender | None
    """Whose bytes are at fault; null for a fault of the file itself."""
    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    offset: int | None
    """As in other records; null for a fault of the file itself."""
    length: int | None
    """As in other records; null for a fault of the file itself."""
    severity: Severity
    """``note``: legal, but worth knowing; ``warning``: a deviation whose meaning is certain;
    ``error``: something is lost, wrong, or read differently by others."""
    code: str
    """The fault's code, which never changes its meaning."""
    summary: str
    """What is wrong, for people to read; the wording may change."""
    reference: str
    """The rule it breaks: ``RFC 9112 section 7.1``."""
