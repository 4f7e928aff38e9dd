"""The judge of streaming: whether what an application wrote came as it was written.

Strategy: rules in the order of how much they rest on. First what the path did, which packets show:
a window that was closed, steps of TCP. Then what somebody put together: everything in one flush
after a long wait is held; flushes again and again are bursts. Then a header that came no sooner
than its first event. What is left streamed if it has waits; if it has none and began at once,
nothing can be told. Who put things together is asked in :mod:`.holders`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from statistics import median

from ..text.wording import count, duration, span
from . import holders
from .arrivals import (
    EARLY,
    LEAST,
    MIN_SHARE,
    SHORTEST_WAIT,
    WAIT,
    Arrivals,
    Flush,
    arrivals,
)
from .holders import Causes, is_with_head
from .path import (
    CLOSED,
    FULL,
    closed_long,
    hindered,
    unavoidable,
    united_seconds,
)
from .recorded import holes
from .stream_view import View
from .tcp_steps import SEGMENTS, nagle_rounds, nagle_steps
from .trace import Trace
from .verdict import Cause, Number, Severity, Verdict

HELD = 0.100
"""Seconds beyond the round trip. Nobody notices a shorter wait, and every server takes some time to
begin with."""
CUT_APART = 0.040
"""Seconds between flushes that cut elements. 40 ms is the least for which TCP itself keeps small
writes back; what is closer together has been handed on as it came."""
AT_ONCE = 0.010
"""Seconds within which what came together needs no word of how long it took."""
BULK = 0.75
"""Part of the elements that came in one flush if a response was held. Where LEAST or more came one
by one before it, and it goes on after it, it streamed: what lies between is a gap."""
RUSH = 20
"""How many times longer than a flush the wait before it was, if pauses within the flush are the
machine's: what waits for a model or a timer would have waited before the first one, too."""
SEVERAL = 2 / 3
"""Part of the flushes that must have several elements: of two things said in one breath, as at the
begin and at the end of an answer, there are few."""
TOGETHER = 1.5
"""Elements a flush, on average, from which on something puts them together."""
LATE_HEAD = 0.300
"""Seconds beyond the round trip. A header that comes sooner is not worth a word: connections,
queues and set-up take that long too."""
FULL_SHARE = 0.75
"""Part of a stream's time for which a window was full if it set the pace: a timer whose blocks take
two round trips fills it for two thirds."""
MAX_PACKETS = 16
"""Packets that a verdict cites."""


Rule = Callable[[View], Verdict | None]


def judge_streaming(trace: Trace) -> Verdict | None:
    """Say whether a response streamed, and who held it; None where it is no stream."""
    came = arrivals(trace)
    if came is None or not came.count:
        return None
    return _first(View(trace, came), RULES)


def judge_unread(trace: Trace, packets: Collection[int]) -> Verdict | None:
    """Say whether a response streamed that its client did not read at once.

    ``packets`` are those that waited for the client: when they were written nobody can tell, so
    what they brought is left out. None if too little is left.
    """
    came = arrivals(trace)
    left = None if came is None else came.without(packets)
    if left is None or left.count < LEAST:
        return None
    return _first(View(trace, left), [rule for rule in RULES if rule is not _client_slow])


def _first(view: View, rules: Sequence[Rule]) -> Verdict | None:
    found = (rule(view) for rule in rules)
    return next((verdict for verdict in found if verdict is not None), None)


def _too_few(view: View) -> Verdict | None:
    if view.came.count >= LEAST:
        return None
    if not view.trace.elements.count:
        return None
    came = "were recorded" if holes(view.trace) else "came"
    summary = f"only {view.said} {came}: too few to tell whether it streams"
    seen = f"at least {LEAST} are needed to compare waits"
    causes = holders.Causes((Cause("too-few-events", "certain", seen),))
    return _verdict(view, "undecided", "ok", summary, causes)


