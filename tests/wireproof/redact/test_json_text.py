"""Where in JSON what its strings say stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.json_text import (
    MAX_DOCUMENT,
    as_latin1,
    json_strings,
    places_of,
    values_by_key,
    values_by_path,
)


def parts(raw: str, text: str, first: int, last: int) -> list[str]:
    return [raw[start:end] for start, end in places_of(raw, text, first, last)]


@given(st.text(max_size=30), st.booleans(), st.data())
def test_every_character_is_where_it_stands(text: str, is_ascii: bool, draw: st.DataObject) -> None:
    raw = as_latin1(json.dumps(text, ensure_ascii=is_ascii))
    [(is_name, string)] = json_strings(raw)
    assert not is_name
    assert string.text == as_latin1(text)
    places = [string.span(at, at + 1) for at in range(len(string.text))]
    assert "".join(raw[a:b] for a, b in sorted(set(places))) == raw[1:-1]


@pytest.mark.parametrize(
    ("raw", "text", "span", "expected"),
    [
        ('{"a": "x", "delta": "abcd"}', "abcd", (1, 3), ["bc"]),
        ('{"a": "abcd", "b": "abcd"}', "abcd", (0, 4), ["abcd", "abcd"]),
        ('{"abcd": 1, "b": "abcd"}', "abcd", (0, 4), ["abcd"]),
        ('{"d": "a\\nb\\u0041c"}', "a\nbAc", (1, 4), ["\\nb\\u0041"]),
        ('{"d": "\\ud83d\\ude00x"}', as_latin1("\N{GRINNING FACE}x"), (1, 2), ["\\ud83d\\ude00"]),
        ('[{"t": "ab"}, {"t": "cd"}]', "abcd", (1, 3), ["b", "c"]),
        ('{"d": "[1] abcd"}', "abcd", (0, 2), ["ab"]),
        ('{"d": "YWJjZA==", "e": 1}', "abcd", (0, 2), ["YWJjZA=="]),
        ("data: abcd\n\n", "abcd", (1, 3), ["bc"]),
        ("data: ab\ndata: cd\n\n", "ab\ncd", (1, 4), ["b", "c"]),
        ("data: ab\n\n", "other", (0, 5), ["data: ab\n\n"]),
    ],
)
def test_places(raw: str, text: str, span: tuple[int, int], expected: list[str]) -> None:
    assert parts(raw, text, *span) == expected


def test_values_by_what_leads_to_them() -> None:
    text = '{"a": "x", "b": [{"c": "y", "d": ""}, ["\\u007a", 1]], "e": {"f": ["w"]}}'
    paths = [(".a", "x"), (".b.0.c", "y"), (".b.1.0", "z"), (".e.f.0", "w")]
    assert list(values_by_path(text)) == paths
    assert list(values_by_path("no JSON")) == list(values_by_path(99_999 * "[")) == []
    assert list(values_by_path(f'["{MAX_DOCUMENT * "x"}"]')) == []


def test_values_by_the_names_before_them() -> None:
    text = '{"a": "x", "b": {"c": ["y", "\\u007a"], "d": ""}, "n": 1}'
    assert list(values_by_key(text)) == [("a", "x"), ("c", "y"), ("c", "z")]
