"""The usual end: an answer that came whole, of which nothing is to be said but that.

Strategy: most exchanges of most captures are a request and an answer that its framing ended, with
no fault, no gap, and no application's last word to look for. For these the questions of
:mod:`.ending`, asked one after the other, all have the same answers: so what distinguishes them is
asked here first, and the verdict is made at once. It is the same to the byte, which tests prove.
"""

from __future__ import annotations

from ..heads import is_final
from ..text.wording import body_end
from .ends import first_end, first_leaving, is_ended_by, is_half_closed
from .grpc_status import GRPC_TYPE
from .legs import may_hide_cut
from .trace import Trace
from .undelivered import unanswered
from .uploads import is_sent_at_once
from .verdict import Number, Verdict

FRAMED = frozenset(("content-length", "last-chunk"))
"""``ended_by`` of bodies that HTTP/1.1 framed."""


def judge_short(trace: Trace) -> list[Verdict] | None:
    """Return all that is said of a short answer that came whole; None where more has to be asked.

    It has no pace, was owed to nobody any more, and holds nothing to stumble over: of all the
    questions the one of its end alone arises.
    """
    response = trace.about.response
    if response is None or response.transport != "http" or trace.streamed.count > 1:
        return None
    if trace.hazards_found or trace.http2 is not None or not is_sent_at_once(trace):
        return None
    whole = judge_whole(trace)
    return None if whole is None or "half_close" in whole.numbers else [whole]


def judge_whole(trace: Trace) -> Verdict | None:
    """Return what is said of the end of a usual exchange; None where more has to be asked."""
    about = trace.about
    response, body = about.response, about.response_body
    if response is None or body is None or not body.complete or body.ended_by not in FRAMED:
        return None
    if (
        trace.has_more_to_tell
        or may_hide_cut(trace)
        or response.stream_id is not None
        or trace.trailers
    ):
        return None
    if response.transport == "websocket" or response.framing == "upgrade":
        return None
    if response.status >= 500 or not is_final(response):
        return None
    kind, connection = about.response_fields.get("content-type"), about.connection
    if kind is None or "/" not in kind or kind.lower().startswith(GRPC_TYPE):
        return None
    if connection is not None and connection.close == "reset":
        return None
    if unanswered(trace) is not None:
        return None
    numbers: dict[str, Number] = {
        "whole": True,
        "transport_whole": True,
        "ended_by": body.ended_by,
        "first_closer": None if connection is None else connection.closed_by,
        "missing_bytes": None,
        "idle_before_close": None,
        "events": about.counts.events,
        "inside": None,
        "found": [],
    }
    if response.codings:
        numbers["coding_whole"] = True
    packets: tuple[int, ...] = (about.last_packet,)
    if connection is not None and connection.ends and is_ended_by(trace):
        is_half = is_half_closed(trace)
        if is_half:
            numbers["half_close"] = True
        packets = _packets(trace, is_half)
    return Verdict("ending", "whole", "ok", body_end(body), packets, numbers=numbers)


def _packets(trace: Trace, is_half: bool) -> tuple[int, ...]:
    """Return the last packet of an exchange, the first FIN or RST, and that of a leaving."""
    connection, end = trace.about.connection, first_end(trace)
    found = {trace.about.last_packet}
    if end is not None:
        found.add(end["packet"])
    if connection is not None and (left := first_leaving(connection, is_half)) is not None:
        found.add(left.packet)
    return tuple(sorted(found))
