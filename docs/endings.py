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

How `wireproof explain` decides who ended a stream, whether it was complete, what was sent after the
client had left, and whether a reconnect resumed it. [verdicts.md](verdicts.md) says how often it is
right. In tests, `assert_clean_end`, `assert_closed` and `assert_resumed_from` apply the same rules.

## Responses: `ending`

The first answer that fits, from the outside in:

| answer | when |
|---|---|
| `unknowable` | packets of it are missing from the capture, or only the end of the connection ended it, without a terminator |
| `open` | the capture ended before any FIN or RST. A warning only if retransmissions went unanswered for 200 ms or more, the least Linux waits: the path is gone |
| `aborted` | the client closed or reset first, with more still to come, or before the terminator of its dialect: a note, since it may. A warning if bytes of the server's never arrived: the client acknowledged nothing after them for a second or more, so what came later could not be read; or, at the server, the last of them were sent again for a second or more, the client acknowledged none of that, and then left. What is sent after it left says nothing of the path |
| `cut` | the server's side ended it before its framing did, or inside its gzip data, an event or a value; or it was cut behind a proxy that completed the framing |
| `app-error` | an element, a trailer, or a status of 5xx reports an error |
| `mismatch` | the answer is whole and says that the two ends speak different protocols, such as plain HTTP to a TLS port |
| `refused` | the answer is whole but does not grant the WebSocket or tunnel that was asked for |
| `app-incomplete` | the framing is complete, or only the end of the connection ended the body, but the terminator of its dialect never came (`[DONE]`, `message_stop`, `response.completed`, a finish reason) |
| `whole` | none of these. A warning if the last bytes were sent again for a second or more and nothing acknowledged them, by a capture that holds the client's acknowledgements (it acknowledged some of the answer, and no more is missing than can be under way): whether they arrived is unknown. A warning, too, if the terminator came 0.5 s or more before the end: clients that read to the end wait for a handler that is still running |

A FIN shows who closed, not why. A crash, a kill, an exception after the head, a deploy and a proxy's
time limit all look the same, so they are given as "either ... or ...". Two times narrow them down:

- **The silence before the end.** If it lasted 0.5 s or more, and over 1.5 times the longest wait
  before it, an idle timeout ran out. Otherwise the FIN fell between two events, and nothing was idle.
- **The total time**, from the request to the FIN, if events flowed to the end.

Envoy also leaves a silence of 1.0 s after a total limit: it closes a second after giving up. If the
capture has the other side of the proxy too, that decides: who ended it first, and after how long a
silence. It also shows what a proxy hides (`proxy-hides-cut`): Caddy and h2o, for example, send the last
chunk although their server's connection broke off, so their client sees a complete answer. If
several requests for the same target were open at once, the two sides are those with the same first
elements, each of them later at the client; without elements, a request has another side only if nobody
else asked meanwhile. If several fit, none is used. Software is named outright if a Server or Via header names it, otherwise as an example.

A client's FIN is a half-close if the client accepted data after the point where its RST would have
come: two round trips and 10 ms. If that was sent again and never acknowledged, the client's host is
gone. Missing bytes are counted if something says how many there should be: `Content-Length`, a
chunk's size, a frame's length.

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
timers lazily and has been seen to fire 0.3 s early. These are defaults, so a fit only says where to
look. Times below 5 s are not compared.

## WebSockets: `websocket`

| answer | when |
|---|---|
| `ws-clean` | both sides sent a Close frame, with 1000, 1001, no code, or one of the application's own |
| `ws-half-close` | only one side sent a Close frame; the other owed one |
| `ws-1006` | no Close frame at all; a note if the client left, an error if the server's side did |
| `ws-1011` | "internal error", which libraries also send when a pong is late: see below |
| `ws-error` | any other code |
| `open` | neither a Close frame nor a FIN |

1011 means an unanswered ping or an exception. `pong-behind-large-frame`: the pong was stuck behind a
frame of 64 KiB or more that was still being sent when the server closed. `pong-never-came`: any other
ping that was waiting; if nothing was retransmitted although there was time to (200 ms and three round
trips), the other side's TCP had the ping and its application never read it. `server-error`: no ping
was waiting.

## After the client left: `disconnect`

A server learns that its client has closed from the RST that answers its next data. What it sends
until then is nobody's fault (`stops`). If it sends nothing, this connection cannot show whether it
keeps working (`unseen`). The other side of a proxy in the same capture can: `goes-on`, with the
events nobody read; a warning if there were two or more, or if that connection stayed open for a
second.

## Reconnects: `resume`

A stream resumes an earlier one with the same target, `Host`, `User-Agent`, `Cookie` and addresses if
its `Last-Event-ID` is an ID the earlier one sent; without that header, if the earlier one was cut, had
IDs, and ended within the last 60 s. `exact`, `duplicate`, `lost` and `from-start` compare IDs; a gap
between IDs counts only if they are consecutive numbers. Causes on the client's side: `missing-id`,
`stale-id` (older than the last one it got; not held against a client that left on its own before the
end of the body), `retry-ignored` (it reconnected sooner than `retry` allows).

## Clients that would stumble: `hazard`

All of these are legal, so each is only a note. Boundaries are those of chunks, or of packets if the
body has no chunks; where packets split a chunk does not matter.

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
