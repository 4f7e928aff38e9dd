"""A client for HTTP/2 beside a real server: what it received is what was sent, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capture.clients.http2 import Http2Client
from server.http2.app import EVENTS, FILLER, LARGE, MESSAGES, grpc_message
from server.http2.process import Http2Server
from server.http2.scenarios import http2_scenario

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with Http2Server(http2_scenario("sse")) as server:
        yield server.port


def test_several_streams_at_once(port: int) -> None:
    client = Http2Client("127.0.0.1", port)
    numbers = [client.request("/sse") for _ in range(3)]
    client.read()
    client.close()
    assert numbers == [1, 3, 5]
    for one in client.streams.values():
        assert (one.status, one.ended) == (200, "end-stream")
        assert one.content.count(b"data: ") == EVENTS


def test_a_window_that_is_held(port: int) -> None:
    client = Http2Client("127.0.0.1", port, window_held=0.3)
    client.request("/large")
    client.read()
    client.close()
    assert client.streams[1].content.count(FILLER) == LARGE
    assert client.streams[1].ended == "end-stream"


def test_one_is_cancelled_and_the_other_goes_on(port: int) -> None:
    client = Http2Client("127.0.0.1", port, cancel_after=50)
    client.request("/sse")
    client.request("/sse")
    client.read()
    client.close()
    assert [one.ended for one in client.streams.values()] == ["cancelled", "end-stream"]
    assert 50 <= len(client.streams[1].content) < len(client.streams[3].content)


def test_a_body_and_trailers(port: int) -> None:
    client = Http2Client("127.0.0.1", port)
    fields = ("content-type", "application/grpc"), ("te", "trailers")
    client.request("/demo.Chat/Tokens", *fields, body=grpc_message(b"hi"))
    client.read()
    client.close()
    (one,) = client.streams.values()
    assert one.content.count(b"\0") >= len(MESSAGES)
    assert ("grpc-status", "0") in one.trailers


def test_a_server_that_goes_away() -> None:
    with Http2Server(http2_scenario("goaway")) as server:
        client = Http2Client("127.0.0.1", server.port)
        client.request("/sse")
        client.request("/sse")
        client.read(until=lambda one: len(one.content) > 50)
        client.request("/sse")
        client.read()
        client.close()
    assert [one.ended for one in client.streams.values()] == ["goaway"] * 3
