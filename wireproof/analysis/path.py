"""What the path did to a response: times in which it could not go on, and steps of TCP.

Strategy: the facts of the path are in the connection's record. A closed window (RFC 9293 section
3.8.6) and a hole that waits to be filled are times in which nothing is delivered, whatever the
application did; elements that came in them say nothing of it. A sender with as much under way as it
may waits for an acknowledgement, which its own side shows. What TCP does at its borders, and not
for a time, is in :mod:`.tcp_steps`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from parsers.records import ConnectionRecord, Hole, Resent, StallRecord

from ..exchange import Exchange
from ..text.wording import count, duration
from .arrivals import SHORTEST_WAIT, WAIT, Arrivals
from .trace import Trace

OF_A_ROUND = 0.7
"""Part of a round trip from which on an acknowledgement can have been waited for."""
RELEASED = 0.002
"""Seconds after an acknowledgement within which what waited for it alone is sent: a kernel does so
at once. A source that has a beat of 50 ms is on time for one by chance in one of 25."""
USUAL_MSS = 536
"""Bytes of a segment where a SYN does not say (RFC 9293 section 3.7.1)."""
CLOSED_SHARE = 0.25
"""Part of a stream's time for which the window was closed if its client was what slowed it."""
LEAST_ROUND = 0.040
"""Seconds of a round trip from which on its steps are worth a word."""
ETHERNET = 1_460
"""Bytes of a full segment on Ethernet, by IPv4."""
INITIAL_WINDOW = 10
"""Segments that go before the first acknowledgement (RFC 6928 section 2)."""
TIMESTAMPS = 12
"""Bytes of a segment that timestamps take (RFC 7323 appendix A)."""


HindranceKind = Literal[
    "loss", "reordering", "window", "narrow-window", "receive-window", "congestion-window",
    "connection-window", "stream-window",
]  # fmt: skip
"""``window`` is TCP's that was closed; ``narrow-window`` and ``receive-window`` are one that was
full, below a segment or not; ``congestion-window`` is the sender's own (RFC 5681 section 3.1). The
names of the last two are those of HTTP/2 (RFC 9113 section 5.2)."""
CLOSED: frozenset[HindranceKind] = frozenset(("window", "connection-window", "stream-window"))
FULL: frozenset[HindranceKind] = frozenset(("narrow-window", "receive-window"))
BY_ACKNOWLEDGEMENTS: frozenset[HindranceKind] = FULL | {"congestion-window"}
"""What keeps a sender waiting until some of what is under way is acknowledged."""
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


def closed_long(
    what: str, closed: Sequence[Hindrance], start: float, end: float, span: float
) -> tuple[float, str] | None:
    """Return for how many seconds windows were closed, and what that says of the client; None if it
    is not long beside the ``span`` in which content came. ``what`` was closed."""
    seconds = united_seconds(closed, start, end)
    if not closed or seconds < max(WAIT, CLOSED_SHARE * span):
        return None
    number = times_closed((one.start, one.end) for one in closed)
    times = f", {number:,} times" if number > 1 else ""
    lasted = f"{duration(seconds)} of {duration(end - start)}{times}"
    return seconds, f"the client did not read: {what} was closed for {lasted}"


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

    What it sent then had waited for that: it was sent at once. Only its own side shows that. Its
    own window is no less than the first one was, unless it has sent something again.
    """
    waits = [one for one in connection.ack_waits if one["sender"] == "server"]
    marks = trace.streamed
    if not waits or not marks.count:
        return
    segment, went_on = segment_size(connection), sorted((*marks.starts, *marks.times))
    again = (one["time"] for one in connection.resent if one["sender"] == "server")
    first_loss = min(again, default=float("inf"))
    for one in waits:
        end, window = one["time"] + one["seconds"], one["window"]
        at = bisect_left(went_on, end)
        if at == len(went_on) or went_on[at] > end + RELEASED:
            continue
        kind: HindranceKind = "congestion-window"
        room = INITIAL_WINDOW * (max(segment, ETHERNET) - TIMESTAMPS)
        most = f"of the {window:,} that the client's window had room for"
        if one["in_flight"] > window - min(segment, window // 2):
            kind = "narrow-window" if window < segment else "receive-window"
            most = f"and the client's window was {window:,} bytes"
        elif one["in_flight"] < room and end < first_loss:
            continue
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
    none (RFC 9293 section 3.8.6.1). That an acknowledgement was waited for meanwhile is no other
    reason: of what was lost there is none.
    """
    connection = trace.about.connection
    found = [one for one in found if one.kind not in BY_ACKNOWLEDGEMENTS]
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
