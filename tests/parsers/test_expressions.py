"""Repeated groups, and that none is repeated as Python 3.11.2 misreads it."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import ROOT

from parsers.expressions import every, when_used

# A quantifier that is possessive, after a group; "()*+" stands in many a character class.
POSSESSIVE_GROUP = re.compile(r"(?:^|[^(\\])\)(?:[*+?]|\{[\d,{}]*\})\+")
SOURCES = [
    path
    for package in ("parsers", "capture", "server", "wireproof")
    for path in sorted((ROOT / package).rglob("*.py"))
]
TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def possessive_groups(source: str) -> list[str]:
    """The string literals of a module in which a group has a possessive quantifier."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    texts = [token.string for token in tokens if token.type in TEXTS]
    return [text for text in texts if '"""' not in text[:5] and POSSESSIVE_GROUP.search(text)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_group_has_a_possessive_quantifier(path: Path) -> None:
    assert possessive_groups(path.read_text()) == []


@pytest.mark.parametrize("text", ["(?:ab)*+", "(a|b)++", "(?:a)?+", "(?:a){2,}+", ")*+"])
def test_one_would_be_seen(text: str) -> None:
    assert possessive_groups(f"A = r'{text}'") and possessive_groups(f"A = rb'x{text}'")
    assert not possessive_groups("A = r'[()*+,]++(?>(?:ab)*)'  # (?:ab)*+")


@given(st.text("abc", max_size=400), st.text("abc", max_size=3))
def test_it_is_the_plain_repetition_without_a_way_back(text: str, after: str) -> None:
    text = text.replace("ab", "abc" * 9) + after
    plain = re.match("(?:ab?c)*", text)
    found = re.match(every("ab?c"), text)
    coded = re.match(every(b"ab?c"), text.encode())
    assert plain and found and coded
    assert plain.span() == found.span() == coded.span()
    assert re.match(every("ab?c") + "ac", "acac") is None


def test_an_iteration_that_fails_halfway() -> None:
    """What Python before 3.11.5 takes as part of the match if the quantifier is possessive."""
    found = re.match(every("ab?c"), "aca")
    assert found is not None and found.span() == (0, 2)


def test_it_is_compiled_when_it_is_first_used() -> None:
    expression = when_used(rb"a(b+)")
    assert "match" not in vars(expression)
    found = expression.match(b"abbc")
    assert found is not None and found[1] == b"bb"
    assert "match" in vars(expression)
