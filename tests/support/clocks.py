"""Both sides of a hop as captures: on one clock, and on two."""

from __future__ import annotations

from collections.abc import Callable

from support.legs import Side, clocked, records_of, together

from wireproof.analysis.hops.report import Report, hops

Clocks = Callable[[Side, Side], Report]


def one_clock(near: Side, far: Side) -> Report:
    return hops([("both", records_of(together(clocked(near.tape()), clocked(far.tape()))))])


def two_captures(near: Side, far: Side, offset: float = 0.0, drift: float = 0.0) -> Report:
    return hops(
        [
            ("client", records_of(clocked(near.tape(), offset, drift))),
            ("server", records_of(clocked(far.tape()))),
        ]
    )


def ahead(near: Side, far: Side) -> Report:
    return two_captures(near, far, 3.7)


def behind(near: Side, far: Side) -> Report:
    return two_captures(near, far, -3.7)


def drifting(near: Side, far: Side) -> Report:
    return two_captures(near, far, 2.0, 0.0005)


CLOCKS = [one_clock, two_captures, ahead, behind, drifting]
