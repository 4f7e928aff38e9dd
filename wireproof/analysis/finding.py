"""What a verdict found, before a test, a table or a report puts it into words with its packets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Finding(NamedTuple):
    """Something that is not as it should be on the wire."""

    code: str
    """Stable, kebab-case."""
    summary: str
    """One line: what was expected, what was found."""
    packets: Sequence[int] = ()
    """Those that show it, from 1."""
    hints: Sequence[str] = ()
    """Lines that help to understand it."""
    remedy: str = ""
    """What to do about it, where that is known."""
