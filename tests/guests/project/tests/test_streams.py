"""That the streams stream, as they go over the wire."""

import sys

import httpx
import pytest

WORDS = "one-two-three-four-five-six"


def test_events_really_stream(wire):
    with wire.serve("app:app") as server:
        httpx.get(server.url + "/chat", params={"prompt": WORDS})
    exchange = wire.exchange("/chat")
    assert exchange.is_complete
    assert [event.data for event in exchange.events] == [*WORDS.split("-"), "[DONE]"]
    exchange.assert_streamed(min_events=5)
    exchange.assert_time_to_first_event(below=10)
    exchange.assert_no_gap_longer_than(10.0)
    exchange.assert_clean_end(app_terminator="[DONE]")


def test_a_collected_answer_is_found_out(wire):
    with wire.serve("app:app") as server:
        httpx.get(server.url + "/collected", params={"prompt": WORDS})
    with pytest.raises(AssertionError, match="came in a burst"):
        wire.exchange("/collected").assert_streamed(min_events=5)


def read_feed(url, events, **headers):
    """Read so many events, as EventSource would, and leave."""
    with httpx.stream("GET", url, headers=headers) as response:
        ids = (line[len("id: ") :] for line in response.iter_lines() if line[:3] == "id:")
        return [next(ids) for _ in range(events)]


def test_a_feed_goes_on_where_the_client_left(wire):
    with wire.serve("app:app") as server:
        first = read_feed(server.url + "/feed", 5)
        read_feed(server.url + "/feed", 3, **{"Last-Event-ID": first[-1]})
    before, after = wire.exchanges("/feed")
    assert not before.is_complete  # it never ends
    after.assert_resumed_from(before)


def test_a_factory(wire):
    with wire.serve("app:create_app", factory=True) as server:
        assert httpx.get(server.url + "/health").json() == {"status": "ok"}
    assert wire.exchange("/health").status == 200


def test_an_app_of_this_process(wire):
    from app import app

    with wire.serve(app) as server:
        httpx.get(server.url + "/lines", params={"prompt": WORDS})
    exchange = wire.exchange("/lines")
    exchange.assert_streamed(min_events=5)
    assert "".join(chunk.data for chunk in exchange.elements).split() == WORDS.split("-")


def test_the_projects_own_command(wire):
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "{port}"]
    with wire.serve(command) as server:
        httpx.get(server.url + "/lines", params={"prompt": WORDS})
    wire.exchange("/lines").assert_streamed(min_events=5)


def test_the_stored_transcript(wire):
    with wire.serve("app:app") as server:
        httpx.get(server.url + "/lines", params={"prompt": WORDS})
    wire.assert_matches("lines")
