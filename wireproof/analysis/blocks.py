"""Several blocks of an event stream: what is asked of all of them, found out once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parsers.records import SseEventRecord


class Blocks(NamedTuple):
    """Blocks of one event stream that came after each other."""

    blocks: Sequence[SseEventRecord]
    data: list[str | None]
    dispatched: int
    """How many of them were."""

    @classmethod
    def of(cls, blocks: Sequence[SseEventRecord]) -> Blocks:
        """Return what is known of blocks."""
        data = [block.data for block in blocks]
        return cls(blocks, data, [block.dispatched for block in blocks].count(True))

    @property
    def are_dispatched(self) -> bool:
        """Whether a browser would dispatch all of them."""
        return self.dispatched == len(self.blocks)
