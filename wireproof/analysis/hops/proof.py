"""What proves that one leg of an exchange was caused by the other.

Strategy: equal content is a sign and no proof, for a server that is asked twice says the same
twice. A proxy asks while its client waits: the farther leg begins within the nearer one, and
nothing comes to the nearer leg before it came to the farther one. Two captures show that by their
clocks as they stand. Where these disagree it takes an identifier in the request, or the same TCP
connection; or somebody who says that the captures are of one way, as ``wireproof hops`` is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from .leg import Leg
from .nearness import SAMPLE, beyond, is_path

SLACK = 0.002
"""Seconds by which the times of one clock may be out of order: packets are stamped by several
processors."""
KEPT = 0.1
"""Seconds by which the clocks of two machines that keep time may differ: NTP over the internet
holds them within tens of milliseconds (RFC 5905 section 1)."""


class Passage(Protocol):
    """What is compared of two legs; times are in seconds since the epoch."""

    @property
    def asked_at(self) -> float | None:
        """When the head of the request was whole; None if it was not seen."""

    @property
    def begun_at(self) -> float:
        """When the first of it came."""

    @property
    def first_time(self) -> float:
        """When it was asked for; if that was not seen, when the first of it came."""

    @property
    def last_time(self) -> float:
        """When the last of it came."""

    @property
    def answered_until(self) -> float:
        """When the last of the answer came."""

    def arrivals(self) -> Iterable[tuple[int, float]]:
        """Return what the answer carried, by marks of its elements, and when each came."""


def is_proven(one: Leg, other: Leg, *, is_named: bool = False, is_one_way: bool = False) -> bool:
    """Whether one of two legs with the same content was caused by the other.

    ``is_named``: their requests have the same identifier. ``is_one_way``: somebody says that the
    captures are of one way, so clocks that disagree are no reason against it.
    """
    if one.capture != other.capture and is_path(one, other):
        return True
    near, far = (one, other) if beyond(one, other) >= 0 else (other, one)
    if one.capture == other.capture:
        return nests(near, far, SLACK)
    if one.server == other.server:
        # Two connections to one server: a client that asked again, unless NAT changed its address.
        return is_named and nests(near, far, KEPT)
    return is_named or is_one_way or nests(near, far, KEPT)


def nests(near: Passage, far: Passage, slack: float) -> bool:
    """Whether the farther leg begins within the nearer one, and what both carried was there first.

    ``slack`` is by how many seconds times may be out of order.
    """
    is_asked_first = near.asked_at is None or near.first_time <= far.first_time + slack
    return (
        is_asked_first
        and near.answered_until >= far.first_time - slack
        and near.last_time >= far.begun_at - slack
        and _is_after(near, far, slack)
    )


def _is_after(near: Passage, far: Passage, slack: float) -> bool:
    """Whether what both carried came to the nearer leg after it came to the other."""
    left, came = _first_times(near), _first_times(far)
    waits = [time - came[mark] for mark, time in left.items() if mark in came]
    return not waits or sum(wait >= -slack for wait in waits) * 2 > len(waits)


def _first_times(leg: Passage) -> dict[int, float]:
    """Return when the first elements came, each by its mark; of equal ones the first."""
    return dict(reversed(list(islice(leg.arrivals(), SAMPLE))))
