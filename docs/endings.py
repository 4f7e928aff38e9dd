"""Write docs/endings.md anew from the tables of the judges: ``python docs/endings.py``.

The tables of time limits and of hazards are the one place where those are described.
"""

from __future__ import annotations

from pathlib import Path

from wireproof.analysis.hazard_table import HAZARDS
from wireproof.analysis.time_limits import EARLY, LATE, LIMITS

PAGE = Path(__file__).with_suffix(".md")
HEAD = """\
# How streams end

The rules by which `wireproof explain` says who ended a stream, whether it was complete, what was
sent after the client had left, and whether a reconnect resumed it. [verdicts.md](verdicts.md) says
how often they are right. In tests the same rules are behind `assert_clean_end`, `assert_closed` and
`assert_resumed_from`.

## Responses: `ending`

The first answer that holds, from outside in:

| answer | when |
|---|---|
| `unknowable` | the capture lacks packets of it, or nothing but the end of the connection ended it, without a terminator |
| `open` | neither FIN nor RST came before the capture ended. A warning only where retransmissions went unanswered for 200 ms or more, the least that Linux waits: the path is gone |
| `aborted` | the client closed or reset first while it was owed something: a note, for that is its right |
| `cut` | the server's side ended it before its framing did, or inside its gzip, an event, a value |
| `app-error` | an element, a trailer, or a status of 5xx reports an error |
| `mismatch` | the answer is whole, and says that the two ends speak different protocols: plain HTTP to a TLS port, and the like |
| `refused` | the answer is whole, and grants neither the WebSocket nor the tunnel that was asked for |
| `app-incomplete` | the framing is complete, but the terminator of its dialect never came (`[DONE]`, `message_stop`, `response.completed`, a finish reason) |
| `whole` | none of these. A warning where the terminator came 0.5 s or more before the end: clients that read to the end wait for a handler that is still working |

Who sends a FIN does not say why. A crash, a kill, an exception after the head, a deploy, and a
proxy's limit all look the same, so they are given as "either ... or ...". Two times narrow them:

- **Silence before the end.** At least 0.5 s, and longer than 1.5 times the longest wait before it:
  somebody's patience ran out. Otherwise the FIN fell between two events, and nobody was idle.
- **The total time**, from the request to the FIN, where events flowed to the end.

A silence of 1.0 s is also what Envoy leaves after a total limit: it closes a second after giving
up. If the capture holds the other side of the proxy too, that decides: who ended it first, after
how much silence. Software is named if a Server or Via header names it, otherwise as an example.

A client's FIN is a half-close if it took data that came later than its RST would have: two round
trips and 10 ms. What is missing is counted where something counts it: `Content-Length`, the size of
a chunk, the length of a frame.

## Time limits that are known

"""
LIMIT_COLUMNS = "| component | setting | seconds | of what |\n|---|---|---|---|\n"
OF_WHAT = {
    "idle": "between two reads",
    "total": "from the request on",
    "head": "until the head of the response",
}
MIDDLE = f"""
A time fits a limit if it is within [limit - {EARLY:g} s, limit + {LATE:g} s]: nginx re-arms its
timers lazily, and was seen to strike 0.3 s early. These are defaults: a fit is a reason to look
there. Times below 5 s are not compared.

## WebSockets: `websocket`

| answer | when |
|---|---|
| `ws-clean` | Close frames of both sides, with 1000, 1001, none, or a code of the application's own |
| `ws-half-close` | one of two Close frames: the other side owed its own |
| `ws-1006` | no Close frame at all; a note where the client went, an error where the server's side did |
| `ws-1011` | "internal error", which libraries close with when a pong is late: see below |
| `ws-error` | any other code |
| `open` | neither a Close frame nor a FIN |

Behind 1011 is a ping without its pong, or an exception. If the pong was stuck behind a frame of 64
KiB or more that was still being sent when the server closed: `pong-behind-large-frame`. Otherwise
`pong-never-came`: if nothing was retransmitted though there was time for it (200 ms and three round
trips), the other side's TCP had the ping, and its application did not read it. If no ping was
waiting: `server-error`.

## After the client left: `disconnect`

A server learns that its client closed from the RST that answers its next data. What it sends until
then is nobody's fault (`stops`). If it sends nothing, this connection cannot show whether it keeps
working (`unseen`). With the other side of a proxy in the same capture it can: `goes-on`, with the
events that nobody read; a warning if there were two or more, or if that connection stayed open for
a second.

## Reconnects: `resume`

A stream follows an earlier one of the same target, `Host`, `User-Agent`, `Cookie` and addresses, if
its `Last-Event-ID` was sent there; without that header, if the earlier one was cut, had IDs, and
ended within the last 60 s. `exact`, `duplicate`, `lost` and `from-start` compare IDs; a hole
between them is one only where they count one by one. Causes on the client's side: `missing-id`,
`stale-id` (it sent an older one than it had got; not held against a client that had left by
itself before the end of the body), `retry-ignored` (it reconnected earlier than `retry` said).

## Clients that would stumble: `hazard`

Each of these is legal, and a note. Borders are those of chunks, or of packets where a body has no
chunks; where packets cut a chunk does not matter.

"""
HAZARD_COLUMNS = "| code | seen | who stumbles | reported | remedy |\n|---|---|---|---|---|\n"
URL = "https://github.com/{}/issues/{}"


def page() -> str:
    """Return the page: the rules, and the tables of limits and hazards in their order."""
    limits = "".join(
        f"| {one.component} | {one.setting} | {_seconds(one.seconds, one.delay)} |"
        f" {OF_WHAT[one.kind]} |\n"
        for one in LIMITS
    )
    hazards = "".join(
        f"| `{code}` | {row.seen} | {row.who} | {', '.join(map(_link, row.reports))} |"
        f" {row.remedy} |\n"
        for code, row in HAZARDS.items()
    )
    return f"{HEAD}{LIMIT_COLUMNS}{limits}{MIDDLE}{HAZARD_COLUMNS}{hazards}"


def _seconds(seconds: float, delay: float) -> str:
    return f"{seconds:g}, and {delay:g} to the FIN" if delay else f"{seconds:g}"


def _link(report: str) -> str:
    project, _, number = report.partition("#")
    return f"[{report}]({URL.format(project, number)})"


if __name__ == "__main__":
    PAGE.write_text(page())
