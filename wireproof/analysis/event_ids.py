"""The IDs of an event stream, as many as it takes to compare it with the one before it.

Strategy: a stream that goes on where another stopped is compared by its first IDs with the other's
last ones. So the first and the last MAX_IDS are kept, and all others counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from operator import eq
from typing import NamedTuple

from parsers.records import SseEventRecord

MAX_IDS = 256
"""IDs that are kept of each end of a stream."""
NO_PACKETS: deque[int] = deque()
"""Of streams without IDs: it is never added to."""


class EventId(NamedTuple):
    """An ID, and the packet that brought its event."""

    id: str
    packet: int


class EventIds:
    """Of one stream; an event that sets none is passed over."""

    __slots__ = ("count", "retry", "_latest", "_first", "_first_packets", "_last", "_last_packets")

    def __init__(self) -> None:
        self.count = 0
        self.retry: int | None = None
        """Milliseconds to wait before connecting again, as last told."""
        # Beside each other: a tuple an event would cost more than all else that is kept of it.
        self._latest = ""
        self._first: list[str] = []
        self._first_packets: list[int] = []
        self._last: deque[str] | None = None
        """None as long as there are none: an empty one takes as much as all else."""
        self._last_packets: deque[int] = NO_PACKETS

    def add(self, block: SseEventRecord) -> None:
        """Take the next block: its last event ID is new, or the one that was."""
        self.add_all((block,), block.dispatched)

    def add_all(self, blocks: Sequence[SseEventRecord], are_dispatched: bool) -> None:
        """Take several blocks that came after each other; whether all of them were dispatched."""
        told = [block.retry for block in blocks if block.retry is not None]
        self.retry = told[-1] if told else self.retry
        given = blocks if are_dispatched else [block for block in blocks if block.dispatched]
        ids = [block.id for block in given]
        packets = [block.last_packet for block in given]
        before = [self._latest, *ids]
        self._latest = before[-1]
        if "" in ids or any(map(eq, ids, before)):
            new = [at for at, name in enumerate(ids) if name and name != before[at]]
            ids, packets = [ids[at] for at in new], [packets[at] for at in new]
        if not ids:
            return
        if self._last is None:
            self._last, self._last_packets = deque(maxlen=MAX_IDS), deque(maxlen=MAX_IDS)
        room = MAX_IDS - len(self._first)
        self._first += ids[:room]
        self._first_packets += packets[:room]
        self._last.extend(ids)
        self._last_packets.extend(packets)
        self.count += len(ids)

    @property
    def first(self) -> list[EventId]:
        """The first ones, in their order."""
        return list(map(EventId, self._first, self._first_packets))

    @property
    def last(self) -> list[EventId]:
        """The last ones, in their order."""
        return list(map(EventId, self._last or (), self._last_packets))

    @property
    def kept(self) -> list[str]:
        """The IDs that are known, in their order."""
        rest = max(0, self.count - len(self._first))
        return [*self._first, *(list(self._last or ())[-rest:] if rest else ())]

    @property
    def is_complete(self) -> bool:
        """Whether all of them are known."""
        return self.count <= 2 * MAX_IDS


NO_IDS = EventIds()
"""Those of a stream that has none: it is never added to."""
