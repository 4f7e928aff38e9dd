"""Who ended a connection, when, and what that was: the FINs and RSTs behind an exchange's end.

Strategy: a FIN says that its sender sends no more; whether it still reads, only what follows shows
(RFC 9293 section 3.6). A client that has closed its socket answers the next data with a RST, at
once; one that has closed its half alone takes it. So a client has left when it sent a RST or closed
altogether, and its FIN is a half-close if it took data that came after.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import ConnectionRecord, End, Http2DataRecord, Resent, Sender

from ..exchange import SAID
from ..heads import is_final
from ..text.wording import count, flag_by
from .marks import Marks
from .trace import Trace

CANCELLED = ("http2-cancelled", "http3-cancelled")
"""Faults of a client that gives up a stream."""
KINDS = {
    "RST_STREAM": "rst-stream", "RESET_STREAM": "reset-stream", "STOP_SENDING": "stop-sending",
}  # fmt: skip
"""How a client leaves a stream, by the frame."""
REPLY_SLACK = 0.01
"""Seconds that a RST may take over the round trip: a kernel answers at once."""
USUAL_RTT = 0.1
"""Seconds, where the round trip was not measured."""
LEAST_AGAIN = 2
"""Times that bytes were sent again in vain: the first may have crossed their acknowledgement."""
REFUSED = ("http2-refused", "http3-refused")
"""The faults of a stream that was not processed (RFC 9113 section 8.7, RFC 9114 section 4.1.1)."""
CONTENT_MISSING = "http2-content-missing"
FRAMES_MISSING = "http2-frames-missing"
HTTP2_MISSING = frozenset(
    (
        *(CONTENT_MISSING, FRAMES_MISSING, "http3-frames-missing", "http3-frames-lost"),
        "qpack-section-unknown",
    )
)
"""Faults of a stream of HTTP/2 or HTTP/3 that has a hole, or may have one."""


class Leaving(NamedTuple):
    """That the client stopped taking what the server sends."""

    packet: int
    time: float
    kind: str
    """As of an end; of a stream alone ``rst-stream``, in HTTP/3 ``reset-stream``,
    ``stop-sending``."""


def first_end(trace: Trace) -> End | None:
    """Return the first FIN or RST of the connection, if that can have ended this exchange."""
    connection = trace.about.connection
    if connection is None or not is_ended_by(trace) or not connection.ends or _is_broken(trace):
        return None
    return connection.ends[0]


def _is_broken(trace: Trace) -> bool:
    """Whether a frame of HTTP/2 ended its stream before the connection could (RFC 9113 5.4.2)."""
    body = trace.about.response_body
    return body is not None and body.ended_by in ("end-stream", "rst-stream", "goaway")


def refusal_of(trace: Trace) -> str | None:
    """Return the fault by which the server says that it did not process a request, if it does.

    Of one that it has begun to answer it cannot be true, whatever frame says so: it may have had
    its effect.
    """
    response = trace.about.response
    if response is not None and is_final(response):
        return None
    return next((fault.code for fault in trace.all_faults if fault.code in REFUSED), None)


def is_refused(trace: Trace) -> bool:
    """Whether the server says that it did not process a request of HTTP/2 or HTTP/3."""
    return refusal_of(trace) is not None


def is_cut_by_server(trace: Trace) -> bool:
    """Whether the server ended its side of a connection of HTTP/2 first, with the stream open.

    In TLS its close_notify says so, whoever sends the first FIN then. In the clear the first FIN
    does: what the client sent before its own may have waited behind missing bytes.
    """
    connection = trace.about.connection
    ends = [] if connection is None else connection.ends
    is_first = not ends or ends[0]["sender"] == "server"
    faults = (fault for fault in trace.all_faults if fault.code == "http2-stream-cut")
    return any(one.sender == "server" and (one.layer == "tls" or is_first) for one in faults)


def end_stream_of(trace: Trace) -> Http2DataRecord | None:
    """Return the DATA frame by which the first side ended its part of a tunnel in HTTP/2."""
    stream_id = trace.about.stream_id
    if trace.http2 is None or stream_id is None:
        return None
    return trace.http2.ended.get(stream_id)


def _is_tunnel_ended(trace: Trace) -> bool:
    """Whether a frame of the server's ended a WebSocket in HTTP/2 first, which has no body."""
    if not trace.about.is_websocket:
        return False
    if trace.about.reset is not None:
        return trace.about.reset.sender == "server"
    last = end_stream_of(trace)
    return last is not None and last.sender == "server"


