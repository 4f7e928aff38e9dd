"""Why a server's side may have ended a response early: what packets allow, the likeliest first.

Strategy: two times are looked at. How long nothing had come before the FIN: if longer than any wait
before it, somebody's patience ended, and a limit is looked for; if not, it fell between two events,
and whoever ended it did so for a reason of its own. And how long the response had run: totals cut
while events flow. Software is named where a field of the head has its name, else as an example.
"""

from __future__ import annotations

from parsers.records import BodyRecord, DiagnosticRecord, End, ResponseRecord

from ..heads import field_value
from ..text.escape import preview
from ..text.wording import duration
from .flaws import CUTS, find_flaws
from .legs import leg_behind
from .recorded import recorded_waits
from .silence import Silence
from .time_limits import EARLY, ENVOY_DELAY, LATE, LEAST_LIMIT, find_limits, such_as
from .trace import Trace
from .verdict import Cause

Causes = tuple[list[Cause], str]
"""The likeliest first, and what would tell them apart."""
LEAST_IDLE = 0.5
"""Seconds of silence below which nobody's patience ends."""
MANY_FINS = 3
"""A FIN that was sent so often, with nothing after it, was not acknowledged: one may be lost."""
LEAST_TOTAL = 0.9
"""Seconds below which no limit of a whole response is set: they are of seconds."""
OFF_BEAT = 1.5
"""How many times the longest wait before it a silence takes, to be out of the rhythm."""
CROSSING = 0.002
"""Seconds within which packets cross on a path whose round trip was not measured."""
PROXIES = (
    *("nginx", "openresty", "haproxy", "envoy", "varnish", "squid", "traefik", "caddy", "awselb"),
    *("cloudfront", "cloudflare", "heroku", "vercel", "fly/", "google frontend", "apache", "gws"),
)
"""What Server or Via fields of proxies hold, in lower case."""
GATEWAY_ERRORS = (502, 503, 504)
"""RFC 9110 section 15.6: what a proxy answers in the place of the server."""
NAME_FIELDS = ("server", "via")
NAME_WIDTH = 40
NO_ANSWER = "a proxy got no answer: the server refused, closed or was not there"
UPSTREAM = "look in the log of the service behind the application"
LOOK_IN_LOG = "look in the server's log at that moment"
KEEP_ALIVE = "send a comment or ping at half the limit, or raise the limit"
KEEP_ALIVE_AT_SERVER = (
    "look at the network; the server may go on for nobody: let it use TCP keep-alives or pings"
)
RAISE = "raise the limit of the whole response"
SERVER_LOG = "the server's log at that moment; whether others run for the same total time"
UPSTREAM_CAPTURE = "a capture between the proxy and the server; a keep-alive at half that time"


def why_cut(
    trace: Trace, codes: frozenset[str], end: End | None, silence: Silence | None
) -> Causes:
    """Return why a message may have been cut by the server's side."""
    if end is None:
        return [], ""
    if told := _told(trace, end) or by_upstream(trace):
        return told, ""
    if "content-length-short" in codes:
        return _short(), SERVER_LOG
    if end["kind"] == "reset":
        return _reset(), SERVER_LOG
    if silence is not None and is_idle(trace, silence.seconds):
        return idle_causes(trace, silence.seconds), UPSTREAM_CAPTURE
    return _flowing(trace, end), SERVER_LOG


def _told(trace: Trace, end: End) -> list[Cause]:
    """Return what the packets prove, or nearly so."""
    if end["kind"] == "connection-close":
        closed = (one for one in trace.around if one.code in ("quic-closed", "quic-closed-error"))
        return [Cause(one.code, "certain", one.summary) for one in closed][:1]
    for fault in trace.all_faults:
        if fault.code == "protocol-mismatch":
            return [Cause(fault.code, "certain", fault.summary)]
    if trace.about.response is None and (other := _not_http(trace)) is not None:
        summary = f"the server did not answer in HTTP: {other.summary} (packet {other.last_packet})"
        remedy = "ask the port that speaks HTTP, or ask this one in its own protocol"
        return [Cause("protocol-mismatch", "certain", summary, remedy)]
    request = trace.about.request
    if trace.about.response is not None or request is None or not trace.about.key.exchange:
        return []
    rtt = trace.about.connection.rtt if trace.about.connection else None
    if end["time"] - request.last_time > (CROSSING if rtt is None else max(rtt, CROSSING)):
        return []
    return [
        Cause(
            "keep-alive-race",
            "likely",
            "the server closed an idle connection while the request was on its way",
            "let the client close idle connections sooner than the server does, and retry",
        )
    ]


