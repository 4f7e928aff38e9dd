"""When the elements of a stream came, and which of them came together.

Strategy: what an application wrote one by one arrives one by one, with waits between; what somebody
put together arrives in flushes. A flush is a run of elements that follow each other without a wait:
in one packet, or so fast that only a program which had them all can have written them. Keep-alives
and last words are left out, for they say nothing of the stream; so is how long the first element
took. Everything that judges streams asks here for waits and flushes, so they mean one thing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import compress
from math import sqrt
from operator import sub
from statistics import fmean, median
from typing import NamedTuple, TypeVar

from ..dialects.payload import CONTENT
from .marks import KIND_NUMBERS, KINDS, Marks, mask_of
from .recorded import asked
from .trace import Trace

T = TypeVar("T")
WAIT = 0.010
"""Seconds. Longer than nearly every pause that the scheduler makes between two writes of a process:
with four busy processes on two cores one in 900 took 5 ms, none longer, when it was measured."""
SHORTEST_WAIT = 0.0008
"""Seconds. The shortest timers of runtimes take 1 ms (epoll, Node), and a fifth of it is left for
what delayed the one before. Between two writes of a program that has all it writes less passes."""
EARLY = 4
"""A first element that came after EARLY waits, or less, hides nothing."""
MIN_SHARE = 0.25
"""Part of the gaps that must be waits: sources send in groups, too."""
LEAST = 3
"""Elements below which nothing can be told: two gaps are the fewest that can be compared."""

LEFT_OUT = frozenset(KIND_NUMBERS[kind] for kind in ("ping", "done", "control"))
IS_GENERATED = mask_of([kind for kind in KINDS if KIND_NUMBERS[kind] not in LEFT_OUT])
LAST = frozenset(KIND_NUMBERS[kind] for kind in ("usage", "finish", "error"))
"""What is said at the end, at once after what was generated last."""
IS_CONTENT = mask_of(CONTENT)


def wait_after(first: float | None) -> float:
    """Return from how many seconds on a gap is a wait, by when the first element came."""
    return WAIT if first is None else min(WAIT, max(SHORTEST_WAIT, first / EARLY))


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of all values; statistics.pstdev is exact, and slow."""
    mean = fmean(values)
    return sqrt(fmean((value - mean) ** 2 for value in values))


