"""How hops and their legs are called, the same in every format; what is returned is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...analysis.hops.hop import Hop
from ...analysis.hops.leg import Leg
from ...analysis.hops.report import Judged, Report
from ...text.escape import escape, preview
from ...text.wording import count

TARGET_WIDTH = 48
"""Cells of a request line."""


class Delay(NamedTuple):
    """One element on both sides of a hop."""

    element: int
    """From 0, as the server sent them."""
    came_packet: int
    left_packet: int
    came: float
    """Seconds since the first one came."""
    added: float
    """Seconds."""


def delays(hop: Hop, elements: int) -> list[Delay]:
    """Return the first elements, and those that waited longest, in their order."""
    down = hop.down
    chosen = range(min(elements, len(down)))
    if len(down) > elements > 0:
        half = elements // 2
        slow = sorted(range(half, len(down)), key=down.added.__getitem__)[half - elements :]
        chosen = [*range(half), *sorted(slow)]  # type: ignore[assignment]
    return [_delay(hop, one) for one in chosen]


def _delay(hop: Hop, one: int) -> Delay:
    down = hop.down
    place, origin = down.places[one], down.origins[one]
    return Delay(
        origin,
        down.source.packets[origin],
        down.target.packets[place],
        down.came[one] - down.came[0],
        down.added[one],
    )


def request_line(legs: Sequence[Leg]) -> str:
    """Return the request as the leg nearest to the client has it."""
    request = next((leg.about.request for leg in legs if leg.about.request), None)
    if request is None:
        return "(request not captured)"
    return preview(f"{request.method} {request.target}", "utf-8", TARGET_WIDTH)


def leg_name(leg: Leg) -> str:
    """Return which exchange of which capture a leg is."""
    key = leg.about.key
    return f"{escape(leg.name)} {key.connection}/{key.exchange}"


def answer(report: Report) -> str:
    """Return what all hops come to, in a sentence."""
    worst = report.worst
    if worst is None:
        return "no hop was seen"
    said = escape(worst.verdict.summary)
    if len(report.passed) == 1:
        return said[:1].upper() + said[1:]
    if not worst.verdict.is_fault:
        number = len([*report.hops])
        return f"All {count(number, 'passage')} of {count(len(report.passed), 'exchange')} are fine"
    faults = sum(judged.verdict.is_fault for judged in report.hops)
    total = count(len([*report.hops]), "passage")
    return f"At fault in {faults:,} of {total}; the worst: {said}"


def cause_codes(judged: Judged) -> str:
    """Return the causes in a few words: ``either a or b``."""
    codes = [cause.code for cause in judged.verdict.causes]
    return " or ".join(codes)