def _not_http(trace: Trace) -> DiagnosticRecord | None:
    """Return the fault of a server whose bytes begin no response, None if they do, or none came.

    Where bytes are missing, what follows them may be the middle of one.
    """
    if any(gap.sender == "server" for gap in trace.gaps):
        return None
    faults = (fault for fault in trace.all_faults if fault.sender == "server")
    return next((fault for fault in faults if fault.code == "http-start-line-invalid"), None)


def is_failed(trace: Trace) -> bool:
    """Whether an exchange was not ended as it should be: what was behind a proxy may tell why."""
    about = trace.about
    if about.is_websocket:
        return not about.closing
    is_error = about.response is not None and about.response.status >= 500
    return is_error or any(flaw.code in CUTS for flaw in find_flaws(about, trace.all_faults))


def by_upstream(trace: Trace) -> list[Cause]:
    """Return why an exchange was ended, if the leg behind a proxy is in the capture and tells."""
    upstream = leg_behind(trace)
    connection = upstream.about.connection if upstream is not None else None
    if upstream is None or connection is None or not connection.ends:
        return []
    end = connection.ends[0]
    where = f"(connection {connection.connection}, packet {end['packet']})"
    if (body := upstream.about.response_body) is not None and body.complete:
        return [_in_its_place(trace, upstream, body)]
    if end["sender"] == "server":
        summary = f"the server ended its connection first {where}, and the proxy passed that on"
        return [Cause("server-ended", "certain", summary, LOOK_IN_LOG)]
    request = upstream.about.request
    silent = end["time"] - upstream.about.last_time
    total = end["time"] - request.last_time if request is not None else 0.0
    if upstream.about.response is None or is_idle(upstream, silent):
        fitting = _fitting(silent, who_answered(trace), "")
        summary = f"the proxy gave up on the server after {duration(silent)} of silence{fitting}"
        code = "proxy-idle-timeout" if upstream.about.response else "proxy-read-timeout"
        return [Cause(code, "certain", f"{summary} {where}", KEEP_ALIVE)]
    summary = (
        f"the proxy gave up on the server after {duration(total)}, while it was sending {where}"
    )
    return [Cause("proxy-total-timeout", "certain", summary, RAISE)]


def _in_its_place(trace: Trace, upstream: Trace, body: BodyRecord) -> Cause:
    """Return what a proxy made of an answer that came whole, so that its client got another."""
    here, there = trace.about.response, upstream.about.response
    where = f"(connection {body.connection}, packet {body.last_packet})"
    if here is None or there is None or here.status < 500:
        said = f"the server's own answer came whole {where}, and the proxy cut it"
        return Cause("proxy-cut", "certain", said, "look in the proxy's log at that moment")
    if here.status == there.status:
        said = f"the server itself answered so {where}"
        return Cause("server-error", "certain", said, LOOK_IN_LOG)
    said = f"the server answered {there.status} {where}, and the proxy did not accept that"
    remedy = "look in the proxy's log: the head may exceed a limit of its own, for example"
    return Cause("upstream-failed", "certain", said, remedy)


def total_time(trace: Trace, end: End) -> float | None:
    """Return how many seconds a message had run when it was ended, from its request on.

    The leg behind a proxy tells it exactly, if it is in the capture: the proxy's clients see the
    end when the proxy passes it on. None if the request is not known.
    """
    upstream = leg_behind(trace)
    connection = upstream.about.connection if upstream is not None else None
    if upstream is not None and connection is not None and connection.ends:
        trace, end = upstream, connection.ends[0]
    request = trace.about.request
    return None if request is None else end["time"] - request.last_time