def _client_slow(view: View) -> Verdict | None:
    """A window that was closed for long: the client did not read."""
    start, end = view.trace.about.first_time, view.came.times[-1]
    closed = [one for one in view.hindrances if one.kind in CLOSED and one.start < end]
    told = closed_long("its window", closed, start, end, view.came.span)
    if told is None:
        return None
    seconds, summary = told
    packets = [one.packet for one in closed]
    causes = holders.windows({one.kind for one in closed})
    return _verdict(view, "client-slow", "warning", summary, causes, packets, closed=seconds)


def _window_full(view: View) -> Verdict | None:
    """A window that is so small that it is full for most of each round trip."""
    full = [one for one in view.hindrances if one.kind in FULL]
    start, end = view.came.times[0], view.came.times[-1]
    seconds = united_seconds(full, start, end)
    if not full or seconds < max(HELD, FULL_SHARE * view.came.span):
        return None
    longest = max(full, key=lambda one: one.seconds_within(start, end))
    summary = (
        f"{view.said} came as fast as the client's window let them: for"
        f" {duration(seconds)} of {duration(end - start)} it was full, as {longest.seen}"
    )
    causes, packets = holders.full_windows(full), [one.packet for one in full]
    return _verdict(view, "client-slow", "warning", summary, causes, packets)


def _stepped(view: View) -> Verdict | None:
    """Small writes that are cut in two, the second half an acknowledgement later."""
    steps = None if view.is_relayed else nagle_steps(view.trace, view.hindrances)
    if steps is None:
        return None
    later = f"leaves {duration(steps.seconds)} later, after an acknowledgement"
    summary = f"{steps.share:.0%} of the writes are split in two, and the second half {later}"
    if steps.in_segments:
        summary = (
            f"{steps.share:.0%} of the segments end inside a write, and the rest of it {later},"
            " with what was written meanwhile"
        )
    causes = holders.nagle(steps.is_delayed)
    step = round(steps.seconds, 6)
    return _verdict(view, "stepped", "warning", summary, causes, steps.packets, step=step)


def _filled(view: View) -> Verdict | None:
    """Small writes that leave when a segment is full, or once a round trip."""
    if view.is_relayed or holders.is_coded(view.trace) or view.came.count < TOGETHER * 2 * LEAST:
        return None
    steps = nagle_rounds(view.trace, view.came)
    if steps is None or steps.period < HELD:
        return None
    summary = (
        f"{view.said} came about {view.came.count / view.came.groups:.1f} at a time: in full"
        f" segments, and in one that is not full every {duration(steps.period)}, a round trip"
    )
    period = round(steps.period, 6)
    causes = holders.nagle_rounds()
    return _verdict(view, "bursty", "warning", summary, causes, steps.packets, period=period)


def _rounds(view: View) -> Verdict | None:
    """Written at once, and delivered in round trips."""
    rounds = view.rounds
    if rounds is None or not rounds.goes_on:
        return None
    summary = (
        f"{view.said} came in steps of a round trip: the first {rounds.sent:,} bytes at once,"
        f" the next {duration(rounds.seconds)} later"
    )
    packets = view.came.packets[rounds.at - 1 : rounds.at + 1]
    causes, period = holders.slow_start(), round(rounds.seconds, 6)
    return _verdict(view, "bursty", "note", summary, causes, packets, period=period)


def _cut(view: View) -> Verdict | None:
    """Flushes whose borders lie inside elements: they were made of bytes."""
    came, borders = view.came, view.cut_at
    apart = [came.gaps[at] for at in borders]
    others = [gap for _, gap in view.own_gaps if gap >= CUT_APART]
    if not borders or view.is_relayed or median(apart) < CUT_APART:
        return None
    if len(borders) < len(others) / 2:
        return None
    sizes = holders.flush_sizes(view.trace, [came.times[at + 1] for at in borders])
    is_aligned = holders.alignment(sizes) is not None
    if sizes and not is_aligned and (median(sizes) <= SEGMENTS[1] or view.is_cut_by_the_path):
        return None
    if came.count / came.groups < TOGETHER and not is_aligned:
        return None
    causes = holders.of_cut_flushes(view.trace, sizes)
    return _bursts(view, causes, f"and their borders cut {view.name}s", sizes)


