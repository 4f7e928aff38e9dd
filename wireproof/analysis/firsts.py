"""The first elements of an answer, a time and a checksum each: do two exchanges carry the same?

Strategy: an answer that a proxy passes on has the same elements on both of its legs, each of them
later on its client's. So a few numbers tell whether one exchange can be the leg of another; where
answers are alike, their times still do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from parsers.records import BodyElementRecord, SseEventRecord, WebSocketMessageRecord

MAX_FIRSTS = 8
"""Elements of an answer that are noted."""


class First(NamedTuple):
    """One of the first elements."""

    time: float
    """When it was there, in seconds since the epoch."""
    checksum: int
    """CRC-32 of its data."""


Firsts = tuple[First, ...]
Element = SseEventRecord | BodyElementRecord | WebSocketMessageRecord


def with_firsts(firsts: Firsts, elements: Iterable[Element]) -> Firsts:
    """Return the first elements with those that follow them, MAX_FIRSTS at most.

    What has no data is none: a proxy may add comments of its own.
    """
    for element in elements:
        if len(firsts) == MAX_FIRSTS:
            break
        data = element.data
        if data:
            firsts += (First(element.last_time, _checksum(data)),)
    return firsts


def is_passed_on(near: Firsts, far: Firsts) -> bool | None:
    """Whether the elements of a client's leg can be those of a server's; None if one has none."""
    if not near or not far:
        return None
    return all(
        here.checksum == there.checksum and here.time >= there.time
        for here, there in zip(near, far, strict=False)
    )


def _checksum(data: object) -> int:
    return crc32(data if isinstance(data, bytes) else str(data).encode("utf-8", "replace"))
