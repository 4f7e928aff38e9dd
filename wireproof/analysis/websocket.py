"""How a WebSocket fared: its closing handshake, who began it, and why it was closed.

Strategy: the first Close frame says who closed and why, the second one answers it (RFC 6455 section
5.5.1). What ends without any is 1006 to both applications (section 7.1.5), and what is known of it
are the FIN or RST and the silence before. 1011 is what libraries close with when a ping was not
answered in time: then its pong is looked for, after the Close, behind a large frame, or nowhere
though the other side's TCP took the ping.
"""

from __future__ import annotations

from statistics import median

from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    End,
    Http2DataRecord,
    WebSocketFrameRecord,
)

from ..heads import is_final
from ..text.escape import preview
from ..text.wording import close_code, count, duration, span
from .conversation import OTHER
from .ends import end_stream_of, first_end, lacks_bytes_of, missing_from_capture, name_end
from .flaws import announced_bytes, missing_bytes
from .premature import LEAST_IDLE, by_upstream, idle_causes, is_idle
from .silence import silence_since
from .stream_ends import StreamEnd, cause_of, stream_end
from .trace import Trace
from .verdict import Cause, Number, Severity, Verdict

CLEAN_CLOSES = (1000, 1001)
"""RFC 6455 section 7.4.1: normal closure, and going away."""
ABNORMAL = 1006
NO_STATUS = 1005
INTERNAL_ERROR = 1011
TOO_BIG = 1009
PRIVATE = range(3000, 5000)
"""Codes of libraries and applications, whatever they mean by them (section 7.4.2)."""
FLEETING = (1003, 1008, 1010, 1012, 1013)
"""Codes by which a side refuses, or asks to come again."""
RETRANSMITTED_BY = 1.0
"""Seconds by which an unanswered segment is sent again at the latest (RFC 6298 section 2)."""
LARGE = 64 * 1024
"""Bytes of a frame that a pong can stand behind for long: more than a socket takes at once."""
LEAST_LATE = 0.2
"""Seconds that a pong takes at least to be late: longer than a lost segment that is sent again."""
IN_FRAGMENTS = "send large messages in fragments, or allow more time for a pong"
REASON_WIDTH = 60
REFERENCE = "RFC 6455 section 7"


def judge_websocket(trace: Trace) -> Verdict | None:
    """Say how a WebSocket was closed and why; None for what is none."""
    about = trace.about
    is_open = about.counts.frames if about.response is None else is_final(about.response)
    if not about.is_websocket or not is_open:
        return None
    if about.closing:
        return _closed(trace)
    if lacking := missing_from_capture(trace):
        return _not_captured(trace, lacking)
    if (stream := stream_end(trace)) is not None:
        return _broken_stream(trace, stream)
    if (last := end_stream_of(trace)) is not None:
        return _ended_stream(trace, last)
    end = first_end(trace)
    return _still_open(trace) if end is None else _abnormal(trace, end)


def _numbers(trace: Trace, **more: Number) -> dict[str, Number]:
    about, talk = trace.about, trace.conversation
    connection = about.connection
    found: dict[str, Number] = {
        "pings": about.counts.pings,
        "pongs": about.counts.pongs,
        "unanswered": len(talk.unanswered),
        "rtt_p50": median(talk.rounds) if talk.rounds else None,
        "rtt_max": talk.slowest.seconds if talk.slowest else None,
        "messages": about.counts.messages,
        "tcp_first_closer": connection.closed_by if connection else None,
        "tcp": connection.close if connection else None,
    }
    return found | more


def _rounds(trace: Trace) -> tuple[str, ...]:
    """Say how pings were answered, a line for the evidence."""
    talk = trace.conversation
    slowest = talk.slowest
    if slowest is None:
        return ()
    most = "after " if talk.round_count == 1 else "after at most "
    line = (
        f"{count(talk.round_count, 'ping')} answered, {most}{duration(slowest.seconds)}"
        f" (packets {slowest.ping.last_packet} and {slowest.pong.last_packet})"
    )
    if slowest.between >= LARGE and slowest.largest is not None:
        line += f", behind {count(slowest.between, 'byte')} of other frames"
    return (line,)


def _still_open(trace: Trace) -> Verdict:
    summary = f"still open, after {count(trace.about.counts.messages, 'message')}"
    numbers = _numbers(trace, code=None, by=None, handshake=False)
    packets = (trace.about.last_packet,)
    return Verdict(
        "websocket", "open", "note", summary, packets, evidence=_rounds(trace), numbers=numbers
    )


