"""Who put elements together: the causes of flushes, what was seen of each, and what to do.

Strategy: a cause is named for the mechanism that leaves what was seen. A compressor says so in the
header; a buffer of bytes cuts elements, and its flushes have its size; a timer has a period, and
whoever counts has a number. One flush after a long wait looks the same whoever collected it, so it
has several causes, and what would tell them apart is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from statistics import fmean, median
from typing import NamedTuple

from ..text.wording import duration
from .arrivals import Arrivals, Flush, deviation
from .blocked import BLOCKED_REMEDIES
from .company import Answered
from .path import (
    FULL_REMEDIES,
    Hindrance,
    HindranceKind,
    quickest_round,
)
from .tcp_steps import SEGMENTS, takes_a_round
from .trace import Trace
from .verdict import Cause, Sure

CORK = 0.200
"""Seconds for which Linux keeps back what was written with MSG_MORE or under TCP_CORK."""
CORK_SLACK = 0.010
"""Seconds by which its timer, which ticks 100 to 1,000 times a second, may miss."""
REGULAR = 0.05
"""Standard deviation of a period, as part of it, up to which a timer made it."""
BLOCKED = 0.100
"""Seconds that a second request must have waited, too, if a loop was blocked."""
TURN_SHARE = 0.05
"""Part of the wait within which a loop that was blocked has done all that was due: a busy machine
takes longer for a turn than WITH_HEAD."""
LEAST_BUFFER = 1_024
"""Bytes below which nothing that buffers is sized."""
WITH_HEAD = 0.005
"""Seconds within which a first element came with the header."""
WITH_HEAD_SHARE = 0.01
"""Part of the wait for the header: on a busy machine two writes of a process lie further apart, but
nobody waits a second for a header and then a hundredth of that by chance."""

SECOND_CAPTURE = "a capture between the application and its proxy"
UNCODED = f"{SECOND_CAPTURE}, or the same request with Accept-Encoding: identity"
SECOND_EXCHANGE = f"{SECOND_CAPTURE}; or a second exchange on the same port during the wait"
OTHER_RATE = f"{SECOND_CAPTURE}; or the same request at another event rate"


class Causes(NamedTuple):
    """Why something was put together, the likeliest first."""

    causes: tuple[Cause, ...]
    to_tell: str = ""
    """What would tell them apart."""


REMEDIES = {
    "compressor-not-flushed": "flush the compressor after each element, or do not compress event"
    " streams: in nginx `X-Accel-Buffering: no`, or `gzip off` and `proxy_http_version 1.1`;"
    " a newer GZipMiddleware; `Cache-Control: no-transform`",
    "app-collects": "send each element as soon as it exists: return the generator itself, and"
    " remove middleware that reads the whole body",
    "same-tick": "let the event loop run after each element: `await` its producer, and iterate"
    " over the source as it comes",
    "blocked-loop": "do not block the event loop: `await`, or run blocking code in a thread",
    "proxy-buffer": "send `X-Accel-Buffering: no`, or set `proxy_buffering off` and"
    " `proxy_http_version 1.1` in nginx",
    "proxy-timer": "turn off the proxy's flush interval for streams: `flush_interval -1`,"
    " `flushpackets=on`",
    "proxy-batches": "make the proxy forward data as soon as it reads it",
    "app-batches": "send each element on its own",
    "cork-200ms": "set `option http-no-delay` in HAProxy; elsewhere TCP_NODELAY, without MSG_MORE",
    "proxy-buffers-request": "set `proxy_request_buffering off` and `proxy_http_version 1.1` in"
    " nginx",
    "nagle-delayed-ack": "set TCP_NODELAY, or write each chunk in one call",
    "client-zero-window": "read faster at the client: move its work out of the loop that reads",
    **FULL_REMEDIES,
    **BLOCKED_REMEDIES,
    "tcp-slow-start": "nothing is wrong; to be faster, send less at once, reuse connections, or"
    " move closer",
    "headers-with-first-event": "send the headers at once: `flushHeaders()`, or a comment first",
}
"""What to do about each cause."""


def cause(code: str, sure: Sure, seen: str) -> Cause:
    """Return a cause with its remedy."""
    return Cause(code, sure, seen, REMEDIES[code])


def is_coded(trace: Trace) -> bool:
    """Whether a compressor made the content, by what the response says."""
    return coding(trace) not in ("", "identity")


def coding(trace: Trace) -> str:
    """Return the response's content coding, empty if it has none."""
    return (trace.about.header("content-encoding") or "").strip().lower()


