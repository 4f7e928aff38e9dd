"""Causes of streaming, gaps and hops that have no scenario of their own, and why."""

from __future__ import annotations

UNSHOWN: dict[str, str] = {
    "clock-offset": "one machine has one clock",
    "connection-window": "a server of HTTP/2 is no part of this",
    "head-of-line": "a server of HTTP/2 is no part of this",
    "stream-window": "a server of HTTP/2 is no part of this",
    "drops-events": "as drops-event, of several",
    "drops-first-event": "as drops-event, of the first",
    "drops-first-events": "as drops-event, of the first ones",
    "drops-last-events": "as drops-last-event, of several",
    "drops-messages": "of a WebSocket: as drops-event",
    "loss": "of a hop: it takes a capture on each side; at the client it is retransmission",
    "nagle": "the wait that nagle-delayed-ack makes",
    "no-waits": "nothing is wrong: it came too fast to tell",
    "rate": "a path of a certain rate is no part of this",
    "re-chunked": "nothing is wrong: chunks have other borders",
    "rewrites": "nothing is wrong: line ends are others",
    "slow-start": "the wait that tcp-slow-start makes",
    "thinking": "nothing is wrong: a model takes its time",
    "too-few-events": "nothing is wrong: there is too little to tell",
    "zero-window": "the wait that client-zero-window makes",
}
