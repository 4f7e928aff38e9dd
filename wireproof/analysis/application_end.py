"""What the application says of how a response ended: with an error, a refusal or no last word.

Strategy: its words are looked up by the dialect of its stream, gRPC's status in its trailers, and
the faults that say that a whole answer is none to what was asked for. Each answer is None where
that is not how it ended; :mod:`.ending` asks them in its order.
"""

from __future__ import annotations

from ..dialects.reader import LAST_WORD
from ..text.escape import preview
from ..text.wording import duration
from .ending_facts import TEXT_WIDTH, Ending, ending_verdict, last_word
from .ends import (
    missing_from_capture,
)
from .grpc_status import (
    CANCELLED,
    DEADLINE_EXCEEDED,
    GrpcStatus,
    deadline_of,
    is_grpc,
    may_have_status,
    passed_deadline,
    status_of,
)
from .premature import (
    UPSTREAM,
    why_no_answer,
)
from .trace import Trace
from .verdict import Cause, Severity, Verdict

UPGRADE_REFUSED = "http-upgrade-refused"
STATED: dict[str, tuple[str, Severity]] = {
    "protocol-mismatch": ("mismatch", "error"),
    UPGRADE_REFUSED: ("refused", "warning"),
    "http-tunnel-refused": ("refused", "warning"),
}
"""Faults by which a whole answer is none to what was asked: of upgrades, those to a WebSocket."""
FINISH_REASON = "finish_reason"
ERROR_TRAILERS = ("error", "exception")
"""What is in the name of a trailer that reports an error."""


def app_error(ending: Ending) -> Verdict | None:
    """An error that the stream, a status of gRPC, a trailer or the status of HTTP reports."""
    trace = ending.trace
    response = trace.about.response
    assert response is not None
    if (word := trace.words.get("error")) is not None:
        shown = preview(word.payload.text, "utf-8", TEXT_WIDTH)
        summary = f"the application reported an error (packet {word.packet}): {shown}"
        said = f"it came inside the stream, under status {response.status}"
        cause = Cause("error-event", "certain", said, UPSTREAM)
        last = last_word(trace)
        severity: Severity = "error" if last is None or last.time <= word.time else "warning"
        return ending_verdict(ending, "app-error", severity, summary.rstrip(": "), [cause])
    if (status := status_of(trace)) is not None and status.code:
        return _grpc_error(ending, status)
    if (told := _error_trailer(trace)) is not None:
        summary = f"a trailer reports an error: {told}"
        cause = Cause(
            "trailer-error",
            "certain",
            "clients that do not read trailers see a complete response",
        )
        return ending_verdict(ending, "app-error", "error", summary, [cause])
    if response.status < 500:
        return None
    causes, to_tell = why_no_answer(trace, response)
    ending.numbers |= {"status": response.status, "after": _after(ending)}
    summary = f"status {response.status} came {duration(_after(ending))} after the request"
    return ending_verdict(ending, "app-error", "error", summary, causes, to_tell)


def _grpc_error(ending: Ending, status: GrpcStatus) -> Verdict:
    """A call of gRPC that failed, whatever the status of HTTP says."""
    ending.numbers |= {"grpc_status": status.code, "grpc_message": status.message}
    said = f" '{preview(status.message, 'utf-8', TEXT_WIDTH)}'" if status.message else ""
    summary = f"the call failed with {status.name} ({status.code}){said}, {ending.progress}"
    response = ending.trace.about.response
    shown = response.status if response is not None else "unknown"
    seen = f"grpc-status is {status.code}, under HTTP's status {shown}"
    deadline = deadline_of(ending.trace)
    if status.code == CANCELLED:  # by the client, if that is when its time was up
        deadline = passed_deadline(ending.trace, ending.trace.about.last_time)
    if status.code in (DEADLINE_EXCEEDED, CANCELLED) and deadline is not None:
        seen += f"; the client had given it {duration(deadline)} (grpc-timeout)"
    cause = Cause(status.cause, "certain", seen, status.remedy)
    severity: Severity = "note" if status.code == CANCELLED else "error"
    return ending_verdict(ending, "app-error", severity, summary, [cause])


def _after(ending: Ending) -> float:
    request, response = ending.trace.about.request, ending.trace.about.response
    return response.first_time - request.last_time if request and response else 0.0


