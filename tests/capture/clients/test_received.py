"""What a client starts with, and how it notes an error."""

from __future__ import annotations

import time

from capture.clients import Received


def test_nothing_received_yet() -> None:
    before = time.monotonic()
    received = Received("sse", "http://127.0.0.1/")
    assert before <= received.started <= time.monotonic()
    assert (received.ended, received.error, received.status, received.close_code) == (
        "clean",
        None,
        None,
        None,
    )
    assert (received.body, received.pieces, received.events, received.messages) == (b"", [], [], [])


def test_an_error_is_named_with_its_words() -> None:
    received = Received("chunked", "http://127.0.0.1/")
    received.fail(TimeoutError("too long"))
    assert (received.ended, received.error) == ("error", "TimeoutError: too long")
