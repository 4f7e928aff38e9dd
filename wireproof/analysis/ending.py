"""Who ended a response, and was it whole: the judge of its question.

Strategy: what is not whole is found layer by layer (:mod:`.flaws`), who closed and who left by the
FINs and RSTs (:mod:`.ends`); the first of these answers holds, from outside in: open, left by its
client, cut, cut inside its content, ended by the application with an error, or without its last
word, unknowable, whole. Why a server's side ended a response early its packets do not say: an
ordinary FIN is what a crash, a kill, a deploy, and a proxy's limit all look like, so they are
given as either-or, the likeliest first by what was measurable: how long nothing had come before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..heads import is_final
from ..text.escape import preview
from ..text.wording import FLAGS, NO_BODY, body_end, count, duration
from .application_end import app_error, app_incomplete, missing_words, stated, status_unknown
from .ending_facts import CONTENT_CUTS, TEXT_WIDTH, Ending, collect, ending_verdict, last_word
from .ends import (
    KINDS,
    is_cut_by_server,
    may_be_reset,
    missing_from_capture,
    name_end,
    refusal_of,
)
from .flaws import CUTS, NOT_CAPTURED, find_malformed
from .grpc_status import (
    DEADLINE_EXCEEDED,
    GrpcStatus,
    is_grpc,
    passed_deadline,
)
from .premature import (
    LEAST_IDLE,
    by_upstream,
    total_time,
    why_cut,
    why_left,
)
from .relayed import hidden_cut, left_before_end, why_proxy_left
from .stream_ends import RETRY, StreamEnd, cause_of, stream_end
from .trace import Trace
from .undelivered import UNANSWERED, VANISHED, unacknowledged, undelivered
from .verdict import Cause, Severity, Verdict
from .whole import judge_whole

LEAST_RTO = 0.2
"""Seconds after which an unanswered segment is sent again at the earliest, as Linux does it."""
LATE = 0.5
"""Seconds from the last word to the end of the body: more than any delay of the path, for the
framework writes the last chunk when the handler returns. Nagle's rule holds it for 200 ms at most,
and a loss is repaired as soon."""
MALFORMED_BY = {
    "http2-content-length-wrong": (
        "look at what sets Content-Length, and whether all of the content was written"
    ),
    "http2-content-unexpected": "send no content in answer to HEAD, nor with 204 or 304",
}
"""What to do about a malformed message whose fields are in order, by its fault."""
SAID = {"last-chunk": "the last chunk", "end-stream": "END_STREAM"}
"""What says in the framing of a body that it has ended, by its ``ended_by``."""
LEFT_BY = FLAGS | {kind: frame for frame, kind in KINDS.items()}
"""What a client left with."""


def judge_ending(trace: Trace) -> Verdict | None:
    """Say who ended a response and whether it was whole; None for what is no such exchange."""
    about = trace.about
    response = about.response
    if about.is_websocket or (about.request is None and response is None):
        return None
    if response is not None and response.framing == "upgrade":
        return None
    if (whole := judge_whole(trace)) is not None:
        return whole
    ending = collect(trace)
    return next(found for one in ANSWERS if (found := one(ending)) is not None)


# --- the answers, from outside in ---


def _refused_stream(ending: Ending) -> Verdict | None:
    """A stream of HTTP/2 or HTTP/3 that its server did not process."""
    refusal = refusal_of(ending.trace)
    if refusal is None:
        return None
    end = stream_end(ending.trace)
    by = f": {end.text}" if end is not None else ""
    summary = f"the server did not process the request{by}: it is safe to send it again"
    said = "its stream is above the last one that the server took, or was refused by name"
    cause = Cause(refusal, "certain", said, RETRY)
    return ending_verdict(ending, "refused", "warning", summary, [cause])


def _malformed(ending: Ending) -> Verdict | None:
    """A response that its client has to take for an error, though its end came."""
    found = next((flaw for flaw in ending.flaws if flaw.code == "malformed"), None)
    if found is None or missing_from_capture(ending.trace):
        return None
    ending.numbers["whole"] = False
    said = "a client has to take it for an error, whatever came before"
    cause = Cause("response-malformed", "certain", said, _mend(ending.trace))
    return ending_verdict(ending, "cut", "error", found.summary, [cause])


def _mend(trace: Trace) -> str:
    """Return what to do about a malformed response."""
    faults = [one.code for one in trace.all_faults if one.sender == "server"]
    found = (MALFORMED_BY[code] for code in faults if code in MALFORMED_BY)
    return next(found, "look at what writes the trailers")


def _refused_as_malformed(trace: Trace, end: StreamEnd) -> list[Cause]:
    """Return what its client gave a response up for, if that is known: its server's fault."""
    fault = find_malformed(trace.all_faults)
    if fault is None or end.sender != "client" or fault.last_packet > end.packet:
        return []
    said = f"{preview(fault.summary, 'utf-8', TEXT_WIDTH)} (packet {fault.last_packet})"
    return [Cause("response-malformed", "likely", said, _mend(trace))]