def _cancelled(trace: Trace) -> Leaving | None:
    """Return when the client gave up a stream of HTTP/2, None if it did not."""
    for fault in trace.all_faults:
        if fault.code in CANCELLED:
            kind = "rst-stream" if trace.about.reset is None else KINDS[trace.about.reset.type]
            return Leaving(fault.last_packet, fault.last_time, kind)
    return None


def is_ended_by(trace: Trace) -> bool:
    """Whether the end of its connection can have ended this exchange.

    HTTP/1.1 answers one after the other, so that none was answered after it; streams of HTTP/2 and
    HTTP/3 are all open at once.
    """
    about = trace.about
    head = about.request or about.response
    is_stream = head is not None and head.stream_id is not None
    return is_stream or about.is_last or about.end.answered <= about.key.exchange


def missing_from_capture(trace: Trace) -> str:
    """Return what of an exchange happened and was not captured, empty if nothing is known of it."""
    about = trace.about
    sides = [fault.sender for fault in trace.around if fault.code == "tcp-direction-missing"]
    if sides:
        return f"the {sides[0]}'s packets"
    codes = {fault.code for fault in trace.all_faults if fault.sender == "server"}
    if codes & HTTP2_MISSING:
        return "content of the stream" if CONTENT_MISSING in codes else "frames, maybe its own"
    lost = sum(gap.missing for gap in trace.gaps if gap.sender == "server")
    if lost:
        return f"{count(lost, 'byte')} of the server's"
    if _is_closer_unknown(trace):
        return f"what the {_without_fin(trace)} sent last, maybe a FIN"
    if about.response is not None:
        return ""
    if about.end.is_unsure:
        return "bytes of the server's that may be its response"
    return "" if is_ended_by(trace) else "its response"


def lacks_answer(trace: Trace) -> bool:
    """Whether what the capture lacks may be of an exchange's answer, so that its end is unknown."""
    sides = {fault.sender for fault in trace.around if fault.code == "tcp-direction-missing"}
    if sides:
        return "server" in sides
    if lacks_bytes_of(trace, "server"):
        return True
    if _is_closer_unknown(trace):
        return _without_fin(trace) == "server"
    return trace.about.response is None and bool(missing_from_capture(trace))


def lacks_bytes_of(trace: Trace, sender: Sender) -> bool:
    """Whether bytes of a side are missing that may belong to an exchange."""
    faults = (one for one in trace.all_faults if one.sender == sender)
    is_lost = any(gap.sender == sender for gap in trace.gaps)
    return is_lost or any(one.code in HTTP2_MISSING for one in faults)


def _is_closer_unknown(trace: Trace) -> bool:
    """Whether the connection ended an exchange, and who closed it first is not known."""
    about, connection = trace.about, trace.about.connection
    if connection is None or connection.close != "fin" or connection.closed_by is not None:
        return False
    body = about.response_body
    is_said = body is not None and body.ended_by in SAID
    return is_ended_by(trace) and not (is_said or _is_broken(trace))


def _without_fin(trace: Trace) -> Sender:
    """Return the side of whose FIN nothing is known."""
    connection = trace.about.connection
    return "client" if connection is None or connection.client_fin is None else "server"


def may_be_reset(trace: Trace) -> str:
    """Return the frame, not captured, by which the client may have left a stream; else empty."""
    codes = {one.code for one in trace.all_faults if one.sender == "client"}
    if "http3-reset-unsure" in codes:
        return "STOP_SENDING"
    return "RST_STREAM" if FRAMES_MISSING in codes and not _is_broken(trace) else ""


def _is_first_unknown(trace: Trace) -> bool:
    """Whether nobody knows who ended a stream first: in TLS the FINs alone do not tell."""
    about = trace.about
    head = about.request or about.response
    return head is not None and head.layer == "tls" and bool(may_be_reset(trace))


