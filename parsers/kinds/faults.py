"""What a capture lacks, and what is wrong with what it holds."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..faults.fault import Severity
from .place import ByteSpace, Sender


class GapRecord(ByteSpace, frozen=True, tag_field="record", tag="gap"):
    """Bytes of the stream that the capture does not hold."""

    record: ClassVar[Literal["gap"]] = "gap"
    connection: int
    exchange: int | None
    """The exchange whose message lacks them; null if they belong to none, or to several."""
    sender: Sender
    first_packet: int
    """The packet that showed that they are missing."""
    last_packet: int
    """The packet that showed that they are missing."""
    first_time: float
    last_time: float
    offset: int
    length: int
    missing: int
    """How many bytes are missing: ``length``."""


class DiagnosticRecord(ByteSpace, frozen=True, tag_field="record", tag="diagnostic"):
    """A fault, its packets and its rule: [diagnostics.md](diagnostics.md) lists them."""

    record: ClassVar[Literal["diagnostic"]] = "diagnostic"
    connection: int | None
    """As in other records; null for a fault of the file itself."""
    exchange: int | None
    """As in other records; null for a fault outside of any."""
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
    """``note``: legal, but worth knowing; ``warning``: something deviates, and what it means is
    certain; ``error``: something is lost, wrong, or read differently by others."""
    code: str
    """Which fault: it does not change its meaning."""
    summary: str
    """What is wrong, in words for people: they may change."""
    reference: str
    """The rule that it breaks: ``RFC 9112 section 7.1``."""
