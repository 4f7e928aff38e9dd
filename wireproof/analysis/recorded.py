"""Which waits are the sender's: those in which the capture lacks nothing of what it sent.

Strategy: where bytes of a response are missing for good, something came that was not recorded, and
nobody knows when; on a connection of HTTP/2 not even of which stream. So a wait with such a hole in
it is no gap of the stream, however long it is: neither as the longest one, nor in a percentile. A
hole lies where it was revealed, which is after what came before it and no later than what came
next. The first element behind one is not known to be the first. What a client waited for is counted
from where its request ended: where that is missing, no such time is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import inf
from operator import sub
from typing import NamedTuple

from parsers.records import Sender

from ..exchange import SAID, Exchange
from .ends import lacks_answer
from .marks import Wait
from .trace import Trace

Pause = tuple[float, float]
"""When what came before it came, and when what came next did."""


class Lacks(NamedTuple):
    """What a capture lacks of an exchange, for who asks what it proves."""

    is_answer: bool = False
    """Whether it may be of the answer, so that its end is unknown."""
    server: Sequence[float] = ()
    """When bytes of the server's were found missing, in seconds since the epoch, in order."""
    client: Sequence[float] = ()
    is_request: bool = False
    """Whether the request's end is missing, from which the times of its answer count."""

    def of(self, sender: Sender) -> Sequence[float]:
        return self.server if sender == "server" else self.client

    def is_after(self, time: float, sender: Sender = "server") -> bool:
        """Whether something that a side sent after a time may be missing."""
        return not is_recorded(time, inf, self.of(sender))


COMPLETE = Lacks()
"""A capture lacks nothing."""


def lacks(trace: Trace) -> Lacks:
    """Return what the capture lacks of an exchange."""
    return Lacks(lacks_answer(trace), holes(trace), holes(trace, "client"), asked(trace) is None)


def holes(trace: Trace, sender: Sender = "server") -> list[float]:
    """Return when bytes of a response, or of the client's, were found missing, in seconds since the
    epoch, in order.
    """
    if not trace.gaps and trace.http2 is None:  # there are late ones only past the first
        return []
    found = [gap.first_time for gap in trace.gaps if gap.sender == sender]
    if sender == "server":
        found += trace.late_holes or ()
    return sorted(found if trace.http2 is None else found + trace.http2.holes[sender])


def shown_holes(trace: Trace) -> list[float]:
    """Return when bytes were found missing of what both sides said, for those who show it.

    What a client sends after its request is no part of the exchange, but in a WebSocket. A request
    may go on until it is answered, and longer where more of it was recorded.
    """
    asked, answer = holes(trace, "client"), trace.about.response
    if answer is not None and not trace.about.is_websocket:
        end = max([answer.first_time, *trace.requested.times[-1:]])
        asked = [time for time in asked if time <= end]
    return sorted(holes(trace) + asked)


def is_recorded(start: float, end: float, missing: Sequence[float]) -> bool:
    """Tell whether nothing is missing after ``start`` up to ``end``."""
    return bisect_right(missing, start) == bisect_right(missing, end)


def first_of(times: Sequence[float], since: float, missing: Sequence[float]) -> float | None:
    """Return when the first of some came; None if none did, or another may have come before."""
    is_first = bool(times) and (not missing or is_recorded(since, times[0], missing))
    return times[0] if is_first else None


def asked(trace: Trace) -> float | None:
    """Return from when the times of an answer count, in seconds since the epoch; None if the
    capture lacks that: the request, or its end.
    """
    about, missing = trace.about, holes(trace, "client")
    if about.request is None:
        return None
    sent = trace.requested_pieces.last_time
    lacks_it = bool(missing) and lacks_end_of_request(about, sent, missing)
    return None if lacks_it else about.asked_time


def lacks_end_of_request(about: Exchange, sent: float, missing: Sequence[float]) -> bool:
    """Whether the end of a request may be among what is missing of its client's.

    ``sent`` is when the last of its content came that was recorded, ``missing`` when bytes of the
    client's were found missing, in order. Not where more of it came after the answer's content had
    begun: that counts from its beginning.
    """
    request, body, answer = about.request, about.request_body, about.response_body
    if request is None or request.framing == "none" or about.is_websocket:
        return False
    last = max(request.last_time, sent)
    if body is not None and body.ended_by in SAID:
        # Its length says where a body ends, a frame or a chunk has to be there to end it.
        is_there = body.ended_by != "content-length" or body.complete
        if is_there or last >= body.last_time:
            return False
    if answer is not None and answer.first_time < last:
        return False
    return not is_recorded(last, inf, missing)


def started(trace: Trace) -> float | None:
    """Return from when elements are counted, in seconds since the epoch; None if that is unknown.

    What had been asked before the capture began is counted from its first packet.
    """
    about, connection = trace.about, trace.about.connection
    is_rest = connection is not None and connection.midstream and not about.key.exchange
    return about.first_time if about.request is None and is_rest else asked(trace)


def first_element(trace: Trace) -> float | None:
    """Return the seconds from the end of the request to the first element; None if that is not
    known.

    From its beginning, where the answer's content began before the request had ended.
    """
    return first_element_after(trace, started(trace))


def first_element_after(trace: Trace, start: float | None) -> float | None:
    """Return the same where it is known what :func:`started` returns."""
    if start is None:
        return None
    first = first_of(trace.streamed.times, start, holes(trace))
    return None if first is None else first - start


def recorded_waits(trace: Trace) -> list[Wait]:
    """Return the longest waits between elements, those in which nothing is missing."""
    missing = holes(trace)
    return [
        wait
        for wait in trace.streamed.waits
        if is_recorded(wait.before_time, wait.after_time, missing)
    ]


def gaps(times: Sequence[float], missing: Sequence[float] = ()) -> list[float]:
    """Return the seconds between each two of ``times`` between which nothing is missing."""
    if not missing:
        return list(map(sub, times[1:], times))
    return [after - before for before, after in divided(times, missing)[0]]


def divided(times: Sequence[float], missing: Sequence[float]) -> tuple[list[Pause], list[Pause]]:
    """Return between which two of ``times`` nothing is missing, and between which something is."""
    found: tuple[list[Pause], list[Pause]] = [], []
    for before, after in pairwise(times):
        found[not is_recorded(before, after, missing)].append((before, after))
    return found


def not_recorded(trace: Trace) -> float | None:
    """Return for how many seconds of a response it is unknown what came; None if it lacks nothing.

    These are the waits with a hole in them, from its head on; from the request, if the head is
    missing.
    """
    missing = holes(trace)
    if not missing:
        return None
    about = trace.about
    head = [about.asked_time if about.response is None else about.response.last_time]
    times = [*filter(None, head), *trace.streamed.times]
    times += missing[-1:] if about.response is None else []
    body = about.response_body
    times += [] if body is None else [body.last_time]
    return sum(
        after - before
        for before, after in pairwise(sorted(times))
        if not is_recorded(before, after, missing)
    )
