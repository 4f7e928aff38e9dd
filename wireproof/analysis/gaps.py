"""The judge of gaps: where the time of each long wait went.

Strategy: a wait is attributed by what packets show in it. A closed window and a hole are facts of
the path, and so are the halves that Nagle's algorithm keeps back and the first round trips of slow
start. Keep-alives in a wait show that its sender lived and had nothing to say. What is left is a
sender that was silent, or a lone segment that was lost: at the client both are a gap. A loss leaves
the beat of the source as it was, so the next element comes early, or all that was due come at once;
a source that waited goes on from where it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, log2
from statistics import median
from typing import Literal, NamedTuple

from ..text.wording import count, duration, span
from .arrivals import LEAST, SHORTEST_WAIT, WAIT
from .blocked import BLOCKED_REMEDIES, behind_others, held_by_windows, lost_of_others, may_be_held
from .holders import REMEDIES as HOLDERS_REMEDIES
from .holders import only_then
from .path import (
    BY_ACKNOWLEDGEMENTS,
    FULL_REMEDIES,
    Hindrance,
    closed_by,
    hindered,
    round_trip,
)
from .quiet import at_work, under_way
from .recorded import is_recorded
from .tcp_steps import nagle_steps, slow_start
from .time_limits import LIMITS, next_limit
from .trace import Trace
from .verdict import Cause, Number, Verdict
from .waits import Waits

LONG = 0.250
"""Seconds below which no wait is worth a word by itself: people notice, no time-out does."""
TIMES = 5
"""A wait is long if it takes so many times the usual one, too."""
RESENT_AFTER = 0.200
"""Seconds after which a lone segment that was lost is sent again, at the soonest: Linux allows for
a delayed acknowledgement (RFC 8985 section 7.2), and so does the least RTO that it takes."""
ON_THE_BEAT = 0.10
"""Part of the usual wait by which an element may miss the beat that it is on."""
STEADY = 0.10
"""Deviation of the usual waits, as part of them, up to which a source has a beat."""
COUNTABLE = 0.25
"""The same up to which it is known how many elements were due in a long wait: what single waits
miss the beat by cancels out over many, and a busy machine misses it by 0.16."""
LIMITS_FROM = 5.0
"""Seconds of silence from which on limits are looked at."""
MOST = max(limit.seconds for limit in LIMITS if limit.kind == "idle")
"""Seconds of silence that no known limit is above."""

Class = Literal[
    "zero-window", "retransmission", "nagle", "slow-start", "keep-alive-masked", "sender-silent",
    "stream-window", "connection-window", "head-of-line", "thinking", "rate",
    "not-recorded", "reordering", "receive-window", "narrow-window", "congestion-window",
    "spurious-retransmission",
]  # fmt: skip
FAULTS: frozenset[str] = frozenset(
    (
        *("zero-window", "receive-window", "narrow-window", "nagle"),
        *("stream-window", "connection-window", "head-of-line"),
    )
)
REMEDIES: dict[str, str] = {
    "zero-window": "read faster at the client: move its work out of the loop that reads",
    "retransmission": "packets were lost or late on the way: look at the network, not the"
    " application",
    "reordering": "packets overtook one another on the way: look at the network (several paths, or"
    " receive queues), not the application",
    "outage": "the path was gone for a while: look at the network, not the application",
    "nagle": "set TCP_NODELAY, or write each chunk in one call",
    "slow-start": "nothing is wrong; to be faster, send less at once, reuse connections, or move"
    " closer",
    "keep-alive-masked": "the connection is alive, but the source is silent: let watchdogs count"
    " content only",
    "thinking": "nothing is wrong on the path: let watchdogs allow for it, and send a comment"
    " (`: ping`) at half the shortest idle limit",
    "rate": "send less at once, or over a faster path; look for a limit on the way (nginx:"
    " `limit_rate`)",
    **FULL_REMEDIES,
    "congestion-window": "nothing is wrong at either end: the path is slow or loses packets, or the"
    " connection is new; send less at once",
    "spurious-retransmission": "the client had it: it or its acknowledgement was late, or the"
    " acknowledgement was lost: look at the path (delay that varies), not at the application",
    **BLOCKED_REMEDIES,
    "blocked-loop": HOLDERS_REMEDIES["blocked-loop"],
    "not-recorded": "record again without losing packets: see what the recorder says it dropped",
    "sender-silent": "find what the sender waited for, in its log; until then a comment (`: ping`)"
    " at half the shortest idle limit keeps the connection",
}
NOT_RECORDED = "the capture lacks bytes of it: what came meanwhile is unknown"
ANOTHER_REQUEST = "one more request during such a wait: a loop that is blocked answers none"
WHOLE_CAPTURE = "a capture that lacks no packet"
AT_SENDER = "a capture at the sender, where a lost segment shows up twice"


AT_ONCE = frozenset({"connection-window", "stream-window"})
"""What may hold a sender at the same time: the seconds of these are not added up."""


class Attributed(NamedTuple):
    """A wait, and where its time went."""

    kind: Class
    seconds: float
    from_packet: int
    to_packet: int
    seen: str
    alternatives: tuple[tuple[str, str], ...] = ()
    """What else may have caused it, and what points to that."""


def judge_gap(trace: Trace) -> Verdict | None:
    """Say where the time of long waits went; None if there were none."""
    if trace.http2 is None and trace.streamed.count < 2:
        return None  # as of most exchanges
    found = [Attributed(*one) for one in held_by_windows(trace)]
    if trace.streamed.count < 2 and not found:
        return None
    waits = Waits(trace)
    if waits.came.count >= 2:
        found += [*_of_tcp(waits), *_long_waits(waits), *_sent_again(waits)]
        found += _around(waits)
    return _verdict(waits, found) if found else None


def _of_tcp(waits: Waits) -> Iterator[Attributed]:
    """Yield what TCP keeps back regularly."""
    connection = waits.trace.about.connection
    is_relayed = connection is not None and connection.recorded_by == "relay"
    steps = None if is_relayed else nagle_steps(waits.trace, waits.hindrances)
    if steps is not None:
        halves = "second half of {} of the small writes"
        if steps.in_segments:
            halves = "rest of the last write of {} of the segments"
        seen = f"the {halves.format(f'{steps.share:.0%}')} waits for an acknowledgement"
        yield Attributed("nagle", steps.seconds, steps.packets[0], steps.packets[0], seen)
    rounds = slow_start(waits.trace, waits.came)
    if rounds is not None:
        packets = waits.came.packets[rounds.at - 1], waits.came.packets[rounds.at]
        seen = f"after {rounds.sent:,} bytes the sender waited for one round trip"
        yield Attributed("slow-start", rounds.seconds, *packets, seen)


def _sent_again(waits: Waits) -> Iterator[Attributed]:
    """Yield what was sent again at the side of the sender, where a loss leaves no gap."""
    for one in waits.again:
        seen = f"retransmitted in packet {one.packet}"
        sent: int = waits.came.packets[one.at]
        kind: Class = "retransmission"
        if one.arrived_twice is not None:
            kind = "spurious-retransmission"
            seen += (
                f", and the client had it twice (packet {one.arrived_twice}): what was sent first"
            )
            seen += " had arrived"
        yield Attributed(kind, one.seconds, sent, one.packet, seen)


def _long_waits(waits: Waits) -> Iterator[Attributed]:
    came = waits.came
    long = max(LONG, TIMES * waits.usual)
    rounds = slow_start(waits.trace, came)
    least = WAIT if waits.hindrances else min(long, waits.usual + RESENT_AFTER)
    for at in [at for at, gap in enumerate(came.gaps) if gap >= least]:
        gap = came.gaps[at]
        if rounds is not None and at == rounds.at - 1:
            continue
        start, end = came.times[at], came.times[at + 1]
        if not is_recorded(start, end, waits.missing):
            if gap >= long:
                place = came.packets[at], came.packets[at + 1]
                yield Attributed("not-recorded", gap, *place, NOT_RECORDED)
            continue
        if waits.again and waits.recovering(start, end) > max(0.0, gap - long):
            continue
        hindrance = hindered(waits.hindrances, start, end) if waits.hindrances else None
        if hindrance is None:
            yield from _unhindered(waits, at, gap, long)
            continue
        place = came.packets[at], came.packets[at + 1]
        seconds = hindrance.seconds_within(start, end)
        if hindrance.kind in ("stream-window", "connection-window"):  # has been told of
            if gap - seconds >= long:
                yield from _unhindered(waits, at, gap - seconds, long)
        elif hindrance.kind == "window" and seconds < gap / 2:
            if seconds >= WAIT:
                yield _closed(hindrance, seconds, place)
            if gap - seconds >= long:
                yield from _unhindered(waits, at, gap - seconds, long)
        elif hindrance.kind in BY_ACKNOWLEDGEMENTS and seconds < gap / 2:
            if gap - seconds >= long:
                yield from _unhindered(waits, at, gap - seconds, long)
        elif hindrance.kind in BY_ACKNOWLEDGEMENTS:
            if gap >= max(WAIT, 1.5 * waits.usual) or seconds >= LONG:
                yield _acknowledged(hindrance, gap, place)
        elif hindrance.kind == "window":
            if gap >= max(WAIT, 1.5 * waits.usual) or seconds >= LONG:
                yield _closed(hindrance, seconds, place, gap)
        elif gap >= max(WAIT, 1.5 * waits.usual):
            if seconds >= min(WAIT, gap / 2):
                yield _held_up(waits, hindrance, seconds, place)
            if gap - seconds >= long:
                yield from _unhindered(waits, at, gap - seconds, long)


def _closed(
    hindrance: Hindrance, seconds: float, place: tuple[int, int], gap: float | None = None
) -> Attributed:
    """Return how a closed window kept a sender waiting: for a ``gap``, or while it was closed."""
    closed = f"the client's window was closed for {duration(seconds)} (packet {hindrance.packet})"
    return Attributed("zero-window", gap or seconds, *place, closed)


def _acknowledged(hindrance: Hindrance, gap: float, place: tuple[int, int]) -> Attributed:
    """Return how a sender with much under way waited for an acknowledgement."""
    if hindrance.kind == "narrow-window":
        return Attributed("narrow-window", gap, *place, hindrance.seen)
    if hindrance.kind == "receive-window":
        return Attributed("receive-window", gap, *place, hindrance.seen)
    others = (("sender-silent", "its program may have written no sooner"),)
    return Attributed("congestion-window", gap, *place, hindrance.seen, others)


def _held_up(
    waits: Waits, hindrance: Hindrance, seconds: float, place: tuple[int, int]
) -> Attributed:
    """Return how a segment that was lost or overtaken kept back what followed it."""
    is_lost = hindrance.kind == "loss"
    seen = (
        f"{'a lost segment' if is_lost else 'a segment that others overtook'} held up what"
        f" followed for {duration(seconds)}, until packet {hindrance.end_packet}"
    )
    other = lost_of_others(waits.trace, hindrance)
    if other:
        return Attributed("head-of-line", seconds, *place, f"{seen}: it was {other}")
    if not is_lost and hindrance.is_unsure:
        late = (("retransmission", "both copies may have been sent again"),)
        return Attributed("reordering", seconds, *place, f"{seen}; {hindrance.seen}", late)
    if not is_lost:
        return Attributed("reordering", seconds, *place, seen)
    others: tuple[tuple[str, str], ...] = ()
    if hindrance.end - hindrance.start < round_trip(waits.trace) and hindrance.is_unsure:
        others = (("reordering", "it came sooner than anything could be sent again"),)
    return Attributed("retransmission", seconds, *place, seen, others)


def _around(waits: Waits) -> Iterator[Attributed]:
    """Yield what is unknown between the head and the first element, and after the last one."""
    came, about = waits.came, waits.trace.about
    first, last = (came.times[0], came.packets[0]), (came.times[-1], came.packets[-1])
    head = (
        None if about.response is None else (about.response.last_time, about.response.last_packet)
    )
    body = about.response_body
    end = None if body is None else (body.last_time, body.last_packet)
    for before, after in ((head, first), (last, end)):
        if before is None or after is None:
            continue
        seconds = after[0] - before[0]
        is_long = seconds >= max(LONG, TIMES * waits.usual)
        if is_long and not is_recorded(before[0], after[0], waits.missing):
            yield Attributed("not-recorded", seconds, before[1], after[1], NOT_RECORDED)


def _unhindered(waits: Waits, at: int, seconds: float, long: float) -> Iterator[Attributed]:
    """Yield what became of a wait in which the path did nothing that shows."""
    came = waits.came
    place = came.packets[at], came.packets[at + 1]
    start, end = came.times[at], came.times[at + 1]
    if seconds >= max(WAIT, 1.5 * waits.usual) and (
        behind := behind_others(waits.trace, start, end)
    ):
        yield Attributed("head-of-line", seconds, *place, behind)
        return
    alive = waits.alive_within(start, end)
    if alive and seconds >= long:
        seen = f"{count(len(alive), 'keep-alive')} came in between"
        yield Attributed("keep-alive-masked", seconds, *place, seen)
        return
    # Nothing else kept back the rest of an element that had begun to come.
    has_begun = end - came.start(at + 1) >= seconds / 2
    is_held = has_begun and seconds >= long
    closing = closed_by(waits.trace, waits.hindrances, end) if is_held else None
    if closing is not None:
        room = "the client's window had no room for a whole segment"
        seen = f"{room}: what came next closed it (packet {closing})"
        yield Attributed("zero-window", seconds, *place, seen)
        return
    lost = _lost(waits, at)
    others: tuple[tuple[str, str], ...] = (("sender-silent", "the sender may have sent nothing"),)
    if lost is not None and not waits.is_at_sender:
        if came.gaps[at] >= long:
            others = (("outage", lost), *others)
        yield Attributed("retransmission", seconds, *place, lost, others)
    elif seconds >= long:
        yield _quiet(waits, at, seconds)


def _quiet(waits: Waits, at: int, seconds: float) -> Attributed:
    """Return what became of a wait that nothing points to a loss in."""
    came = waits.came
    place = came.packets[at], came.packets[at + 1]
    start, end = came.times[at], came.times[at + 1]
    has_path = round_trip(waits.trace) >= SHORTEST_WAIT or waits.has_lost
    may_be_lost = has_path and not waits.is_at_sender
    others = (("retransmission", "a lone segment may have been lost"),) if may_be_lost else ()
    unseen = may_be_held(waits.trace)
    if unseen:
        others = (("stream-window", unseen), *others)
    coming = under_way(waits.trace, came, at)
    if coming is not None and coming.is_even:
        return Attributed("rate", seconds, *place, coming.seen)
    if coming is not None:
        others = (*others, ("rate", "it may have been arriving all along"))
        seen = f"{coming.seen}; {unseen}" if unseen else coming.seen
        return Attributed("sender-silent", seconds, *place, seen, others)
    working = at_work(waits.trace, waits.kinds[at], waits.kinds[at + 1])
    if working is not None:
        return Attributed("thinking", seconds, *place, working, others)
    meanwhile = waits.trace.company.meanwhile(waits.trace.about, end, since=start)
    blocked = only_then(meanwhile, end)
    if blocked:
        others = (("blocked-loop", blocked), *others)
    seen = f"nothing came; {unseen}" if unseen else "nothing came, and no bytes were missing"
    return Attributed("sender-silent", seconds, *place, seen, others)


def _lost(waits: Waits, at: int) -> str | None:
    """Return what points to a loss that left no hole, None if nothing does."""
    came, usual = waits.came, waits.usual
    if came.gaps[at] - usual < RESENT_AFTER or (missed := waits.unsteadiness(at)) > COUNTABLE:
        return None
    after = list(came.gaps[at + 1 : at + 2])
    if missed <= STEADY and after and SHORTEST_WAIT <= after[0] <= (1 - ON_THE_BEAT) * usual:
        both = came.gaps[at] + after[0]
        beats = max(2, round(both / usual))
        if abs(both - beats * usual) <= ON_THE_BEAT * usual and beats == 2:
            return "the next element came early, back on schedule"
    due = came.gaps[at] / usual
    if due < LEAST:
        return None
    together, took = _caught_up(waits, at, due)
    if together >= LEAST and abs(together - due - took / usual) <= 1 + due / 4:
        return f"the {together} elements due in between came at once, back on schedule"
    return None


def _caught_up(waits: Waits, at: int, due: float) -> tuple[int, float]:
    """Return how many came at once after a wait, and how long that took.

    What was due is in no more segments than elements, and after a time-out TCP begins with one
    segment and sends twice as many in each round trip (RFC 5681 section 3.1).
    """
    times = waits.came.times
    start = times[at + 1]
    most = start + ceil(log2(due + 1)) * round_trip(waits.trace) + SHORTEST_WAIT
    end = bisect_right(times, most, at + 1)
    return end - at - 1, times[end - 1] - start


def _verdict(waits: Waits, found: Sequence[Attributed]) -> Verdict:
    longest = max(found, key=lambda one: (one.kind != "not-recorded", one.seconds))
    kinds = _by_time(found)
    answer = kinds[0] if len(kinds) == 1 else "mixed"
    is_fault = any(
        one.kind in FAULTS or (one.kind == "retransmission" and one.seconds >= RESENT_AFTER)
        for one in found
    )
    return Verdict(
        "gap",
        answer,
        "warning" if is_fault else "note",
        _summary(found, longest, kinds),
        tuple(sorted({packet for one in found[:8] for packet in one[2:4]})),
        tuple(_causes(found, kinds)),
        _to_tell(found),
        tuple(_evidence(waits, longest)),
        _numbers(waits, found, longest, kinds),
    )


def _to_tell(found: Sequence[Attributed]) -> str:
    """Return what would tell the alternatives of all waits apart."""
    codes = {code for one in found for code, _ in one.alternatives}
    blocked = [ANOTHER_REQUEST] if "blocked-loop" in codes else []
    lost = [AT_SENDER] if codes - {"blocked-loop", "stream-window"} else []
    lost += [WHOLE_CAPTURE] if "stream-window" in codes else []
    return "; or ".join((*blocked, *lost))


def _by_time(found: Sequence[Attributed]) -> list[Class]:
    """Return the kinds of waits, the one that took most first."""
    total: dict[Class, float] = {}
    for one in found:
        total[one.kind] = total.get(one.kind, 0.0) + one.seconds
    return sorted(total, key=lambda kind: -total[kind])


def _summary(found: Sequence[Attributed], longest: Attributed, kinds: Sequence[Class]) -> str:
    """Return where the longest wait lies and why; how many there were, and of which kinds."""
    parts = [longest]
    if longest.kind not in AT_ONCE:
        parts = [one for one in found if one[2:4] == longest[2:4] and one.kind not in AT_ONCE]
    waits = len({one[2:4] for one in found})
    packets = span(longest.from_packet, longest.to_packet)
    word = "packet" if longest.from_packet == longest.to_packet else "packets"
    which = "longest gap" if waits > 1 else "gap"
    said = f"{which} {duration(sum(one.seconds for one in parts))} ({word} {packets}): "
    if parts[1:]:
        each = sorted(parts, key=lambda one: -one.seconds)
        said += ", ".join(f"{duration(one.seconds)} {one.kind} ({one.seen})" for one in each)
    else:
        said += longest.seen
    if waits > 1:
        each_kind = [f"{sum(one.kind == kind for one in found)} {kind}" for kind in kinds]
        said += f"; {count(waits, 'gap')}" + (f": {', '.join(each_kind)}" if kinds[1:] else "")
    return said


def _causes(found: Sequence[Attributed], kinds: Sequence[Class]) -> Iterator[Cause]:
    others: dict[str, str] = {}
    for kind in kinds:
        first = max((one for one in found if one.kind == kind), key=lambda one: one.seconds)
        sure: Literal["certain", "likely", "possible"] = "certain"
        if first.alternatives:
            is_open = kind == "retransmission" or "stream-window" in dict(first.alternatives)
            sure = "possible" if is_open else "likely"
        yield Cause(kind, sure, first.seen, REMEDIES[kind])
        others.update((code, seen) for code, seen in first.alternatives if code not in kinds)
    for code, seen in others.items():
        yield Cause(code, "possible", seen, REMEDIES[code])


def _numbers(
    waits: Waits, found: Sequence[Attributed], longest: Attributed, kinds: Sequence[Class]
) -> dict[str, Number]:
    alive = _keep_alive_period(waits, longest)
    steps = [one.seconds for one in found if one.kind == "nagle"]
    return {
        "seconds": round(longest.seconds, 6),
        "from_packet": longest.from_packet,
        "to_packet": longest.to_packet,
        "waits": len(found),
        "classes": [str(kind) for kind in kinds],
        "usual": round(waits.usual, 6),
        "keep_alive_period": alive,
        "step": round(steps[0], 6) if steps else None,
        "closed": round(sum(one.seconds for one in found if one.kind == "zero-window"), 6) or None,
    }


def _keep_alive_period(waits: Waits, longest: Attributed) -> float | None:
    """Return how far apart keep-alives came, by those of the longest wait."""
    if longest.kind != "keep-alive-masked":
        return None
    at = waits.came.packets.index(longest.from_packet)
    start, end = waits.came.times[at], waits.came.times[at + 1]
    signs = [start, *waits.alive_within(start, end)]
    return round(median(after - before for before, after in pairwise(signs)), 6)


def _evidence(waits: Waits, longest: Attributed) -> Iterator[str]:
    """Yield how near to known idle limits it came, and whether pings of HTTP/2 were answered."""
    rounds = waits.trace.http2.rounds if waits.trace.http2 is not None else []
    if rounds:
        most = "after " if len(rounds) == 1 else "after at most "
        yield f"{count(len(rounds), 'HTTP/2 ping')} answered, {most}{duration(max(rounds))}"
    period = _keep_alive_period(waits, longest)
    silent = longest.seconds if period is None else period
    if period is not None:
        yield f"keep-alives come {duration(period)} apart: no idle limit sees a longer silence"
    if not LIMITS_FROM <= silent < MOST:
        return
    limit = next_limit(silent)
    margin = duration(limit.seconds - silent)
    yield f"{margin} below an idle limit, {limit.component}'s {limit.setting} ({limit.seconds:g} s)"
