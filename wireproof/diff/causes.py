"""Which regressions follow from others: one cause is one regression, the others came of it.

Strategy: a stream that is held has a late first token, and an answer of 503 fewer elements. So what
became worse of one request is looked at in the order of causes, and whatever an earlier one
explains follows from it. It has to be as large as that: where one in twenty was answered with 503,
and half of the streams were cut, the one does not explain the other. A time explains another one by
how much it grew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from math import fsum
from typing import NamedTuple

from msgspec.structs import replace

from .change import (
    BURSTS,
    FAILED,
    FAILED_OR_CUT,
    FEWER,
    LATE,
    NEW_CONNECTION,
    PAUSES,
    Answer,
    Change,
)
from .profile import METRICS

WORSE = ("regression", "too-few")
"""Answers of what would be worse, the certain one first."""
AS_LARGE = 1.5
"""How many times as large what follows may be as its cause: it is measured in other units."""


class _Cause(NamedTuple):
    what: str
    """A pattern, as that of a shell."""
    explains: tuple[str, ...]
    """Patterns of what follows from it."""
    is_added: bool = False
    """Whether what follows grows by as many seconds."""
    is_all: bool = False
    """Whether it explains however much there is of it."""
    as_large: float = AS_LARGE
    """How many times as large what follows may be."""


ENDS = "end: *"
"""How exchanges ended."""
FIRST = ("first_token *", "first *", LATE)
"""When the first of an answer came."""
CAUSES = (
    _Cause(FAILED, ("end: app-error", "ending: app-error", FAILED_OR_CUT, FEWER)),
    _Cause(ENDS, ("ending: *", FAILED_OR_CUT, FEWER, NEW_CONNECTION, "websocket: *")),
    _Cause("ending: *", (FAILED_OR_CUT, FEWER, NEW_CONNECTION)),
    _Cause("websocket: *", (FAILED_OR_CUT, FEWER, NEW_CONNECTION)),
    _Cause("streaming: *", (BURSTS, *FIRST, "headers_after *", "gap_* *", PAUSES)),
    _Cause("streaming: held", (BURSTS,), as_large=3.0),
    _Cause(BURSTS, (*FIRST, "gap_max *", PAUSES)),
    _Cause("headers_after p50", (*FIRST, "last *"), is_added=True),
    _Cause("gap: *", ("gap_max *", "last *", PAUSES)),
    _Cause("gap_p50 p50", ("gap_max *", "last *", PAUSES)),
    _Cause("first_token p50", FIRST),
    _Cause("first p50", FIRST),
    _Cause("first* p50", ("last *",), is_added=True),
    _Cause("gap_max p50", (PAUSES,)),
    _Cause("gap_max p50", ("last *",), is_added=True),
    _Cause(PAUSES, ("gap_max *", "last *")),
    _Cause(LATE, ("first_token *", "first *", "headers_after *", "last *")),
    _Cause(NEW_CONNECTION, (NEW_CONNECTION,), is_all=True),
    *(_Cause(f"{metric} p50", (f"{metric} p99",)) for metric in METRICS),
)
"""In the order in which they are looked for. After a stall all that has waited comes at once: that
is held where it is most of a stream, and a burst where it is less."""
OF_LARGER = _Cause(BURSTS, ("streaming: bursty", "streaming: stepped"))
"""What explains what stands before it: of all that came in bursts, few may be called a fault."""


def followed(changes: Sequence[Change]) -> list[Change]:
    """Return changes in their order, each that follows from another one with that one's name. What
    may be chance explains nothing but what may be chance, too."""
    worse = sorted((one for one in changes if one.answer in WORSE), key=_order)
    causes: dict[tuple[str, str], str] = {}
    larger = {one.group: one for one in worse if one.what == BURSTS}
    in_time = {one.group for one in changes if one.what == "first p50" and one.answer == "same"}
    for at, one in enumerate(worse):
        earlier = [cause for cause in worse[:at] if _may_be_of(cause, one)]
        alone = next((cause for cause in earlier if _explains(cause, one)), None)
        alone = alone or _larger(larger.get(one.group), one)
        if alone is None and one.group in in_time:
            alone = _slower(earlier, one)
        if (cause := alone or _together(earlier, one)) is not None:
            causes[one.group, one.what] = causes.get((cause.group, cause.what), cause.what)
    return [_following(one, causes.get((one.group, one.what))) for one in changes]


def _larger(cause: Change | None, other: Change) -> Change | None:
    """Return a cause that is looked for later than what it explains, if it is far larger."""
    if cause is None or other.what not in OF_LARGER.explains or not _may_be_of(cause, other):
        return None
    return None if _explains(other, cause) else cause


def _slower(causes: Sequence[Change], other: Change) -> Change | None:
    """Return the gaps that a first token waits for, after other elements that came in time."""
    if other.what != "first_token p50":
        return None
    gaps = (one for one in causes if one.what == "gap_p50 p50" and one.group == other.group)
    return next((one for one in gaps if _is_as_large(one, other, is_added=True)), None)


def _following(change: Change, cause: str | None) -> Change:
    if cause is None:
        return change
    answer: Answer = "consequence" if change.answer == "regression" else change.answer
    return replace(change, answer=answer, follows=cause)


def _order(change: Change) -> tuple[int, int]:
    """Return by what causes stand before what they explain: the certain ones first."""
    return WORSE.index(change.answer), _rank(change)


def _rank(change: Change) -> int:
    """Return where among the causes a change stands."""
    for at, cause in enumerate(CAUSES):
        if fnmatchcase(change.what, cause.what):
            return at
    return len(CAUSES)


def _may_be_of(cause: Change, other: Change) -> bool:
    """Whether both are of one request, or either is of all of them, and the cause is as certain."""
    is_of_one = cause.group == other.group or not (cause.group and other.group)
    return is_of_one and WORSE.index(cause.answer) <= WORSE.index(other.answer)


def _explains(cause: Change, other: Change) -> bool:
    """Whether one change of a request explains another one."""
    return any(
        one.is_all or _is_as_large(cause, other, one.as_large, is_added=one.is_added)
        for one in _rules(cause, other)
    )


def _rules(cause: Change, other: Change) -> Iterator[_Cause]:
    """Yield by what a change explains another one, if it is as large."""
    for one in CAUSES:
        is_it = fnmatchcase(cause.what, one.what)
        if is_it and any(fnmatchcase(other.what, what) for what in one.explains):
            yield one


def _together(causes: Sequence[Change], other: Change) -> Change | None:
    """Return the largest of several ends of a request that explain a change together: an exchange
    ends in one way, so each is of others."""
    ends = [
        one
        for one in causes
        if one.group == other.group and fnmatchcase(one.what, ENDS) and any(_rules(one, other))
    ]
    if len(ends) < 2:
        return None
    largest = max(ends, key=lambda one: one.effect)
    both = replace(largest, effect=fsum(one.effect for one in ends))
    return largest if _is_as_large(both, other, is_added=False) else None


def _is_as_large(cause: Change, other: Change, times: float = AS_LARGE, *, is_added: bool) -> bool:
    """Whether a change is no larger than its cause. Of one request the exchanges are counted:
    nine of twenty that have a first token are no more than nine of forty."""
    if is_added:
        return _grew(other) <= times * _grew(cause)
    if cause.group != other.group:
        return other.effect <= times * cause.effect
    return other.effect * other.samples[1] <= times * cause.effect * cause.samples[1]


def _grew(change: Change) -> float:
    return (change.after or 0.0) - (change.before or 0.0)
