"""Whether clients that came back got their stream on where it had stopped."""

from __future__ import annotations

from .outcome import Outcome, find_cause
from .truth import Truth, client_leg, verdicts_on

CAUSES = {
    "server-replays-too-much": "server-replays-too-much",
    "server-skips": "server-skips",
    "client-too-early": "retry-ignored",
    "client-does-not-send-id": "missing-id",
    "client-sends-old-id": "stale-id",
}
"""Ours for the real cause of a case."""
LIKE = ("last_id_sent", "last_event_id", "lost", "duplicated", "retry_ms", "retry_respected")


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return truth.family == "reconnect"


def check(truth: Truth) -> list[Outcome]:
    """Compare the one stream that goes on."""
    expected = truth.expected
    found = list(verdicts_on("resume", client_leg(truth)))
    if len(found) != 1:
        return [Outcome(truth.name, expected["resume"], f"{len(found)} reconnects")]
    verdict = found[0]
    causes = tuple(cause.code for cause in verdict.causes)
    cause = CAUSES.get(truth.cause, truth.cause)
    errors = [
        f"{key}: {verdict.numbers.get(key)}, {expected[key]} expected"
        for key in LIKE
        if key in expected and verdict.numbers.get(key) != expected[key]
    ]
    # What a client meant to wait is a lower bound: the rest is the way and the machine's load.
    waited = verdict.numbers.get("waited_ms")
    if "waited_ms" in expected and not (
        isinstance(waited, float) and expected["waited_ms"] <= waited + 10
    ):
        errors.append(f"waited_ms: {waited}, {expected['waited_ms']} at least expected")
    return [
        Outcome(
            truth.name,
            expected["resume"],
            verdict.answer,
            "" if truth.cause == "none" else find_cause([cause], causes),
            causes,
            tuple(errors),
            is_control=truth.cause == "none",
            is_alarm=verdict.is_fault,
        )
    ]
