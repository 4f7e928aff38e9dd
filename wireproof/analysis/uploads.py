"""The judge of uploads: whether a request's content went on as it was sent.

Strategy: at the client's leg it shows whether the client streams. Whether a proxy passed it on
shows only where its other leg was captured too, which is known by its content, and by being begun
before the client was answered. A proxy that waits for all of it begins its own request when the
client's is whole; one that streams begins long before.
"""

from __future__ import annotations

from ..text.wording import count, duration
from .arrivals import LEAST, MIN_SHARE, SHORTEST_WAIT, Arrivals
from .company import Upload, upload_of
from .holders import Causes, buffered_request
from .marks import Marks
from .pace import HELD
from .recorded import asked, holes, is_recorded
from .trace import Trace
from .verdict import Severity, Verdict

AT_ONCE = 0.005
"""Seconds before the end of an upload within which a proxy that waited for it cannot have begun."""


def judge_upload(trace: Trace) -> Verdict | None:
    """Say whether a request streamed; None if that is unknown, or does not matter."""
    body = trace.about.request_body
    if body is None or not body.size or trace.about.transport == "websocket":
        return None
    other = trace.company.other_leg(body)
    if other is not None and asked(trace) is not None:
        client, upstream = sorted((upload_of(body), other), key=lambda one: one.start)
        answered = trace.company.answered(client)
        if answered is None or answered > upstream.end:
            return _compare(trace, client, upstream)
    return _by_itself(trace) if _has_waits(trace) else None


def is_sent_at_once(trace: Trace) -> bool:
    """Whether a request has no body, or one so short that nothing can be said of it."""
    body = trace.about.request_body
    if body is None:
        return True
    if _sent(trace).count >= LEAST:
        return False
    other = trace.company.other_leg(body)
    took = body.last_time - body.first_time
    return other is None or max(took, other.end - other.start) < HELD


def _has_waits(trace: Trace) -> bool:
    if _sent(trace).count < LEAST:
        return False
    came = _arrivals(trace)
    if came.span < HELD:
        return False
    return len(came.waits) >= MIN_SHARE * len(came.gaps)


def _sent(trace: Trace) -> Marks:
    """Return what of a request is counted: its elements, or in what pieces a few of them came."""
    elements = trace.requested_elements
    return elements if elements.count >= LEAST else trace.requested_pieces


def _arrivals(trace: Trace) -> Arrivals:
    marks = _sent(trace)
    return Arrivals(marks, range(len(marks.times)), asked(trace) or 0.0)


def _lacks_content(trace: Trace) -> bool:
    """Whether bytes are missing that the client sent from its request's head to its end."""
    request, body = trace.about.request, trace.about.request_body
    if request is None or body is None:
        return False
    return not is_recorded(request.last_time, body.last_time, holes(trace, "client"))


def _by_itself(trace: Trace) -> Verdict:
    came = _arrivals(trace)
    pieces = count(came.count, "piece")
    summary = f"the request body was sent in {pieces} over {duration(came.span)}, as it was made"
    packets = came.packets[0], came.packets[-1]
    if _lacks_content(trace):
        recorded = f"{pieces} of the request body were recorded over {duration(came.span)}"
        summary = f"{recorded}: the capture lacks bytes of it, how many came is unknown"
        return _verdict(trace, "request-streamed", "note", summary, packets, Causes(()))
    return _verdict(trace, "request-streamed", "ok", summary, packets, Causes(()))


def _compare(trace: Trace, client: Upload, upstream: Upload) -> Verdict | None:
    took = client.end - client.start
    if took < HELD:
        return None
    packets = client.first_packet, client.last_packet, upstream.first_packet
    behind = upstream.start - client.start
    if upstream.start < client.end - max(AT_ONCE, SHORTEST_WAIT):
        summary = (
            f"the proxy passed the request body on as it came: it began {duration(behind)} after"
            f" the first byte, and the client sent for {duration(took)}"
        )
        return _verdict(trace, "request-streamed", "ok", summary, packets, Causes(()))
    summary = (
        f"the proxy held the request body: the client sent {client.size:,} bytes over"
        f" {duration(took)}, and the proxy passed on nothing before it had them all"
    )
    return _verdict(trace, "request-held", "warning", summary, packets, buffered_request(), behind)


def _verdict(
    trace: Trace,
    answer: str,
    severity: Severity,
    summary: str,
    packets: tuple[int, ...],
    found: Causes,
    held: float | None = None,
) -> Verdict:
    came = _arrivals(trace)
    return Verdict(
        "streaming",
        answer,
        severity,
        summary,
        packets,
        found.causes,
        found.to_tell,
        numbers={
            "events": came.count,
            "groups": len(came.flushes) if came.count else 0,
            "held": None if held is None else round(held, 6),
        },
    )
