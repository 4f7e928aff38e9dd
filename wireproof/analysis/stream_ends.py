"""How a stream of HTTP/2 was ended by a frame: by whom, why, and what that means (RFC 9113).

Strategy: RST_STREAM ends one stream and says why (section 7); GOAWAY says which streams its sender
will not process (section 6.8), and with an error that it gives all of them up. What was not
processed is safe to send again (section 8.7). A server that resets with NO_ERROR before its answer
is whole truncates it without a word: clients take it for complete.
"""

from __future__ import annotations

from typing import NamedTuple

from .ends import is_refused
from .trace import Trace
from .verdict import Cause

RETRY = "send the request again, on another connection after a GOAWAY: it was not processed"
CODES: dict[str, tuple[str, str]] = {
    "NO_ERROR": (
        "the server broke the answer off without an error: clients may take it for complete",
        "look in the server's log: the handler or its socket was destroyed before it ended the"
        " answer",
    ),
    "PROTOCOL_ERROR": ("one side says that the other broke the protocol", ""),
    "INTERNAL_ERROR": (
        "the server failed: an exception, or a proxy whose upstream was cut",
        "look in the log of the proxy and of the server behind it",
    ),
    "FLOW_CONTROL_ERROR": ("one side says that the other sent more than the window allows", ""),
    "STREAM_CLOSED": ("one side says that the stream had ended", ""),
    "CANCEL": (
        "the server, or a proxy for it, does not want to go on",
        "look in the log of the proxy and of the server behind it",
    ),
    "CONNECT_ERROR": (
        "the connection behind a tunnel was reset or closed abnormally",
        "look at the server that the tunnel leads to",
    ),
    "ENHANCE_YOUR_CALM": (
        "the peer does too much: too many pings, streams or resets",
        "send pings less often (gRPC: keepalive_time), and reset fewer streams",
    ),
    "REFUSED_STREAM": (
        "it says that the request was not processed, but its answer had begun",
        "send it again only if that does no harm: it may have had its effect",
    ),
    "INADEQUATE_SECURITY": ("the server asks for stronger TLS", ""),
    "HTTP_1_1_REQUIRED": ("the server asks for HTTP/1.1 for this", "use HTTP/1.1 for this"),
}
"""What codes of the server's mean, and what to do."""


SAME = {
    "H3_NO_ERROR": "NO_ERROR", "H3_GENERAL_PROTOCOL_ERROR": "PROTOCOL_ERROR",
    "H3_INTERNAL_ERROR": "INTERNAL_ERROR", "H3_FRAME_ERROR": "PROTOCOL_ERROR",
    "H3_FRAME_UNEXPECTED": "PROTOCOL_ERROR", "H3_MESSAGE_ERROR": "PROTOCOL_ERROR",
    "H3_REQUEST_CANCELLED": "CANCEL", "H3_CONNECT_ERROR": "CONNECT_ERROR",
    "H3_EXCESSIVE_LOAD": "ENHANCE_YOUR_CALM", "H3_VERSION_FALLBACK": "HTTP_1_1_REQUIRED",
    "H3_REQUEST_REJECTED": "REFUSED_STREAM",
}  # fmt: skip
"""Codes of HTTP/3 (RFC 9114 section 8.1) that mean what one of HTTP/2 does."""
OF_QUIC = ("RESET_STREAM", "STOP_SENDING")


class StreamEnd(NamedTuple):
    """A frame that ended a stream before its messages were whole."""

    frame: str
    """``RST_STREAM`` or ``GOAWAY``; in HTTP/3 ``RESET_STREAM`` or ``STOP_SENDING``."""
    sender: str
    error: str
    """``CANCEL``: the code's name."""
    packet: int
    time: float
    debug: str
    """What a GOAWAY says in words, as it came."""

    @property
    def text(self) -> str:
        """``RST_STREAM CANCEL by the server (packet 9)``."""
        return f"{self.frame} {self.error} by the {self.sender} (packet {self.packet})"


def stream_end(trace: Trace) -> StreamEnd | None:
    """Return the frame that ended an exchange's stream, None if none did."""
    body, reset = trace.about.response_body, trace.about.reset
    is_over = body is not None and (body.complete or body.ended_by == "end-stream")
    if reset is not None and not is_over:
        return StreamEnd(
            reset.type, reset.sender, reset.error_code or "", reset.last_packet,
            reset.last_time, "",
        )  # fmt: skip
    goaway = trace.http2.goaway if trace.http2 is not None else None
    if goaway is None or is_over or not (is_refused(trace) or _is_given_up(trace)):
        return None
    return StreamEnd(
        "GOAWAY", goaway.sender, goaway.error_code or "", goaway.last_packet, goaway.last_time,
        goaway.debug or "",
    )  # fmt: skip


def _is_given_up(trace: Trace) -> bool:
    body = trace.about.response_body
    has_fault = any(fault.code == "http2-goaway-error" for fault in trace.all_faults)
    return has_fault or (body is not None and body.ended_by == "goaway")


def cause_of(end: StreamEnd) -> Cause:
    """Return what the sender of a frame says of why it ended a stream."""
    meaning, remedy = CODES.get(SAME.get(end.error, end.error), ("a code of the peer's own", ""))
    said = f"{end.text}: {meaning}"
    if end.frame in OF_QUIC:
        return Cause("http3-reset", "certain", said, remedy)
    code = "http2-truncated" if end.error == "NO_ERROR" else "http2-reset"
    return Cause(
        code if end.frame == "RST_STREAM" else "http2-goaway-error", "certain", said, remedy
    )
