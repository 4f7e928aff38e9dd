"""Steps of TCP in a response: Nagle's algorithm, slow start, and full segments.

Strategy: these leave no times in which nothing could be delivered (:mod:`.path`), but borders. By
Nagle's algorithm (RFC 9293 section 3.7.4) a small write is cut in two where its second half waits
for an acknowledgement, and the first data of a connection stop after ten segments (RFC 6928, RFC
5681 section 3.1) for one round trip. A full segment ends wherever it is full.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from operator import sub
from statistics import median
from typing import NamedTuple

from .arrivals import LEAST, SHORTEST_WAIT, WAIT, Arrivals
from .marks import Marks
from .path import (
    ETHERNET,
    INITIAL_WINDOW,
    LEAST_ROUND,
    OF_A_ROUND,
    TIMESTAMPS,
    Hindrance,
    hindered,
    quickest_round,
    round_trip,
    segment_size,
)
from .trace import Trace

SMALL = 1_000
"""Bytes below which a write fits into every segment: only its sender can have cut it in two."""
DELAYED_ACK = 0.030
"""Seconds that a half waits beyond the round trip if its acknowledgement was delayed: Linux and
Windows wait 40 ms and more, and no longer than 500 ms (RFC 9293 section 3.8.6.3)."""
MOST_HALVES = 0.5
"""Part of the small writes that must have been cut: a busy machine cuts some, too."""
MOST_ROUNDS = 0.8
"""Part of the segments that are not full which must come a round trip after the one before, to have
waited for that: the begin and the end of a stream have steps of their own."""
SOME_HALVES = 0.25
"""The same where halves come a long round trip apart: nothing else does that, and of writes that
are closer together than two round trips some wait whole."""
MOST_OF_A_ROUND = 1.3
"""Round trips up to which an acknowledgement may take: a path is not always as quick as it was for
the handshake."""
LINUX_DELAY = 0.050
"""Seconds for which Linux delays an acknowledgement, 40 ms, and what its timers miss by."""
GROWTH = 1.5
"""How many times more leaves in each round of slow start than in the one before, at least: a
receiver that acknowledges every other segment lets it grow by half (RFC 5681 section 3.1)."""
SEGMENTS = (1_200, ETHERNET)
"""Bytes of a full segment: what IPv6's least MTU, tunnels and Ethernet leave. A flush of no more is
one segment of a slow path, and no buffer's, unless it has a size that segments have not."""


class Steps(NamedTuple):
    """Small writes that were cut in two, the second half of which came later."""

    share: float
    """Of all writes, or of their segments."""
    seconds: float
    """From the first half to the second, as a rule."""
    packets: tuple[int, ...]
    """Those of the second halves."""
    is_delayed: bool
    """Whether the acknowledgement that was waited for was delayed."""
    in_segments: bool
    """Whether ``share`` is one of segments: several writes left in each."""


def nagle_steps(trace: Trace, found: Sequence[Hindrance]) -> Steps | None:
    """Return the steps of Nagle's algorithm, None if there are none to speak of."""
    about = trace.about
    is_framed = about.counts.chunks or about.stream_id is not None  # by what is written at once
    marks = trace.pieces if is_framed else trace.elements
    rtt = quickest_round(trace)
    least = max(SHORTEST_WAIT, OF_A_ROUND * rtt)
    took = list(map(sub, marks.times, marks.starts))
    if max(took, default=0.0) < least:
        return None
    cut = [
        at
        for at, seconds in enumerate(took)
        if seconds >= least and marks.lengths[at] < SMALL and not _was_hindered(marks, at, found)
    ]
    # Nagle's algorithm keeps no full segment back: the end of one waits for a slow path.
    segment = full_segment(trace)
    cut = [at for at in cut if not may_be_full(marks, _first_of(marks, at), at, segment)]
    if len(cut) < LEAST:
        return None
    seconds = median(took[at] for at in cut)
    if seconds < WAIT:
        return None
    packets = tuple(marks.packets[at] for at in cut)
    small = [at for at, length in enumerate(marks.lengths) if length < SMALL]
    segments = {marks.packets[at] for at in small}
    gathers = bool(is_framed) and len(segments) < len(small) and takes_a_round(seconds, rtt)
    share = len(cut) / (len(segments) if gathers else len(small))
    if share < (SOME_HALVES if takes_a_round(seconds, rtt) else MOST_HALVES):
        return None
    return Steps(share, seconds, packets, seconds - rtt >= DELAYED_ACK, gathers)


class SmallRounds(NamedTuple):
    """Segments that were not full and left a round trip apart, with full ones between."""

    period: float
    """Seconds from one that was not full to the next, as a rule."""
    packets: tuple[int, ...]
    """Those that were not full."""


def nagle_rounds(trace: Trace, came: Arrivals) -> SmallRounds | None:
    """Return what Nagle's algorithm makes of small writes that fill a segment within a round trip.

    A full one leaves at once, and ends where it is full; what is less waits until all that was less
    before it has been acknowledged (Minshall's variant, as Linux has it). None if it is not so.
    """
    rtt, segment = quickest_round(trace), full_segment(trace)
    if rtt < LEAST_ROUND or came.groups < 2 * LEAST or max(came.lengths) >= SMALL:
        return None
    small, full = [], 0
    for flush in came.flushes[:-1]:
        if came.first_packets[flush.end] > came.packets[flush.end - 1]:
            small.append(flush.end - 1)
        elif not may_be_full(came, flush.start, flush.end, segment):
            return None
        else:
            full += 1
    if min(full, len(small)) < max(LEAST, came.groups / 4):
        return None
    periods = [came.times[at] - came.times[before] for before, at in pairwise(small)]
    if sum(takes_a_round(one, rtt) for one in periods) < MOST_ROUNDS * len(periods):
        return None
    return SmallRounds(median(periods), tuple(came.packets[at] for at in small))


