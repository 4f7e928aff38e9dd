"""The latency of every streamed answer of a capture, and of all answers to one target together.

Strategy: an answer that failed or did not end as it should has latencies of its own, but no part in
the totals: a mean over broken streams says that a server is fast which is only cut off. Totals keep
numbers alone, up to MAX_SAMPLES a metric of a target; past that each further answer counts and is
not measured.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from parsers.records import Record

from ...exchange import Exchange
from ..choice import Choice
from ..exchange_filter import EVERYTHING, ExchangeFilter
from ..judges import Explained, Explanations
from ..percentiles import percentile
from ..verdict import Verdict
from .definitions import Family, Value, measure
from .times import ASSUMED, FAILED, Times, times_of

SEVERAL = 1.05
"""Tokens an event from which on gaps between events are no longer those between tokens."""
HEADERS_HELD = 0.005
"""Seconds between the header and the first event, below which the header waited for it."""
HELD = frozenset(("held", "bursty", "client-slow"))
"""Answers of the judge of streaming after which elements came when something let go of them."""
MAX_TARGETS = 1_000
OTHERS = "other targets"
MAX_SAMPLES = 1_000_000
"""Values of one metric of one target."""
PARTS = (0.5, 0.9, 0.99)


class Measured(NamedTuple):
    """One answer, measured."""

    exchange: Exchange
    times: Times
    metrics: dict[Family, dict[str, Value]]
    ending: Verdict | None
    """What is wrong with how it ended, None if nothing is."""
    streaming: Verdict | None = None
    """What is said of how it streamed, if that is not as it was written."""

    @property
    def excluded(self) -> str | None:
        """Why it has no part in the totals, None if it has."""
        response = self.exchange.response
        if response is not None and response.status >= FAILED:
            return f"status {response.status}"
        return None if self.ending is None else self.ending.summary

    @property
    def warnings(self) -> list[str]:
        """What has to be known about its figures."""
        times, found = self.times, []
        if not times.dialect:
            found.append("no dialect was recognised: every event counts as a token")
        elif times.tokens_from == ASSUMED:
            found.append("the stream does not report its tokens: one per event is assumed")
        if times.tokens_per_event > SEVERAL:
            found.append(
                f"{times.tokens_per_event:.2f} tokens per event: gaps between events are not gaps"
                " between tokens"
            )
        if times.headers is not None and times.chunks:
            held = times.chunks[0] - times.headers
            if held < HEADERS_HELD < times.chunks[0]:
                found.append(
                    "the headers came with the first event: how long the server took to accept the"
                    " request is unknown"
                )
        if self.streaming is not None:
            found.append(
                f"{self.streaming.answer}: {self.streaming.summary}: gaps between tokens say"
                " nothing about the model"
            )
        if times.left_out:
            found.append(f"{times.left_out:,} later elements are not measured")
        if (why := self.excluded) is not None:
            found.append(f"not in the totals: {why}")
        return found


@dataclass(slots=True)
class Total:
    """All answers to one target."""

    target: str
    measured: int = 0
    broken: int = 0
    """Those that failed or did not end as they should."""
    samples: dict[Family, dict[str, array[float]]] = field(default_factory=dict)

    def add(self, measured: dict[Family, dict[str, Value]]) -> None:
        """Take the metrics of an answer: each value, and of a list each of its values."""
        self.measured += 1
        for family, metrics in measured.items():
            samples = self.samples.setdefault(family, {})
            for name, value in metrics.items():
                kept = samples.setdefault(name, array("d"))
                if value is not None and len(kept) < MAX_SAMPLES:
                    kept.extend([value] if isinstance(value, float | int) else value)


class Spread(NamedTuple):
    """How values are spread: each of these is one that there was."""

    number: int
    p50: float
    p90: float
    p99: float
    max: float


def spread(values: Sequence[float]) -> Spread | None:
    """Return the percentiles of values, None if there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    p50, p90, p99 = (percentile(ordered, part) for part in PARTS)
    return Spread(len(ordered), p50, p90, p99, ordered[-1])


class LatencyReport:
    """Turns records into measured answers, by the definitions of ``family``."""

    def __init__(self, families: Sequence[Family], wanted: ExchangeFilter = EVERYTHING) -> None:
        self.totals: dict[str, Total] = {}
        """By method and target, in the order in which they first came."""
        self.chosen = 0
        """Exchanges that were wanted, whether they streamed or not."""
        self._families = families
        self.wanted = wanted

    def measure(self, batches: Iterable[Sequence[Record]]) -> Iterator[Measured]:
        """Yield every wanted answer that streamed, when its connection has ended."""
        return self.measured(chosen(batches, self.wanted))

    def measured(self, explained: Iterable[Explained]) -> Iterator[Measured]:
        """Yield every answer that streamed, of exchanges that are wanted."""
        for one in explained:
            self.chosen += 1
            times = times_of(one.trace)
            if times is None:
                continue
            endings = (v for v in one.verdicts if v.question == "ending" and v.is_fault)
            held = (v for v in one.verdicts if v.question == "streaming" and v.answer in HELD)
            metrics = {family: measure(times, family) for family in self._families}
            found = Measured(one.exchange, times, metrics, next(endings, None), next(held, None))
            self._count(found)
            yield found

    def _count(self, found: Measured) -> None:
        total = self._total(found.exchange)
        if found.excluded is not None:
            total.broken += 1
            return
        total.add(found.metrics)

    def _total(self, exchange: Exchange) -> Total:
        request = exchange.request
        assert request is not None  # without one there are no times
        name = f"{request.method} {request.target.partition('?')[0]}"
        if name not in self.totals and len(self.totals) >= MAX_TARGETS:
            name = OTHERS
        return self.totals.setdefault(name, Total(name))


def chosen(
    batches: Iterable[Sequence[Record]], wanted: ExchangeFilter
) -> Generator[Explained, None, None]:
    """Yield every exchange that is wanted, when its connection has ended."""
    explanations, choice = Explanations(), Choice(wanted)
    for records in batches:
        looked_at = records if choice.search is None else _looked_at(records, choice)
        yield from filter(choice.takes, explanations.add_all(looked_at))
    yield from filter(choice.takes, explanations.finish())


def _looked_at(records: Iterable[Record], choice: Choice) -> Iterator[Record]:
    for record in records:
        choice.look(record)
        yield record
