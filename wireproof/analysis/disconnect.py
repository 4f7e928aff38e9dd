"""What was sent after the client had left, and until when: the judge of its question.

Strategy: a server learns of a client that left by the RST that answers its next data, so what is on
its way until then is nobody's fault, and what is taken after a FIN was not left: a half-close. A
host that is gone sends no RST, but acknowledges nothing either. Behind a proxy that is in the same
capture, its upstream leg shows how long the server went on for nobody. Where nothing came after the
client's last packet, its leg cannot show whether the server works on.
"""

from __future__ import annotations

from parsers.records import ConnectionRecord

from ..heads import is_final
from ..text.wording import count, duration
from .ends import Leaving, count_after, end_of, is_half_closed, leaving
from .flaws import CUTS, find_flaws
from .legs import leg_behind
from .marks import Marks
from .trace import Trace
from .verdict import Cause, Number, Severity, Verdict

INHERENT = 1
"""Elements that may be on their way to a proxy when its client leaves."""
SOON = 1.0
"""Seconds within which a proxy that watches its client has closed its upstream leg."""
LOG = "the server's log, or a capture behind the proxy"


def judge_disconnect(trace: Trace) -> Verdict | None:
    """Say what was sent after the client had left; None if it had not, or was not owed any."""
    if is_half_closed(trace):
        return _half_closed(trace, leaving(trace))
    left = leaving(trace) if _was_owed(trace) else None
    if left is None:
        return None
    upstream = leg_behind(trace)
    if upstream is not None and _went_on(upstream, left):
        return _goes_on_upstream(trace, upstream, left)
    if upstream is not None and (closed := _seconds_to_close(upstream, left)) is not None:
        return _stops_upstream(upstream, left, closed)
    wasted = count_after(trace.streamed, left.packet, left.time)
    return _stops(trace, left, wasted) if wasted else _unseen(trace, left)


def _was_owed(trace: Trace) -> bool:
    about, body = trace.about, trace.about.response_body
    if about.is_websocket:
        return not about.closing
    is_answered = about.response is not None and is_final(about.response)
    if is_answered and body is not None and body.complete and not trace.faults:
        return False  # as of most exchanges
    if about.response is not None and about.response.framing == "upgrade":
        return False
    return any(flaw.code in CUTS for flaw in find_flaws(about, trace.all_faults))


def _went_on(upstream: Trace, left: Leaving) -> bool:
    return _count_since(upstream.streamed, left.time) > 0


def _count_since(marks: Marks, time: float) -> int:
    return sum(one > time for one in marks.times)


def _seconds_to_close(trace: Trace, left: Leaving) -> float | None:
    connection = trace.about.connection
    if connection is None or not connection.ends or not trace.about.is_last:
        return None
    return connection.ends[0]["time"] - left.time


def _goes_on_upstream(trace: Trace, upstream: Trace, left: Leaving) -> Verdict:
    wasted = _count_since(upstream.streamed, left.time)
    until = upstream.streamed.last_time - left.time
    closed = _seconds_to_close(upstream, left)
    number = upstream.about.key.connection
    numbers: dict[str, Number] = {
        "upstream_goes_on": True,
        "upstream_connection": number,
        "wasted_events": wasted,
        "server_stops_after": until,
        "upstream_closed_after": closed,
    }
    summary = (
        f"the client left in packet {left.packet}, but behind the proxy (connection {number}) the"
        f" server went on for {duration(until)}: {count(wasted, _name(upstream))} that nobody read"
        f" (up to packet {upstream.streamed.last_packet})"
    )
    is_soon = wasted <= INHERENT and (closed is not None and closed < SOON)
    cause = Cause(
        "upstream-goes-on",
        "certain",
        "the proxy did not close its upstream connection when its client left",
        "make the proxy close with its client (nginx: proxy_ignore_client_abort off), and stop"
        " working when a write fails",
    )
    severity: Severity = "note" if is_soon else "warning"
    packets = (left.packet, upstream.streamed.last_packet)
    return Verdict(
        "disconnect", "goes-on", severity, summary, packets, causes=(cause,), numbers=numbers
    )


