"""Which element of one leg is which of the other.

Strategy: what is equal at both ends is paired first, which is all of it but for a hop that loses
something. In the rest, elements whose content stands once on each leg are anchors; the longest run
of them that is in order on both is kept, and between two anchors equal elements are paired as they
come. Where as many are left over on both sides of one place, they are the same with other content.
What is left then is missing on one side, or it is out of order or there twice. The time is that of
sorting.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple


class Alignment(NamedTuple):
    """Pairs of positions, and what has none; positions count from 0."""

    pairs: list[tuple[int, int]]
    """(near, far), in the order of both; those that changed among them."""
    changed: list[tuple[int, int]]
    """Those whose content is another."""
    lost: list[int]
    """Of the far leg: not on the near one."""
    added: list[int]
    """Of the near leg: not on the far one."""
    doubled: list[int]
    """Of the near leg: equal to one that is there already."""
    moved: list[tuple[int, int]]
    """(near, far), out of order."""


def align(near: Sequence[int], far: Sequence[int]) -> Alignment:
    """Pair the hashes of two legs."""
    pairs = _pairs(near, far)
    changed = _changed(pairs, near, far)
    equal_near = {one for one, _ in pairs}
    pairs = sorted([*pairs, *changed]) if changed else pairs
    used_near = {one for one, _ in pairs}
    used_far = {other for _, other in pairs}
    left: dict[int, deque[int]] = defaultdict(deque)
    for position, mark in enumerate(far):
        if position not in used_far:
            left[mark].append(position)
    here = {near[one] for one in equal_near}
    moved: list[tuple[int, int]] = []
    doubled: list[int] = []
    added: list[int] = []
    for position, mark in enumerate(near):
        if position in used_near:
            continue
        if left[mark]:
            moved.append((position, left[mark].popleft()))
        elif mark in here:
            doubled.append(position)
        else:
            added.append(position)
        here.add(mark)
    lost = sorted(position for rest in left.values() for position in rest)
    return Alignment(pairs, changed, lost, added, doubled, moved)


def _changed(
    pairs: Sequence[tuple[int, int]], near: Sequence[int], far: Sequence[int]
) -> list[tuple[int, int]]:
    """Return what stands between the same two pairs, as many on both sides, and nowhere else."""
    if len(pairs) == len(near) or len(pairs) == len(far):
        return []
    found: list[tuple[int, int]] = []
    last_near, last_far = -1, -1
    here, there = set(near), set(far)
    for one, other in [*pairs, (len(near), len(far))]:
        between = range(last_near + 1, one), range(last_far + 1, other)
        if len(between[0]) == len(between[1]) > 0:
            is_new = all(near[at] not in there for at in between[0])
            if is_new and all(far[at] not in here for at in between[1]):
                found += zip(*between, strict=True)
        last_near, last_far = one, other
    return found


def _pairs(near: Sequence[int], far: Sequence[int]) -> list[tuple[int, int]]:
    """Return pairs in the order of both legs."""
    start = _common(near, far)
    end = _common(near[::-1][: len(near) - start], far[::-1][: len(far) - start])
    inner = _anchored(near[start : len(near) - end], far[start : len(far) - end])
    pairs = [(one, one) for one in range(start)]
    pairs += [(start + one, start + other) for one, other in inner]
    pairs += [(len(near) - one, len(far) - one) for one in range(end, 0, -1)]
    return pairs


def _common(near: Sequence[int], far: Sequence[int]) -> int:
    """Return how many elements are equal from the beginning on."""
    length = min(len(near), len(far))
    if near[:length] == far[:length]:
        return length
    return next(one for one in range(length) if near[one] != far[one])


def _anchored(near: Sequence[int], far: Sequence[int]) -> list[tuple[int, int]]:
    if not near or not far:
        return []
    once_near, once_far = _once(near), _once(far)
    anchors = [(once_near[mark], once_far[mark]) for mark in once_near if mark in once_far]
    anchors.sort()
    pairs: list[tuple[int, int]] = []
    last_near, last_far = -1, -1
    for one, other in [*_rising(anchors), (len(near), len(far))]:
        between = _in_turn(near, range(last_near + 1, one), far, range(last_far + 1, other))
        pairs += between
        if one < len(near):
            pairs.append((one, other))
        last_near, last_far = one, other
    return pairs


def _once(marks: Sequence[int]) -> dict[int, int]:
    counts = Counter(marks)
    return {mark: position for position, mark in enumerate(marks) if counts[mark] == 1}


def _rising(anchors: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of anchors, sorted by near, that rises in far (patience sorting)."""
    tops: list[int] = []
    indices: list[int] = []
    before: list[int] = []
    for index, (_, other) in enumerate(anchors):
        place = bisect_left(tops, other)
        before.append(indices[place - 1] if place else -1)
        tops[place : place + 1] = [other]
        indices[place : place + 1] = [index]
    chain: list[tuple[int, int]] = []
    at = indices[-1] if indices else -1
    while at >= 0:
        chain.append(anchors[at])
        at = before[at]
    return chain[::-1]


def _in_turn(
    near: Sequence[int], near_range: range, far: Sequence[int], far_range: range
) -> list[tuple[int, int]]:
    """Pair equal elements between two anchors, each with the next that is equal."""
    places: dict[int, deque[int]] = defaultdict(deque)
    for other in far_range:
        places[far[other]].append(other)
    pairs: list[tuple[int, int]] = []
    last = -1
    for one in near_range:
        found = places.get(near[one])
        while found and found[0] <= last:
            found.popleft()
        if found:
            last = found.popleft()
            pairs.append((one, last))
    return pairs
