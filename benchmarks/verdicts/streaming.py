"""Whether a stream streamed, and an upload: compared for every case that has a verdict on that."""

from __future__ import annotations

from wireproof.analysis.verdict import Verdict

from .outcome import Outcome, find_cause, wrong_time
from .truth import Truth, client_leg, verdicts_on

FAMILIES = ("streaming", "llm")
CONTROLS = ("streamed", "request-streamed")
"""Answers that nothing is wrong with."""
NUMBERS = {
    "period_ms": "period",
    "step_ms": "step",
    "time_to_first_event_ms": "time_to_first_event",
    "longest_gap_ms": "longest",
}
"""What is expected in milliseconds, and the number that has it in seconds."""


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return truth.family in FAMILIES and "verdict" in truth.expected


def check(truth: Truth) -> list[Outcome]:
    """Compare the answer of the client's leg."""
    expected = truth.expected
    verdict = _answer(truth)
    if verdict is None:
        return [Outcome(truth.name, expected["verdict"], "")]
    causes = tuple(cause.code for cause in verdict.causes)
    return [
        Outcome(
            truth.name,
            expected["verdict"],
            verdict.answer,
            find_cause(expected.get("causes", ()), causes),
            causes,
            tuple(_wrong_numbers(truth, verdict)),
            is_control=expected["verdict"] in CONTROLS,
            is_alarm=verdict.is_fault,
        )
    ]


def _answer(truth: Truth) -> Verdict | None:
    """Return what is said of the request where that is asked, else of the response."""
    about_request = "request" in truth.expected["verdict"]
    found = verdicts_on("streaming", client_leg(truth))
    return next((one for one in found if ("request" in one.answer) == about_request), None)


def _wrong_numbers(truth: Truth, verdict: Verdict) -> list[str]:
    expected, numbers = truth.expected, verdict.numbers
    wrong = [
        wrong_time(ours, expected[theirs], numbers.get(ours))
        for theirs, ours in NUMBERS.items()
        if theirs in expected
    ]
    aligned, found = expected.get("aligned"), numbers.get("aligned")
    if aligned != found and aligned is not None:
        wrong.append(f"aligned: {found} bytes, {aligned} expected")
    return [one for one in wrong if one]
