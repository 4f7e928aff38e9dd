"""What is wrong with an exchange: every check asked, whatever its records come from.

Strategy: a check looks at the evidence of one exchange and returns the first thing that it finds,
or nothing. Those that depend on what somebody expects (an end, a number of events, the exchange
before) are for tests to ask one by one; here are those that hold for every exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .endings import find_unclean_end
from .evidence import Evidence
from .finding import Finding
from .keepalive import find_unanswered_ping
from .streaming import find_collected

Check = Callable[[Evidence], Finding | None]
PONG_DUE = 10.0
"""Seconds within which a Ping is to be answered; uvicorn's and websockets' default is 20."""
MIN_EVENTS = 2


def is_streamed(evidence: Evidence) -> Finding | None:
    """Return why an event stream was collected and not sent event by event.

    Chunks and messages may come at once with good reason, and of a single event nothing is told.
    """
    if evidence.transport != "sse" or len(evidence.elements) < MIN_EVENTS:
        return None
    return find_collected(evidence, MIN_EVENTS, per_segment=1, min_gap=None)


def ends_cleanly(evidence: Evidence) -> Finding | None:
    """Return why a response did not end as its protocols want."""
    return find_unclean_end(evidence, None)


def pings_are_answered(evidence: Evidence) -> Finding | None:
    """Return the Ping that was not answered in time, if there were any."""
    if not evidence.about.counts.pings:
        return None
    return find_unanswered_ping(evidence, PONG_DUE)


CHECKS: Sequence[Check] = (is_streamed, ends_cleanly, pings_are_answered)


def explain(evidence: Evidence, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Return what is wrong with an exchange, in the order of the checks; nothing if nothing is."""
    found = (check(evidence) for check in checks)
    return [finding for finding in found if finding is not None]
