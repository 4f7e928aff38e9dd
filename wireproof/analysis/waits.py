"""The waits of a stream, and what is known of each: for the judge of gaps.

Strategy: everything that several attributions ask of a stream is looked up once. Elements that are
no sign of the source, keep-alives and last words, are left out of the waits and kept beside them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from math import inf

from .arrivals import LEAST, SHORTEST_WAIT, Arrivals, deviation
from .marks import KIND_NUMBERS, Marks
from .path import hindrances, is_at_server, sent_again
from .recorded import asked, holes
from .trace import Trace

KEEP_ALIVE = KIND_NUMBERS["ping"]
NO_SIGN = frozenset((KEEP_ALIVE, KIND_NUMBERS["done"]))


class Waits:
    """The waits of a stream."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.marks: Marks = trace.streamed
        kinds = self.marks.kinds
        chosen = [at for at, kind in enumerate(kinds) if kind not in NO_SIGN]
        self.came = Arrivals(self.marks, chosen, asked(trace) or 0.0)
        self.kinds = [kinds[at] for at in chosen]
        self.alive = [at for at, kind in enumerate(kinds) if kind == KEEP_ALIVE]
        self.alive_times = [self.marks.times[at] for at in self.alive]
        self.hindrances = hindrances(trace)
        self.again = sent_again(trace, self.came, self.hindrances) if self.is_at_sender else []
        """At the sender's side: what it sent again."""

    @cached_property
    def missing(self) -> list[float]:
        """When bytes of the stream were found missing."""
        return holes(self.trace)

    @cached_property
    def usual(self) -> float:
        """The usual wait in seconds."""
        return self.came.wait

    def unsteadiness(self, at: int) -> float:
        """Return the deviation of the source's waits, as part of the usual one.

        The gap ``at`` and the next one are left out: they are what is asked about. So are a few
        long waits; with more of them there is no pace.
        """
        others = [*self.came.gaps[:at], *self.came.gaps[at + 2 :]]
        waits = [gap for gap in others if gap >= SHORTEST_WAIT]
        regular = [gap for gap in waits if gap <= 1.5 * self.usual]
        if len(regular) < LEAST or len(regular) < len(waits) / 2:
            return inf
        beat = [gap for gap in regular if gap >= self.usual / 2]
        return deviation(beat) / self.usual if len(beat) >= LEAST else inf

    @cached_property
    def has_lost(self) -> bool:
        """Whether the path lost anything, whatever is known of its round trip."""
        return any(one.kind == "loss" for one in self.hindrances)

    @cached_property
    def is_at_sender(self) -> bool:
        """Whether the capture was made at the server."""
        return is_at_server(self.trace)

    def recovering(self, start: float, end: float) -> float:
        """Return the seconds in which the sender was busy with a loss, and could send no more."""
        times = self.came.times
        lost = [(times[one.at], times[one.at] + one.seconds) for one in self.again]
        return max((min(until, end) - max(since, start) for since, until in lost), default=0.0)

    def alive_within(self, start: float, end: float) -> list[float]:
        """Return when keep-alives came between two times."""
        times = self.alive_times
        return times[bisect_right(times, start) : bisect_left(times, end)]
