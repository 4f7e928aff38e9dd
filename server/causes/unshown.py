"""Causes of streaming, gaps and hops that have no scenario of their own, and why."""

from __future__ import annotations

UNSHOWN: dict[str, str] = {
    "clock-offset": "one machine has one clock",
    "connection-window": "it takes HTTP/2, which these scenarios do not use",
    "head-of-line": "it takes HTTP/2, which these scenarios do not use",
    "stream-window": "it takes HTTP/2: see `wireproof demo --http2 --scenario window-stall`",
    "drops-events": "as drops-event, of several",
    "drops-first-event": "as drops-event, of the first",
    "drops-first-events": "as drops-event, of the first ones",
    "drops-last-events": "as drops-last-event, of several",
    "drops-messages": "of a WebSocket: as drops-event",
    "loss": "of a hop: it takes a capture on each side; at the client it is retransmission",
    "nagle": "the wait that nagle-delayed-ack makes",
    "no-waits": "nothing is wrong: it came too fast to tell",
    "rate": "it takes a path of a limited rate, which no scenario has",
    "re-chunked": "nothing is wrong: only the borders of chunks differ",
    "rewrites": "nothing is wrong: only line ends differ",
    "slow-start": "the wait that tcp-slow-start makes",
    "thinking": "nothing is wrong: a model takes its time",
    "too-few-events": "nothing is wrong: there is too little to tell",
    "zero-window": "the wait that client-zero-window makes",
}
