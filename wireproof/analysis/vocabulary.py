"""Every word that a verdict may be chosen by: severities, questions, answers and causes.

Strategy: a word that is misspelt chooses nothing, and a check that chooses nothing passes in
silence. So words are looked up here before they are believed; a test holds that nothing is said in
the source, or of a stored capture, that is not among them.
"""

from __future__ import annotations

import re
from typing import Any

from parsers.diagnostics import FAULTS

from .grpc_status import STATUSES
from .hazard_table import HAZARDS
from .verdict import QUESTIONS, SEVERITIES

ANSWERS = frozenset(
    (
        *("streamed", "held", "bursty", "stepped", "header-held", "client-slow", "undecided"),
        *("request-held", "request-streamed"),
        *("whole", "cut", "unknowable", "app-incomplete", "app-error", "aborted", "open"),
        *("mismatch", "refused"),
        *("sender-silent", "keep-alive-masked", "thinking", "retransmission", "outage"),
        "reordering",
        *("zero-window", "nagle", "slow-start", "rate", "head-of-line", "mixed"),
        *("stream-window", "connection-window", "not-recorded"),
        *("receive-window", "narrow-window", "congestion-window", "spurious-retransmission"),
        *("exact", "duplicate", "lost", "from-start"),
        *("goes-on", "stops", "half-close", "unseen"),
        *("ws-clean", "ws-error", "ws-half-close"),
        *("transparent", "holds", "loses", "rewrites"),
        *("close-notify", "close-notify-missing"),
        *("token-lengths", "padded", "batched", "even"),
        "lacks-packets",
        "found",
    )
)
CLOSE_CODE = re.compile("ws-[0-9]{4}")
"""The answer of a WebSocket that a close code explains: ``ws-1006``."""
CAUSES = frozenset(
    (
        *("app-batches", "app-collects", "app-exception", "blocked-loop", "capture-ended"),
        "client-window",
        *("capture-incomplete", "client-closed", "client-error", "client-timeout"),
        *("client-zero-window", "clock-offset", "close-delimited", "compressor-not-flushed"),
        *("content-length-short", "cork-200ms", "drops-last-event", "drops-messages"),
        *("element-cut", "error-event", "event-cut", "fixed-delay", "going-away"),
        *("held-back", "large-elements", "not-a-stream"),
        *("gzip-trailer-missing", "headers-held", "headers-with-first-event"),
        *("ignored-by-server", "keep-alive-race", "loss", "missing-id", "nagle-delayed-ack"),
        *("no-close-frame", "no-waits", "path-vanished", "peer-does-not-answer-close"),
        *("pong-behind-large-frame", "pong-never-came", "private-code", "protocol-mismatch"),
        "response-malformed",
        *("proxy-batches", "proxy-buffer", "proxy-buffers-request", "proxy-closed"),
        *("proxy-cut", "proxy-hides-cut", "proxy-holds", "proxy-idle-timeout", "proxy-looks-ahead"),
        *("proxy-read-timeout", "proxy-reset", "proxy-timer", "proxy-total-timeout", "rate"),
        *("re-chunked", "retry-ignored", "rewrites", "same-tick", "server-crash"),
        *("server-ended", "server-error", "server-gave-up", "server-goes-on-unseen"),
        *("server-replays-too-much", "server-reset", "server-shutdown-timeout"),
        *("server-skips", "server-stopped", "stale-id", "tcp-slow-start"),
        *("terminator-early", "terminator-missing", "too-big", "too-few-events"),
        *("trailer-error", "unknown-id", "upstream-failed", "upstream-goes-on"),
        *("adds-events", "doubles-events", "drops-event", "drops-events", "drops-first-event"),
        *(
            "drops-first-events",
            "drops-last-events",
            "renames-ids",
            "reorders-events",
            "rewrites-content",
        ),
        "worker-timeout",
        *(f"grpc-{name.lower().replace('_', '-')}" for name in STATUSES[1:]),
    )
)
UNKNOWN = "is not a severity, question, answer or cause"
"""What is said of a word that is not among them."""
WORDS = ANSWERS | CAUSES | HAZARDS.keys() | QUESTIONS.keys() | FAULTS.keys() | {*SEVERITIES}


def is_known(word: str) -> bool:
    """Whether a verdict may be chosen by a word."""
    return word in WORDS or CLOSE_CODE.fullmatch(word) is not None


def unknown(word: str) -> str:
    """Return what is said of a word by which no verdict may be chosen."""
    return f"{word!r} {UNKNOWN}{meant(word)}"


def listed(*also: str) -> dict[str, Any]:
    """Return what there is, and ``also`` besides, for those who look words up by themselves: the
    words, what close codes match, and what is said of any other."""
    return {
        "words": sorted(WORDS | {*also}),
        "close_code": CLOSE_CODE.pattern,
        "unknown": UNKNOWN,
    }


def meant(word: str) -> str:
    """Return what a word may have been meant for, as the end of a sentence; empty if nothing."""
    from difflib import get_close_matches  # for those who mistype alone

    near = get_close_matches(word, sorted(WORDS), n=2)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
