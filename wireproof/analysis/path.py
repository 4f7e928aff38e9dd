"""What the path did to a response: times in which it could not go on, and steps of TCP.

Strategy: the facts of the path are in the connection's record. A closed window (RFC 9293 section
3.8.6) and a hole that waits to be filled are times in which nothing is delivered, whatever the
application did; elements that came in them say nothing of it. Nagle's algorithm (RFC 9293 section
3.7.4) and slow start (RFC 5681 section 3.1) leave no such times, but borders: a small write is cut
in two where its second half waits for an acknowledgement, and the first data of a connection stop
after ten segments (RFC 6928) for one round trip.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import sub
from statistics import median
from typing import Literal, NamedTuple

from parsers.records import ConnectionRecord, Hole, Resent, StallRecord

from ..exchange import Exchange
from ..text.wording import count
from .arrivals import LEAST, SHORTEST_WAIT, WAIT, Arrivals
from .marks import Marks
from .trace import Trace

SMALL = 1_000
"""Bytes below which a write fits into every segment: only its sender can have cut it in two."""
OF_A_ROUND = 0.7
"""Part of a round trip from which on an acknowledgement can have been waited for."""
DELAYED_ACK = 0.030
"""Seconds that a half waits beyond the round trip if its acknowledgement was delayed: Linux and
Windows wait 40 ms and more, and no longer than 500 ms (RFC 9293 section 3.8.6.3)."""
MOST_HALVES = 0.5
"""Part of the small writes that must have been cut: a busy machine cuts some, too."""
SOME_HALVES = 0.25
"""The same where halves come a long round trip apart: nothing else does that, and of writes that
are closer together than two round trips some wait whole."""
MOST_OF_A_ROUND = 1.3
"""Round trips up to which an acknowledgement may take: a path is not always as quick as it was for
the handshake."""
LINUX_DELAY = 0.050
"""Seconds for which Linux delays an acknowledgement, 40 ms, and what its timers miss by."""
INITIAL_WINDOW = 10
"""Segments that go before the first acknowledgement (RFC 6928 section 2)."""
SEGMENTS = (1_200, 1_460)
"""Bytes of a full segment: what IPv6's least MTU, tunnels and Ethernet leave. A flush of no more is
one segment of a slow path, and no buffer's, unless it has a size that segments have not."""
RELEASED = 0.002
"""Seconds after an acknowledgement within which what waited for it alone is sent: a kernel does so
at once. A source that has a beat of 50 ms is on time for one by chance in one of 25."""
USUAL_MSS = 536
"""Bytes of a segment where a SYN does not say (RFC 9293 section 3.7.1)."""
TIMESTAMPS = 12
"""Bytes of a segment that timestamps take (RFC 7323 appendix A)."""
OF_A_SEGMENT = SEGMENTS[0] / SEGMENTS[1]
"""Part of the size that its ends announced which a full segment has at least."""
LEAST_ROUND = 0.040
"""Seconds of a round trip from which on its steps are worth a word."""


HindranceKind = Literal[
    "loss", "reordering", "window", "narrow-window", "receive-window", "congestion-window",
    "connection-window", "stream-window",
]  # fmt: skip
"""``window`` is TCP's that was closed; ``narrow-window`` and ``receive-window`` are one that was
full, below a segment or not; ``congestion-window`` is the sender's own (RFC 5681 section 3.1). The
names of the last two are those of HTTP/2 (RFC 9113 section 5.2)."""
CLOSED: frozenset[HindranceKind] = frozenset(("window", "connection-window", "stream-window"))
FULL: frozenset[HindranceKind] = frozenset(("narrow-window", "receive-window"))
LOWEST_FIRST: Sequence[HindranceKind] = (
    *("loss", "reordering", "window", "narrow-window", "receive-window", "congestion-window"),
    *("connection-window", "stream-window"),
)
"""What a lower layer did is why a higher one could not go on."""
NEARLY = 0.8
"""Part of the longest hindrance that one of a lower layer lasts at least, to be the reason."""


