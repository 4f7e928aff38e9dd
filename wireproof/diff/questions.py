"""What is asked of two runs: shares, middles and tails, each with the numbers of both sides.

Strategy: a question is a value, without an answer. So the same one can be asked of one request, and
of all of them together; :mod:`.compare` answers both alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .chance import Family
from .profile import GOOD_ENDS, METRICS, Group, Long, Profile

FAILED_OR_CUT = "failed or cut"
NEW_CONNECTION = "new connection"
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
    """The same, for tails."""


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
    return Share("retransmissions", "packets", by.resent, *counts)


def of_request(before: Group, after: Group, by: Thresholds) -> Iterator[Question]:
    """Yield what is asked of one request's exchanges."""
    sizes = before.exchanges, after.exchanges
    for fault in sorted({*before.faults, *after.faults}):
        is_end = fault.startswith(OF_ENDS)
        family: Family = "ends" if is_end else "verdicts"
        growth = _lost(by) if is_end else by.share
        counts = before.faults.get(fault, 0), sizes[0], after.faults.get(fault, 0), sizes[1]
        yield Share(fault, family, growth, *counts, after.stalls.get(fault))
    yield from _ends(before, after, by)
    if before.opened is not None and after.opened is not None:
        counts = before.opened, sizes[0], after.opened, sizes[1]
        yield Share(NEW_CONNECTION, "connections", by.opened, *counts)
    yield Middle("fewer elements: count", before.counts, after.counts, is_less_worse=True)
    for metric in METRICS:
        if metric in before.times and metric in after.times:
            values = before.times[metric], after.times[metric]
            yield Middle(f"{metric} p50", *values)
            yield Tail(f"{metric} p99", *values, after.longest.get(metric, []))


def _ends(before: Group, after: Group, by: Thresholds) -> Iterator[Share]:
    """Yield each kind of bad end, and all of them together where there are several."""
    kinds = {
        f"end: {end}": (before.endings.get(end, 0), after.endings.get(end, 0))
        for end in sorted({*before.endings, *after.endings} - GOOD_ENDS)
    }
    if before.failed or after.failed:
        kinds["status 5xx"] = before.failed, after.failed
    if before.failed_or_cut is not None and after.failed_or_cut is not None and len(kinds) > 1:
        kinds[FAILED_OR_CUT] = before.failed_or_cut, after.failed_or_cut
    for what, (some, more) in kinds.items():
        yield Share(what, "ends", _lost(by), some, before.exchanges, more, after.exchanges)


def _lost(by: Thresholds) -> float:
    return min(by.lost, by.share)
