"""What a verdict on a hop rests on: packets on each side, clocks, and numbers for programs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from ...text.wording import duration
from ..verdict import Number
from .changes import is_rechunked
from .clocks import Clock
from .hop import Hop
from .patterns import Held

MAX_PACKETS = 8
"""Packets of one side that are named."""


def packets(hop: Hop, held: Held | None) -> tuple[list[int], list[int]]:
    """Return packets on the nearer side, and those on the farther one."""
    lost = hop.losses.lost[:MAX_PACKETS]
    if lost:
        return [], [hop.far.down.packets[place] for place in lost]
    passage = hop.holding
    places = held.places if held else _slowest(hop)
    left = [passage.target.packets[passage.places[one]] for one in places]
    came = [passage.source.packets[passage.origins[one]] for one in places]
    near, far = (left, came) if passage is hop.down else (came, left)
    return [*dict.fromkeys(near)], far


def _slowest(hop: Hop) -> tuple[int, ...]:
    if not len(hop.down):
        return ()
    return (max(range(len(hop.down)), key=hop.down.added.__getitem__),)


def sides(hop: Hop, near: Sequence[int], far: Sequence[int]) -> list[str]:
    """Return where the elements that the answer cites are seen."""
    if not far:
        return []
    there, here = _cited(far), _cited(near)
    if hop.far.name != hop.near.name:
        there, here = f"{there} of {hop.far.name}", f"{here} of {hop.near.name}"
    return [f"came in {there}, left in {here}" if near else f"{there}: not on the near leg"]


def _cited(found: Sequence[int]) -> str:
    return f"packet{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def clock_text(hop: Hop) -> str:
    """Return what is known of the clocks of the two captures."""
    clock = hop.clock
    if clock.is_shared:
        return "one capture: one clock"
    bounds = clock_bounds(clock)
    if clock.is_agreed:
        return f"two captures whose clocks agree, as far as can be seen (offset {bounds})"
    drift = f", drifting by {clock.drift * 1e6:,.0f} ppm" if clock.drift else ""
    way = "ahead of" if clock.offset >= 0 else "behind"
    return (
        f"two clocks: {hop.near.name} is {duration(abs(clock.offset))} {way} {hop.far.name}{drift} "
        f"(offset {bounds}; a fixed delay within these bounds would look the same)"
    )


def clock_bounds(clock: Clock) -> str:
    """Return between what the offset of two clocks lies, as far as packets tell."""
    if isinf(clock.least) and isinf(clock.most):
        return "unknown"
    if isinf(clock.least):
        return f"of {duration(clock.most)} at most"
    if isinf(clock.most):
        return f"of {duration(clock.least)} at least"
    return f"between {duration(clock.least)} and {duration(clock.most)}"


def numbers(hop: Hop, held: Held | None) -> dict[str, Number]:
    """Return what programs read."""
    down, lost = hop.down, hop.losses
    clock = hop.clock
    found: dict[str, Number] = {
        "hop": "path" if hop.is_path else "proxy",
        "near": hop.near.server,
        "far": hop.far.server,
        "elements": len(down),
        "pattern": held.pattern if held else None,
        "lost": len(lost.lost),
        "lost_events": len(lost.lost),
        "doubled": len(lost.doubled),
        "duplicated": len(lost.doubled),
        "reordered": len(lost.moved),
        "changed": len(lost.changed),
        "header_hold": hop.holds_head,
        "rechunked": is_rechunked(hop.changes),
        "ttfe_grows": hop.first_grows,
        "gaps_shrink": hop.gaps_shrink,
        "request_added": hop.request_added,
        "head_added": hop.head_added,
    }
    if len(down):
        found |= {
            "added_first": down.added[0],
            "added_p50": down.part(0.5),
            "added_p90": down.part(0.9),
            "added_p95": down.part(0.95),
            "added_max": down.part(1.0),
            "max_added_ms": down.part(1.0) * 1e3,
        }
    if any(change.code == "line-ends" for change in hop.changes):
        found["rewritten"] = "line ends"
    if hop.request_held is not None:
        found |= {"pattern": "until-end", "request_held": hop.request_held}
    if held is not None:
        found |= _held_numbers(held, hop.holding.part(0.5))
    if not clock.is_shared:
        found |= {
            "clock_offset": clock.offset,
            "clock_offset_s": clock.offset,
            "clock_uncertainty": None if isinf(clock.uncertainty) else clock.uncertainty,
            "drift_ppm": clock.drift * 1e6,
        }
    if lost.wasted:
        found |= {"wasted": lost.wasted, "wasted_seconds": lost.wasted_for}
    return found


def _held_numbers(held: Held, middle: float) -> dict[str, Number]:
    found: dict[str, Number] = {
        "held": held.elements,
        "held_bytes": held.bytes,
        "held_seconds": held.seconds,
        "flushes": held.flushes,
    }
    if held.pattern == "fixed":
        found["added_ms"] = middle * 1e3
    elif held.pattern == "timer" and held.period is not None:
        found["period_ms"] = held.period * 1e3
    if held.step is not None:
        found["aligned"] = held.step
    if held.batch is not None:
        found["released_per_flush"] = held.batch
    return found
