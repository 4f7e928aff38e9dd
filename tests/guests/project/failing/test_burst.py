"""A test that fails, for its report."""

import httpx


def test_collected(wire):
    with wire.serve("app:app") as server:
        httpx.get(server.url + "/collected", params={"prompt": "one-two-three-four-five-six"})
    wire.exchange("/collected").assert_streamed(min_events=5)