def _not_captured(trace: Trace, lacking: str) -> Verdict:
    cause = Cause("capture-incomplete", "certain", f"the capture lacks {lacking}")
    summary = f"the capture lacks {lacking}, and no Close frame is in it"
    numbers = _numbers(trace, code=None, by=None, handshake=False)
    return Verdict(
        *("websocket", "unknowable", "note", summary),
        packets=(trace.about.last_packet,),
        causes=(cause,),
        evidence=_rounds(trace),
        numbers=numbers,
    )


# --- without any Close frame ---


def _abnormal(trace: Trace, end: End) -> Verdict:
    about = trace.about
    silence = silence_since(about, about.last_packet, about.last_time)
    idle = silence.seconds if silence else 0.0
    has_given_up = end["sender"] == "server" and is_idle(trace, idle)
    inside = _inside(trace)
    causes = tuple(_abnormal_causes(trace, end, idle, has_given_up))
    is_proxy = causes[0].sure != "possible" and causes[0].code.startswith("proxy-")
    numbers = _numbers(
        trace,
        code=ABNORMAL,
        by="proxy" if is_proxy else end["sender"],
        handshake=False,
        idle_before_close=idle,
        missing_bytes=missing_bytes(trace.all_faults),
    )
    waited = f" after {duration(idle)} of silence" if idle >= LEAST_IDLE else ""
    summary = f"no Close frame: {name_end(end)}{waited}{inside}; applications see {ABNORMAL}"
    severity: Severity = "note" if end["sender"] == "client" and not inside else "error"
    return Verdict(
        "websocket",
        f"ws-{ABNORMAL}",
        severity,
        summary,
        tuple(sorted({about.last_packet, end["packet"]})),
        causes=causes,
        to_tell="a capture between the proxy and the server; their logs" if len(causes) > 1 else "",
        evidence=_rounds(trace),
        numbers=numbers,
        reference="RFC 6455 section 7.1.5",
    )


def _broken_stream(trace: Trace, end: StreamEnd) -> Verdict:
    """A WebSocket in a stream of HTTP/2 that a frame ended (RFC 8441 section 5)."""
    inside = _inside(trace)
    cause = cause_of(end)
    is_client = end.sender == "client" and end.error in ("CANCEL", "NO_ERROR")
    if is_client:
        said = f"{end.text}: the page or client went away without a closing handshake"
        cause = Cause("no-close-frame", "certain", said, "close the WebSocket before leaving")
    return Verdict(
        "websocket",
        f"ws-{ABNORMAL}",
        "note" if is_client and not inside else "error",
        f"no Close frame: {end.text}{inside}; applications see {ABNORMAL}",
        tuple(sorted({trace.about.last_packet, end.packet})),
        causes=(cause,),
        evidence=_rounds(trace),
        numbers=_numbers(trace, code=ABNORMAL, by=end.sender, handshake=False),
        reference="RFC 8441 section 5",
    )


def _ended_stream(trace: Trace, last: Http2DataRecord) -> Verdict:
    """A WebSocket in a stream of HTTP/2 that one side ended by END_STREAM, which is as a FIN."""
    sender, inside = last.sender or "server", _inside(trace)
    said = f"END_STREAM by the {sender} (packet {last.last_packet})"
    return Verdict(
        "websocket",
        f"ws-{ABNORMAL}",
        "note" if sender == "client" and not inside else "error",
        f"no Close frame: {said}{inside}; applications see {ABNORMAL}",
        tuple(sorted({trace.about.last_packet, last.last_packet})),
        causes=tuple(_without_close(sender)),
        evidence=_rounds(trace),
        numbers=_numbers(trace, code=ABNORMAL, by=sender, handshake=False),
        reference="RFC 8441 section 5",
    )


def _without_close(sender: str) -> list[Cause]:
    no_close = Cause(
        "no-close-frame",
        "likely",
        f"the {sender} ended without a closing handshake: it crashed, was killed, or its"
        " library does not close",
        "close the WebSocket before the process ends",
    )
    proxy = Cause(
        "proxy-closed", "possible", "a proxy ended it: a time limit, a reload, a lost peer"
    )
    return [no_close, proxy] if sender == "server" else [no_close]


def _abnormal_causes(trace: Trace, end: End, idle: float, has_given_up: bool) -> list[Cause]:
    if end["sender"] == "server" and (told := by_upstream(trace)):
        return told
    if has_given_up:
        return idle_causes(trace, idle)
    return _without_close(end["sender"])


def _inside(trace: Trace) -> str:
    codes = {fault.code for fault in trace.all_faults}
    if "websocket-frame-cut" in codes:
        return ", inside a frame"
    return ", inside a fragmented message" if "websocket-message-cut" in codes else ""


