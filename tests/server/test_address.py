from __future__ import annotations

import pytest

from server.address import Address
from server.scenarios import scenario

FOUR = Address("127.0.0.1", 8000, 8001)
SIX = Address("::1", 8000, 8001)


def test_origin() -> None:
    assert FOUR.origin() == "http://127.0.0.1:8000"
    assert FOUR.origin("ws", raw=True) == "ws://127.0.0.1:8001"
    assert SIX.origin() == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("transport", "name", "query", "url"),
    [
        ("chunked", "plain", {}, "http://127.0.0.1:8000/stream"),
        ("chunked", "reset", {}, "http://127.0.0.1:8001/stream/reset"),
        ("chunked", "slow", {}, "http://127.0.0.1:8000/stream/slow?stall=0.4"),
        ("sse", "slow", {"delay": 0}, "http://127.0.0.1:8000/sse/slow?stall=0.4&delay=0"),
        ("sse", "slow", {"stall": 1.5}, "http://127.0.0.1:8000/sse/slow?stall=1.5"),
        ("websocket", "plain", {"delay": 0.1}, "ws://127.0.0.1:8000/ws?delay=0.1"),
        ("websocket", "fragments", {}, "ws://127.0.0.1:8001/ws/fragments"),
    ],
)
def test_url(transport: str, name: str, query: dict[str, float], url: str) -> None:
    assert FOUR.url(scenario(transport, name), **query) == url
