"""One hop of one exchange: its two legs, and what is known of what lies between them."""

from __future__ import annotations

from functools import cached_property
from statistics import median

from ...heads import field_value
from .changes import Change, changes
from .clocks import AT_ONCE, Clock
from .leg import Leg
from .losses import Losses, losses
from .nearness import is_path
from .passage import APART, Passage, network
from .patterns import Held, held

MOST_OF = 0.8
"""The part of an upload's time that is gone beyond a hop that collected it."""


class Hop:
    """What lies between two points at which an exchange was seen."""

    def __init__(self, number: int, near: Leg, far: Leg, clock: Clock) -> None:
        self.number = number
        """From 1, the nearest to the client first."""
        self.near = near
        self.far = far
        self.clock = clock
        self.is_path = is_path(near, far)
        """Whether it is but the network between two captures of one connection."""
        way = network(near, far)
        self.down = Passage(far.down, near.down, clock, way, is_down=True)
        """What the server sent."""
        self.up = Passage(near.up, far.up, clock, way, is_down=False)
        """What the client sent."""
        self.network = self.down.network if len(self.down) else way
        """Seconds of an added delay that the network takes."""
        self.losses: Losses = losses(near, far, self.down, self.up, clock)
        self.changes: list[Change] = changes(near, far)

    @property
    def proxy(self) -> str:
        """What the hop calls itself in a field that it added; empty if it says nothing."""
        if self.is_path:
            return ""
        for name in ("via", "server", "x-powered-by"):
            here = field_value(self.near.response_fields, name)
            there = field_value(self.far.response_fields, name)
            if here and here != there:
                return here.rsplit(",", 1)[-1].strip()
        return ""

    @cached_property
    def held(self) -> Held | None:
        """By what rule it held what the server sent, None if it did not."""
        return held(self.down, self.head_added if self.holds_head else None)

    @cached_property
    def held_up(self) -> Held | None:
        """By what rule it held what the client sent, None if it did not."""
        return held(self.up)

    @property
    def holding(self) -> Passage:
        """What it held: what the server sent, if anything of that, else what the client sent."""
        return self.up if self.held is None and self.held_up is not None else self.down

    @property
    def head_added(self) -> float | None:
        """Seconds that the head of the response took through the hop; None if not known."""
        if self.near.answered_at is None or self.far.answered_at is None:
            return None
        return self.near.answered_at - self.clock.nearer(self.far.answered_at)

    @property
    def request_added(self) -> float | None:
        """Seconds that the head of the request took through the hop; None if not known."""
        if self.near.asked_at is None or self.far.asked_at is None:
            return None
        return self.clock.nearer(self.far.asked_at) - self.near.asked_at

    @property
    def request_held(self) -> float | None:
        """Seconds by which the hop held the body of a request back, None if it passed it on.

        A request that took its time to come, and goes on in an instant, was collected: durations
        on either side tell, and no clock is compared.
        """
        here, there = _uploaded(self.near), _uploaded(self.far)
        if self.is_path or here is None or there is None:
            return None
        return here - there if here - there >= max(AT_ONCE, MOST_OF * here) else None

    @property
    def holds_head(self) -> bool:
        """Whether the head of the response left with the first element, and had come before."""
        near, far = self.near, self.far
        if self.is_path or not near.down.times or not far.down.times or self.head_added is None:
            return False
        if near.answered_at is None or far.answered_at is None:
            return False
        waited = far.down.times[0] - far.answered_at
        waits = near.down.times[0] - near.answered_at
        return waited >= AT_ONCE and waits <= APART and self.head_added - self.network >= AT_ONCE

    @property
    def first_grows(self) -> bool | None:
        """Whether the first element comes later after the request than beyond the hop.

        Durations on either side: no clock is compared. None if a request was not seen.
        """
        near, far = self.near, self.far
        if near.asked_at is None or far.asked_at is None or not len(self.down):
            return None
        here = near.down.times[self.down.places[0]] - near.asked_at
        there = far.down.times[self.down.origins[0]] - far.asked_at
        return here - there - 2 * self.network >= AT_ONCE

    @property
    def gaps_shrink(self) -> bool | None:
        """Whether elements follow each other much quicker than beyond the hop; None of too few."""
        if len(self.down) < 3:
            return None
        here = median(map(float.__sub__, self.down.left[1:], self.down.left))
        there = median(map(float.__sub__, self.down.came[1:], self.down.came))
        return there >= APART and here < there / 2


def _uploaded(leg: Leg) -> float | None:
    """Return how long the body of a request took to come, in seconds; None if not known."""
    body = leg.about.request_body
    if leg.asked_at is None or body is None or not body.complete:
        return None
    return body.last_time - leg.asked_at
