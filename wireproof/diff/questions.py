"""What is asked of two runs: shares, middles and tails, each with the numbers of both sides.

Strategy: a question is a value, without an answer. So the same one can be asked of one request, and
of all of them together; :mod:`.compare` answers both alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..analysis.percentiles import percentile
from .chance import Family
from .change import (
    BURSTS,
    COUNT,
    FAILED,
    FAILED_OR_CUT,
    FEWER,
    LATE,
    NEW_CONNECTION,
    PAUSES,
    RESENT,
)
from .profile import GOOD_ENDS, METRICS, Group, Long, Profile
from .statistics import Span, stalls

OF_ENDS = ("ending:", "websocket:")
"""How faults begin that are of the end of an exchange."""


class Thresholds(NamedTuple):
    """What counts; each is printed with what it decides."""

    chance: float = 0.01
    """How likely differences may be by chance, at most: those of one kind together."""
    share: float = 0.05
    """By how much a share of exchanges has to grow."""
    slower: float = 0.2
    """By which part a time has to grow."""
    seconds: float = 0.005
    """By how much it has to grow besides, in seconds: less is a machine's mood."""
    delta: float = 0.33
    """How large Cliff's delta has to be: a medium effect (Romano 2006)."""
    gross: float = 2.0
    """How many times as long a first token has to take to be held against first tokens alone."""
    everywhere: float = 2.0
    """How many times as large the effect on times has to be that all requests together have: what
    the machine does meanwhile slows all of them."""
    lost: float = 0.02
    """By how much the share of exchanges that fail or are cut has to grow, if ``share`` is no
    smaller."""
    opened: float = 0.2
    """By how much the share of exchanges has to grow that open a connection."""
    resent: float = 0.005
    """By how much the share of packets sent again has to grow."""
    least: int = 5
    """Exchanges on either side below which nothing is told."""
    tail: int = 50
    """The same, for tails: of fewer none is asked for."""
    untimed: float = 1 / 3
    """Of which part of a request's exchanges a time may be unknown, on either side, because the
    capture lacks bytes: of more, that time is not compared."""
    pause: float = 0.25
    """Seconds from which on a wait may be a long pause."""
    usual: float = 5.0
    """How many times as long as usual it has to be, too."""


class Share(NamedTuple):
    """How many have something: more are worse."""

    what: str
    family: Family
    growth: float
    """By how much the share has to grow to count."""
    some: int
    before: int
    more: int
    after: int
    stalls: int | None = None
    """How many of ``more`` are independent of each other, if it is known."""
    apart: int | None = None
    """How many of these are independent of those of other requests, too."""
    spans: Sequence[Span] = ()
    """When those of ``more`` were of which that is known."""

    @property
    def counted(self) -> tuple[int, int, int, int]:
        """The four numbers, with what happened together counted once."""
        again = 0 if self.stalls is None else max(self.more - self.stalls, 0)
        return self.some, self.before, self.more - again, self.after - again


class Middle(NamedTuple):
    """Values of which the middle is compared: more are worse, or fewer."""

    what: str
    before: Sequence[float]
    after: Sequence[float]
    is_less_worse: bool = False
    is_first: bool = False
    """Whether it is of the first token, else of the first element."""


class Tail(NamedTuple):
    """Values of which the largest are compared."""

    what: str
    before: Sequence[float]
    after: Sequence[float]
    longest: Sequence[Long]
    """Those of ``after`` of which it is known when they were."""


Question = Share | Middle | Tail


def of_packets(before: Profile, after: Profile, by: Thresholds) -> Share:
    """Return what is asked of a run's packets."""
    counts = before.retransmissions, before.packets, after.retransmissions, after.packets
    return Share(RESENT, "packets", by.resent, *counts)