def _held(view: View) -> Verdict | None:
    """Nearly all in one flush, after a wait that all of it can have been held in."""
    came, bulk = view.came, _bulk(view)
    if bulk is None:
        return None
    flush, wait = bulk
    is_coded = holders.is_coded(view.trace)
    in_one = came.packets[flush.start] == came.packets[flush.end - 1]
    if _own(view, flush, wait) < (WAIT if is_coded and in_one else HELD):
        return None
    together = f"came together in {_place(came, flush)}, {duration(wait)}"
    size = _with_last_words(view, flush)
    summary = f"{count(size, view.name)} {together} after the request"
    if flush.start:
        early = count(flush.start, view.name)
        summary = f"{early} came early, the other {size:,} {together} later"
    causes = holders.of_one_flush(view.trace, came, flush)
    packets = came.packets[flush.start : flush.end]
    return _verdict(view, "held", "error", summary, causes, packets, held=round(wait, 6))


def _with_last_words(view: View, flush: Flush) -> int:
    """Return how many came in a flush, those that end a stream or begin it included.

    What is judged leaves them out; who reads of a flush counts all that lies in it.
    """
    marks, came = view.trace.elements, view.came
    before = bisect_left(marks.times, came.times[flush.start])
    is_all = marks.count and marks.last_time <= came.times[flush.end - 1] + AT_ONCE
    return view.total - before if is_all and before == flush.start else flush.size


def _bulk(view: View) -> tuple[Flush, float] | None:
    """Return the flush that nearly all came in, and how long it was waited for."""
    came = view.came
    flush = came.largest(WAIT)
    goes_on = flush.end < came.count
    if flush.size < BULK * came.count or (flush.start >= LEAST and goes_on):
        return None
    gaps = came.gaps[flush.start : flush.end - 1]
    wait = came.gaps[flush.start - 1] if flush.start else came.first or 0.0
    own = _own(view, flush, wait)
    if sum(gaps) * EARLY > own or (_is_paced(gaps) and not _is_rushed(gaps, own)):
        return None
    before = came.times[flush.start] - wait
    if hindered(view.hindrances, before, came.times[flush.end - 1]) is not None:
        return None
    return flush, wait


def _is_paced(gaps: Sequence[float]) -> bool:
    return sum(gap >= SHORTEST_WAIT for gap in gaps) > MIN_SHARE * len(gaps)


def _is_rushed(gaps: Sequence[float], wait: float) -> bool:
    """Whether most came without a wait, and all of it in no time beside the wait before.

    On a busy machine a program that has everything is kept from writing now and then.
    """
    return bool(gaps) and median(gaps) < SHORTEST_WAIT and sum(gaps) * RUSH <= wait


def _own(view: View, flush: Flush, wait: float) -> float:
    """Return what of the wait for a flush the path did not take: an answer takes a round trip."""
    return wait if flush.start else wait - unavoidable(view.trace)


def _place(came: Arrivals, flush: Flush) -> str:
    first, last = came.packets[flush.start], came.packets[flush.end - 1]
    if first == last:
        return f"packet {first}"
    took = came.times[flush.end - 1] - came.times[flush.start]
    within = f" within {duration(took)}" if took >= AT_ONCE else ""
    return f"packets {span(first, last)}{within}"


def _grouped(view: View) -> Verdict | None:
    """Flushes of whole elements, again and again."""
    came = view.came
    sizes = came.sizes
    several = len(sizes) - sizes.count(1)
    if several < 2 or several < SEVERAL * len(sizes) or came.count < TOGETHER * len(sizes):
        return None
    own = {at for at, _ in view.own_gaps}
    waits = [came.gaps[at - 1] for at in came.borders[1:-1] if at - 1 in own]
    if not waits or median(waits) < HELD:
        return None
    if view.is_cut_by_the_path and len(view.cut_at) >= len(waits) / 2:
        return None
    causes = holders.of_whole_flushes(view.trace, came)
    usual = set(sizes[:-1])  # the last one has what was left
    about = f"about {came.count / len(sizes):.1f}" if len(usual) > 1 else f"{usual.pop():,}"
    return _bursts(view, causes, f"{about} at a time", [])