def is_with_head(trace: Trace, time: float) -> bool:
    """Whether something came with the header of its response."""
    response = trace.about.response
    if response is None:
        return False
    waited = response.last_time - (trace.about.asked_time or response.last_time)
    return time - response.last_time <= max(WITH_HEAD, WITH_HEAD_SHARE * waited)


# --- one flush ---


def of_one_flush(trace: Trace, came: Arrivals, flush: Flush) -> Causes:
    """Return who can have held what came in one flush."""
    if is_coded(trace):
        return _compressed(trace, came.times[flush.start])
    writes = _writes(trace, came.times[flush.start], came.times[flush.end - 1])
    if writes > flush.size / 2 and flush.size > 1:
        seen = f"{writes} chunks were written one after another without a pause"
        others = (
            cause("same-tick", "possible", seen),
            cause("app-collects", "possible", "the application may have collected them first"),
            cause("proxy-buffer", "possible", "a proxy may have held them back, chunks and all"),
        )
        return _with_loop(trace, came.times[flush.start], others)
    seen = "everything was written in one piece"
    if trace.about.header("content-length") is not None:
        seen = "Content-Length: the whole body was ready before any of it was sent"
    return Causes(
        (
            cause("app-collects", "possible", seen),
            cause("proxy-buffer", "possible", "a buffering proxy passes on one piece too"),
        ),
        SECOND_CAPTURE,
    )


def _with_loop(trace: Trace, time: float, others: tuple[Cause, ...]) -> Causes:
    """Add whether the event loop was blocked, by what became of requests that came meanwhile."""
    meanwhile = trace.company.meanwhile(trace.about, time)
    seen = only_then(meanwhile, time)
    if seen:
        return Causes((cause("blocked-loop", "likely", seen), *others), SECOND_CAPTURE)
    if len(_late(meanwhile, time)) < len(meanwhile):
        return Causes(others, SECOND_CAPTURE)
    blocked = cause("blocked-loop", "possible", "the event loop may have been blocked")
    return Causes((*others, blocked), SECOND_EXCHANGE)


def only_then(meanwhile: Sequence[Answered], time: float) -> str:
    """Return that who asked meanwhile was answered at that time, no sooner; empty if not so."""
    late = _late(meanwhile, time)
    waited = [one for one in late if one.answered - one.asked >= BLOCKED]
    if not waited or len(late) < len(meanwhile):
        return ""
    return f"a request that came meanwhile was answered only then (packet {waited[0].packet})"


def _late(meanwhile: Sequence[Answered], time: float) -> list[Answered]:
    return [one for one in meanwhile if time - one.answered <= _one_turn(time - one.asked)]


def _one_turn(waited: float) -> float:
    """Return how far apart things may lie that a loop does once it turns again."""
    return max(WITH_HEAD, TURN_SHARE * waited)


def _compressed(trace: Trace, time: float) -> Causes:
    name = coding(trace)
    first = trace.pieces.times[0] if trace.pieces.count else time
    if trace.pieces.count and trace.piece_sizes[0] and time - first > WITH_HEAD:
        seen = f"{name}: its first bytes came {duration(time - first)} earlier, the rest at the end"
        return Causes((cause("compressor-not-flushed", "certain", seen),))
    seen = f"Content-Encoding: {name}, and everything came in one flush"
    found = cause("compressor-not-flushed", "likely", seen)
    if not is_with_head(trace, time):
        return Causes((found,))
    late = "the headers came with the data: a buffering proxy holds them back too"
    return Causes((found, cause("proxy-buffer", "possible", late)), UNCODED)