# --- with Close frames ---


def _closed(trace: Trace) -> Verdict:
    first = trace.about.closing[0]
    code = NO_STATUS if first.close_code is None else first.close_code
    answered = len(trace.about.closing) == 2
    is_over = first_end(trace) is not None
    if code == INTERNAL_ERROR:
        answer, severity, causes = f"ws-{code}", _severity(code), _why_internal(trace, first)
    elif code in CLEAN_CLOSES or code == NO_STATUS or code in PRIVATE:
        if not answered and lacks_bytes_of(trace, OTHER[first.sender]):
            return _answer_missing(trace, first, code)
        answer, severity, causes = _clean(trace, first, code, answered or not is_over)
    else:
        answer, severity, causes = "ws-error", _severity(code), _why_refused(trace, first, code)
    if code != INTERNAL_ERROR and (late := _late_pong(trace)) is not None:
        causes = [*causes, late]
        severity = "note" if severity == "ok" else severity
    return Verdict(
        "websocket",
        answer,
        severity,
        _closing_summary(trace, first, answered),
        tuple(sorted({frame.last_packet for frame in trace.about.closing})),
        causes=tuple(causes),
        evidence=_rounds(trace),
        numbers=_numbers(
            trace,
            code=code,
            by=first.sender,
            handshake=answered,
            reason=_reason(first),
            **_ping_numbers(trace, first),
        ),
        reference=REFERENCE,
    )


def _answer_missing(trace: Trace, first: WebSocketFrameRecord, code: int) -> Verdict:
    """One Close frame, where the other one may be among missing bytes: it may even be the first."""
    other = OTHER[first.sender]
    lacking = f"the capture lacks bytes of the {other}'s, maybe its Close frame"
    summary = (
        f"the {first.sender} sent Close {close_code(first.close_code)} (packet"
        f" {first.last_packet}); {lacking}: who closed first is unknown"
    )
    return Verdict(
        *("websocket", "unknowable", "note", summary),
        packets=(first.last_packet,),
        causes=(Cause("capture-incomplete", "certain", lacking),),
        evidence=_rounds(trace),
        numbers=_numbers(
            trace, code=code, by=None, handshake="unknown", reason=_reason(first),
            **_ping_numbers(trace, first),
        ),
        reference=REFERENCE,
    )  # fmt: skip


def _late_pong(trace: Trace) -> Cause | None:
    """Return that a pong stood behind large frames for longer than a lost segment takes."""
    slowest = trace.conversation.slowest
    if slowest is None or slowest.between < LARGE or slowest.seconds < LEAST_LATE:
        return None
    return Cause(
        "pong-behind-large-frame",
        "certain",
        f"the {slowest.pong.sender}'s pong came {duration(slowest.seconds)} after its ping"
        f" (packets {slowest.ping.last_packet} and {slowest.pong.last_packet}), behind"
        f" {count(slowest.between, 'byte')} of other frames",
        IN_FRAGMENTS,
    )


def _severity(code: int) -> Severity:
    return "warning" if code in FLEETING else "error"


def _closing_summary(trace: Trace, first: WebSocketFrameRecord, answered: bool) -> str:
    reason = _reason(first)
    summary = f"the {first.sender} closed with {close_code(first.close_code)}"
    summary += f" '{reason}'" if reason else ""
    summary += f" (packet {first.last_packet})"
    if answered:
        return f"{summary}, and the {OTHER[first.sender]} answered"
    end = first_end(trace)
    if end is None:
        return f"{summary}, not answered yet"
    waited = duration(end["time"] - first.last_time)
    return f"{summary}, and got no answer: {name_end(end)} {waited} later"


def _reason(frame: WebSocketFrameRecord) -> str:
    return preview((frame.close_reason or "")[:REASON_WIDTH], "utf-8", REASON_WIDTH)


def _clean(
    trace: Trace, first: WebSocketFrameRecord, code: int, answered: bool
) -> tuple[str, Severity, list[Cause]]:
    if not answered:
        cause = Cause(
            "peer-does-not-answer-close",
            "certain",
            f"the {OTHER[first.sender]} owed a Close frame (RFC 6455 section 5.5.1): a library"
            " that does not answer, or a peer that was busy or gone",
            "read up to the Close frame: libraries answer it automatically",
        )
        return "ws-half-close", "warning", [cause]
    if code == 1001:
        return "ws-clean", "ok", [Cause("going-away", "certain", "the page or server goes away")]
    if code in PRIVATE:
        return "ws-clean", "note", [Cause("private-code", "certain", "the application's own code")]
    return "ws-clean", "ok", []


