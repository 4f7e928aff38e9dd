"""Whether content is whole blocks of an event stream: where its events go on after missing bytes.

Strategy: servers write an event, or several, as one chunk or DATA frame. One that is whole blocks
of nothing but known fields begins where an event does, and what is missing before it was whole
events too.
"""

from __future__ import annotations

import re

# field = name [ ":" [ SP ] value ], or a comment (WHATWG HTML section 9.2.5); a block ends with an
# empty line.
_LINE = rb"(?:(?:data|event|id|retry)(?::[^\r\n]*+)?|:[^\r\n]*+)\r?\n"
BLOCK = rb"((?>(?:" + _LINE + rb")+))\r?\n"
"""A block that is whole; its group is the block without the empty line."""
DATA_LINE = re.compile(rb"(?m)^data:")
_BLOCKS = re.compile(rb"(?>(?:" + BLOCK + rb")+)")


def is_event_stream(content: bytes) -> bool:
    """Whether the content of a chunk is blocks of an event stream, at least one with data."""
    return is_blocks(content) and DATA_LINE.search(content) is not None


def is_blocks(content: bytes) -> bool:
    """Whether content is whole blocks of an event stream, comments among them."""
    return _BLOCKS.fullmatch(content) is not None


class BlockSearch:
    """Looks at one frame: it begins with an event, or the next blank line has to be waited for."""

    @property
    def waits(self) -> bool:
        return False

    def receive_frame(self, content: bytes, *, is_last: bool) -> int | None:
        return 0 if is_blocks(content) else None
