"""Where the time of a long wait went."""

from __future__ import annotations

from wireproof.analysis.verdict import Verdict

from .outcome import Outcome, find_cause, wrong_time
from .truth import Truth, client_leg, verdicts_on

NUMBERS = {
    "gap_ms": "seconds",
    "keep_alive_period_ms": "keep_alive_period",
    "step_ms": "step",
    "added_ms_per_event": "step",
}
NOMINAL = {("zero-window", "gap_ms")}
"""How long a client did not read is not on the wire: what is, is how long its window was closed."""


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return truth.family == "gap"


def check(truth: Truth) -> list[Outcome]:
    """Compare the classes of waits that each of its captures shows."""
    return [_compare(truth, number) for number in range(len(truth.files))]


def _compare(truth: Truth, number: int) -> Outcome:
    path = truth.files[number]
    wanted = truth.expected.get("gap_class", "none")
    classes = [wanted] if isinstance(wanted, str) else list(wanted)
    verdict = next(verdicts_on("gap", client_leg(truth, path)), None)
    causes = tuple(cause.code for cause in verdict.causes) if verdict else ()
    expected = "mixed" if len(classes) > 1 else classes[0]
    return Outcome(
        path.name.removesuffix(".pcap"),
        expected,
        verdict.answer if verdict else "none",
        "" if expected == "none" else find_cause(classes, causes),
        causes,
        tuple(_wrong_numbers(truth, verdict)),
        is_control=expected == "none",
        is_alarm=verdict is not None and verdict.is_fault,
    )


def _wrong_numbers(truth: Truth, verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    wrong = [
        wrong_time(ours, truth.expected[theirs], verdict.numbers.get(ours))
        for theirs, ours in NUMBERS.items()
        if theirs in truth.expected and (verdict.answer, theirs) not in NOMINAL
    ]
    return [one for one in wrong if one]
