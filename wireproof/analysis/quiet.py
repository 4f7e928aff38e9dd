"""Waits in which the path did nothing that shows, and the sender was not simply silent.

Strategy: a dialect says itself that an answer has begun, or that its model reasons; what is waited
for then is the model. And an element is there when its last byte is: a large one on a path that
carries so many bytes a second, or from a sender that is held to them, comes all the while. Where
only its first and its last packet are known, both that and silence may be.

A reader that sleeps while its window is open leaves nothing on the wire at all: there is no word
for it. Once its window closes that is told as ``zero-window``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ..dialects.payload import CONTENT, Kind
from ..text.wording import duration
from .arrivals import LEAST, WAIT, Arrivals
from .marks import KINDS
from .trace import Trace

ANNOUNCES: frozenset[Kind] = frozenset(("role", "start", "reasoning"))
"""Kinds of elements after which a model is at work, by what the stream itself says."""
LEAST_LARGE = 2 * 1_460
"""Bytes of an element, from two full segments on, that may take long because of its size."""
MOSTLY = 0.5
"""Part of a wait for which an element must have been on its way if its size explains the wait."""
EVEN = 3
"""Times the usual distance of its pieces up to which one may be late if they came evenly."""


class UnderWay(NamedTuple):
    """An element that was on its way for most of a wait."""

    is_even: bool
    """Whether its pieces came evenly; else only its first packet and its last are known."""
    seen: str


def at_work(trace: Trace, before: int, after: int) -> str | None:
    """Return what says that a model was at work between two kinds of elements, None if nothing."""
    if not trace.reader.name or KINDS[after] not in CONTENT:
        return None
    said = KINDS[before]
    if said not in ANNOUNCES:
        return None
    if said == "reasoning":
        return "the model reasons, and its next word took that long"
    return "the answer has been announced, and its first content took that long"


def under_way(trace: Trace, came: Arrivals, at: int) -> UnderWay | None:
    """Return how the element after a gap came, None if its size does not explain the wait."""
    start, end = came.times[at], came.times[at + 1]
    begun, size = came.start(at + 1), came.lengths[at + 1]
    took = end - begun
    if size < LEAST_LARGE or took < MOSTLY * (end - start):
        return None
    rate = f"{size:,} bytes in {duration(took)}, {round(size / took):,} bytes a second"
    times = trace.pieces.times[bisect_left(trace.pieces.times, begun) :]
    times = times[: bisect_right(times, end)]
    if len(times) < LEAST:
        packets = f"from packet {came.first_packets[at + 1]} on"
        return UnderWay(False, f"the next element came {packets}: {rate}")
    gaps = [after - before for before, after in pairwise(times)]
    if max(gaps) > max(WAIT, EVEN * median(gaps)):
        return None
    return UnderWay(True, f"the next element came all the while: {rate}")