class Flush(NamedTuple):
    """Elements that came together: from one index up to before another."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class Arrivals:
    """What is judged of a stream, in columns; times are seconds since the epoch."""

    def __init__(
        self, marks: Marks, chosen: Sequence[int], asked: float, paced: Collection[int] = ()
    ) -> None:
        self._marks = marks
        self.paced = paced
        """The indices of gaps that are no waits, for what came after them was under way."""
        self.asked = asked
        """When the request was whole; 0 if that was not captured."""
        self.count = len(chosen)
        self._chosen = None if len(chosen) == len(marks.times) else chosen
        self.times = self._column(marks.times)
        self.packets = self._column(marks.packets)
        """That brought the last byte of each."""
        self.first_packets = self._column(marks.first_packets)
        self.offsets = self._column(marks.offsets)
        self.lengths = self._column(marks.lengths)

    def _column(self, column: Sequence[T]) -> Sequence[T]:
        return column if self._chosen is None else [column[at] for at in self._chosen]

    def without(self, packets: Collection[int]) -> Arrivals:
        """Return those that none of some packets completed."""
        chosen = range(self.count) if self._chosen is None else self._chosen
        left = [at for at in chosen if self._marks.packets[at] not in packets]
        return Arrivals(self._marks, left, self.asked)

    def with_paced(self, paced: Collection[int]) -> Arrivals:
        """Return the same, some gaps of which are no waits."""
        chosen = range(self.count) if self._chosen is None else self._chosen
        return Arrivals(self._marks, chosen, self.asked, paced)

    def start(self, at: int) -> float:
        """When the first byte of one came."""
        return self._marks.starts[at if self._chosen is None else self._chosen[at]]

    @cached_property
    def gaps(self) -> list[float]:
        """Seconds between each two that came after each other."""
        return list(map(sub, self.times[1:], self.times))

    @property
    def first(self) -> float | None:
        """Seconds from the request to the first one, None if the request was not captured."""
        return self.times[0] - self.asked if self.asked else None

    @property
    def span(self) -> float:
        """Seconds from the first to the last."""
        return self.times[-1] - self.times[0]

    @cached_property
    def waits(self) -> list[float]:
        """The gaps that are waits."""
        return [self.gaps[at - 1] for at in self.borders[1:-1]]

    @cached_property
    def wait(self) -> float:
        """The usual wait in seconds, 0 if there is none."""
        return median(self.waits) if self.waits else 0.0

    @cached_property
    def flushes(self) -> list[Flush]:
        """All of them, in the order in which they came."""
        return list(map(Flush, self.borders, self.borders[1:]))

    @cached_property
    def borders(self) -> list[int]:
        """The index at which each flush starts, and that at which the last one ends."""
        return self._borders(SHORTEST_WAIT)

    @property
    def groups(self) -> int:
        """How many flushes there are."""
        return len(self.borders) - 1

    @property
    def sizes(self) -> list[int]:
        """How many elements each flush has."""
        return list(map(sub, self.borders[1:], self.borders))

    def largest(self, wait: float) -> Flush:
        """Return the run between gaps of ``wait`` seconds or longer that has the most elements."""
        borders = self._borders(wait)
        sizes = list(map(sub, borders[1:], borders))
        at = sizes.index(max(sizes))
        return Flush(borders[at], borders[at + 1])

    def _borders(self, wait: float) -> list[int]:
        found = [at for at, gap in enumerate(self.gaps, 1) if gap >= wait]
        if self.paced:
            found = [at for at in found if at - 1 not in self.paced]
        return [0, *found, self.count]


def arrivals(trace: Trace) -> Arrivals | None:
    """Return what is judged of the response, None where it is no stream."""
    if trace.elements.count:
        marks = trace.elements
        if trace.about.transport == "websocket":
            return _longest_turn(trace)
        return Arrivals(marks, _chosen(trace), asked(trace) or 0.0)
    if not _may_stream(trace):
        return None
    marks = trace.pieces
    return Arrivals(marks, _filled(trace), asked(trace) or 0.0)


def every_arrival(trace: Trace) -> Arrivals:
    """Return what a test may count: of a WebSocket the messages of all turns, and of a body that is
    no stream by its type what it came in.
    """
    found = None if trace.about.is_websocket else arrivals(trace)
    if found is not None:
        return found
    marks = trace.streamed
    chosen = _generated(marks) if trace.elements.count else _filled(trace)
    return Arrivals(marks, chosen, asked(trace) or 0.0)


def _chosen(trace: Trace) -> list[int]:
    """Return the indices of what was generated; else of all but keep-alives and last words.

    An event that the end of its stream cuts is none: no client is given it.
    """
    marks = trace.elements
    kinds = marks.kinds
    is_content = kinds.translate(IS_CONTENT)
    if is_content.count(1) >= LEAST:
        return list(compress(range(len(kinds)), is_content))
    chosen = _generated(marks)
    if chosen and not trace.is_chunk[chosen[-1]]:
        chosen.pop()
    while chosen and kinds[chosen[-1]] in LAST:
        chosen.pop()
    return chosen


def _generated(marks: Marks) -> list[int]:
    """Return the indices of all but keep-alives and what ends a stream."""
    return list(compress(range(len(marks.kinds)), marks.kinds.translate(IS_GENERATED)))


def _filled(trace: Trace) -> list[int]:
    """Return the indices of the pieces that hold anything: the last chunk does not."""
    return [at for at, size in enumerate(trace.piece_sizes) if size]


STREAMED_TYPES = ("text/plain", "application/octet-stream", "")
"""Media types, beside those whose elements are known, whose chunks may be a stream."""


def _may_stream(trace: Trace) -> bool:
    """Whether pieces are all that is known of a body, and chunks that an application wrote."""
    about = trace.about
    if about.transport == "sse":
        return True
    media_type = (about.header("content-type") or "").partition(";")[0].strip().lower()
    return about.transport == "chunked" and media_type in STREAMED_TYPES


def sent_in_all(trace: Trace) -> int:
    """Return how many messages of a WebSocket's server may be judged, in all of its turns."""
    kinds = trace.elements.kinds
    return trace.elements.count - kinds.translate(IS_GENERATED).count(0)


def _longest_turn(trace: Trace) -> Arrivals | None:
    """Return the most messages of the server between two of the client, and what asked for them."""
    marks, questions = trace.elements, trace.requested.times
    best, start, turn = (0, 0), 0, 0
    for at, time in enumerate([*marks.times, float("inf")]):
        begun = turn
        while turn < len(questions) and questions[turn] <= time:
            turn += 1
        if turn != begun or time == float("inf"):
            best = max(best, (start, at), key=lambda one: one[1] - one[0])
            start = at
    kinds = marks.kinds
    chosen = [at for at in range(*best) if kinds[at] not in LEFT_OUT]
    if not chosen:
        return None
    before = [time for time in questions if time <= marks.times[chosen[0]]]
    return Arrivals(marks, chosen, before[-1] if before else trace.about.asked_time)