FULL_REMEDIES: dict[str, str] = {
    "receive-window": "give the client a larger receive buffer (no small SO_RCVBUF; Linux:"
    " net.ipv4.tcp_rmem): no more than one window goes in a round trip",
    "narrow-window": "give the client a larger receive buffer, and let it read more at a time: a"
    " window below one segment makes many small packets (silly window syndrome)",
}
"""What to do about a window that was full, by the kind of hindrance."""


class Hindrance(NamedTuple):
    """A time in which bytes could not be delivered, or not be sent."""

    kind: HindranceKind
    start: float
    """Seconds since the epoch."""
    end: float
    packet: int
    """The packet that began it."""
    end_packet: int | None
    """The packet that ended it, None if none did."""
    is_unsure: bool = False
    """Of a loss and of reordering: whether nothing tells one from the other for sure."""
    seen: str = ""
    """Of a wait for an acknowledgement: what was under way, in words. Of reordering: what shows it,
    where that is not its timestamps."""

    def seconds_within(self, start: float, end: float) -> float:
        """Return how much of it lies between two times."""
        return max(0.0, min(self.end, end) - max(self.start, start))


def times_closed(spans: Iterable[tuple[float, float]]) -> int:
    """Return how many times something was closed, of (start, end) that may overlap: once as long as
    any lasts, for the windows of a stream and of its connection are often closed at once."""
    found, upto = 0, float("-inf")
    for start, end in sorted(spans):
        found += start > upto
        upto = max(upto, end)
    return found


def united_seconds(found: Sequence[Hindrance], start: float, end: float) -> float:
    """Return for how much of the time between two moments any of them lasted.

    They may overlap, as the windows of a stream and of its connection do when both are closed.
    """
    seconds, done = 0.0, start
    for one in sorted(found, key=lambda one: one.start):
        begin, until = max(one.start, done), min(one.end, end)
        if until > begin:
            seconds, done = seconds + until - begin, until
    return seconds


def hindrances(trace: Trace) -> list[Hindrance]:
    """Return when a response could not be delivered, in the order of time."""
    found = [
        _hindrance(flow_kind(one), one.first_time, one.seconds, one.first_packet, one.opened_by)
        for one in stalls_of(trace)
    ]
    connection = trace.about.connection
    if connection is None:
        return found
    found += [
        *windows_of(connection),
        *acknowledged_late(trace, connection),
        *(
            late(one, connection.resent)
            for one in connection.holes
            # What nothing filled is missing in the capture: it held nothing up.
            if one["sender"] == "server" and one["filled_by"] is not None
        ),
    ]
    return sorted(found, key=lambda one: one.start)


def late(hole: Hole, resent: Iterable[Resent]) -> Hindrance:
    """Return how a hole that was filled held up what followed it.

    What was sent again and came twice had been late, not lost: unless both were sent again.
    """
    overtaken = hole.get("overtaken")
    start, end = hole["offset"], hole["offset"] + hole["length"]
    twice = (
        one["arrived_twice"]
        for one in (() if overtaken else resent)
        if one.get("arrived_twice")
        and one["sender"] == hole["sender"]
        and one["offset"] < end
        and start < one["offset"] + one["length"]
    )
    if again := next(twice, None):
        found = _hindrance(
            "reordering", hole["time"], hole["seconds"], hole["packet"], hole["filled_by"]
        )
        return found._replace(is_unsure=True, seen=f"the client had it twice (packet {again})")
    found = _hindrance(
        "reordering" if overtaken else "loss",
        *(hole["time"], hole["seconds"], hole["packet"], hole["filled_by"]),
    )
    return found._replace(is_unsure=overtaken is None)


def windows_of(connection: ConnectionRecord) -> list[Hindrance]:
    """Return when a client's TCP took no more: its window is in the clear, whatever it carries."""
    return [
        _hindrance("window", one["time"], one["seconds"], one["packet"], one["opened_by"])
        for one in connection.closed_windows
        if one["sender"] == "client"
    ]