def _not_captured(ending: Ending) -> Verdict | None:
    lacking = missing_from_capture(ending.trace)
    if NOT_CAPTURED in ending.codes:
        lacking = lacking or "some of it"
    if not lacking or not ending.codes - {"connection-reset"}:
        return None
    ending.numbers["whole"] = "unknown"
    cause = Cause("capture-incomplete", "certain", f"the capture lacks {lacking}")
    summary = f"the capture lacks {lacking}: {_unknown(ending)}"
    return ending_verdict(ending, "unknowable", "note", summary, [cause])


def _unknown(ending: Ending) -> str:
    """Return what cannot be told: where the end itself was captured, only what came before it."""
    body = ending.trace.about.response_body
    if body is None or body.ended_by not in SAID:
        return "how it ended is unknown"
    return f"it ended as it should ({SAID[body.ended_by]}), but whether it was whole is unknown"


def _open(ending: Ending) -> Verdict | None:
    about = ending.trace.about
    connection, body = about.connection, about.response_body
    has_message = body is not None and (body.complete or body.ended_by != "capture-end")
    is_over = has_message or (connection is not None and connection.close != "open")
    if is_over or not ending.codes & (CUTS | {"still-open"}):
        return None
    if connection is None:
        return ending_verdict(ending, "open", "note", f"still running, {ending.progress}")
    unanswered = connection.last_time - about.last_time
    if connection.retransmissions and unanswered >= LEAST_RTO:
        said = (
            f"no FIN or RST came, and what the server retransmitted for {duration(unanswered)}"
            f" after packet {about.last_packet} was not acknowledged"
        )
        return ending_verdict(ending, "open", "warning", said, [_why_vanished(ending.trace)])
    said = f"still open when the capture ended, {ending.progress}: no FIN or RST came"
    return ending_verdict(
        ending, "open", "note", said, [*_OPEN], to_tell="a longer capture, or one at the server"
    )


def _why_vanished(trace: Trace) -> Cause:
    for fault in trace.all_faults:
        if fault.code.startswith("icmp-"):
            return Cause(fault.code, "certain", fault.summary)
    return Cause(
        "path-vanished",
        "likely",
        UNANSWERED,
        VANISHED,
    )


_OPEN = (
    Cause("capture-ended", "possible", "the stream goes on, and the capture does not"),
    Cause(
        "path-vanished",
        "possible",
        "the path is gone, and neither side can tell the other",
        VANISHED,
    ),
)


def _aborted(ending: Ending) -> Verdict | None:
    left = ending.left
    if left is None or not (ending.codes & CUTS or _left_unfinished(ending)):
        return None
    flag = LEFT_BY[left.kind]
    what = f"the client left ({flag}, packet {left.packet})"
    if ending.numbers.get("half_close"):
        assert ending.end is not None
        first = f"the client sent FIN (packet {ending.end['packet']}) and read on"
        what = f"{first}, then it left ({flag}, packet {left.packet})"
    causes = why_proxy_left(ending.trace, ending.silence)
    causes = causes or why_left(ending.trace, ending.silence)
    if is_grpc(ending.trace) and (deadline := passed_deadline(ending.trace, left.time)) is not None:
        causes = [_passed(deadline)]
    ending.numbers["client_abort"] = True
    summary = f"{what} {ending.progress}"
    has_response = ending.trace.about.response is not None
    if silent := _silent(ending):
        summary += f" and {silent}" if has_response else f", after {silent}"
    summary += f", still owed {_owed(ending)}" if has_response else ""
    to_tell = "the client's log" if len(causes) > 1 else ""
    if frame := may_be_reset(ending.trace):
        summary += f"; it may have left before, for {_CLIENT_LOST} {frame}"
    return ending_verdict(ending, "aborted", "note", summary, causes, to_tell)


