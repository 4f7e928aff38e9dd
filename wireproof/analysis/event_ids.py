"""The IDs of an event stream, as many as it takes to compare it with the one before it.

Strategy: a stream that goes on where another stopped is compared by its first IDs with the other's
last ones. So the first and the last MAX_IDS are kept, and all others counted.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from parsers.records import SseEventRecord

MAX_IDS = 256
"""IDs that are kept of each end of a stream."""


class EventId(NamedTuple):
    """An ID, and the packet that brought its event."""

    id: str
    packet: int


class EventIds:
    """Of one stream; an event that sets none is passed over."""

    __slots__ = ("_latest", "count", "first", "last", "retry")

    def __init__(self) -> None:
        self.count = 0
        self._latest = ""
        self.first: list[EventId] = []
        self.last: deque[EventId] = deque(maxlen=MAX_IDS)
        self.retry: int | None = None
        """Milliseconds to wait before connecting again, as last told."""

    def add(self, block: SseEventRecord) -> None:
        """Take the next block: its last event ID is new, or the one that was."""
        if block.retry is not None:
            self.retry = block.retry
        if block.id == self._latest or not block.dispatched:
            return
        self._latest = block.id
        if not block.id:
            return
        found = EventId(block.id, block.last_packet)
        self.count += 1
        self.last.append(found)
        if len(self.first) < MAX_IDS:
            self.first.append(found)

    @property
    def kept(self) -> list[str]:
        """The IDs that are known, in their order."""
        rest = max(0, self.count - len(self.first))
        return [one.id for one in (*self.first, *(list(self.last)[-rest:] if rest else ()))]

    @property
    def is_complete(self) -> bool:
        """Whether all of them are known."""
        return self.count <= 2 * MAX_IDS