def _error_trailer(trace: Trace) -> str | None:
    for name, value in trace.trailers or ():
        lowered = name.lower()
        is_status = lowered == "grpc-status" and value.strip() not in ("", "0")
        if is_status or any(word in lowered for word in ERROR_TRAILERS):
            return preview(f"{name}: {value}", "utf-8", TEXT_WIDTH)
    return None


def stated(ending: Ending) -> Verdict | None:
    """Say that the answer is to say no: it is whole, and not what was asked for."""
    about = ending.trace.about
    for fault in ending.trace.all_faults:
        known = STATED.get(fault.code)
        if known is not None and (fault.code != UPGRADE_REFUSED or about.is_refused):
            answer, severity = known
            cause = Cause(fault.code, "certain", fault.summary)
            return ending_verdict(ending, answer, severity, fault.summary, [cause])
    return _refused_by_head(ending)


def _refused_by_head(ending: Ending) -> Verdict | None:
    """A stream of HTTP/2 that its answer's head ended: the exchange is over before its faults."""
    about = ending.trace.about
    request, response = about.request, about.response
    if response is None or response.stream_id is None or response.status < 300:
        return None
    is_tunnel = request is not None and request.method == "CONNECT"
    if not (about.is_refused or is_tunnel):
        return None
    code, what = UPGRADE_REFUSED, "an upgrade was not granted: websocket was asked for"
    if not about.is_refused:
        code, what = "http-tunnel-refused", "the tunnel was not granted"
    said = f"{what}, {response.status} came"
    return ending_verdict(ending, "refused", "warning", said, [Cause(code, "certain", said)])


def status_unknown(ending: Ending) -> Verdict | None:
    """A call of gRPC whose status may be in fields that cannot be read."""
    trace = ending.trace
    if not is_grpc(trace) or status_of(trace) is not None or not may_have_status(trace):
        return None
    ending.numbers["app_whole"] = "unknown"
    lacking = "what fields of the answer refer to, maybe grpc-status"
    cause = Cause("capture-incomplete", "certain", f"the capture lacks {lacking}")
    summary = f"the capture lacks {lacking}: how the call ended is unknown"
    return ending_verdict(ending, "unknowable", "note", summary, [cause])


def app_incomplete(ending: Ending) -> Verdict | None:
    """A whole body in which the last word of its dialect, or gRPC's status, never came."""
    trace = ending.trace
    if is_grpc(trace) and status_of(trace) is None and not missing_from_capture(trace):
        return _without_status(ending)
    wanted = missing_words(trace)
    if not wanted or missing_from_capture(trace):
        return None
    missing = " and ".join(wanted)
    ending.numbers |= {"app_whole": False, "missing": missing}
    has_reason = "finish" in trace.words
    ended = "the framing is complete, but"
    if "close-delimited" in ending.codes:  # a cut would look the same
        ended = "only the end of the connection ended the body, and"
    summary = f"{ended} {missing} never came, {ending.progress}"
    cause = Cause(
        "terminator-missing",
        "certain",
        f"complete {trace.reader.name} streams end with it: clients that do not check take this"
        " for a finished answer",
        "look in the server's log for why generation stopped; treat it as failed in the client",
    )
    severity: Severity = "warning" if has_reason else "error"
    return ending_verdict(ending, "app-incomplete", severity, summary, [cause])


def _without_status(ending: Ending) -> Verdict:
    """A call of gRPC whose answer ends without saying how it went."""
    ending.numbers |= {"app_whole": False, "missing": "grpc-status"}
    cause = Cause(
        "terminator-missing",
        "certain",
        "every gRPC response ends with it: clients take its absence for a failure, UNKNOWN or"
        " INTERNAL",
        "check whether a proxy drops trailers: it must pass HTTP/2 on from end to end",
    )
    summary = f"the framing is complete, but grpc-status never came, {ending.progress}"
    return ending_verdict(ending, "app-incomplete", "error", summary, [cause])


def missing_words(trace: Trace) -> list[str]:
    """Return the last words that a stream of its dialect has and this one has not.

    Where ``[DONE]`` is the last word, a reason comes before it: the stream may be cut between them.
    """
    reader = trace.reader
    if not reader.last_word or not trace.contents or reader.has_ended:
        return []
    has_reason = "finish" in trace.words or reader.last_word != LAST_WORD
    return [reader.last_word] if has_reason else [reader.last_word, FINISH_REASON]
