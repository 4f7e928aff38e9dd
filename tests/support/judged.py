"""Verdicts on captures made by hand."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.records import Record
from wireproof.analysis.judges import explain
from wireproof.analysis.verdict import Question, Verdict

from .talk import Tape


def verdicts(tape: Tape | Iterable[Record], question: Question) -> list[Verdict]:
    """Return the answers to a question about all exchanges, in the order in which they began."""
    records = tape.records() if isinstance(tape, Tape) else tape
    found = sorted(explain(records), key=lambda one: one.exchange.number)
    every = (verdict for one in found for verdict in one.verdicts)
    return [verdict for verdict in every if verdict.question == question]


def causes(verdict: Verdict) -> list[str]:
    """Return the codes of a verdict's causes, the likeliest first."""
    return [cause.code for cause in verdict.causes]
