"""Secrets in UTF-16 that nothing declares."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.content import ContentFinder
from wireproof.redact.secrets import mask_spans
from wireproof.redact.wide_runs import WideRuns

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
TEXTS = {
    "JSON": json.dumps({"user": "anna", "password": SECRET, "n": 1}),
    "a line": f"x=1&api_key={SECRET}&b=2",
    "a token": f"sk-{SECRET}",
    "a key in pieces": "".join(
        json.dumps({"text": one}) for one in ("sk-", SECRET[:9], SECRET[9:])
    ),
}


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_no_secret_is_left(name: str, order: str, size: int) -> None:
    for before in (b"", b"\x01", b"\xff\xff\x80"):
        whole = (before + TEXTS[name].encode(order) + b"\x80\x81").decode("latin-1")
        finder = ContentFinder(is_event_stream=False)
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
        assert len(shown) == len(whole)
        plain = shown.replace("\0", "")
        assert [at for at in range(13) if SECRET[at : at + 8] in plain] == []


@pytest.mark.parametrize(
    "text",
    [
        "a\0b\0c",
        "password=abc",
        "\0" * 99,
        "p\0a\0s\0s\0=\0a\0",
        "\x01\0\x02\0" * 20,
        "a\0\0\0" * 20,
    ],
)
def test_what_is_no_such_text_stays(text: str) -> None:
    finder = WideRuns()
    assert finder.feed_fast(text) == [] and finder.feed("") == []


@given(st.lists(st.sampled_from("a\0=") | st.sampled_from(["s\0e\0c\0r\0e\0t\0=\0", "é"])))
def test_what_is_skimmed_is_as_what_is_read(pieces: list[str]) -> None:
    textbook, finder = WideRuns(), WideRuns()
    for piece in pieces:
        assert finder.feed_fast(piece) == textbook.feed(piece)