_CLIENT_LOST = "the capture lacks bytes of the client's, maybe a"


def _maybe_left(ending: Ending) -> Verdict | None:
    """A stream that its client may have left, or its server or the end of the connection cut."""
    if not ending.codes & CUTS or not (frame := may_be_reset(ending.trace)):
        return None
    ending.numbers["whole"] = "unknown"
    lost = f"{_CLIENT_LOST} {frame}"
    summary = f"{lost}: whether the client left or the server cut it is unknown"
    cause = Cause("capture-incomplete", "certain", lost)
    return ending_verdict(ending, "unknowable", "note", summary, [cause])


def _passed(deadline: float) -> Cause:
    seen = f"the client's deadline of {duration(deadline)} (grpc-timeout) had passed"
    return Cause(
        "grpc-deadline-exceeded", "certain", seen, GrpcStatus(DEADLINE_EXCEEDED, "").remedy
    )


def _left_unfinished(ending: Ending) -> bool:
    """Whether a client left a stream before its last word, and its framing was ended for nobody."""
    return left_before_end(ending.trace.about) and bool(missing_words(ending.trace))


def _owed(ending: Ending) -> str:
    if not ending.codes & CUTS:
        return " and ".join(missing_words(ending.trace))
    if (missing := ending.numbers["missing_bytes"]) is not None:
        return count(int(str(missing)), "byte")
    response = ending.trace.about.response
    if response is None or not is_final(response):
        return "the response"
    return "the last chunk" if response.framing == "chunked" else "the rest of the body"


def _silent(ending: Ending) -> str:
    silence = ending.silence
    if silence is None or silence.sender is None or silence.seconds < LEAST_IDLE:
        return ""
    return f"{duration(silence.seconds)} of silence"


def _cut(ending: Ending) -> Verdict | None:
    if not ending.codes & CUTS:
        return None
    stream = stream_end(ending.trace)
    causes, to_tell = why_cut(ending.trace, ending.codes, ending.end, ending.silence)
    if stream is not None:
        by = [*by_upstream(ending.trace), *_refused_as_malformed(ending.trace, stream)]
        causes, to_tell = [*by, cause_of(stream)], ""
        deadline = passed_deadline(ending.trace, stream.time)
        if stream.error == "CANCEL" and is_grpc(ending.trace) and deadline is not None:
            causes.insert(0, _passed(deadline))
    inside = ending.numbers["inside"]
    where = f" inside {_article(str(inside))}" if inside in ("chunk", "event", "message") else ""
    summary = f"cut{where} {ending.progress}"
    if stream is not None:
        summary += f": {stream.text}"
        summary += f", {preview(stream.debug, 'utf-8', TEXT_WIDTH)}" if stream.debug else ""
        ending.numbers["error_code"] = stream.error
    elif ending.end is not None:
        is_tls_end = ending.end["sender"] == "client" and is_cut_by_server(ending.trace)
        first = "close_notify by the server, then " if is_tls_end else ""
        summary += f": {first}{name_end(ending.end)}"
        summary += f" after {silent}" if (silent := _silent(ending)) else ""
        ending.numbers["total"] = total_time(ending.trace, ending.end)
    if ending.trace.about.response is not None:
        summary += f", {_owed(ending)} missing"
    has_last_word = last_word(ending.trace) is not None
    if has_last_word:
        summary += f"; the terminator had come ({_terminator(ending)})"
    severity: Severity = "warning" if has_last_word else "error"
    return ending_verdict(ending, "cut", severity, summary, causes, to_tell)


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _terminator(ending: Ending) -> str:
    shown = preview(str(ending.numbers["app_terminator"]), "utf-8", TEXT_WIDTH)
    word = last_word(ending.trace)
    return f"{shown}, packet {word.packet}" if word is not None else shown


