"""What became worse from one run to another, by stated thresholds.

Strategy: a difference counts if it is surely none of chance, and large enough to matter: two rules,
each with a number that is printed. A run has a hundred comparisons, of which one is unlikely by
itself: so chances are held against how many there are (Benjamini and Hochberg 1995), and what would
count alone is "too few to tell". Where so few exchanges came that even the largest difference
could be chance, nothing is said of it but that. A fault, an ending or a failure is a share of
exchanges; a time is a distribution, of which the middle is compared by ranks and the tail by how
many of B are beyond the p99 of A.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from ..analysis.percentiles import percentile
from .profile import METRICS, Group, Profile
from .statistics import chance_of_more, shift

Answer = Literal["regression", "same", "too-few", "missing", "new"]
GOOD_ENDS = frozenset(("whole", "ws-clean", "open", "close-notify"))


class Thresholds(NamedTuple):
    """What counts; each is printed with what it decides."""

    chance: float = 0.01
    """How likely differences may be by chance, at most: those of a whole run together."""
    share: float = 0.05
    """By how much a share of exchanges has to grow."""
    slower: float = 0.2
    """By which part a time has to grow."""
    seconds: float = 0.005
    """By how much it has to grow besides, in seconds: less is a machine's mood."""
    delta: float = 0.33
    """How large Cliff's delta has to be: a medium effect (Romano 2006)."""
    resent: float = 0.005
    """By how much the share of packets sent again has to grow."""
    least: int = 5
    """Exchanges on either side below which nothing is told."""
    tail: int = 50
    """The same, for tails."""


class Change(msgspec.Struct, frozen=True):
    """One thing that was compared."""

    group: str
    """Method and target; empty for the whole run."""
    what: str
    """``first_token p50``, ``streaming: held``."""
    answer: Answer
    before: float | None
    """Seconds, a share, or a mean number of elements; null if there is none."""
    after: float | None
    effect: float
    """Cliff's delta of times; of shares, by how much they differ."""
    chance: float
    """How likely that is by chance."""
    samples: tuple[int, int]

    @property
    def is_share(self) -> bool:
        return not self.what.endswith(("p50", "p99", "count"))


def compare(before: Profile, after: Profile, by: Thresholds | None = None) -> list[Change]:
    """Return what was compared, in order of groups."""
    limits = Thresholds() if by is None else by
    found = list(_packets(before, after, limits))
    for name, group in before.groups.items():
        other = after.groups.get(name)
        if other is None:
            found.append(_came(name, "missing", (group.exchanges, 0)))
        else:
            found += _group(name, group, other, limits)
    new = [name for name in after.groups if name not in before.groups]
    found += [_came(name, "new", (0, after.groups[name].exchanges)) for name in new]
    return _together(found, limits)


def _together(changes: list[Change], by: Thresholds) -> list[Change]:
    """Take back what so many comparisons find by chance."""
    tested = sorted(one.chance for one in changes if _is_tested(one, by))
    ranked = enumerate(tested, 1)
    limit = max((chance for rank, chance in ranked if chance <= by.chance * rank / len(tested)),
                default=0.0)  # fmt: skip
    return [
        replace(one, answer="too-few") if one.answer == "regression" and one.chance > limit else one
        for one in changes
    ]


def _is_tested(change: Change, by: Thresholds) -> bool:
    """Whether enough exchanges came for a difference to be found."""
    least = by.tail if change.what.endswith("p99") else by.least
    return change.what != "exchanges" and min(change.samples) >= least


def _came(name: str, answer: Answer, samples: tuple[int, int]) -> Change:
    """Return what is to be said of how many exchanges came."""
    return Change(name, "exchanges", answer, None, None, 0.0, 1.0, samples)


def is_regression(changes: Sequence[Change]) -> bool:
    return any(change.answer == "regression" for change in changes)


def is_comparison(changes: Sequence[Change]) -> bool:
    """Tell whether a request of A is in B: a run that recorded nothing proves nothing."""
    return any(change.group and change.what != "exchanges" for change in changes)


def _packets(before: Profile, after: Profile, by: Thresholds) -> Iterator[Change]:
    pairs = (before.retransmissions, before.packets), (after.retransmissions, after.packets)
    yield _share("", "retransmissions", *pairs, by.resent, by)


