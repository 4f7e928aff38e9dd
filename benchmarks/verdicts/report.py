"""The confusion matrix and its summary, as Markdown that reads well in a terminal too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .outcome import Outcome

MATRIX = "matrix"
THRESHOLDS = "thresholds"
"""What is written into the page, between comments that name it."""


def report(families: Mapping[str, Sequence[Outcome]]) -> str:
    """Return all there is to say, family by family."""
    parts = [_family(name, outcomes) for name, outcomes in families.items() if outcomes]
    return "\n".join(parts)


def _family(name: str, outcomes: Sequence[Outcome]) -> str:
    wrong = [f"- {outcome}\n" for outcome in outcomes if outcome.is_wrong]
    said = f"### {name}\n\n{_summary(outcomes)}\n\n{matrix(outcomes)}"
    return said + (f"\nWrong:\n\n{''.join(wrong)}" if wrong else "")


def _summary(outcomes: Sequence[Outcome]) -> str:
    right = sum(outcome.is_right for outcome in outcomes)
    causes = Counter(outcome.cause for outcome in outcomes if outcome.cause)
    controls = sum(outcome.is_control for outcome in outcomes)
    alarms = sum(outcome.is_false_alarm for outcome in outcomes)
    figures = sum(len(outcome.errors) for outcome in outcomes)
    said = f"{right} of {len(outcomes)} answers are right"
    if causes:
        named = f"{causes['first']} first, {causes['contained']} contained"
        said += f"; causes: {named}, {causes['missing']} missing"
    return f"{said}; {alarms} false alarms on {controls} controls; {figures} figures wrong."


def matrix(outcomes: Sequence[Outcome]) -> str:
    """Return a table: a row for each expected answer, a column for each that was given."""
    counts = Counter((outcome.expected, outcome.answer or "nothing") for outcome in outcomes)
    rows = sorted({expected for expected, _ in counts})
    columns = sorted({answer for _, answer in counts})
    lines = [["expected \\ answer", *columns], ["---"] * (len(columns) + 1)]
    for row in rows:
        lines.append([f"**{row}**", *(str(counts[row, column] or "") for column in columns)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def put(page: str, name: str, text: str, by: str = "make verdicts") -> str:
    """Return a page with a new text between the comments that name it, and what writes it."""
    begin, end = f"<!-- {name}: {by} writes it -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks {begin} or {end}")
    return f"{before}{begin}\n\n{text}\n{end}{after}"
