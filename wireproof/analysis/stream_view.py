"""A stream as its judge looks at it: what came when, and which of its waits are its own.

Strategy: what several rules of :mod:`.pace` ask is looked up once. A wait in which the path kept
something back says nothing of who wrote it, so rules ask for the gaps that are left.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from operator import le
from statistics import median

from ..text.wording import ELEMENT_NAMES, count
from .arrivals import LEAST, SHORTEST_WAIT, Arrivals, sent_in_all
from .path import Hindrance, hindered, hindrances, round_trip
from .tcp_steps import Rounds, full_segment, may_be_one, slow_start
from .trace import Trace
from .verdict import Number

PACED = 0.040
"""Seconds after which what comes next was not under way: TCP spreads a window over a round trip, so
that a few full segments are no further apart than this."""
BETWEEN_LOSSES = 10
"""Cut elements for each loss, at most, where losses keep a sender's window short: it grows by one
segment a round trip."""
MOSTLY = 0.8
"""Part of the flushes that end inside elements which must be full segments if a path made them."""


@dataclass
class View:
    """A stream, its arrivals and what hindered it."""

    trace: Trace
    came: Arrivals

    @cached_property
    def hindrances(self) -> list[Hindrance]:
        return hindrances(self.trace)

    @property
    def name(self) -> str:
        """What one of its elements is called."""
        counts = self.trace.about.counts
        if self.trace.about.transport == "websocket":
            return ELEMENT_NAMES["websocket_message"]
        if counts.blocks:
            return ELEMENT_NAMES["sse_event"]
        return ELEMENT_NAMES.get(counts.element_kind, "chunk")

    @property
    def total(self) -> int:
        """How many came, as ``ls`` counts; of a WebSocket, in the turn that is judged."""
        if self.trace.about.transport == "websocket":
            return self.came.count
        return max(self.trace.total, self.came.count)

    @property
    def said(self) -> str:
        """How many are judged, and of how many, in words."""
        judged, total = self.came.count, self.total
        if self.trace.about.transport == "websocket" and judged < (sent := sent_in_all(self.trace)):
            return f"{judged:,} of {sent:,} {self.name}s (the longest turn)"
        return (
            count(total, self.name) if judged == total else f"{judged:,} of {total:,} {self.name}s"
        )

    @cached_property
    def time_to_head(self) -> float | None:
        """Seconds from the request to the response's header."""
        response = self.trace.about.response
        return response.last_time - self.came.asked if response and self.came.asked else None

    @cached_property
    def own_gaps(self) -> list[tuple[int, float]]:
        """The gaps that the path did not make, with the index of the element before each."""
        times, found = self.came.times, self.hindrances
        gaps = list(enumerate(self.came.gaps))
        if paced := self.came.paced:
            gaps = [(at, gap) for at, gap in gaps if at not in paced]
        if not found:
            return gaps
        return [(at, gap) for at, gap in gaps if not hindered(found, times[at], times[at + 1])]

    @cached_property
    def share_of_waits(self) -> float:
        """Part of the gaps that are waits."""
        if not self.hindrances and self.came.gaps:
            return len(self.came.waits) / len(self.came.gaps)
        waits = sum(gap >= SHORTEST_WAIT for _, gap in self.own_gaps)
        return waits / len(self.own_gaps) if self.own_gaps else 0.0

    @cached_property
    def cut_at(self) -> list[int]:
        """The indices of elements after which a flush ended inside the next element."""
        came = self.came
        if True not in map(le, came.first_packets[1:], came.packets):
            return []  # as nearly always: each element begins in a packet of its own
        return [
            at
            for at, gap in self.own_gaps
            if gap >= SHORTEST_WAIT and came.first_packets[at + 1] <= came.packets[at]
        ]

    @cached_property
    def is_cut_by_the_path(self) -> bool:
        """Whether flushes that end inside elements are full segments: a slow path makes those.

        Each is one packet and one segment: several make blocks that a buffer has, too.
        """
        came, waits = self.came, [at for at, gap in self.own_gaps if gap >= SHORTEST_WAIT]
        single, segment = 0, full_segment(self.trace)
        for at in self.cut_at:
            flush = bisect_left(waits, at)
            start = waits[flush - 1] + 1 if flush else 0
            is_packet = came.packets[start] == came.packets[at]
            single += is_packet and may_be_one(came, start, at + 1, segment)
        return single >= max(LEAST, MOSTLY * len(self.cut_at)) or self._is_window_short

    @property
    def _is_window_short(self) -> bool:
        """Whether a path that loses segments cuts elements that are longer than one: after a loss a
        sender's window holds but few of them (RFC 5681 section 3.1), and ends anywhere."""
        lost = sum(one.kind == "loss" for one in self.hindrances)
        is_often = lost * BETWEEN_LOSSES >= max(LEAST * BETWEEN_LOSSES, len(self.cut_at))
        return is_often and median(self.came.lengths) > full_segment(self.trace)

    @cached_property
    def rounds(self) -> Rounds | None:
        """Where slow start stopped it."""
        return slow_start(self.trace, self.came)

    @cached_property
    def unpaced(self) -> View | None:
        """The same stream, of which what TCP may have spread out is one flush; None if nothing is.

        A sender that has more than the window of its path lets go spreads that over the round trip
        (pacing, RFC 9002 section 7.7). Of a new connection it sends the first ten segments, and the
        others a round trip later.
        """
        most = min(PACED, round_trip(self.trace) / 2)
        paced = {at for at, gap in self.own_gaps if SHORTEST_WAIT <= gap <= most}
        if self.rounds is not None:
            paced.add(self.rounds.at - 1)
        return View(self.trace, self.came.with_paced(paced)) if paced else None

    @property
    def is_relayed(self) -> bool:
        connection = self.trace.about.connection
        return connection is not None and connection.recorded_by == "relay"

    def numbers(self, **more: Number) -> dict[str, Number]:
        """Return what every verdict has, and more."""
        came = self.came
        return {
            "events": came.count,
            "groups": came.groups,
            "time_to_head": rounded(self.time_to_head),
            "time_to_first_event": rounded(came.first),
            "longest": rounded(max(came.gaps, default=None)),
            "rtt": rounded(round_trip(self.trace) or None),
            **more,
        }


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