def _hidden_cut(ending: Ending) -> Verdict | None:
    """A whole answer of a proxy whose server's own was cut."""
    cause = hidden_cut(ending.trace)
    if cause is None:
        return None
    ending.numbers["whole"] = False
    summary = f"the framing is complete, but the answer was cut behind the proxy, {ending.progress}"
    return ending_verdict(ending, "cut", "error", summary, [cause])


def _content_cut(ending: Ending) -> Verdict | None:
    found = [flaw for flaw in ending.flaws if flaw.code in CONTENT_CUTS]
    if not found or _is_undeclared(ending.trace):
        return None
    flaw = found[0]
    summary = f"the framing is complete, but {flaw.summary}"
    return ending_verdict(ending, "cut", "warning", summary, [_CONTENT_CAUSES[flaw.code]])


def _is_undeclared(trace: Trace) -> bool:
    """Whether the content is of a coding that no field declares: then no event can be read."""
    return any(fault.code == "content-coding-undeclared" for fault in trace.all_faults)


_CONTENT_CAUSES = {
    "coding-cut": Cause(
        "gzip-trailer-missing",
        "certain",
        "the compressor was flushed but never finished: strict decoders raise at the end",
        "finish the compressor (its trailer holds length and checksum) before the last chunk",
    ),
    "event-cut": Cause(
        "event-cut",
        "certain",
        "no blank line follows the last event: clients that keep to the standard discard it",
        "end each event, the last one too, with a blank line",
    ),
    "element-cut": Cause(
        "element-cut",
        "certain",
        "the last element is not whole",
        "look in the server's log for why it stopped in the middle",
    ),
}


def _unknowable(ending: Ending) -> Verdict | None:
    if not ending.codes & {"close-delimited", "end-unknown"} or last_word(ending.trace):
        return None
    closed = f"the {name_end(ending.end)}" if ending.end else "the end of the connection"
    summary = (
        f"nothing but {closed} ended the body, {ending.progress}: complete and cut look the same"
    )
    cause = Cause(
        "close-delimited",
        "certain",
        "the response has neither chunks nor a length (RFC 9112 section 6.3, rule 8)",
        "answer in chunks (HTTP/1.1), or send a terminator that the client waits for",
    )
    return ending_verdict(ending, "unknowable", "note", summary, [cause])


def _whole(ending: Ending) -> Verdict:
    about, body, done = (
        ending.trace.about,
        ending.trace.about.response_body,
        last_word(ending.trace),
    )
    late = body.last_time - done.time if body is not None and done is not None else 0.0
    if "close-delimited" in ending.codes:
        ending.numbers["whole"] = True
        return ending_verdict(ending, "whole", "ok", f"complete ({_terminator(ending)})")
    shown = NO_BODY if body is None or about.is_bodiless else body_end(body)
    after = f", {ending.progress}" if about.counts.events else ""
    if late < LATE:
        return ending_verdict(ending, "whole", "ok", f"{shown}{after}")
    ending.numbers["app_done_before_end"] = late
    summary = f"{shown}{after}, but {duration(late)} after the terminator ({_terminator(ending)})"
    cause = Cause(
        "terminator-early",
        "likely",
        "the handler went on working after the terminator, and held the response open",
        "return right after the terminator, and do background work elsewhere",
    )
    return ending_verdict(ending, "whole", "warning", summary, [cause])


ANSWERS: Sequence[Callable[[Ending], Verdict | None]] = (
    *(
        _refused_stream,
        _malformed,
        undelivered,
        unacknowledged,
        _not_captured,
        _open,
        _aborted,
        _maybe_left,
        _cut,
        _hidden_cut,
        _content_cut,
        app_error,
        stated,
        status_unknown,
        app_incomplete,
        _unknowable,
        _whole,
    ),
)
