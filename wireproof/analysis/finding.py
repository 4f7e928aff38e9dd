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


def not_recorded(
    unknown: str,
    packets: Sequence[int] = (),
    hints: Sequence[str] = (),
    *,
    of: str = "of the response",
) -> Finding:
    """Return that a capture lacks bytes, and what is therefore unknown."""
    return Finding("not-recorded", f"the capture lacks bytes {of}: {unknown}", packets, hints)
