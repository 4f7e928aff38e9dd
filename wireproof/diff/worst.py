"""Which exchanges are behind what became worse: the few to look at first.

Strategy: of each thing that is compared a few exchanges are kept while the tables are read, those
with the most of it; among equals the first ones. So memory does not grow with a run. They are
known by the names of what is compared. A stored baseline has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappush, heappushpop
from itertools import chain
from operator import neg
from typing import Any

from .change import COUNT, FEWER, LATE, PAUSES, Example

WORST = 3
"""Exchanges that are kept of each thing."""
OF_OTHERS = {PAUSES: ("gap_max",), LATE: ("first_token", "first"), FEWER: (COUNT,)}
"""What is kept by the name of something else, the first of these that there is."""


class Worst:
    """Keeps the few with most of something."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, Example]] = []
        self._order = 0

    def add(self, much: float, row: Mapping[str, Any], value: float | None, packet: int) -> None:
        """Take the row of an exchange or of a connection."""
        kept = self._kept
        is_full = len(kept) >= WORST
        if is_full and much <= kept[0][0]:
            return
        self._order -= 1  # the later of equals goes first
        where = row["capture"], row["connection"], row.get("exchange")
        one = much, self._order, Example(*where, packet, value)
        if is_full:
            heappushpop(kept, one)
        else:
            heappush(kept, one)

    def examples(self) -> list[Example]:
        """Return them, the worst first."""
        return [one for _, _, one in sorted(self._kept, reverse=True)]


def _kept_as(what: str) -> tuple[str, ...]:
    """Return by which names exchanges are kept that are behind something that is compared."""
    return OF_OTHERS.get(what) or (what.removesuffix(" p50").removesuffix(" p99"),)


def behind(what: str, groups: Iterable[Mapping[str, Sequence[Example]]]) -> list[Example]:
    """Return the worst of one request, or of several."""
    kept = list(groups)
    for name in _kept_as(what):
        if found := list(chain.from_iterable(one.get(name, ()) for one in kept)):
            break
    worse = neg if name != COUNT else abs
    return sorted(found, key=lambda one: worse(one.value or 0.0))[:WORST]
