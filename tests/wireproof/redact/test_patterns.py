"""What is looked for in texts: in long ones by one pass, as in a search for each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact import patterns as module
from wireproof.redact.patterns import SHORT_TEXT, Patterns, patterns

USUAL = patterns()
TOKENS = [f"{one.begins.decode('latin-1')}9fQx2LmT7vRw4ZkP0cNb" for one in USUAL.triggers]
"""Each beginning, and what a token may go on with."""
PIECES = st.one_of(
    st.sampled_from(TOKENS),
    st.sampled_from(TOKENS).map(str.upper),
    st.sampled_from(["A" * 700, "g" * 300, "-" * 200, " ", "=", ": ", '"', "\n", "x" * 40]),
    st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
)


def found(those: Patterns, text: str) -> list[tuple[int, int]]:
    return sorted(match.span() for match in those.matches(text))


def searched(text: str) -> list[tuple[int, int]]:
    """The same, where each beginning of the table is searched for."""

    class Searched(Patterns):
        def _possible(self, lower: bytes) -> list[module.Placed]:
            return [(one, None) for one in self.triggers]

    return found(Searched(USUAL.triggers), text)


@given(st.lists(PIECES, min_size=1, max_size=12))
def test_one_pass_finds_what_a_search_for_each_finds(pieces: list[str]) -> None:
    text = "".join(pieces) + " " * SHORT_TEXT
    assert found(USUAL, text) == searched(text)


@pytest.mark.parametrize("token", ["sk_live_", "glpat-", "ghp_", "xoxb-"])
def test_a_prefix_that_is_all_over_is_searched_for(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PLACES", 5)
    text = f"{token}9fQx2LmT7vRw4ZkP0cNb8dYh " * 40
    assert found(USUAL, text) == searched(text) != []


def test_prefixes_that_overlap_are_all_found() -> None:
    text = "nsk_live_9fQx2LmT7vRw4ZkP0cNb8dYh sk_sk_live_9fQx2LmT7vRw4ZkP0cNb8dYh " * 12
    assert found(USUAL, text) == searched(text)
