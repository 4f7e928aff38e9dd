"""What a payload is called in every view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.dialects.payload import DONE, OTHER, PING, Payload
from wireproof.dialects.wording import said

WORDS = [
    (Payload("text", "Hello"), 'text "Hello"'),
    (Payload("text", " two\nlines "), 'text " two\\nlines "'),
    (Payload("text", "I cannot", "refusal"), 'refusal "I cannot"'),
    (Payload("reasoning", "Hm"), 'reasoning "Hm"'),
    (Payload("tool", "", "get_weather", "call_1"), "tool get_weather"),
    (Payload("tool", '{"city":', "get_weather", "call_1"), 'tool get_weather {"city":'),
    (Payload("role", "", "assistant"), "role assistant"),
    (Payload("start", "", "assistant", extra={"input_tokens": 12}), "start assistant (12 in)"),
    (Payload("start", "get_weather", "tool_use", "t1"), "start tool_use get_weather"),
    (Payload("usage", tokens=20, extra={"input_tokens": 12}), "usage 12 in, 20 out"),
    (Payload("finish", "stop"), "finish stop"),
    (Payload("finish", "end_turn", tokens=20), "finish end_turn (20 out)"),
    (Payload("text", ".", extra={"finish": "STOP"}), 'text "." (finish STOP)'),
    (Payload("text", "x", tokens=3, extra={"input_tokens": 9}), 'text "x" (9 in, 3 out)'),
    (Payload("error", "Overloaded", "overloaded_error"), "error overloaded_error: Overloaded"),
    (Payload("error", "", "1011"), "error 1011"),
    (Payload("control", name="content_block_stop"), "content_block_stop"),
    (Payload("control"), "control"),
    (Payload("ping", label="PINGREQ"), "PINGREQ"),
    (Payload("other", "21.5", "room/1", label="PUBLISH"), "PUBLISH room/1 21.5"),
    (Payload("other", '{"n":1}', "", "1", label="next"), 'next #1 {"n":1}'),
    (Payload("other", "[]", "tools/list", "2"), "tools/list #2 []"),
    (Payload("error", "no", "", "1", label="next"), "next #1 no"),
    (Payload("other", "7", label="item", extra={"things": 2}), "item 7 (2 in one)"),
    (DONE, "done [DONE]"),
    (PING, "ping"),
]


@pytest.mark.parametrize(("payload", "words"), WORDS)
def test_a_payload_in_words(payload: Payload, words: str) -> None:
    assert str(said(payload, 80)) == words


def test_what_no_dialect_has_a_word_for_has_none() -> None:
    assert said(OTHER, 80) is None


def test_a_long_text_is_cut() -> None:
    words = said(Payload("text", "x" * 1_000_000), 10)
    assert words is not None
    assert len(str(words)) < 60


@given(text=st.text(), name=st.text(), label=st.text(), number=st.text())
def test_words_are_safe_to_print(text: str, name: str, label: str, number: str) -> None:
    words = said(Payload("other", text, name, number, label=label), 40)
    shown = "" if words is None else str(words)
    assert all(char.isprintable() or char in "\u3000\u200c\u200d" for char in shown)