def _writes(trace: Trace, start: float, end: float) -> int:
    """Return how many chunks came between two times, 1 for a body without chunks."""
    if not trace.about.counts.chunks:
        return 1
    pieces = zip(trace.pieces.times, trace.piece_sizes, strict=False)
    return sum(start <= time <= end and size > 0 for time, size in pieces)


# --- flushes again and again ---


def flush_sizes(trace: Trace, borders: Sequence[float]) -> list[int]:
    """Return how many bytes of content came between times at which flushes began.

    Those of the first flush and of the last are left out: one holds a header too, the other what
    was left. Where there are no others, the first is taken if a header had no room in it.
    """
    sizes, edges = [0], iter([*borders, float("inf")])
    edge = next(edges)
    for time, size in zip(trace.pieces.times, trace.piece_sizes, strict=False):
        while time >= edge:
            sizes.append(0)
            edge = next(edges)
        sizes[-1] += size
    first = sizes[:1] if alignment(sizes[:1]) == sizes[0] else []
    return sizes[1:-1] or first


def alignment(sizes: Sequence[int]) -> int | None:
    """Return the power of two that all flushes are a multiple of, None if it says nothing."""
    common = gcd(*sizes)
    aligned = common & -common
    return aligned if aligned >= LEAST_BUFFER else None


def of_cut_flushes(trace: Trace, sizes: Sequence[int]) -> Causes:
    """Return who flushes bytes, not elements."""
    aligned = alignment(sizes)
    if is_coded(trace):
        seen = f"Content-Encoding: {coding(trace)}, and its blocks end inside elements"
        found = cause("compressor-not-flushed", "likely", seen)
        if aligned is None:
            return Causes((found,))
        buffer = cause("proxy-buffer", "possible", f"flushes of {sizes[0]:,} bytes")
        return Causes((found, buffer), UNCODED)
    if aligned is not None:
        seen = f"each flush is {sizes[0]:,} bytes: a buffer passed on when it is full"
        if max(sizes) > min(sizes):
            seen = f"all flushes are multiples of {aligned:,} bytes: full buffers"
        return Causes((cause("proxy-buffer", "likely", seen),))
    seen = "flushes end inside elements: a buffer of bytes"
    return Causes((cause("proxy-buffer", "likely", seen),))


def of_whole_flushes(trace: Trace, came: Arrivals) -> Causes:
    """Return who puts whole elements together."""
    flushes = came.flushes
    firsts = [came.times[flush.start] for flush in flushes]
    periods = [after - before for before, after in pairwise(firsts)]
    sizes = [flush.size for flush in flushes]
    if is_coded(trace):
        seen = f"Content-Encoding: {coding(trace)}"
        return Causes(
            (
                cause("compressor-not-flushed", "possible", seen),
                cause("app-batches", "possible", "the application may send them together"),
                cause("proxy-timer", "possible", "a proxy may flush by the clock"),
            ),
            UNCODED,
        )
    timer = cause("proxy-timer", "possible", f"a flush every {duration(median(periods))}")
    if _by_rounds(trace, came, periods):
        return _rounds(trace, came, periods, timer)
    if _is_corked(trace, came, periods):
        seen = "several chunks in a segment, each time 200 ms after the first of them"
        return Causes((cause("cork-200ms", "likely", seen), timer), OTHER_RATE)
    batches = cause("app-batches", "possible", "the application may send several in one write")
    if _is_constant(sizes[:-1]):
        seen = f"always {sizes[0]} at a time"
        proxy = cause("proxy-batches", "possible", "a proxy may batch them too")
        return Causes((cause("app-batches", "likely", seen), proxy, timer), OTHER_RATE)
    if deviation(periods) <= REGULAR * fmean(periods):
        return Causes((timer, batches), OTHER_RATE)
    buffer = cause("proxy-buffer", "possible", "a buffer may end where an element does")
    return Causes((batches, timer, buffer), SECOND_CAPTURE)


def _is_constant(sizes: Sequence[int]) -> bool:
    return len(sizes) > 1 and min(sizes) == max(sizes)