def _group(name: str, before: Group, after: Group, by: Thresholds) -> Iterator[Change]:
    sizes = before.exchanges, after.exchanges
    if min(sizes) < by.least:
        yield _came(name, "too-few", sizes)
    for fault in sorted({*before.faults, *after.faults}):
        some, more = before.faults.get(fault, 0), after.faults.get(fault, 0)
        yield _share(name, fault, (some, sizes[0]), (more, sizes[1]), by.share, by)
    for end in sorted({*before.endings, *after.endings} - GOOD_ENDS):
        some, more = before.endings.get(end, 0), after.endings.get(end, 0)
        yield _share(name, f"end: {end}", (some, sizes[0]), (more, sizes[1]), by.share, by)
    if before.failed or after.failed:
        pairs = (before.failed, sizes[0]), (after.failed, sizes[1])
        yield _share(name, "status 5xx", *pairs, by.share, by)
    yield _fewer(name, before.counts, after.counts, by)
    for metric in METRICS:
        if metric in before.times and metric in after.times:
            yield from _times(name, metric, before.times[metric], after.times[metric], by)


def _share(
    name: str,
    what: str,
    before: tuple[int, int],
    after: tuple[int, int],
    least: float,
    by: Thresholds,
) -> Change:
    samples = before[1], after[1]
    shares = [some / of if of else None for some, of in (before, after)]
    grown = (shares[1] or 0.0) - (shares[0] or 0.0)
    chance = chance_of_more(*before, *after) if min(samples) else 1.0
    answer: Answer = "same"
    if grown >= least:  # what may be chance is not the same either
        answer = "regression" if chance <= by.chance else "too-few"
    elif grown > 0 and min(samples) < by.least:
        answer = "too-few"
    return Change(name, what, answer, shares[0], shares[1], grown, chance, samples)


def _fewer(name: str, before: Sequence[float], after: Sequence[float], by: Thresholds) -> Change:
    """Compare how many elements came: fewer are worse.

    Means are shown, for where fewer than half of the exchanges lost some the median is what it was.
    """
    found = shift([-value for value in before], [-value for value in after])
    means = fmean(before or [0.0]), fmean(after or [0.0])
    answer: Answer = "same"
    if min(len(before), len(after)) < by.least:
        answer = "too-few" if means[1] < means[0] else "same"
    elif found.chance <= by.chance and found.delta >= by.delta:
        answer = "regression"
    samples = len(before), len(after)
    return Change(name, "fewer elements: count", answer, *means, *found, samples)


def _times(
    name: str, metric: str, before: Sequence[float], after: Sequence[float], by: Thresholds
) -> Iterator[Change]:
    samples = len(before), len(after)
    found = shift(before, after)
    middles = percentile(before, 0.5), percentile(after, 0.5)
    is_slower = _is_slower(*middles, by)
    answer: Answer = "same"
    if min(samples) < by.least:
        answer = "too-few" if is_slower else "same"
    elif is_slower and found.delta >= by.delta:
        answer = "regression" if found.chance <= by.chance else "too-few"
    yield Change(name, f"{metric} p50", answer, *middles, *found, samples)
    yield _tail(name, metric, before, after, by)


def _tail(
    name: str, metric: str, before: Sequence[float], after: Sequence[float], by: Thresholds
) -> Change:
    samples = len(before), len(after)
    ends = percentile(before, 0.99), percentile(after, 0.99)
    limit = max(ends[0] * (1 + by.slower), ends[0] + by.seconds)
    some, more = (sum(value > limit for value in values) for values in (before, after))
    chance = chance_of_more(some, samples[0], more, samples[1])
    is_slower = _is_slower(*ends, by)
    answer: Answer = "same"
    if min(samples) < by.tail:
        answer = "too-few" if is_slower else "same"
    elif is_slower and chance <= by.chance:
        answer = "regression"
    effect = more / samples[1] - some / samples[0]
    return Change(name, f"{metric} p99", answer, *ends, effect, chance, samples)


def _is_slower(before: float, after: float, by: Thresholds) -> bool:
    return after > before * (1 + by.slower) and after - before >= by.seconds
