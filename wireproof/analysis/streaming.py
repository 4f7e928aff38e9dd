"""What a test asks of a stream beyond its verdict: how much came, how it was cut, and how soon.

Strategy: whether a response streamed is judged in :mod:`.pace`; a test that knows its source asks
more, of the same arrivals (:mod:`.arrivals`). Who collects first and sends then does it in one of
two ways. In one write, and then events share segments: that is counted. Or in many, and then each
has a segment of its own, but they follow each other as fast as the machine can write, after a first
one that came late: so gaps are looked at. Here a gap counts as a wait if it is longer than a busy
machine needs between two writes, or than a quarter of the time to the first event: nothing can have
been collected for longer than that.

Packets do not show what the app did while the client's window was closed: TCP keeps what is written
then, and sends it together when the client reads again. Such packets are not judged, and if too
little is left that could be, the finding says that.

What a relay recorded has no segments of the server's: several events may have been in one read of
it though they were sent one by one. Then time alone decides, which collected events do not pass.

Times are the kernel's, of the packet that completed an event; when the client read it is nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from parsers.records import Record

from ..text.wording import count, duration
from .arrivals import MIN_SHARE, Arrivals, every_arrival, wait_after
from .evidence import Evidence
from .finding import Finding, not_recorded
from .recorded import COMPLETE, Lacks, first_of, gaps, is_recorded, lacks
from .silence import Silence, silence_since
from .trace import Trace


class Wanted(NamedTuple):
    """What a test takes for a stream."""

    min_events: int = 2
    per_segment: int = 1
    """So many elements at most in a segment."""
    min_gap: float | None = None
    """Seconds between two that are a wait; None: what :func:`~.arrivals.wait_after` says."""


def find_collected(exchange: Evidence, trace: Trace, wanted: Wanted) -> Finding | None:
    """Return in what a response is not what a test wants, None if it is."""
    lacking = lacks(trace)
    if len(exchange.elements) < wanted.min_events:
        return _too_few(exchange, wanted.min_events, lacking.server)
    came = left = every_arrival(trace)
    crowded = {} if exchange.is_relayed else _crowded(came, wanted.per_segment)
    if crowded:
        waited = exchange.waited()
        left = came.without(waited)
        crowded = {packet: n for packet, n in crowded.items() if packet not in waited}
    if crowded:
        return _in_one_segment(exchange, crowded, wanted.per_segment, lacking)
    if left.count < min(wanted.min_events, came.count):
        return not_told(exchange, left.count, wanted.min_events)
    return _find_burst(exchange, left, wanted, lacking)


def _too_few(exchange: Evidence, wanted: int, missing: Sequence[float] = ()) -> Finding:
    name, found = exchange.element_name, len(exchange.elements)
    if missing:
        shown = f"of at least {count(wanted, name)} it has {found:,}"
        return not_recorded(f"{shown}, how many came is unknown", _packets(exchange.elements))
    summary = f"{count(found, name)} came, at least {wanted:,} expected"
    hints = []
    coding = exchange.header("content-encoding")
    if coding and coding.lower() != "identity":
        hints.append(f"Content-Encoding {coding!r}: a compressor holds events unless it is flushed")
    if exchange.transport == "http" and not exchange.elements:
        hints.append("the response has no content: nothing in it can be counted")
    packets = _packets(exchange.elements) or _packets(filter(None, [exchange.response]))
    return Finding("too-few-elements", summary, packets, hints)


def _crowded(came: Arrivals, per_segment: int) -> dict[int, int]:
    """Return the packets that completed more elements than they may, and how many."""
    counted = Counter(came.packets)
    return {packet: number for packet, number in counted.items() if number > per_segment}


def _in_one_segment(
    exchange: Evidence, crowded: dict[int, int], per_segment: int, lacking: Lacks
) -> Finding:
    name = exchange.element_name
    packet, most = max(crowded.items(), key=lambda item: item[1])
    summary = (
        f"{count(most, name)} in one segment (packet {packet}), at most {per_segment:,} expected"
    )
    if len(crowded) > 1:
        summary += f"; the same in {len(crowded):,} segments"
    return Finding("shared-segments", summary, list(crowded), _timeline(exchange, lacking))


def not_told(exchange: Evidence, left: int, wanted: int) -> Finding:
    """Return that too little of a response could leave when it was written."""
    return Finding(
        "window-closed",
        f"packets cannot show whether it streamed: the client's window was closed, and only"
        f" {count(left, exchange.element_name)} could leave when written; {wanted:,} are needed",
        _packets(exchange.elements),
        remedy="TCP merges what is written while nobody reads: keep reading, or send smaller"
        " events",
    )


def _find_burst(
    exchange: Evidence, came: Arrivals, wanted: Wanted, lacking: Lacks
) -> Finding | None:
    wait = _wait(exchange, lacking) if wanted.min_gap is None else wanted.min_gap
    known = gaps(came.times, lacking.server)
    waits = sum(gap >= wait for gap in known)
    least = min(wanted.min_events, came.count)
    needed = max(ceil((least - 1) / 2), ceil(len(known) * MIN_SHARE))
    if waits >= needed:
        return None
    unknown = len(came.gaps) - len(known)
    if waits + unknown >= needed:
        return not_recorded(
            f"in {count(unknown, 'gap')} between {exchange.element_name}s it is unknown what came,"
            f" of the others {waits:,} took {duration(wait)} or longer, at least {needed:,}"
            " expected",
            sorted(set(came.packets)),
        )
    summary = (
        f"{count(came.count, exchange.element_name)} came in a burst: {waits:,} of"
        f" {count(len(known), 'gap')} between them took {duration(wait)} or longer,"
        f" at least {needed:,} expected"
    )
    remedy = (
        "if the source is that fast, give min_gap=S: the shortest pause in seconds that is a wait"
    )
    is_told = wanted.min_gap is not None
    packets = sorted(set(came.packets))
    hints = _timeline(exchange, lacking)
    return Finding("burst", summary, packets, hints, "" if is_told else remedy)


def _wait(exchange: Evidence, lacking: Lacks) -> float:
    """Return from how many seconds on a gap is a wait."""
    return wait_after(_first(exchange, lacking))


def _is_first(exchange: Evidence, missing: Sequence[float]) -> bool:
    """Whether no other element may have come before the first one."""
    times = [one.last_time for one in exchange.elements[:1]]
    return first_of(times, exchange.about.asked_time, missing) is not None


def _first(exchange: Evidence, lacking: Lacks) -> float | None:
    """Return the seconds from the request to the first one; None if that is unknown."""
    is_known = not lacking.is_request and _is_first(exchange, lacking.server)
    return exchange.time_to_first_event if is_known else None


def _timeline(exchange: Evidence, lacking: Lacks) -> list[str]:
    """Say when the first one came, and over what time the others."""
    first, elements = _first(exchange, lacking), exchange.elements
    if first is None:
        return []
    over = elements[-1].last_time - elements[0].last_time
    return [
        f"the first {exchange.element_name} came {duration(first)} after the request,"
        f" all others within {duration(over)} after it"
    ]


def no_request(has_head: bool) -> Finding:
    """Return that the capture lacks the request's end, from which its answer's times count."""
    unknown = "how long its answer was waited for is unknown"
    if has_head:
        return not_recorded(unknown, of="of the request's end")
    return Finding("not-recorded", f"the request was not recorded: {unknown}")


def find_late_start(exchange: Evidence, below: float, lacking: Lacks = COMPLETE) -> Finding | None:
    """Return why the first element came too late, None if it did not.

    Behind bytes of the response that are missing nobody knows which element was the first.
    """
    name, first = exchange.element_name, exchange.time_to_first_event
    if lacking.is_request:
        return no_request(exchange.request is not None)
    if lacking.server and not _is_first(exchange, lacking.server):
        return not_recorded("its times are unknown", of=f"of the response before its first {name}")
    if first is None:
        return _too_few(exchange, 1)
    if first < below:
        return None
    headers = exchange.time_to_headers
    hints = [] if headers is None else [f"the header came {duration(headers)} after the request"]
    records = [r for r in (exchange.request, exchange.response, exchange.elements[0]) if r]
    summary = (
        f"the first {name} came {duration(first)} after the request, below {below:g} s expected"
    )
    return Finding("late-start", summary, _packets(records), hints)


def find_gap(
    exchange: Evidence, seconds: float, keep_alives: bool, missing: Sequence[float] = ()
) -> Finding | None:
    """Return the longest gap if it is too long, None if it is not.

    ``missing`` are the times at which bytes of the response were found missing: what came in a
    wait with one of them is unknown.
    """
    signs: list[Record] = [*exchange.elements]
    if not signs:
        return _too_few(exchange, 1, missing)
    if keep_alives:
        signs += exchange.comments
        signs += [frame for frame in exchange.frames if frame.opcode_name in ("ping", "pong")]
        signs.sort(key=lambda record: record.last_time)
    if exchange.body is not None and exchange.body.complete:
        signs.append(exchange.body)
    waits = list(pairwise(signs))
    recorded = [one for one in waits if _is_recorded(one, missing)]
    before, after = max(recorded, key=_seconds, default=(signs[0], signs[0]))
    longest = _seconds((before, after))
    silence = silence_since(exchange.about, signs[-1].last_packet, signs[-1].last_time)
    is_silent = silence is not None and is_recorded(signs[-1].last_time, silence.time, missing)
    if silence is not None and is_silent and silence.seconds > max(longest, seconds):
        return _silent(exchange, silence, seconds, signs[-1])
    if longest <= seconds:
        if exchange.response is not None:  # what is missing after it may be of several elements
            waits.append((exchange.response, signs[0]))
        return _unknown(waits, silence, seconds, missing)
    name = "the end" if after is exchange.body else f"the next {exchange.element_name}"
    return Finding(
        "gap-too-long",
        f"{name} came after {duration(longest)} (packets {before.last_packet} to"
        f" {after.last_packet}), at most {seconds:g} s expected",
        [before.last_packet, after.last_packet],
        _signs_between(exchange, before, after),
    )


def _is_recorded(pair: tuple[Record, Record], missing: Sequence[float]) -> bool:
    return is_recorded(pair[0].last_time, pair[1].last_time, missing)


def _unknown(
    waits: Sequence[tuple[Record, Record]],
    silence: Silence | None,
    seconds: float,
    missing: Sequence[float],
) -> Finding | None:
    """Return the longest wait of which it is unknown what came in it, if it is too long."""
    unknown = [
        (_seconds(one), one[0].last_packet, one[1].last_packet)
        for one in waits
        if not _is_recorded(one, missing)
    ]
    if silence is not None and not is_recorded(
        silence.time - silence.seconds, silence.time, missing
    ):
        unknown.append((silence.seconds, silence.after, silence.packet))
    longest, first, last = max(unknown, default=(0.0, 0, 0))
    if longest <= seconds:
        return None
    text = (
        f"the capture lacks bytes that came in {duration(longest)} (packets {first} to {last}):"
        f" whether there was a gap of more than {seconds:g} s is unknown"
    )
    return Finding("not-recorded", text, [first, last])


def _silent(exchange: Evidence, silence: Silence, seconds: float, last: Record) -> Finding:
    """Say that nothing came any more until the connection ended."""
    summary = (
        f"the end came after {duration(silence.seconds)} of silence (packets {silence.after} to"
        f" {silence.packet}: {silence.ended_by}), at most {seconds:g} s expected"
    )
    kept = [
        sign
        for sign in [*exchange.comments, *exchange.frames]
        if last.last_time < sign.last_time < silence.time
    ]
    hints = [f"meanwhile {count(len(kept), 'keep-alive')} came"] if kept else []
    return Finding("gap-too-long", summary, [silence.after, silence.packet], hints)


def _seconds(pair: tuple[Record, Record]) -> float:
    return pair[1].last_time - pair[0].last_time


def _signs_between(exchange: Evidence, before: Record, after: Record) -> list[str]:
    """Say whether the line was kept open meanwhile."""
    signs: list[Record] = [*exchange.comments, *exchange.frames]
    kept = [sign for sign in signs if before.last_time < sign.last_time < after.last_time]
    return [f"meanwhile {count(len(kept), 'keep-alive')} came"] if kept else []


def _packets(records: Sequence[Record] | filter[Record]) -> list[int]:
    return sorted({record.last_packet for record in records})
