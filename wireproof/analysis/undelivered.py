"""An answer of which bytes never reached the client, however often they were sent.

Strategy: a hole that nothing filled is the capture's where the client acknowledged what came after
it: it had these bytes. Where it acknowledged nothing more, it never had them, and TCP hands nothing
on that lies behind a hole (RFC 9293 section 3.8): what was recorded of it afterwards, its
application has not read. Small segments that arrive while large ones do not are a path whose MTU
is smaller than its ends believe (RFC 4821 section 1). At the server there is no hole: there the
last bytes are sent again and again, and nothing acknowledges them. A capture that just ends before
their acknowledgement, or that lacks the client's packets, says nothing of the kind.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from parsers.records import ConnectionRecord, Hole, ResponseRecord

from ..text.wording import ELEMENT_NAMES, FLAGS, count, duration
from .ending_facts import Ending, ending_verdict
from .ends import LEAST_AGAIN, Leaving, first_leaving, is_ended_by, sent_in_vain
from .path import ETHERNET, INITIAL_WINDOW, segment_size
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


class Unanswered(NamedTuple):
    """The last bytes of a server's, which were sent again and not acknowledged."""

    length: int
    packet: int
    """That carried the first of them."""
    times: int
    """How often some of them were sent again."""
    seconds: float
    """From when they were sent first, as far as is known, to when they were sent last."""

    def __str__(self) -> str:
        last = count(self.length, "byte")
        again = f"sent again {count(self.times, 'time')} for {duration(self.seconds)}"
        return f"nothing acknowledged the last {last} (from packet {self.packet} on, {again})"


def unanswered(trace: Trace) -> Unanswered | None:
    """Return what was sent of a response last and again, and not acknowledged; None if nothing was.

    Of HTTP/2 it is not known whose bytes the last ones are. What is sent once the client has left
    says nothing of the path: its host may be gone.
    """
    connection, head = trace.about.connection, trace.about.response
    if connection is None or head is None or head.stream_id is not None:
        return None
    acknowledged = connection.client_acknowledged
    if acknowledged is None or acknowledged >= connection.server_bytes or not is_ended_by(trace):
        return None
    if not _is_acknowledging(connection, head, acknowledged):
        return None
    left = first_leaving(connection, is_half=False)
    again = sent_in_vain(connection, acknowledged)
    if left is not None:
        again = [one for one in again if one["time"] < left.time]
    if len(again) < LEAST_AGAIN:
        return None
    packet, time = _first_sent(trace, acknowledged) or (again[0]["packet"], again[0]["time"])
    seconds = again[-1]["time"] - time
    if seconds < LEAST_HOLE:
        return None
    return Unanswered(connection.server_bytes - acknowledged, packet, len(again), seconds)


def _is_acknowledging(
    connection: ConnectionRecord, head: ResponseRecord, acknowledged: int
) -> bool:
    """Whether a capture has the acknowledgements by which a client takes an answer.

    Where it lacks all packets without payload, nothing but the next request acknowledges anything.
    More is under way than ever can be: a sender begins with ten segments, and what it has under way
    grows by no more than what has been acknowledged (RFC 5681 section 3.1).
    """
    most = INITIAL_WINDOW * max(segment_size(connection), ETHERNET) + acknowledged
    if connection.server_bytes - acknowledged > most:
        return False
    # Offsets in TLS are others; there the handshake's last acknowledgement has no payload, too.
    return acknowledged > head.offset if head.layer == "tcp" else connection.rtt is not None


def _first_sent(trace: Trace, offset: int) -> tuple[int, float] | None:
    """Return the packet that brought the first element with bytes from an offset on, and its time;
    None if that is not known: offsets in TLS are others."""
    marks, head = trace.streamed, trace.about.response
    at = max(0, bisect_right(marks.offsets, offset) - 1)
    if head is None or head.layer != "tcp" or not marks.count:
        return None
    at += marks.offsets[at] + marks.lengths[at] <= offset
    if at == marks.count:
        return trace.about.last_packet, trace.about.last_time
    return marks.first_packets[at], marks.starts[at]


def unacknowledged(ending: Ending) -> Verdict | None:
    """A response whose last bytes its client did not acknowledge, however often they were sent."""
    trace, found = ending.trace, unanswered(ending.trace)
    connection, body = trace.about.connection, trace.about.response_body
    if found is None or connection is None:
        return None
    is_sent = body is not None and body.complete
    sent = f"sent whole {ending.progress}, but {found}" if is_sent else str(found)
    left = first_leaving(connection, is_half=False)
    if left is not None:
        ending.left, ending.numbers["whole"] = left, False
        flag = FLAGS.get(left.kind, left.kind)
        said = f"it was sent again {count(found.times, 'time')}, and"
        said += f" the client left without it ({flag}, packet {left.packet})"
        # A RST need not acknowledge what came (RFC 9293 section 3.10.7.1); a FIN does.
        cause = Cause("loss", "certain" if left.kind == "fin" else "likely", said, REMEDY)
        summary = f"{sent}, and the client left ({flag}, packet {left.packet})"
        return ending_verdict(ending, "aborted", "warning", summary, [cause])
    if not is_sent:
        return None
    ending.numbers["whole"] = "unknown"
    cause = Cause("path-vanished", "likely", UNANSWERED, VANISHED)
    return ending_verdict(ending, "whole", "warning", sent, [cause])


UNANSWERED = "retransmissions went unanswered: a link, a NAT entry or a host is gone"
VANISHED = "use TCP keep-alives or pings, and a read timeout in the client"


def _read(trace: Trace, hole: Hole) -> str:
    """Return what of a response came before a hole, in words."""
    counts, marks = trace.about.counts, trace.streamed
    name = "event" if counts.events else ELEMENT_NAMES.get(counts.element_kind, "chunk")
    return count(bisect_left(marks.times, hole["time"]), name)