def of_request(before: Group, after: Group, by: Thresholds) -> Iterator[Question]:
    """Yield what is asked of one request's exchanges."""
    sizes = before.exchanges, after.exchanges
    for fault in sorted({*before.faults, *after.faults}):
        if _is_end_by_another_name(fault, before, after):
            continue
        is_end = fault.startswith(OF_ENDS)
        family: Family = "ends" if is_end else "verdicts"
        growth = _lost(by) if is_end else by.share
        of = _known_ends(before, after) if is_end else sizes
        counts = before.faults.get(fault, 0), of[0], after.faults.get(fault, 0), of[1]
        apart = after.stalls.get(fault), after.apart.get(fault)
        yield Share(fault, family, growth, *counts, *apart)
    yield from _ends(before, after, by)
    if before.opened is not None and after.opened is not None:
        counts = before.opened, sizes[0], after.opened, sizes[1]
        yield Share(NEW_CONNECTION, "connections", by.opened, *counts)
    if before.bursts is not None and after.bursts is not None:
        yield Share(BURSTS, "verdicts", by.share, before.bursts, sizes[0], after.bursts, sizes[1])
    if COUNT not in too_few_recorded(before, after, by):
        yield Middle(FEWER, before.counts, after.counts, is_less_worse=True)
    yield from _times(before, after, by)


def too_few_recorded(before: Group, after: Group, by: Thresholds) -> list[str]:
    """Return of what too many of either side are not known: what a capture lacks is no fair share.
    Bytes are lost where many come at once, and short answers have fewer to lose."""
    known = {*before.times, *after.times, COUNT}
    return [
        name
        for name in (*METRICS, COUNT)
        if name in known
        and any(one.untimed.get(name, 0) > by.untimed * one.exchanges for one in (before, after))
    ]


def _times(before: Group, after: Group, by: Thresholds) -> Iterator[Question]:
    """Yield what is asked of times. What is the first token and the first element is asked once."""
    few = too_few_recorded(before, after, by)
    both = [
        name for name in METRICS if name in before.times and name in after.times and name not in few
    ]
    values = {name: (before.times[name], after.times[name]) for name in both}
    if "first" in values and values["first"] == values.get("first_token"):
        del values["first"]
    start = next((name for name in ("first_token", "first") if name in values), None)
    for metric, (some, more) in values.items():
        longest = after.longest.get(metric, [])
        yield Middle(f"{metric} p50", some, more, is_first=metric == start)
        if min(len(some), len(more)) >= by.tail:
            yield Tail(f"{metric} p99", some, more, longest)
        if metric == "gap_max" or metric == start:
            yield _far(PAUSES if metric == "gap_max" else LATE, some, more, longest, by)


def _far(
    what: str, some: Sequence[float], more: Sequence[float], longest: Sequence[Long], by: Thresholds
) -> Share:
    """Return the question how many times are far beyond the usual one: that of both runs, so that
    it is none of chance which of them has the longest."""
    usual = percentile(sorted((*some, *more)), 0.5)
    limit = max(by.pause, by.usual * usual)
    far = [sum(one > limit for one in values) for values in (some, more)]
    spans = [(one.start, one.end) for one in longest if one.value > limit]
    known = stalls(spans) if spans else None
    share = Share(what, "pauses", by.share, far[0], len(some), far[1], len(more), known)
    return share._replace(spans=spans)


def _ends(before: Group, after: Group, by: Thresholds) -> Iterator[Share]:
    """Yield each kind of bad end, and all of them together where there are several."""
    kinds = {
        f"end: {end}": (before.endings.get(end, 0), after.endings.get(end, 0))
        for end in sorted({*before.endings, *after.endings} - GOOD_ENDS)
    }
    if before.failed or after.failed:
        kinds[FAILED] = before.failed, after.failed
    if before.failed_or_cut is not None and after.failed_or_cut is not None and len(kinds) > 1:
        kinds[FAILED_OR_CUT] = before.failed_or_cut, after.failed_or_cut
    for what, (some, more) in kinds.items():
        known = _known_ends(before, after)
        of = (before.exchanges, after.exchanges) if what == FAILED else known
        yield Share(what, "ends", _lost(by), some, of[0], more, of[1])


def _known_ends(before: Group, after: Group) -> tuple[int, int]:
    """Return of how many exchanges it can be known how they ended."""
    return before.exchanges - before.unknown, after.exchanges - after.unknown


def _is_end_by_another_name(fault: str, before: Group, after: Group) -> bool:
    """Whether what is said of an end is how the same exchanges ended, in the same word."""
    end = fault.removeprefix("ending: ")
    return end != fault and all(
        one.faults.get(fault, 0) == one.endings.get(end, 0) for one in (before, after)
    )


def _lost(by: Thresholds) -> float:
    return min(by.lost, by.share)