def acknowledged_late(trace: Trace, connection: ConnectionRecord) -> Iterator[Hindrance]:
    """Yield when a server had as much under way as it may, and went on once that was acknowledged.

    What it sent then had waited for that: it was sent at once. Only its own side shows that.
    """
    waits = [one for one in connection.ack_waits if one["sender"] == "server"]
    marks = trace.streamed
    if not waits or not marks.count:
        return
    segment, went_on = segment_size(connection), sorted((*marks.starts, *marks.times))
    for one in waits:
        end, window = one["time"] + one["seconds"], one["window"]
        at = bisect_left(went_on, end)
        if at == len(went_on) or went_on[at] > end + RELEASED:
            continue
        kind: HindranceKind = "congestion-window"
        most = f"of the {window:,} that the client's window had room for"
        if one["in_flight"] > window - min(segment, window // 2):
            kind = "narrow-window" if window < segment else "receive-window"
            most = f"and the client's window was {window:,} bytes"
        seen = (
            f"{count(one['in_flight'], 'byte')} were under way, {most}: packet"
            f" {one['acknowledged_by']} acknowledged some, and what had waited was sent"
        )
        found = _hindrance(kind, one["time"], one["seconds"], one["packet"], one["acknowledged_by"])
        yield found._replace(seen=seen)


def segment_size(connection: ConnectionRecord) -> int:
    """Return how many bytes a full segment has at most, by what both ends announced."""
    said = [size for size in (connection.client_mss, connection.server_mss) if size]
    return min(said, default=USUAL_MSS)


def closed_by(trace: Trace, found: Iterable[Hindrance], time: float) -> int | None:
    """Return the packet that closed the client's window because of what came at a time, if one did.

    A sender that has a segment to send waits for room for it, and fills less only once it has
    waited for long (RFC 9293 section 3.8.6.2.1).
    """
    most = time + max(SHORTEST_WAIT, 1.5 * round_trip(trace))
    closing = (one for one in found if one.kind == "window" and time <= one.start <= most)
    return next((one.packet for one in closing), None)


def flow_kind(stall: StallRecord) -> HindranceKind:
    """Return which of its windows held a sender of HTTP/2."""
    return "stream-window" if stall.window == "stream" else "connection-window"


def stalls_of(trace: Trace) -> list[StallRecord]:
    """Return when flow control of HTTP/2 held a response: its own window, or the connection's."""
    return held_by_flow(trace.about, trace.http2.stalls if trace.http2 is not None else ())


def held_by_flow(about: Exchange, stalls: Iterable[StallRecord]) -> list[StallRecord]:
    """Return which stalls of a connection held the response of an exchange.

    Those of the connection's window count from the request on to the last that came of it.
    """
    start, end = about.asked_time or about.first_time, about.last_time
    return [
        one
        for one in stalls
        if one.exchange == about.key.exchange
        or (one.window == "connection" and one.first_time < end and one.last_time > start)
    ]


def _hindrance(
    kind: HindranceKind,
    start: float,
    seconds: float | None,
    packet: int,
    end_packet: int | None,
) -> Hindrance:
    end = start + seconds if seconds is not None else float("inf")
    return Hindrance(kind, start, end, packet, end_packet)


class SentAgain(NamedTuple):
    """An element that was sent once more, as its sender's side shows."""

    at: int
    """Its index."""
    seconds: float
    """From when it was sent first to when it was sent last."""
    packet: int
    """The packet that carried it last."""
    arrived_twice: int | None
    """The packet by which its client says that it has all of it twice (RFC 2883)."""


def sent_again(trace: Trace, came: Arrivals, found: Sequence[Hindrance]) -> list[SentAgain]:
    """Return which elements were sent again though the capture had them already.

    At the sender that is what a loss looks like: there is no hole. Probes of a closed window are
    none (RFC 9293 section 3.8.6.1).
    """
    connection = trace.about.connection
    resent = connection.resent if connection is not None else []
    again: dict[int, SentAgain] = {}
    lost: set[int] = set()
    for one in resent:
        # The segment begins before its element: with what frames it.
        at = bisect_right(came.offsets, one["offset"] + one["length"] - 1) - 1
        if one["sender"] != "server" or at < 0:
            continue
        end = came.offsets[at] + came.lengths[at]
        first, last = came.times[at], one["time"]
        if one["offset"] < end and last > first and hindered(found, first, last) is None:
            said = one.get("arrived_twice")
            if said is None:
                lost.add(at)
            again[at] = SentAgain(at, last - first, one["packet"], None if at in lost else said)
    return list(again.values())


def hindered(found: Sequence[Hindrance], start: float, end: float) -> Hindrance | None:
    """Return what kept bytes back between two times, None if nothing did.

    Of several that is the one that lasted longest, or one of a lower layer that nearly did.
    """
    between = [one for one in found if one.start < end and one.end > start]
    if len(between) < 2:
        return between[0] if between else None
    longest = NEARLY * max(one.seconds_within(start, end) for one in between)
    lasting = [one for one in between if one.seconds_within(start, end) >= longest]
    return min(lasting, key=lambda one: LOWEST_FIRST.index(one.kind))


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


def may_be_full(came: Marks | Arrivals, first: int, cut: int, segment: int) -> bool:
    """Whether what begins in or before element ``first`` and ends inside element ``cut`` may have
    been full segments of at most ``segment`` bytes.

    That is one, which a path may have made smaller, or several: as many as one packet of a capture
    holds where a card cuts or merges them, or as an acknowledgement lets go. Where elements are
    longer than a segment any number of bytes is possible, and says nothing.
    """
    whole = first if came.first_packets[first] == came.packets[first] else first + 1
    least = came.offsets[cut] - came.offsets[whole] if whole < cut else 0
    most = came.offsets[cut] + came.lengths[cut] - came.offsets[first]
    if any(least <= size and most >= size * OF_A_SEGMENT for size in (segment, SEGMENTS[1])):
        return True
    segments = max(1, -(-least // segment))
    return most - least <= segment and segments * (segment - TIMESTAMPS) <= most


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


def round_trip(trace: Trace) -> float:
    """Return the round trip of the handshake in seconds, 0 if it is not known."""
    connection = trace.about.connection
    return (connection.rtt or 0.0) if connection is not None else 0.0


def quickest_round(trace: Trace) -> float:
    """Return the most that a round trip can take, by the handshake and the answer, in seconds.

    A handshake is late on a busy machine. At the client no answer comes sooner than a round trip.
    """
    rtt, response, asked = round_trip(trace), trace.about.response, trace.about.asked_time
    if response is None or not asked or is_at_server(trace):
        return rtt
    return min(rtt, max(0.0, response.first_time - asked))


def unavoidable(trace: Trace) -> float:
    """Return the seconds that any answer takes: a round trip at the client, none at the server."""
    return 0.0 if is_at_server(trace) else quickest_round(trace)


def is_at_server(trace: Trace) -> bool:
    """Whether the capture was made at the server, or nearer to it than to the client.

    Where the most of a round trip passes after the SYN, ACK, its other part was short. Where no
    handshake tells, so does an answer that took less than half of a round trip.
    """
    connection, response = trace.about.connection, trace.about.response
    rtt = round_trip(trace)
    if connection is None or rtt < SHORTEST_WAIT:
        return False
    if connection.server_rtt is not None:
        return connection.server_rtt < rtt / 2
    asked = trace.about.asked_time
    return response is not None and bool(asked) and response.first_time - asked < rtt / 2


class Rounds(NamedTuple):
    """The first data of a connection, which stop until the first ten segments are acknowledged."""

    at: int
    """The index of the first element after the stop."""
    sent: int
    """Bytes of whole elements that came before it, the head included."""
    seconds: float


def slow_start(trace: Trace, came: Arrivals) -> Rounds | None:
    """Return where slow start stopped a response that was written at once, None if it did not.

    What tells it from a source that waits: nothing waited before, what came is the initial window
    to the segment, and the stop takes one round trip. The window is one of bytes; Linux counts
    segments, which are smaller than they may be where each element was written by itself.
    """
    rtt, response = round_trip(trace), trace.about.response
    if rtt < LEAST_ROUND or response is None:
        return None
    at = next((at for at, gap in enumerate(came.gaps) if gap >= rtt / 2), None)
    if at is None or not OF_A_ROUND * rtt <= came.gaps[at] <= 1.5 * rtt:
        return None
    begin = response.offset
    sent = came.offsets[at] + came.lengths[at] - begin
    cut = came.offsets[at + 1] + came.lengths[at + 1] - begin
    least, most = (INITIAL_WINDOW * size for size in SEGMENTS)
    if (sent <= most and cut > least) or _segments(trace, came, at) == INITIAL_WINDOW:
        return Rounds(at + 1, sent, came.gaps[at])
    return None


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
