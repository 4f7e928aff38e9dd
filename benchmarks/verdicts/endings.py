"""How exchanges and WebSockets ended: who closed, what was owed, and what was sent for nobody.

A truth says it in the words of its family's ``kind`` and in figures. Here stands which answers a
kind allows, the one that is right first, and where the figures are among ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.analysis.judges import Explained
from wireproof.analysis.verdict import Verdict

from .outcome import Outcome, wrong_time
from .truth import Truth, client_leg

ANSWERS = {
    "clean": "whole",
    "truncated": "cut",
    "reset": "cut",
    "abort": "aborted",
    "half-close": "aborted",
    "timeout": "app-error",
    "unfinished-event": "cut",
    "truncated-coding": "cut",
    "app-incomplete": "app-incomplete",
    "app-error": "app-error",
    "unknowable": "unknowable",
    "late-end": "whole",
    "open": "open",
}
"""The answer for each kind of end; those of WebSockets are their kinds."""
CONTROLS = ("clean", "ws-clean")
LIKE = {"whole", "ended_by", "first_closer", "events", "undispatched", "inside", "status"}
"""Figures that have the same name and the same value."""
LIKE |= {"transport_whole", "coding_whole", "app_whole", "error_event", "client_abort"}
LIKE |= {"half_close", "missing_bytes", "missing", "trailers", "upstream_goes_on"}
LIKE |= {"server_goes_on_events", "code", "handshake", "tcp_first_closer", "tcp", "tcp_acked"}
LIKE |= {"app_terminator"}
SECONDS = {"idle_before_close_s": "idle_before_close", "after_s": "after", "total_s": "total"}
MILLISECONDS = {"app_done_before_end_ms": "app_done_before_end"}


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return truth.family == "ending"


def check(truth: Truth) -> list[Outcome]:
    """Compare the client's leg of each capture."""
    found = []
    for path in truth.files:
        exchanges = client_leg(truth, path)
        found.append(_compare(truth, path.name.removesuffix(".pcap"), exchanges))
    return found


def _compare(truth: Truth, name: str, exchanges: list[Explained]) -> Outcome:
    question = "websocket" if truth.kind.startswith("ws-") else "ending"
    verdicts = [one for each in exchanges for one in each.verdicts]
    wanted = ANSWERS.get(truth.kind, truth.kind)
    found = [one for one in verdicts if one.question == question]
    numbers: dict[str, Any] = {}
    for verdict in verdicts:
        if verdict.question in ("ending", "websocket", "disconnect"):
            numbers = dict(verdict.numbers) | numbers
    is_control = truth.kind in CONTROLS
    others = {one.answer for one in found if one.answer != wanted}
    return Outcome(
        name,
        wanted,
        ", ".join(sorted(others)) or (found[0].answer if found else ""),
        errors=tuple(_wrong(truth, numbers, len(exchanges))),
        is_control=is_control,
        is_alarm=any(one.is_fault for one in _judged(verdicts)),
        causes=tuple(cause.code for one in found for cause in one.causes),
    )


def _judged(verdicts: list[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if one.question in ("ending", "websocket", "disconnect")]


def _wrong(truth: Truth, numbers: Mapping[str, Any], exchanges: int) -> list[str]:
    wrong = []
    expected = truth.expected
    for key in sorted(LIKE & expected.keys()):
        if not _is_same(expected[key], numbers.get(key)):
            wrong.append(f"{key}: {numbers.get(key)}, {expected[key]} expected")
    for key, ours in (SECONDS | MILLISECONDS).items():
        if key in expected:
            factor = 1000.0 if key in SECONDS else 1.0
            error = wrong_time(ours, expected[key] * factor, numbers.get(ours))
            wrong += [error] if error else []
    if (by := expected.get("by")) is not None and by != numbers.get("by"):
        wrong.append(f"by: {numbers.get('by')}, {by} expected")
    if "exchanges" in expected and expected["exchanges"] != exchanges:
        wrong.append(f"{exchanges} exchanges, {expected['exchanges']} expected")
    return wrong


def _is_same(expected: Any, found: Any) -> bool:
    if expected is False or expected is None:
        return not found
    return bool(expected == found)