def may_be_full(came: Marks | Arrivals, first: int, cut: int, segment: int) -> bool:
    """Whether what begins in or before element ``first`` and ends inside element ``cut`` may have
    been full segments of at most ``segment`` bytes.

    That is one, or several: as many as one packet of a capture holds where a card cuts or merges
    them, or as an acknowledgement lets go. Where elements are longer than a segment any number of
    bytes is possible, and says nothing; and blocks of a buffer may have the size of several, too.
    """
    if may_be_one(came, first, cut, segment):
        return True
    least, most = _sizes(came, first, cut)
    segments = max(1, -(-least // segment))
    return most - least <= segment and segments * (segment - TIMESTAMPS) <= most


def may_be_one(came: Marks | Arrivals, first: int, cut: int, segment: int) -> bool:
    """Whether it may have been one full segment, which a path may have made smaller than Ethernet's
    is."""
    least, most = _sizes(came, first, cut)
    is_usual = least <= SEGMENTS[1] and most >= SEGMENTS[0]
    return is_usual or (least <= segment and most >= segment - TIMESTAMPS)


def _sizes(came: Marks | Arrivals, first: int, cut: int) -> tuple[int, int]:
    """Return how many bytes there are at least, and at most, from where element ``first`` goes on
    to where element ``cut`` breaks off."""
    whole = first if came.first_packets[first] == came.packets[first] else first + 1
    least = came.offsets[cut] - came.offsets[whole] if whole < cut else 0
    return least, came.offsets[cut] + came.lengths[cut] - came.offsets[first]


def _first_of(came: Marks, cut: int) -> int:
    """Return the first element that the packet brings which element ``cut`` begins in."""
    return bisect_left(came.packets, came.first_packets[cut], 0, cut)


def full_segment(trace: Trace) -> int:
    """Return the size of a full segment, Ethernet's where neither end announced one."""
    connection = trace.about.connection
    said = connection is not None and (connection.client_mss or connection.server_mss)
    return segment_size(connection) if connection is not None and said else SEGMENTS[1]


def takes_a_round(seconds: float, rtt: float) -> bool:
    """Whether something took as long as the acknowledgement of what was sent before it takes.

    On a path as long as that no timer of programs is likely to have the same time.
    """
    return rtt >= LEAST_ROUND and OF_A_ROUND * rtt <= seconds <= MOST_OF_A_ROUND * rtt + LINUX_DELAY


def _was_hindered(marks: Marks, at: int, found: Sequence[Hindrance]) -> bool:
    return hindered(found, marks.starts[at], marks.times[at]) is not None


class Rounds(NamedTuple):
    """The first data of a connection, which stop until the first ten segments are acknowledged."""

    at: int
    """The index of the first element after the stop."""
    sent: int
    """Bytes of whole elements that came before it, the head included."""
    seconds: float
    goes_on: bool
    """Whether it may have made the other stops, too: the next round is longer than the first, as
    the window grows, or the others are short, or each is a round trip later (a full window)."""


def slow_start(trace: Trace, came: Arrivals) -> Rounds | None:
    """Return where slow start stopped a response that was written at once, None if it did not.

    What tells it from a source that waits: nothing waited before, what came is the initial window
    to the segment, and the stop takes one round trip. The window is one of bytes; Linux counts
    segments, which are smaller than they may be where each element was written by itself.
    """
    rtt, response = round_trip(trace), trace.about.response
    if rtt < LEAST_ROUND or response is None:
        return None
    stops = [at for at, gap in enumerate(came.gaps) if gap >= rtt / 2]
    if not stops or not OF_A_ROUND * rtt <= came.gaps[at := stops[0]] <= 1.5 * rtt:
        return None
    begin = response.offset
    sent, cut = _end(came, at) - begin, _end(came, at + 1) - begin
    least, most = (INITIAL_WINDOW * size for size in SEGMENTS)
    if (sent <= most and cut > least) or _segments(trace, came, at) == INITIAL_WINDOW:
        return Rounds(at + 1, sent, came.gaps[at], _goes_on(came, stops, begin, rtt))
    return None


def _goes_on(came: Arrivals, stops: Sequence[int], begin: int, rtt: float) -> bool:
    ends = [_end(came, at) - begin for at in stops]
    rounds = list(map(sub, ends[1:], ends))
    if not rounds or rounds[0] >= GROWTH * ends[0] or max(rounds[1:], default=0) <= ends[0] / 2:
        return True
    of_a_round = sum(OF_A_ROUND * rtt <= came.gaps[at] <= 1.5 * rtt for at in stops)
    return of_a_round >= MOST_ROUNDS * len(stops)


def _end(came: Arrivals, at: int) -> int:
    """Return the offset at which an element ends."""
    return came.offsets[at] + came.lengths[at]


def _segments(trace: Trace, came: Arrivals, last: int) -> int:
    """Return how many packets had come when an element was whole, as far as it shows.

    Of an element in more than two packets the inner ones do not show; they are full, and count
    among the bytes.
    """
    head = trace.about.response
    stop = came.times[last + 1] - OF_A_ROUND * round_trip(trace)
    begun = last + 1 + (came.start(last + 1) < stop)
    packets = {*came.first_packets[:begun], *came.packets[: last + 1]}
    return len(packets | {head.last_packet} if head is not None else packets)
