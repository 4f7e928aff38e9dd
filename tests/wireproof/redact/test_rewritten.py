"""Where the characters of a text stood of which parts were replaced."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.rewritten import Rewritten


def rewritten(text: str, at: int = 0) -> Rewritten:
    """Return a text with each run of letters in it replaced by one, and of digits by none."""
    found = re.finditer(r"([a-z]+)|\d", text[at:])
    spans = (((one.start() + at, one.end() + at), "x" if one[1] else "") for one in found)
    return Rewritten(text, spans, at)


def test_where_characters_stood() -> None:
    plain = rewritten("-1abc23--4d5")
    assert plain.text == "-x--x"
    assert [plain.place(at) for at in range(5)] == [(0, 1), (2, 5), (7, 8), (8, 9), (10, 11)]
    assert plain.span(0, 2) == (0, 5)


def test_a_text_from_a_place_on() -> None:
    plain = rewritten("ab1-c", 2)
    assert plain.text == "-x"
    assert [plain.place(at) for at in range(2)] == [(3, 4), (4, 5)]


@given(st.text(alphabet="ab12-", max_size=20))
def test_every_character_stands_where_it_stood(text: str) -> None:
    plain = rewritten(text)
    places = [plain.place(at) for at in range(len(plain.text))]
    assert places == sorted(places)
    for said, (start, end) in zip(plain.text, places, strict=True):
        assert re.fullmatch("[a-z]+" if said == "x" else "-", text[start:end])
