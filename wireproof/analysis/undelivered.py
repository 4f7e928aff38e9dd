"""An answer of which bytes never reached the client, however often they were sent.

Strategy: a hole that nothing filled is the capture's where the client acknowledged what came after
it: it had these bytes. Where it acknowledged nothing more, it never had them, and TCP hands nothing
on that lies behind a hole (RFC 9293 section 3.8): what was recorded of it afterwards, its
application has not read. Small segments that arrive while large ones do not are a path whose MTU
is smaller than its ends believe (RFC 4821 section 1).
"""

from __future__ import annotations

from bisect import bisect_left

from parsers.records import ConnectionRecord, Hole

from ..text.wording import ELEMENT_NAMES, FLAGS, count, duration
from .ending_facts import Ending, ending_verdict
from .ends import Leaving, first_leaving, is_ended_by
from .recorded import holes
from .trace import Trace
from .verdict import Cause, Verdict

LEAST_HOLE = 1.0
"""Seconds for which a hole must last: by then what was lost has been sent again, several times."""
REMEDY = (
    "look at the network, not the application: if small segments arrive and large ones do not,"
    " lower the MTU, or let ICMP's `fragmentation needed` through"
)


def undelivered(ending: Ending) -> Verdict | None:
    """A response that its client could not read to the end, as bytes in it were lost for good."""
    trace = ending.trace
    connection = trace.about.connection
    if connection is None or not is_ended_by(trace):
        return None
    hole = _lost_for_good(trace, connection)
    if hole is None:
        return None
    left = first_leaving(connection, is_half=False)
    until = connection.last_time if left is None else left.time
    if _missed_until(connection, hole, left) - hole["time"] < LEAST_HOLE:
        return None
    ending.left = left
    ending.numbers["whole"] = False
    lost = f"{count(hole['length'], 'byte')} of the server's never arrived"
    summary = (
        f"{lost} (packet {hole['packet']} came after them), so that the client could read no more"
        f" than {_read(trace, hole)}; {duration(until - hole['time'])} later "
    )
    if left is None:
        summary += "the capture ended"
    else:
        summary += f"it left ({FLAGS.get(left.kind, left.kind)}, packet {left.packet})"
    cause = Cause("loss", "certain", "the client acknowledged nothing that came later", REMEDY)
    answer = "open" if left is None else "aborted"
    return ending_verdict(ending, answer, "warning", summary, [cause])


def _lost_for_good(trace: Trace, connection: ConnectionRecord) -> Hole | None:
    """Return the first hole in a response whose bytes its client never had."""
    times = set(holes(trace))
    lost = (
        one
        for one in connection.holes
        if one["sender"] == "server" and one.get("acknowledged") is False
    )
    return next((one for one in lost if one["time"] in times), None)


def _missed_until(connection: ConnectionRecord, hole: Hole, left: Leaving | None) -> float:
    """Return until when its client said that it had nothing after a hole, in seconds since the
    epoch: by an acknowledgement that was repeated, or by its FIN, which has one.

    A capture that lacks the client's packets says nothing of that.
    """
    repeated = [
        one["last_time"]
        for one in connection.duplicate_acks
        if one["sender"] == "client" and one["offset"] == hole["offset"]
    ]
    has_fin = left is not None and left.kind == "fin"
    return max([*repeated, left.time if left is not None and has_fin else 0.0])


def _read(trace: Trace, hole: Hole) -> str:
    """Return what of a response came before a hole, in words."""
    counts, marks = trace.about.counts, trace.streamed
    name = "event" if counts.events else ELEMENT_NAMES.get(counts.element_kind, "chunk")
    return count(bisect_left(marks.times, hole["time"]), name)