def _buffered(view: View) -> Verdict | None:
    """Flushes that TCP spread out, so that they have waits of their own.

    Only what has the size of a buffer again and again is known to be one: a path cuts anywhere.
    """
    whole = view.unpaced
    if whole is None:
        return None
    sizes = holders.flush_sizes(view.trace, [whole.came.times[at + 1] for at in whole.cut_at])
    is_buffer = len(sizes) >= LEAST and holders.alignment(sizes) is not None
    return _cut(whole) if is_buffer else None


def _bursts(view: View, causes: Causes, how: str, sizes: list[int]) -> Verdict:
    came = view.came
    starts = came.borders[:-1]
    firsts = [came.times[start] for start in starts]
    period = median(after - before for before, after in pairwise(firsts))
    summary = f"{view.said} came in {count(came.groups, 'burst')}, {duration(period)} apart, {how}"
    size = round(median(sizes)) if sizes else None
    return _verdict(
        view,
        *("bursty", "warning", summary, causes),
        [came.packets[start] for start in starts],
        period=round(period, 6),
        flush_bytes=size,
        aligned=holders.alignment(sizes),
    )


def _header_held(view: View) -> Verdict | None:
    """A header that comes no sooner than its first event.

    One that comes as long before it as events come apart was sent ahead, by a source that was late.
    """
    head, response = view.time_to_head, view.trace.about.response
    pieces = view.trace.pieces
    if head is None or response is None or not pieces.count:
        return None
    if head - unavoidable(view.trace) < LATE_HEAD:
        return None
    ahead = pieces.times[0] - response.last_time
    if not is_with_head(view.trace, pieces.times[0]) or ahead > view.came.wait / 2:
        return None
    summary = (
        f"the headers came {duration(head)} after the request, together with the first {view.name}"
        f" (packet {response.last_packet})"
    )
    causes, packets = holders.late_header(), [response.last_packet]
    return _verdict(view, "header-held", "warning", summary, causes, packets)


def _streamed(view: View) -> Verdict | None:
    """Waits between a good part of the elements, or else for most of the time between groups."""
    came = view.came
    is_spread = sum(came.waits) >= came.span / 2 and came.groups >= LEAST
    if view.share_of_waits < MIN_SHARE and not is_spread:
        return None
    at_a_time = came.count / came.groups
    how = "one by one" if at_a_time < TOGETHER else f"about {at_a_time:.1f} at a time"
    summary = f"{view.said} came {how}, typically {duration(came.wait)} apart"
    if view.trace.about.request is None and view.trace.about.response is None:
        summary += "; what came before them was not captured"
    return _verdict(view, "streamed", "ok", summary, holders.Causes(()))


def _undecided(view: View) -> Verdict:
    seen = "they followed each other at once, and none came late enough to have been held"
    summary = f"{view.said} came within {duration(view.came.span)}: too fast to tell"
    causes = holders.Causes((Cause("no-waits", "certain", seen),))
    return _verdict(view, "undecided", "ok", summary, causes)


def _verdict(
    view: View,
    answer: str,
    severity: Severity,
    summary: str,
    found: Causes,
    packets: Sequence[int] = (),
    **numbers: Number,
) -> Verdict:
    shown = sorted(set(packets))[:MAX_PACKETS]
    return Verdict(
        "streaming",
        answer,
        severity,
        summary,
        tuple(shown),
        found.causes,
        found.to_tell,
        numbers=view.numbers(**numbers),
    )


RULES: Sequence[Rule] = (
    _too_few,
    _client_slow,
    _window_full,
    _stepped,
    _filled,
    _buffered,
    _rounds,
    _cut,
    _held,
    _grouped,
    _header_held,
    _streamed,
    _undecided,
)
