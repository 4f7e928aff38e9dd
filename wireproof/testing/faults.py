"""What an assertion found, before it is put into words with its packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class WireFailure(AssertionError):
    """The wire shows something else than a test expects."""

    __module__ = "wireproof.testing"  # where it is imported from, as pytest prints it


@dataclass(frozen=True)
class Fault:
    """Why an assertion does not hold."""

    summary: str
    """One line: what was expected, what was found."""
    packets: Sequence[int] = ()
    """Those that show it, from 1."""
    hints: Sequence[str] = field(default=())
    """Lines that help to understand it."""
