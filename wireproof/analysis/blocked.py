"""What held a response of HTTP/2 or HTTP/3: a window that was used up, or other streams before it.

Strategy: a stall is a fact of the frames, whose window it was and which packet opened it (RFC 9113
section 5.2, RFC 9000 section 4); who had used the connection's window up, the sizes of all streams'
frames tell. Bytes of one connection come in order, so a stream waits behind others': behind a run
of their DATA that has no pause, or behind a segment of theirs that was lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from parsers.records import StallRecord

from ..text.wording import count, duration
from .arrivals import WAIT
from .path import Hindrance, stalls_of
from .trace import Trace

LEAST_RUN = 16_384
"""Bytes of other streams that are worth waiting for: one full DATA frame."""
FULL = 0.8
"""Part of a wait that the frames of other streams fill, if it is for them."""
MOST_OF_IT = 0.5
"""Part of the connection's window that one stream has used up, to be the one that did."""
FRAMES_LOST = frozenset(("http2-resumed", "stream-joined"))
"""Faults of a connection of HTTP/2 by which its windows are not known any more."""
BLOCKED_REMEDIES = {
    "stream-window": "read the stream at the client as it comes, or let it announce a larger"
    " SETTINGS_INITIAL_WINDOW_SIZE (of QUIC, initial_max_stream_data_bidi_local)",
    "connection-window": "read or cancel every stream of the connection, for all share its window;"
    " or let the client raise it with WINDOW_UPDATE on stream 0 (of QUIC, MAX_DATA)",
    "head-of-line": "give large downloads and event streams connections of their own, or let the"
    " server take turns between streams (RFC 9218)",
}


class Blocked(NamedTuple):
    """A time in which a response could not go on."""

    kind: Literal["stream-window", "connection-window"]
    seconds: float
    from_packet: int
    to_packet: int
    seen: str
    alternatives: tuple[tuple[str, str], ...] = ()


def may_be_held(trace: Trace) -> str:
    """Return why a window may have held a response unseen, empty if none can have.

    After missing frames of either side nobody knows how much the client had room for.
    """
    head = trace.about.request or trace.about.response
    if head is None or head.stream_id is None:
        return ""
    if not any(one.code in FRAMES_LOST for one in trace.around):
        return ""
    return (
        "the capture lacks frames of the connection, maybe WINDOW_UPDATE: the window may have been"
        " used up"
    )


def held_by_windows(trace: Trace) -> Iterator[Blocked]:
    """Yield when flow control held a response for long enough to be seen."""
    for stall in stalls_of(trace):
        if stall.seconds < WAIT:
            continue
        last = stall.last_packet if stall.opened_by is None else stall.opened_by
        yield Blocked(_kind(stall), stall.seconds, stall.first_packet, last, _seen(trace, stall))


def _kind(stall: StallRecord) -> Literal["stream-window", "connection-window"]:
    return "stream-window" if stall.window == "stream" else "connection-window"


def _seen(trace: Trace, stall: StallRecord) -> str:
    own = trace.about.stream_id
    whose = f"stream {own}'s window" if stall.window == "stream" else "the connection's window"
    taken = "the client did not read it" if stall.window == "stream" else _who(trace, stall)
    opened = (
        "nothing opened it again"
        if stall.opened_by is None
        else f"packet {stall.opened_by} opened it again"
    )
    used = f"{whose} was used up for {duration(stall.seconds)} (packet {stall.first_packet})"
    return f"{used}: {taken}, and {opened}"


def _who(trace: Trace, stall: StallRecord) -> str:
    """Return who had used the connection's window up, in words."""
    sizes = trace.http2.filled_by(stall) if trace.http2 is not None else None
    if not sizes:
        return "the client did not read"
    (stream_id, size), *_ = sizes.most_common(1)
    if size < MOST_OF_IT * sizes.total():
        return f"the client did not read its {len(sizes)} streams"
    others = "" if stream_id == trace.about.stream_id else ", another stream"
    return f"the client did not read stream {stream_id}{others}, of {count(size, 'byte')}"


def behind_others(trace: Trace, start: float, end: float) -> str:
    """Return which streams' DATA filled a wait without a pause, in words; empty if none did."""
    if trace.http2 is None:
        return ""
    sizes, times = trace.http2.sent_between(start, end)
    sizes.pop(trace.about.stream_id or 0, None)
    if sizes.total() < LEAST_RUN:
        return ""
    paused = sum(gap for gap in (after - before for before, after in pairwise(times)) if gap > WAIT)
    if paused > (1 - FULL) * (end - start):
        return ""
    said = f"it was queued behind {count(sizes.total(), 'byte')} of "
    (stream_id, _), *_ = sizes.most_common(1)
    return said + (f"stream {stream_id}" if len(sizes) == 1 else f"{len(sizes)} other streams")


def lost_of_others(trace: Trace, loss: Hindrance) -> str:
    """Return whose the bytes of a lost segment were if they were none of this stream, in words.

    What filled the hole is what was lost.
    """
    connection, facts = trace.about.connection, trace.http2
    if connection is None or facts is None:
        return ""
    holes = (one for one in connection.holes if one["packet"] == loss.packet)
    hole = next((one for one in holes if one["sender"] == "server"), None)
    if hole is None or hole["filled_by"] is None:
        return ""
    owners = facts.carried_by(hole["filled_by"])
    if not owners or trace.about.stream_id in owners:
        return ""
    return "of stream " + " and ".join(map(str, sorted(owners)))
