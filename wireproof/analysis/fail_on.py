"""Which verdicts make the answer of a command "no"."""

from __future__ import annotations

from collections.abc import Iterable

from .verdict import QUESTIONS, SEVERITIES, Verdict

NEVER = "never"
LEVELS = ("error", "warning", "note")


class FailOn:
    """A choice of verdicts, by words.

    A severity (``error``, ``warning``, ``note``) stands for what is at least as grave; a question
    (``ending``) for all that is wrong in its answer; any other word is an answer (``held``) or the
    code of a cause (``loss``), however grave. ``never`` is nothing.
    """

    def __init__(self, words: Iterable[str]) -> None:
        chosen = frozenset(words)
        levels = [SEVERITIES.index(word) for word in LEVELS if word in chosen]
        self._least = min(levels, default=len(SEVERITIES))
        self._words = chosen - {*LEVELS, NEVER}

    def takes(self, verdict: Verdict) -> bool:
        """Whether a verdict makes the answer "no"."""
        if SEVERITIES.index(verdict.severity) >= self._least:
            return True
        if verdict.question in QUESTIONS and verdict.question in self._words:
            return verdict.is_fault
        codes = {verdict.answer, *(cause.code for cause in verdict.causes)}
        return not codes.isdisjoint(self._words)