def who_answered(trace: Trace) -> str:
    """Return the Server and Via fields of a response, and whether Envoy's own are among them."""
    response = trace.about.response
    if response is None:
        return ""
    named = [field_value(response.headers, name) or "" for name in NAME_FIELDS]
    is_envoy = any(name.lower().startswith("x-envoy-") for name, _ in response.headers)
    if is_envoy and "envoy" not in " ".join(named).lower():
        named.append("envoy")
    return " ".join(filter(None, named))


def proxy_named(trace: Trace) -> str:
    """Return the name of a proxy that a field of the head has, empty if none has."""
    named = who_answered(trace).lower()
    return next((proxy for proxy in PROXIES if proxy in named), "")


def why_left(trace: Trace, silence: Silence | None) -> list[Cause]:
    """Return why a client may have closed that was still owed something."""
    closed = Cause(
        "client-closed",
        "certain",
        "the client's packet came first; the server had not finished its response",
        "nothing, if the client meant to leave; otherwise check its timeouts",
    )
    if silence is None or not is_idle(trace, silence.seconds):
        return [closed]
    waited = f"nothing had come for {duration(silence.seconds)}: a read timeout may have expired"
    return [
        *_unanswered(trace),
        Cause("client-timeout", "possible", waited, KEEP_ALIVE),
        Cause("client-closed", "possible", "the client did not want the rest"),
    ]


def _unanswered(trace: Trace) -> list[Cause]:
    """Return that a path was gone if nothing answered the FIN of its client, sent several times."""
    connection = trace.about.connection
    ends = connection.ends if connection is not None else []
    fins = [end["packet"] for end in ends if end["sender"] == "client" and end["kind"] == "fin"]
    if connection is None or len(fins) < MANY_FINS or len(fins) < len(ends):
        return []
    if fins[-1] != connection.last_packet:
        return []
    said = (
        f"its FIN was sent {len(fins)} times, and nothing came back: the server or the path is gone"
    )
    return [Cause("path-vanished", "likely", said, KEEP_ALIVE_AT_SERVER)]


def is_idle(trace: Trace, seconds: float) -> bool:
    """Whether nothing came for so long that it is out of the rhythm of what came before."""
    waits = [wait.seconds for wait in recorded_waits(trace)]
    return seconds >= max(LEAST_IDLE, OFF_BEAT * max(waits, default=0.0))


def idle_causes(trace: Trace, seconds: float) -> list[Cause]:
    """Return whose patience may have ended after that much silence."""
    named, proxy = who_answered(trace), proxy_named(trace)
    given_up = Cause(
        "proxy-idle-timeout",
        "likely" if proxy else "possible",
        f"nothing came for {duration(seconds)} before the end{_fitting(seconds, named, proxy)}",
        KEEP_ALIVE,
    )
    server = Cause(
        "server-gave-up",
        "possible",
        "the server ended it by itself, or died while it was silent",
        LOOK_IN_LOG,
    )
    fits = seconds >= LEAST_LIMIT and bool(find_limits(seconds, "idle", named))
    found = [given_up, server] if proxy or fits else [server, given_up]
    if _may_be_delayed_close(trace, seconds):
        total = Cause(
            "proxy-total-timeout",
            "likely" if proxy == "envoy" else "possible",
            "a total limit while events flowed: Envoy closes 1.0 s after giving up on a response",
            "raise the limit of the whole response (Envoy: the route's timeout)",
        )
        found.insert(0 if proxy == "envoy" else 1, total)
    return found


def _fitting(seconds: float, named: str, proxy: str) -> str:
    if limits := find_limits(seconds, "idle", named) if seconds >= LEAST_LIMIT else []:
        return f", which fits a limit {such_as(limits, named)}"
    if not proxy:
        return ""
    shown = preview(named, "utf-8", NAME_WIDTH)
    low, high = seconds - LATE, seconds + EARLY
    return f"; {shown} answered, and an idle limit of {low:.1f} to {high:.1f} s would do that"


