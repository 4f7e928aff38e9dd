"""Causes of streaming, gaps and hops that have no scenario of their own, and why."""

from __future__ import annotations

UNSHOWN: dict[str, str] = {
    "clock-offset": "one machine has one clock",
    "connection-window": "it takes HTTP/2, which these scenarios do not use",
    "head-of-line": "it takes HTTP/2, which these scenarios do not use",
    "stream-window": "it takes HTTP/2: see `wireproof demo --http2 --scenario window-stall`",
    "congestion-window": "it takes a slow path, which no scenario has",
    "narrow-window": "it takes a client whose window is below a segment, which no scenario has",
    "receive-window": "it takes a long path and a small window, which no scenario has",
    "spurious-retransmission": "it takes a path on which packets are late, which no scenario has",
    "drops-events": "like drops-event, for several",
    "drops-first-event": "like drops-event, for the first",
    "drops-first-events": "like drops-event, for the first few",
    "drops-last-events": "like drops-last-event, for several",
    "drops-messages": "like drops-event, for a WebSocket",
    "reordering": "it takes a path on which packets overtake one another, which no scenario has",
    "loss": "on a hop: it takes a capture on each side; at the client it is retransmission",
    "nagle": "the wait that nagle-delayed-ack makes",
    "no-waits": "nothing is wrong: it came too fast to tell",
    "not-recorded": "no fault of the stream: the recording lost packets",
    "rate": "it takes a rate-limited path, which no scenario has",
    "re-chunked": "nothing is wrong: only chunk boundaries differ",
    "rewrites": "nothing is wrong: only line endings differ",
    "slow-start": "the wait that tcp-slow-start makes",
    "thinking": "nothing is wrong: a model takes its time",
    "too-few-events": "nothing is wrong: there are too few events to tell",
    "zero-window": "the wait that client-zero-window makes",
}
