"""Blocks of a capture file without texts: what no reader needs to find the packets and their times.

Strategy: an allowlist too. Of each kind of block that is known, the fields of fixed size stay, and
the options that are numbers. Comments, names, filters and hashes are left out; other blocks, of
which some count as packets, are masked.
"""

from __future__ import annotations

from msgspec.structs import replace
from parsers import (
    ENHANCED_PACKET,
    IF_TSRESOL,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    OBSOLETE_PACKET,
    OPT_ENDOFOPT,
    SECTION_HEADER,
    SIMPLE_PACKET,
    Block,
    padded,
)

from ...tasks.annotate import option
from .masking import stars

EPB_FLAGS, EPB_DROPCOUNT = 2, 4
IF_SPEED, IF_FCSLEN, IF_TSOFFSET = 8, 13, 14
_OF_PACKETS = {EPB_FLAGS: 4, EPB_DROPCOUNT: 8}
TEXTS = frozenset((4, 10))
"""Blocks that hold nothing but names or secrets (sections 4.5 and 4.7)."""
FIXED = {SECTION_HEADER: 16, INTERFACE_DESCRIPTION: 8, INTERFACE_STATISTICS: 12}
"""Bytes before the options (pcapng section 4)."""
NUMBERS: dict[int, dict[int, int]] = {
    SECTION_HEADER: {},
    INTERFACE_DESCRIPTION: {IF_TSRESOL: 1, IF_TSOFFSET: 8, IF_SPEED: 8, IF_FCSLEN: 1},
    INTERFACE_STATISTICS: dict.fromkeys(range(2, 9), 8),  # isb_starttime to isb_usrdeliv
    ENHANCED_PACKET: _OF_PACKETS,
    OBSOLETE_PACKET: {EPB_FLAGS: 4},
    SIMPLE_PACKET: {},
}
"""Options that are numbers, and their sizes, by the types of blocks."""


def without_texts(block: Block, end: int) -> Block | None:
    """Return a block without texts, None if it is of no use without them.

    ``end`` is where the bytes of its packet end in its body, if it has one.
    """
    if block.type == ENHANCED_PACKET and len(block.body) == padded(end) == end:
        return block  # as nearly all are: it has no options, and needs no padding
    if block.type in TEXTS:
        return None
    numbers = NUMBERS.get(block.type)
    if numbers is None:
        return replace(block, body=stars(len(block.body)))
    end = FIXED.get(block.type, end)
    start = padded(end)
    kept = b"".join(
        option(block.byte_order, code, value)
        for code, value in block.options(start)
        if value is not None and numbers.get(code) == len(value)
    )
    last = option(block.byte_order, OPT_ENDOFOPT) if kept else b""
    return replace(block, body=block.body[:end] + bytes(start - end) + kept + last)