def _is_corked(trace: Trace, came: Arrivals, periods: Sequence[float]) -> bool:
    """Whether chunks waited 200 ms in the kernel.

    That time begins when the first chunk is written, so a flush follows the one before after 200 ms
    and the wait for that chunk: no longer than the source's usual wait.
    """
    if not _is_gathered(trace, came):
        return False
    source = median(periods) / (came.count / came.groups)
    return CORK - CORK_SLACK <= median(periods) <= CORK + source + CORK_SLACK


def _is_gathered(trace: Trace, came: Arrivals) -> bool:
    """Whether TCP put chunks together: each was written by itself, and a flush is one segment.

    The last flush is not asked: the end of a connection sends what waits.
    """
    inside = [flush for flush in came.flushes[:-1] if flush.size > 1]
    in_one = all(came.packets[one.start] == came.packets[one.end - 1] for one in inside)
    return in_one and _writes(trace, came.times[0], came.times[-1]) > came.count / 2


def _by_rounds(trace: Trace, came: Arrivals, periods: Sequence[float]) -> bool:
    """Whether chunks left once a round trip, in a segment that was not full (RFC 9293, 3.7.4)."""
    sizes = [sum(came.lengths[one.start : one.end]) for one in came.flushes]
    if max(sizes) >= min(SEGMENTS) or not _is_gathered(trace, came):
        return False
    return takes_a_round(median(periods), quickest_round(trace))


def _rounds(trace: Trace, came: Arrivals, periods: Sequence[float], timer: Cause) -> Causes:
    """Return what Nagle's algorithm makes of chunks that are written faster than a round trip."""
    rtt = duration(quickest_round(trace))
    seen = f"one segment each round trip ({rtt}), with the chunks that were written meanwhile"
    corked = "each time 200 ms after the first of them"
    cork = (cause("cork-200ms", "possible", corked),) if _is_corked(trace, came, periods) else ()
    return Causes((cause("nagle-delayed-ack", "likely", seen), *cork, timer), OTHER_RATE)


# --- what packets prove ---


def windows(kinds: set[HindranceKind]) -> Causes:
    """A client that did not read, by whose windows were closed."""
    return Causes(
        tuple(cause(code, "certain", seen) for kind, code, seen in _WINDOWS if kind in kinds)
    )


_WINDOWS: tuple[tuple[HindranceKind, str, str], ...] = (
    ("window", "client-zero-window", "the client advertised a window of 0"),
    ("connection-window", "connection-window", "the client gave the connection no more room"),
    ("stream-window", "stream-window", "the client gave the stream no more room"),
)


def full_windows(found: Sequence[Hindrance]) -> Causes:
    """A client whose window is small, by when it was full."""
    longest = {one.kind: one for one in sorted(found, key=lambda one: one.end - one.start)}
    return Causes(tuple(cause(kind, "certain", one.seen) for kind, one in longest.items()))


def nagle(is_delayed: bool) -> Causes:
    """Nagle's algorithm, with an acknowledgement that was delayed or not."""
    waited = "a delayed acknowledgement" if is_delayed else "an acknowledgement, one round trip"
    seen = f"the second half of a small write waits for {waited}"
    return Causes((cause("nagle-delayed-ack", "certain", seen),))


def nagle_rounds() -> Causes:
    """Nagle's algorithm, where writes fill segments meanwhile."""
    seen = "what is less than a segment waits until the one before that was less is acknowledged"
    return Causes((cause("nagle-delayed-ack", "likely", seen),), OTHER_RATE)


def slow_start() -> Causes:
    """A connection that has just begun."""
    seen = "after about ten segments a new connection waits for the first acknowledgement"
    return Causes((cause("tcp-slow-start", "likely", seen),))


def late_header() -> Causes:
    """A header that was kept until there was something after it."""
    seen = "the headers and the first element came together"
    return Causes((cause("headers-with-first-event", "certain", seen),), SECOND_CAPTURE)


def buffered_request() -> Causes:
    """A proxy that passes a request on when it has all of it."""
    seen = "its own request begins when the client's is complete"
    return Causes((cause("proxy-buffers-request", "certain", seen),))
