"""That the chat streams, as it goes over the wire."""

from __future__ import annotations

import httpx
import pytest

PROMPT = "one two three four five six"


def test_tokens_really_stream(wire):
    with wire.serve("server.app:app") as server:
        httpx.get(server.url + "/chat", params={"prompt": PROMPT})
    exchange = wire.exchange("/chat")
    assert exchange.is_complete
    assert [event.data for event in exchange.events] == [*PROMPT.split(), "[DONE]"]
    exchange.assert_streamed(min_events=5, max_events_per_segment=1)
    exchange.assert_time_to_first_event(below=5)
    exchange.assert_no_gap_longer_than(5.0)
    exchange.assert_clean_end(app_terminator="[DONE]")


def test_a_collected_answer_is_found_out(wire):
    with wire.serve("server.app:app") as server:
        httpx.get(server.url + "/collected", params={"prompt": PROMPT})
    with pytest.raises(AssertionError, match="came in a burst"):
        wire.exchange("/collected").assert_streamed(min_events=5, max_events_per_segment=1)


def read_feed(url, events, **headers):
    """Read so many events, as EventSource would, and leave."""
    with httpx.stream("GET", url, headers=headers) as response:
        ids = (line.removeprefix("id: ") for line in response.iter_lines() if line[:3] == "id:")
        return [next(ids) for _ in range(events)]


def test_a_feed_goes_on_where_the_client_left(wire):
    with wire.serve("server.app:app") as server:
        first = read_feed(server.url + "/feed", 5)
        read_feed(server.url + "/feed", 3, **{"Last-Event-ID": first[-1]})
    before, after = wire.exchanges("/feed")
    before.assert_streamed(min_events=5)
    assert not before.is_complete  # it never ends
    after.assert_resumed_from(before)


def test_the_stored_transcript(wire):
    with wire.serve("server.app:app") as server:
        httpx.get(server.url + "/chat", params={"prompt": PROMPT})
    wire.assert_matches("chat")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_async_client(wire, anyio_backend):
    async with wire.serve("server.app:app") as server, httpx.AsyncClient() as client:
        await client.get(server.url + "/chat", params={"prompt": PROMPT})
    wire.exchange("/chat").assert_streamed(min_events=5)


def test_an_app_of_this_process(wire):
    from server.app import app

    with wire.serve(app) as server:
        httpx.get(server.url + "/chat", params={"prompt": PROMPT})
    wire.exchange("/chat").assert_streamed(min_events=5)


def test_our_own_folders_are_ours():
    import parsers.prompt

    import capture
    import server.app

    assert capture.MINE
    assert parsers.prompt.words("a b") == ["a", "b"]
    assert server.app.app is not None