def _why_refused(trace: Trace, first: WebSocketFrameRecord, code: int) -> list[Cause]:
    other = OTHER[first.sender]
    if code == TOO_BIG:
        largest = trace.conversation.longest_frame.get(other)
        seen = "the message itself is not in the capture"
        if largest is not None:
            seen = f"its largest frame has {count(largest.payload_length, 'byte')}"
        return [
            Cause(
                "too-big",
                "certain" if largest is not None else "likely",
                f"the {other} sent more than the {first.sender} takes at once: {seen}",
                f"raise the limit of the {first.sender} (max_size), or send smaller messages",
            )
        ]
    said = close_code(code)
    return [Cause(f"close-{code}", "certain", f"the {first.sender} says: {said}")]


# --- 1011 ---


def _pending(trace: Trace, first: WebSocketFrameRecord) -> WebSocketFrameRecord | None:
    """Return the ping that had waited longest for its pong when its sender closed."""
    pings = [ping for ping in trace.conversation.unanswered if ping.sender == first.sender]
    late = trace.conversation.answered_after(first)
    pings += [late] if late is not None else []
    before = [ping for ping in pings if ping.last_time <= first.last_time]
    return min(before, key=lambda ping: ping.last_time, default=None)


def _ping_numbers(trace: Trace, first: WebSocketFrameRecord) -> dict[str, Number]:
    ping = _pending(trace, first) if first.close_code == INTERNAL_ERROR else None
    if ping is None:
        return {}
    found: dict[str, Number] = {"ping_packet": ping.last_packet}
    found["waited"] = first.last_time - ping.last_time
    if trace.about.connection is not None:
        found["tcp_acked"] = _is_acknowledged(trace.about.connection, ping, first)
    return found


def _is_acknowledged(
    connection: ConnectionRecord, ping: WebSocketFrameRecord, first: WebSocketFrameRecord
) -> bool | None:
    """Whether the other side's TCP took a ping: else it would have been sent again.

    None if that is unknown: something was sent again, or there was no time for it.
    """
    waited = first.last_time - ping.last_time
    slow = RETRANSMITTED_BY if connection.rtt is None else 0.2 + 3 * connection.rtt
    return True if not connection.retransmissions and waited > slow else None


def _why_internal(trace: Trace, first: WebSocketFrameRecord) -> list[Cause]:
    ping = _pending(trace, first)
    if ping is None:
        return [
            Cause(
                "server-error" if first.sender == "server" else "client-error",
                "likely",
                "no ping was waiting for a pong: an exception ended the handler",
                f"look in the log of the {first.sender}",
            )
        ]
    other = OTHER[first.sender]
    waited = f"{duration(first.last_time - ping.last_time)} after its ping (packet"
    waited += f" {ping.last_packet})"
    if in_the_way := _in_the_way(trace, ping, first):
        return [
            Cause(
                "pong-behind-large-frame",
                "likely",
                f"it closed {waited}, while the {other} sent {in_the_way}: its pong was stuck",
                IN_FRAGMENTS,
            )
        ]
    connection = trace.about.connection
    acked = connection is not None and _is_acknowledged(connection, ping, first)
    took = f"though the {other}'s TCP acknowledged it" if acked else "(its TCP may not have got it)"
    return [
        Cause(
            "pong-never-came",
            "likely" if acked else "possible",
            f"it closed {waited}, which got no pong in time {took}: the {other} was there but did"
            " not read (a blocked event loop, a full queue)",
            f"keep the event loop of the {other} free, or read in its own task",
        )
    ]


def _in_the_way(trace: Trace, ping: WebSocketFrameRecord, first: WebSocketFrameRecord) -> str:
    """Return the large frame that the other side was sending while a pong was due, in words."""
    other = OTHER[ping.sender]
    frame = trace.conversation.longest_frame.get(other)
    found: list[tuple[WebSocketFrameRecord | DiagnosticRecord, int]] = []
    if frame is not None:
        found.append((frame, frame.payload_length))
    cuts = (fault for fault in trace.all_faults if fault.code == "websocket-frame-cut")
    found += [(fault, announced_bytes(fault)) for fault in cuts if fault.sender == other]
    for one, size in found:
        overlaps = one.first_time <= first.last_time and one.last_time >= ping.last_time
        if overlaps and size >= LARGE:
            packets = f"packets {span(one.first_packet, one.last_packet)}"
            return f"a frame of {count(size, 'byte')} ({packets})"
    return ""