def name_end(end: End) -> str:
    """Return ``FIN by the client (packet 9)``."""
    return f"{flag_by(end['kind'], end['sender'])} (packet {end['packet']})"


def end_of(connection: ConnectionRecord, sender: Sender, kind: str) -> End | None:
    """Return the first FIN or RST of a side, None if it sent none."""
    found = (end for end in connection.ends if end["sender"] == sender and end["kind"] == kind)
    return next(found, None)


def is_half_closed(trace: Trace) -> bool:
    """Whether the client sent its FIN and went on reading what came after it.

    A host that is gone does not answer with a RST either; but it acknowledges nothing.
    """
    connection = trace.about.connection
    if connection is None or (fin := end_of(connection, "client", "fin")) is None:
        return False
    taken = first_after(trace.streamed, fin["packet"], fin["time"])
    if taken is None or not is_ended_by(trace) or _is_in_vain(trace, connection, fin):
        return False
    reset = end_of(connection, "client", "reset")
    reply = 2 * (USUAL_RTT if connection.rtt is None else connection.rtt) + REPLY_SLACK
    return reset is None or reset["time"] - taken > reply


def sent_in_vain(connection: ConnectionRecord, acknowledged: int) -> list[Resent]:
    """Return what the server sent again, often enough, of bytes that were not acknowledged."""
    again = [
        one
        for one in connection.resent
        if one["sender"] == "server" and one["offset"] + one["length"] > acknowledged
    ]
    return again if len(again) >= LEAST_AGAIN else []


def _is_in_vain(trace: Trace, connection: ConnectionRecord, fin: End) -> bool:
    """Whether nothing that came whole after a FIN was acknowledged, however often it was sent.

    Offsets in TLS are others.
    """
    marks, acknowledged = trace.streamed, connection.client_acknowledged
    response = trace.about.response
    if acknowledged is None or response is None or response.layer != "tcp":
        return False
    at = next(at for at, packet in enumerate(marks.packets) if packet > fin["packet"])
    is_taken = acknowledged >= marks.offsets[at] + marks.lengths[at]
    return not is_taken and bool(sent_in_vain(connection, acknowledged))


def leaving(trace: Trace) -> Leaving | None:
    """Return when the client left, None if it did not before the server had ended its part."""
    if (cancelled := _cancelled(trace)) is not None:
        return cancelled
    connection = trace.about.connection
    if connection is None or not is_ended_by(trace) or missing_from_capture(trace):
        return None
    if _is_broken(trace) or is_refused(trace) or is_cut_by_server(trace):
        return None
    if _is_tunnel_ended(trace):
        return None
    if _is_first_unknown(trace):
        return None
    return first_leaving(connection, is_half_closed(trace))


def first_leaving(connection: ConnectionRecord, is_half: bool) -> Leaving | None:
    """Return by which FIN or RST a client left before the server ended its part, None if by none.

    ``is_half``: after its FIN it read on.
    """
    kinds = ("reset",) if is_half else ("fin", "reset", "connection-close")
    for end in connection.ends:
        if end["sender"] == "server":
            return None
        if end["kind"] in kinds:
            return Leaving(end["packet"], end["time"], end["kind"])
    return None


def first_after(marks: Marks, packet: int, since: float) -> float | None:
    """Return when the first element came whole after a packet, None if none did.

    ``since`` is the packet's time: what is later in the file alone may have been stored late.
    """
    if not is_any_after(marks, packet):
        return None
    both = zip(marks.times, marks.packets, strict=True)
    return next((time for time, one in both if one > packet and time >= since), None)


def count_after(marks: Marks, packet: int, since: float) -> int:
    """Return how many of the elements in the columns came after a packet, of that time."""
    if not is_any_after(marks, packet):
        return 0
    both = zip(marks.times, marks.packets, strict=True)
    return sum(one > packet and time >= since for time, one in both)


def is_any_after(marks: Marks, packet: int) -> bool:
    """Whether any element came whole in a later packet: mostly none did, which is seen at once."""
    return max(marks.packets, default=0) > packet
