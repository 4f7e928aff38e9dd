"""What elements say, as pieces of a row: the words of :mod:`..dialects.wording` with styles.

Strategy: a row shows what a person would call the content, and leaves out the envelope. What all
elements of a stream share stands in one line before its first row.
"""

from __future__ import annotations

from ..dialects.dialect import Dialect
from ..dialects.payload import Kind, Payload
from ..dialects.wording import said, shared
from .lines import Line

STYLES: dict[Kind, str] = {"error": "error", "control": "faint", "ping": "faint", "role": "faint"}
"""Of what a payload is called; ``type`` unless it stands here."""


def payload_units(payload: Payload, width: int) -> list[Line]:
    """Return what a payload says, none if it is to be shown as the wire has it."""
    words = said(payload, width)
    if words is None:
        return []
    style = STYLES.get(payload.kind, "type")
    pieces: Line = [(words.what, style), (" " if words.what and words.text else "", "")]
    units: list[Line] = [[*pieces, (words.text, "")]]
    return [*units, [(words.more, "faint")]] if words.more else units


def dialect_line(dialect: Dialect) -> Line:
    """Return what a stream speaks, and what all of its elements share."""
    common = shared(dialect)
    return [(f"    {dialect.title}", "type"), (f"  {common}" if common else "", "faint")]
