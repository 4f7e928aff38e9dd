"""Which of two legs of an exchange is nearer to the client.

Strategy: on one clock a request passes the nearer leg first. Between two clocks offsets cancel in
durations: from a request to what answers it takes longer where the client is, for all that lies
beyond lies in between. Fields that proxies add say the same, and decide before durations do, for
they do not depend on load. Where nothing tells, captures are taken in the order in which they were
given: the client's first.
"""

from __future__ import annotations

from statistics import median

from parsers.records import Fields

from .align import align
from .leg import Leg

FORWARDING = frozenset(
    ("via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip")
)
"""Fields that a proxy adds to requests (RFC 7239; RFC 9110 section 7.6.3), a value for each."""
LEAST = 0.0003
"""Seconds from which on a difference of durations tells: scheduling takes less."""
SAMPLE = 64
"""Elements that are compared."""


def is_path(one: Leg, other: Leg) -> bool:
    """Whether two captures saw the same TCP connection: no proxy lies between them."""
    return one.capture != other.capture and (one.client, one.server) == (other.client, other.server)


def beyond(one: Leg, other: Leg) -> float:
    """Return how much farther from the client ``other`` is, in seconds; negative: it is nearer.

    Its sign is the answer; its size says how sure that is, compared with other pairs of the same
    two points.
    """
    if one.capture == other.capture:
        return _asked(other) - _asked(one)
    said = _forwarded(other.request_fields) - _forwarded(one.request_fields)
    said += _vias(one.response_fields) - _vias(other.response_fields)
    if said and not is_path(one, other):
        return 10.0 * said
    took = _longer(one, other)
    if abs(took) > LEAST:
        return took
    return LEAST if one.capture < other.capture else -LEAST


def _asked(leg: Leg) -> float:
    return leg.first_time


def _longer(one: Leg, other: Leg) -> float:
    """Return how much longer answers took at ``one`` than at ``other``, in seconds."""
    if one.asked_at is None or other.asked_at is None:
        return 0.0
    near, far = one.down, other.down
    pairs = align(near.marks[:SAMPLE], far.marks[:SAMPLE]).pairs
    found = [near.times[a] - one.asked_at - far.times[b] + other.asked_at for a, b in pairs]
    if one.answered_at is not None and other.answered_at is not None:
        found.append(one.answered_at - one.asked_at - other.answered_at + other.asked_at)
    return median(found) if found else 0.0


def _forwarded(fields: Fields) -> int:
    return sum(value.count(",") + 1 for name, value in fields if name.lower() in FORWARDING)


def _vias(fields: Fields) -> int:
    return sum(value.count(",") + 1 for name, value in fields if name.lower() == "via")
