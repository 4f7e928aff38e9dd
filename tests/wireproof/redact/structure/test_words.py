"""What is listed: by dialects for JSON, by standards for HTTP."""

from __future__ import annotations

from wireproof.dialects.table import DIALECTS
from wireproof.redact.structure.words import (
    FIELD_NAMES,
    LISTED,
    NOTHING,
    NUMBER_VALUE,
    WORD_VALUE,
    event_names,
    members,
    words,
)


def test_members_are_those_that_dialects_read() -> None:
    found = members()
    assert found[b"content"] == NOTHING
    assert found[b"completion_tokens"] == NUMBER_VALUE
    assert found[b"finish_reason"] == found[b"finishReason"] == WORD_VALUE
    assert found[b"type"] == WORD_VALUE | NUMBER_VALUE  # SignalR's is a number
    assert b"password" not in found


def test_words_are_those_of_their_members() -> None:
    for dialect in DIALECTS:
        for name, own in dialect.words.items():
            assert name.encode() in members()
            assert {one.encode() for one in own} <= words()
    assert {b"message_stop", b"chat.completion.chunk", b"stop", b"2.0"} <= words()


def test_names_of_events() -> None:
    assert {b"message_stop", b"ping", b"error", b"message"} <= event_names()


def test_listed_values_are_of_listed_fields() -> None:
    assert LISTED.keys() <= FIELD_NAMES
    assert all(name == name.lower() for name in FIELD_NAMES)
