"""What became worse from one run to another, by stated thresholds.

Strategy: a difference counts if it is surely none of chance (:mod:`.chance`), and large enough to
matter: two rules, each with a number that is printed. What may be chance is "too few to tell".
Where so few exchanges came that even the largest difference could be chance, nothing is said of it
but that. A fault, an ending or a failure is a share of exchanges; a time is a distribution, of
which the middle is compared by ranks and the tail by how many of B are beyond the p99 of A.

What is asked of each request is asked of all of them together, too, each B compared with its own A:
what is certain of none alone may be of all. It is told only then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import exp, fsum, log
from operator import mul
from statistics import fmean
from typing import NamedTuple

from msgspec.structs import replace

from ..analysis.percentiles import percentile
from .causes import followed
from .chance import Comparison, found
from .change import COUNTED, NEW_CONNECTION, RESENT, Answer, Change
from .profile import Group, Profile
from .questions import (
    Middle,
    Question,
    Share,
    Tail,
    Thresholds,
    of_packets,
    of_request,
    too_few_recorded,
)
from .statistics import (
    chance_of_more,
    chance_together,
    least_chance,
    shift_together,
    stalls,
    stalls_together,
)
from .worst import behind

NOT_RECORDED = "not recorded"
TOO_FEW_RECORDED = "too few recorded"
BEHIND_PROXY = "legs behind a proxy"
"""What is told without being compared: of how many something is missing, and how many do not
count."""
INSTANT = 1e-6
"""Seconds that count as none: times have microseconds."""


class _Asked(NamedTuple):
    """A question of one request, or of several at once."""

    group: str
    rows: Sequence[Question]
    """Of each request that it is asked of; all of one kind."""


def compare(before: Profile, after: Profile, by: Thresholds | None = None) -> list[Change]:
    """Return what was compared, in order of groups."""
    limits = Thresholds() if by is None else by
    rows: list[Change | _Asked] = []
    everywhere: dict[str, list[Question]] = defaultdict(list)
    sizes = []
    for name, group in before.groups.items():
        other = after.groups.get(name)
        if other is None:
            rows.append(_came(name, "missing", (group.exchanges, 0)))
            continue
        sizes.append((group.exchanges, other.exchanges))
        if min(sizes[-1]) < limits.least:
            rows.append(_came(name, "too-few", sizes[-1]))
        if group.lacking or other.lacking:
            rows.append(_lacking(name, group, other))
        if few := too_few_recorded(group, other, limits):
            rows.append(_too_few(name, few, group, other))
        for question in of_request(group, other, limits):
            rows.append(_Asked(name, [question]))
            everywhere[question.what].append(question)
    for name, group in after.groups.items():
        if name not in before.groups:
            rows.append(_came(name, "new", (0, group.exchanges)))
    if before.behind or after.behind:
        rows.append(_behind(before, after))
    packets = _Asked("", [of_packets(before, after, limits)])
    together = [_Asked("", _of_all(found, sizes)) for found in everywhere.values()]
    decided = _decided([packets, *filter(_is_of_several, together), *rows], limits)
    return [_with_worst(one, after) for one in followed(decided)]


def _with_worst(change: Change, after: Profile) -> Change:
    """Return a regression with what is to be looked at."""
    if change.answer != "regression":
        return change
    if change.what == RESENT:
        return replace(change, worst=after.resent)
    groups = [after.groups[change.group]] if change.group else after.groups.values()
    return replace(change, worst=behind(change.what, (one.worst for one in groups)))


def _came(name: str, answer: Answer, samples: tuple[int, int]) -> Change:
    """Return what is to be said of how many exchanges came."""
    return Change(name, COUNTED, answer, None, None, 0.0, 1.0, samples)


def _lacking(name: str, before: Group, after: Group) -> Change:
    """Return of how many exchanges the captures lack bytes."""
    samples = before.exchanges, after.exchanges
    shares = before.lacking / samples[0], after.lacking / samples[1]
    grown = shares[1] - shares[0]
    return Change(name, NOT_RECORDED, "not-recorded", *shares, grown, 1.0, samples)


def _too_few(name: str, few: Sequence[str], before: Group, after: Group) -> Change:
    """Return of how many exchanges times are not known, which are not compared for that reason."""
    samples = before.exchanges, after.exchanges
    shares = _most(few, before), _most(few, after)
    what = f"{TOO_FEW_RECORDED}: {', '.join(few)}"
    return Change(name, what, "not-recorded", *shares, shares[1] - shares[0], 1.0, samples)


def _most(few: Sequence[str], of: Group) -> float:
    return max(of.untimed.get(name, 0) for name in few) / max(of.exchanges, 1)


def _behind(before: Profile, after: Profile) -> Change:
    """Return how many exchanges are left out, of all that came."""
    samples = before.exchanges + before.behind, after.exchanges + after.behind
    shares = before.behind / max(samples[0], 1), after.behind / max(samples[1], 1)
    grown = shares[1] - shares[0]
    return Change("", BEHIND_PROXY, "left-out", *shares, grown, 1.0, samples)


def is_regression(changes: Sequence[Change]) -> bool:
    return any(change.answer == "regression" for change in changes)


def is_comparison(changes: Sequence[Change]) -> bool:
    """Tell whether a request of A is in B: a run that recorded nothing proves nothing."""
    return any(change.group and change.is_compared for change in changes)


# --- all requests together ---


def _of_all(rows: Sequence[Question], sizes: Sequence[tuple[int, int]]) -> list[Question]:
    """Return a question's rows with those of requests that have nothing of it: a share is one of
    all exchanges. ``sizes`` are those of all requests."""
    shares = [row for row in rows if isinstance(row, Share)]
    if not shares:
        return list(rows)
    if shares[0].family == "pauses":
        spans = [(*span, at) for at, row in enumerate(shares) for span in row.spans]
        found = stalls_together(spans)
        return [
            row._replace(stalls=found[at]) if row.spans else row for at, row in enumerate(shares)
        ]
    rest = sum(one for one, _ in sizes), sum(other for _, other in sizes)
    none = rest[0] - sum(row.before for row in shares), rest[1] - sum(row.after for row in shares)
    others = shares[0]._replace(some=0, before=none[0], more=0, after=none[1], stalls=None)
    return [
        *(row if row.apart is None else row._replace(stalls=row.apart) for row in shares),
        others,
    ]


def _is_of_several(asked: _Asked) -> bool:
    """Whether a question is asked of several requests, and of their tails it is not."""
    rows = [row for row in asked.rows if not isinstance(row, Share) or row.some + row.more]
    return len(rows) > 1 and not isinstance(rows[0], Tail)


def _weighted(values: Sequence[float], weights: Sequence[float]) -> float:
    return fsum(map(mul, values, weights)) / (fsum(weights) or 1.0)


def _weights(samples: Sequence[tuple[int, int]]) -> list[float]:
    """Return how much each request counts, on both sides alike."""
    return [before * after / max(before + after, 1) for before, after in samples]


# --- what is chance, and what is not ---


def _decided(rows: Sequence[Change | _Asked], by: Thresholds) -> list[Change]:
    """Return what comes of all questions; those of all requests only where they alone find it."""
    changes = [row if isinstance(row, Change) else _change(row, by) for row in rows]
    able = [number for number, one in enumerate(changes) if _is_tested(one, by)]
    tested = [_tested(rows[number], changes[number], by) for number in able]
    judged = found(tested, by.chance)
    known = {able[number] for number in judged.known}
    limits = {able[number]: limit for number, limit in judged.limits.items()}
    told = [
        one
        if one.answer != "regression" or number in known
        else _unsure(one, by, limits.get(number))
        for number, one in enumerate(changes)
    ]
    alone = Counter(one.what for one in told if one.group and one.answer == "regression")
    if alone[NEW_CONNECTION] > 1:  # then it is one thing that keeps fewer of them open
        del alone[NEW_CONNECTION]
    return [
        one
        for row, one in zip(rows, told, strict=True)
        if not isinstance(row, _Asked)
        or len(row.rows) == 1
        or (one.answer == "regression" and one.what not in alone)
    ]


def _is_tested(change: Change, by: Thresholds) -> bool:
    """Whether enough exchanges came for a difference to be found."""
    least = by.tail if change.what.endswith("p99") else by.least
    return change.is_compared and min(change.samples) >= least


def _tested(row: Change | _Asked, change: Change, by: Thresholds) -> Comparison:
    assert isinstance(row, _Asked)
    first = row.rows[0]
    is_of_all = len(row.rows) > 1
    if isinstance(first, Share):
        least = 0.0 if is_of_all else least_chance(*first.counted)
        return Comparison(change.what, is_of_all, first.family, change.chance, least)
    alone = None
    if isinstance(first, Middle) and first.is_first:
        is_gross = (change.after or 0.0) >= by.gross * (change.before or 0.0)
        alone = change.chance if is_gross else 1.0
    return Comparison(change.what, is_of_all, "times", change.chance, 0.0, alone)


def _unsure(change: Change, by: Thresholds, limit: float | None) -> Change:
    """Return a change that may be chance. It is not the same either, but for what many exchanges
    are needed to tell at all."""
    is_noise = change.what.endswith(("p99", "count")) and change.chance > by.chance
    return replace(change, answer="same" if is_noise else "too-few", limit=limit)


# --- the questions ---


def _change(asked: _Asked, by: Thresholds) -> Change:
    """Return how large a difference is, a regression if it is large enough."""
    group, rows = asked
    if isinstance(rows[0], Share):
        return _share(group, [row for row in rows if isinstance(row, Share)], by)
    if isinstance(rows[0], Tail):
        return _tail(group, rows[0], by)
    return _middle(group, [row for row in rows if isinstance(row, Middle)], by)


def _share(group: str, rows: Sequence[Share], by: Thresholds) -> Change:
    sizes = [(row.before, row.after) for row in rows]
    samples = sum(before for before, _ in sizes), sum(after for _, after in sizes)
    first = rows[0]
    shares: list[float | None] = [first.some / samples[0] if samples[0] else None,
                                  first.more / samples[1] if samples[1] else None]  # fmt: skip
    if len(rows) > 1:
        both = [row for row in rows if row.before and row.after]
        weights = _weights([(row.before, row.after) for row in both])
        shares = [
            _weighted([row.some / row.before for row in both], weights),
            _weighted([row.more / row.after for row in both], weights),
        ]
    grown = (shares[1] or 0.0) - (shares[0] or 0.0)
    chance = chance_together([row.counted for row in rows]) if min(samples) else 1.0
    answer: Answer = "same"
    if grown >= first.growth:
        answer = "regression"
    elif grown > 0 and min(samples) < by.least:
        answer = "too-few"
    return Change(group, first.what, answer, shares[0], shares[1], grown, chance, samples)


def _middle(group: str, rows: Sequence[Middle], by: Thresholds) -> Change:
    """Compare middles. Of how many elements came means are shown: where fewer than half of the
    exchanges lost some, the median is what it was."""
    sizes = [(len(row.before), len(row.after)) for row in rows]
    samples = sum(before for before, _ in sizes), sum(after for _, after in sizes)
    first = rows[0]
    if first.is_less_worse:
        pairs = [([-one for one in row.before], [-one for one in row.after]) for row in rows]
        middles = [(fmean(row.before or [0.0]), fmean(row.after or [0.0])) for row in rows]
    else:
        pairs = [(list(row.before), list(row.after)) for row in rows]
        middles = [(percentile(row.before, 0.5), percentile(row.after, 0.5)) for row in rows]
    moved = shift_together(pairs)
    before, after = middles[0]
    if len(rows) > 1:
        before, after = _typical(middles, sizes, first)
        by = by._replace(slower=by.slower * by.everywhere, delta=by.delta * by.everywhere)
    is_worse = after < before if first.is_less_worse else _is_slower(before, after, by)
    answer: Answer = "same"
    if min(samples) < by.least:
        answer = "too-few" if is_worse else "same"
    elif is_worse and moved.delta >= by.delta:
        answer = "regression"
    return Change(group, first.what, answer, before, after, *moved, samples)


def _typical(
    middles: Sequence[tuple[float, float]], sizes: Sequence[tuple[int, int]], row: Middle
) -> tuple[float, float]:
    """Return the middles of several requests as one: of times by their logarithms, for a slow one
    would outweigh all others."""
    weights = _weights(sizes)
    if row.is_less_worse:
        before, after = (_weighted([one[side] for one in middles], weights) for side in (0, 1))
        return before, after
    before, after = (
        exp(_weighted([log(max(one[side], INSTANT)) for one in middles], weights))
        for side in (0, 1)
    )
    return before, after


def _tail(group: str, row: Tail, by: Thresholds) -> Change:
    samples = len(row.before), len(row.after)
    ends = percentile(row.before, 0.99), percentile(row.after, 0.99)
    limit = max(ends[0] * (1 + by.slower), ends[0] + by.seconds)
    some, more = (sum(value > limit for value in values) for values in (row.before, row.after))
    spans = [(one.start, one.end) for one in row.longest if one.value > limit]
    again = max(more - stalls(spans), 0) if spans else 0
    chance = chance_of_more(some, samples[0], more - again, samples[1] - again)
    is_slower = _is_slower(*ends, by)
    answer: Answer = "same"
    if min(samples) < by.tail:
        answer = "too-few" if is_slower else "same"
    elif is_slower:
        answer = "regression"
    effect = more / samples[1] - some / samples[0]
    return Change(group, row.what, answer, *ends, effect, chance, samples)


def _is_slower(before: float, after: float, by: Thresholds) -> bool:
    return after > before * (1 + by.slower) and after - before >= by.seconds
