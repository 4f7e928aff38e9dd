"""How a call of gRPC ended: its status and message, wherever they stand.

Strategy: they are in the trailers; in the head, where an answer has nothing else (Trailers-Only);
or, in gRPC-Web, in a message of their own at the end of the content, which the trace has put among
the trailers. A status other than 0 is the failure, whatever HTTP's own says. The client's deadline
is in its request, so a client that leaves when it has passed is told from one that changed its mind
(gRPC over HTTP/2, "Requests" and "Responses").
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from parsers.records import Fields

from ..heads import field_value
from .trace import Trace

STATUSES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""By their numbers: grpc/grpc, doc/statuscodes.md."""
CANCELLED, DEADLINE_EXCEEDED = 1, 4
GRPC_TYPE = "application/grpc"
"""How the media types of gRPC and gRPC-Web begin."""
UNKNOWN = "<unknown>"
"""A name or a value in a field that refers to what was sent before the capture, or is missing."""
REFERENCE = "gRPC over HTTP/2, Responses"
UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
EARLY = 0.01
"""Seconds by which a deadline may pass at the client before it does in the capture: the request
takes that long from one to the other."""
REMEDIES = {
    "CANCELLED": "nothing, if the client meant to cancel; otherwise find out who did: a proxy may",
    "DEADLINE_EXCEEDED": "give the call more time, or find out what takes so long: the times of its"
    " messages show where it waits",
    "UNAVAILABLE": "retry with a growing delay: the service may be starting, or gone",
    "RESOURCE_EXHAUSTED": "send less, or later; if a message is too large, raise the limit",
    "UNIMPLEMENTED": "check the name of the method, and that this server has it",
    "UNAUTHENTICATED": "send valid credentials",
    "PERMISSION_DENIED": "these credentials do not permit it: use others",
}
IN_LOG = "look in the server's log for this call"


class GrpcStatus(NamedTuple):
    """What a call of gRPC ended with."""

    code: int
    message: str
    """Percent-decoded; empty if there is none."""

    @property
    def name(self) -> str:
        """``DEADLINE_EXCEEDED``; the number where it has none."""
        return STATUSES[self.code] if 0 <= self.code < len(STATUSES) else str(self.code)

    @property
    def cause(self) -> str:
        """``grpc-deadline-exceeded``: the word for it as a cause."""
        is_known = 0 <= self.code < len(STATUSES)
        return f"grpc-{self.name.lower().replace('_', '-')}" if is_known else "grpc-unknown"

    @property
    def remedy(self) -> str:
        return REMEDIES.get(self.name, IN_LOG)


def is_grpc(trace: Trace) -> bool:
    """Whether an exchange is of gRPC or gRPC-Web, by the content type of its answer, or request."""
    kind = trace.about.response_fields.get("content-type")
    request, response = trace.about.request, trace.about.response
    is_untold = response is None or (kind in (None, UNKNOWN) and _lacks_fields(response.headers))
    if is_untold and request is not None:
        kind = trace.about.request_fields.get("content-type")
    return (kind or "").lower().startswith(GRPC_TYPE)


def status_of(trace: Trace) -> GrpcStatus | None:
    """Return what a call ended with, None if it says nothing, or is none."""
    if not is_grpc(trace):
        return None
    response = trace.about.response
    for fields in (trace.trailers, response.headers if response is not None else None):
        if fields and (found := _read(fields)) is not None:
            return found
    return None


def may_have_status(trace: Trace) -> bool:
    """Whether a status may be among fields that refer to what the capture lacks.

    It is in the trailers, or in a head that is all of the answer (Trailers-Only).
    """
    response, fields = trace.about.response, trace.trailers
    if fields is None and response is not None and response.framing == "none":
        fields = response.headers
    return fields is not None and _lacks_fields(fields)


def _lacks_fields(fields: Fields) -> bool:
    return any(name == UNKNOWN or value == UNKNOWN for name, value in fields)


def _read(fields: Fields) -> GrpcStatus | None:
    value = (field_value(fields, "grpc-status") or "").strip()
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return None
    message = field_value(fields, "grpc-message") or ""
    return GrpcStatus(int(value), unquote_to_bytes(message).decode("utf-8", "replace"))


def deadline_of(trace: Trace) -> float | None:
    """Return how many seconds a client gives a call (grpc-timeout), None if it says nothing."""
    request = trace.about.request
    value = field_value(request.headers, "grpc-timeout") if request is not None else None
    found = re.fullmatch(r"(\d{1,8})([HMSmun])", value or "", re.ASCII)
    return int(found[1]) * UNITS[found[2]] if found else None


def passed_deadline(trace: Trace, time: float) -> float | None:
    """Return the deadline of a call in seconds if it had passed at ``time``, else None."""
    deadline, asked = deadline_of(trace), trace.about.request
    if deadline is None or asked is None:
        return None
    return deadline if time - asked.first_time >= deadline - EARLY else None
