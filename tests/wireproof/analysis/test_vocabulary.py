"""Nothing is said that cannot be chosen, and what cannot be said is refused with what is near."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof import decode
from wireproof.analysis.judges import explain
from wireproof.analysis.verdict import QUESTIONS
from wireproof.analysis.vocabulary import WORDS, is_known, meant

ANALYSIS = ROOT / "wireproof" / "analysis"
LABELLED = sorted((ROOT / "fixtures" / "verdicts").glob("*.pcap"))
MADE = {"cause": 0, "_cause": 0, "Verdict": 1, "_verdict": 1}
"""What makes causes and verdicts, and which of its arguments is the word."""


def words_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words_of(node.body)
        yield from words_of(node.orelse)


def said_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
            yield from words_of(node.value)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = MADE.get(name, MADE.get(name.lower()))
            if place is not None and len(node.args) > place:
                yield from words_of(node.args[place])


@pytest.mark.parametrize("path", sorted(ANALYSIS.rglob("*.py")), ids=lambda path: path.stem)
def test_what_the_source_says_is_known(path: Path) -> None:
    assert [word for word in said_in(path) if not is_known(word)] == []


def test_what_is_said_of_labelled_captures_is_known() -> None:
    said = {
        word
        for path in LABELLED
        for one in explain(decode(path))
        for verdict in one.verdicts
        for word in (verdict.question, verdict.answer, *(cause.code for cause in verdict.causes))
    }
    assert len(said) > 40
    assert sorted(word for word in said if not is_known(word)) == []


@pytest.mark.parametrize("word", [*QUESTIONS, "error", "held", "loss", "ws-1006"])
def test_what_is_known(word: str) -> None:
    assert is_known(word)


@pytest.mark.parametrize(
    ("word", "said"), [("hold", " (did you mean holds or held?)"), ("xyzzy", "")]
)
def test_what_is_not_known_is_refused_with_what_is_near(word: str, said: str) -> None:
    assert not is_known(word)
    assert meant(word) == said
    assert word not in WORDS