def _may_be_delayed_close(trace: Trace, seconds: float) -> bool:
    beat = max((wait.seconds for wait in recorded_waits(trace)), default=0.0)
    return ENVOY_DELAY - LATE / 2 <= seconds <= ENVOY_DELAY + LATE + beat


def _flowing(trace: Trace, end: End) -> list[Cause]:
    total = total_time(trace, end) or 0.0
    if total < LEAST_TOTAL:
        return [*_OF_THE_SERVER]
    named = who_answered(trace)
    limits = find_limits(total, "total", named)
    fitting = f", which fits one {such_as(limits, named)}" if limits else ""
    proxy = Cause(
        "proxy-total-timeout",
        "likely" if limits else "possible",
        f"a limit of the whole response: it had run {duration(total)}{fitting}",
        RAISE,
    )
    found = [*_OF_THE_SERVER, _OF_A_WORKER]
    return [proxy, *found] if limits or proxy_named(trace) else [*found, proxy]


_OF_THE_SERVER = (
    Cause(
        "app-exception",
        "possible",
        "the handler raised after the headers were sent: a server can only close then",
        LOOK_IN_LOG,
    ),
    Cause(
        "server-crash",
        "possible",
        "the process crashed or was killed, and its kernel sent the FIN",
        LOOK_IN_LOG,
    ),
    Cause(
        "server-shutdown-timeout",
        "possible",
        "a deploy or a signal stopped it, and its time for a graceful shutdown ran out",
        "let the shutdown wait for open streams, or let clients resume",
    ),
)
_OF_A_WORKER = Cause(
    "worker-timeout",
    "possible",
    "a supervisor ended a worker that took too long",
    "raise the worker's time limit, or use an asynchronous worker",
)


def _reset() -> list[Cause]:
    return [
        Cause(
            "server-reset",
            "likely",
            "the server closed with unread data, or by force (RFC 9293 section 3.6)",
            "read everything the client sends, and close gracefully",
        ),
        Cause(
            "proxy-reset",
            "possible",
            "a firewall or proxy in between sent the RST in the server's name",
        ),
    ]


def _short() -> list[Cause]:
    return [
        Cause(
            "content-length-short",
            "likely",
            "the application wrote less than its Content-Length announced",
            "send no Content-Length for generated content, or count bytes, not characters",
        ),
        Cause("server-crash", "possible", "the process crashed or was killed while it wrote"),
    ]


def why_no_answer(trace: Trace, response: ResponseRecord) -> Causes:
    """Return why a 5xx came in the place of an answer."""
    if response.status in GATEWAY_ERRORS and (told := by_upstream(trace)):
        return told, ""
    request = trace.about.request
    seconds = response.first_time - request.last_time if request else 0.0
    named = who_answered(trace)
    if response.status == 504:
        limits = find_limits(seconds, "head", named) if seconds >= LEAST_LIMIT else []
        fitting = f", which fits a limit {such_as(limits, named)}" if limits else ""
        summary = f"a proxy waited {duration(seconds)} for the server's headers{fitting}"
        remedy = "send the headers at once, before the first token, or raise the proxy's limit"
        return [Cause("proxy-read-timeout", "likely", summary, remedy)], ""
    if response.status == 503:
        return _unavailable(response)
    if response.status in GATEWAY_ERRORS:
        return [Cause("upstream-failed", "likely", NO_ANSWER, UPSTREAM)], ""
    return [
        Cause("server-error", "certain", "the application failed before it answered", LOOK_IN_LOG)
    ], ""


def _unavailable(response: ResponseRecord) -> Causes:
    """Return who may have said 503 (RFC 9110 section 15.6.4): an application that has too much to
    do, which may say when to come again, or a proxy that has nobody to ask."""
    found = [
        Cause(
            "server-error",
            "possible",
            "the application refused: it is overloaded, or down for maintenance",
            "retry later (Retry-After may say when), and look at the application's load",
        ),
        Cause("upstream-failed", "possible", NO_ANSWER, UPSTREAM),
    ]
    says_when = field_value(response.headers, "retry-after") is not None
    return found if says_when else found[::-1], "the body, and the logs of proxy and application"
