"""Which elements hold a text: by what was sent, not by what we call it."""

from __future__ import annotations

from typing import Any

import pytest
from support.answers import Asked, asked, streamed

from wireproof.web import finding


def found(asks: Asked, text: str) -> Any:
    return asks(f"find/0.0/{text.encode().hex()}")


def test_texts_are_found_in_elements_heads_and_packets_whatever_their_case() -> None:
    with asked(streamed(b"data: Hallo\n\n", b"data: W\xc3\xb6rld\n\n")) as asks:
        answer = found(asks, "wÖRLD")
        assert (answer["found"]["e"], answer["found"]["k"], answer["total"]) == ([1], [1], 3)
        (packet,) = answer["found"]["p"]
        assert "W\xc3\xb6rld".encode("latin-1") in asks.index.data(packet)
        assert found(asks, "HALLO")["found"]["e"] == [0]
        assert found(asks, "api.example")["found"]["q"] == [0]
        assert found(asks, "text/event-stream")["found"]["r"] == [0]


def test_our_own_names_are_not_found() -> None:
    with asked(streamed(b"data: x\n\n")) as asks:
        assert found(asks, "first_packet") == {"found": {}, "total": 0}


def test_bytes_are_found_in_packets_alone() -> None:
    with asked(streamed(b"data: x\n\n")) as asks:
        answer = found(asks, "0x646174613a2078")  # "data: x"
        assert list(answer["found"]) == ["p"] and answer["total"] == 1


def test_what_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MAX_FOUND", 2)
    monkeypatch.setattr(finding, "STEP", 3)
    with asked(streamed(*[b"data: same\n\n"] * 7)) as asks:
        answer = found(asks, "same")
        assert answer["found"]["e"] == [0, 1]
        assert answer["total"] == 7 + 7 + 7  # events, chunks, packets


def test_no_exchange_has_no_answer() -> None:
    with asked(streamed(b"data: x\n\n")) as asks:
        assert asks.answers.answer("find/9.9/78") is None