def _stops_upstream(upstream: Trace, left: Leaving, closed: float) -> Verdict:
    connection = upstream.about.key.connection
    numbers: dict[str, Number] = {
        "upstream_goes_on": False,
        "upstream_connection": connection,
        "wasted_events": 0,
        "upstream_closed_after": closed,
    }
    summary = (
        f"the client left in packet {left.packet}, and the upstream connection ({connection}) was"
        f" closed {duration(closed)} later, with nothing sent in between"
    )
    return Verdict("disconnect", "stops", "note", summary, (left.packet,), numbers=numbers)


def _stops(trace: Trace, left: Leaving, wasted: int) -> Verdict:
    until = trace.streamed.last_time - left.time
    numbers: dict[str, Number] = {"wasted_events": wasted, "server_stops_after": until}
    summary = (
        f"the server sent {count(wasted, f'more {_name(trace)}')} within {duration(until)} after"
        f" the client had left (packet {left.packet}), {_stopped_by(trace, left)}"
    )
    packets = (left.packet, trace.streamed.last_packet)
    return Verdict("disconnect", "stops", "note", summary, packets, numbers=numbers)


def _stopped_by(trace: Trace, left: Leaving) -> str:
    connection = trace.about.connection
    reset = None if connection is None else end_of(connection, "client", "reset")
    if left.kind == "fin" and reset is None:
        return "and nothing acknowledged it: its host is gone too"
    return "until an RST stopped it"


def _unseen(trace: Trace, left: Leaving) -> Verdict:
    connection = trace.about.connection
    fin = end_of(connection, "server", "fin") if connection else None
    closed = "" if fin is None else f"; the server closed {duration(fin['time'] - left.time)} later"
    summary = f"nothing was sent after the client had left (packet {left.packet}){closed}"
    causes = (
        Cause("server-stopped", "possible", "the server stopped when its client left"),
        Cause(
            "server-goes-on-unseen",
            "possible",
            "the server keeps working, and its output is discarded before the wire",
            "watch for the disconnect (http.disconnect, request.is_disconnected), and stop then",
        ),
    )
    numbers: dict[str, Number] = {"server_goes_on": None, "wasted_events": 0}
    return Verdict(
        *("disconnect", "unseen", "note", summary),
        packets=(left.packet,),
        causes=causes,
        to_tell=LOG,
        numbers=numbers,
    )


def _half_closed(trace: Trace, left: Leaving | None) -> Verdict:
    connection = trace.about.connection
    assert connection is not None
    fin = end_of(connection, "client", "fin")
    assert fin is not None
    sent = count_after(trace.streamed, fin["packet"], fin["time"])
    refused = _refused(trace.streamed, connection) if left is not None else 0
    summary = (
        f"the client sent FIN (packet {fin['packet']}) and read on, a half-close: the server sent"
        f" {count(sent - refused, f'more {_name(trace)}')}"
    )
    numbers: dict[str, Number] = {
        "half_close": True,
        "server_goes_on_events": sent - refused,
        "wasted_events": refused,
    }
    return Verdict("disconnect", "half-close", "note", summary, (fin["packet"],), numbers=numbers)


def _refused(marks: Marks, connection: ConnectionRecord) -> int:
    """Return how many elements the client's RST answered: those that came just before, or after."""
    reset = end_of(connection, "client", "reset")
    if reset is None:
        return 0
    before = [packet for packet in marks.packets if packet < reset["packet"]]
    return count_after(marks, reset["packet"], reset["time"]) + (
        before[-1:] == [reset["packet"] - 1]
    )


def _name(trace: Trace) -> str:
    return "event" if trace.about.transport == "sse" else "element"
