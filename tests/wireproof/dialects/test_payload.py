"""What several things that one element says come to."""

from __future__ import annotations

import pytest

from wireproof.dialects.payload import CONTENT, CONTROL, Payload, joined

PING, TEXT = Payload("ping"), Payload("text", "Hel")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], CONTROL),
        ([TEXT], TEXT),
        ([TEXT, Payload("text", "lo")], Payload("text", "Hello", extra={"things": 2})),
        ([PING, TEXT], TEXT._replace(extra={"things": 2})),
        ([TEXT, Payload("error", "no")], Payload("error", "no", extra={"things": 2})),
        (
            [TEXT, Payload("finish", "stop", tokens=3)],
            TEXT._replace(tokens=3, extra={"finish": "stop", "things": 2}),
        ),
        (
            [Payload("other", "1", label="item"), Payload("other", "2", label="item")],
            Payload("other", "1", label="item", extra={"things": 2}),
        ),
        (
            [Payload("text", "a", tokens=1), Payload("text", "b", tokens=2)],
            Payload("text", "ab", tokens=2, extra={"things": 2}),
        ),
    ],
)
def test_joined(said: list[Payload], expected: Payload) -> None:
    assert joined(said) == expected


def test_content_is_what_a_model_generates() -> None:
    assert set(CONTENT) == {"text", "reasoning", "tool"}
