"""That words are sent as they are found, pings are answered, and who closes."""

from __future__ import annotations

import sys

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

COMMAND = [sys.executable, "-m", "server", "{port}"]
WORDS = ["one", "two", "three", "four", "five"]


def test_words_stream(wire):
    with wire.serve(COMMAND) as server, connect(server.ws_url + "/chat") as client:
        client.send(" ".join(WORDS))
        assert [client.recv() for _ in WORDS] == WORDS
    exchange = wire.exchange("/chat")
    exchange.assert_streamed(min_events=5, max_events_per_segment=1)
    exchange.assert_ping_answered(within=5)
    exchange.assert_closed(code=1000, by="client")
    exchange.assert_clean_end()
    assert all(frame.masked == (frame.sender == "client") for frame in exchange.frames)


def test_the_server_closes_with_a_code_of_its_own(wire):
    with wire.serve(COMMAND) as server, connect(server.ws_url) as client:
        client.send("enough")
        with pytest.raises(ConnectionClosed, match="4000"):
            client.recv()
    exchange = wire.exchange("/")
    exchange.assert_closed(code=4000, by="server")
    with pytest.raises(AssertionError, match="closed with 4000 private use, 1000 expected"):
        exchange.assert_closed(code=1000)


def test_the_stored_transcript(wire):
    with wire.serve(COMMAND) as server, connect(server.ws_url, compression=None) as client:
        client.send(" ".join(WORDS))
        assert [client.recv() for _ in WORDS] == WORDS
    wire.assert_matches("words", replace={r"Python/\S+ websockets/\S+": "websockets"})


def test_our_own_folders_are_ours():
    import parsers.message

    assert parsers.message.words("a b") == ["a", "b"]
