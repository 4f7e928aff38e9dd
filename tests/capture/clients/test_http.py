"""What the HTTP clients keep of a response, whole or not."""

from __future__ import annotations

import gzip
from itertools import pairwise

import brotli
import httpx
import pytest
from support.scripted import scripted

from capture.clients import Received, receive_chunked, receive_events

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def check_times(received: Received) -> None:
    times = [received.started, *(piece.time for piece in received.pieces), received.finished]
    assert all(earlier <= later for earlier, later in pairwise(times))


# --- chunked ---


def test_whole() -> None:
    with scripted(HEAD, chunk(b"one"), chunk(b"three") + b"0\r\n\r\n") as server:
        received = receive_chunked(server.url)
    assert (received.transport, received.url) == ("chunked", server.url)
    assert (received.ended, received.error, received.status) == ("clean", None, 200)
    assert received.headers == [
        ("Content-Type", "text/plain"),
        ("Transfer-Encoding", "chunked"),
    ]
    assert received.body == received.content == b"onethree"
    assert [(piece.offset, piece.length) for piece in received.pieces] == [(0, 3), (3, 5)]
    check_times(received)


def test_the_request() -> None:
    with scripted(HEAD + b"0\r\n\r\n") as server:
        receive_chunked(
            server.url + "path?query",
            method="POST",
            headers={"X-Mine": "1", "accept-encoding": "br"},
            accept_encoding="gzip",
            content=b"body",
        )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /path?query HTTP/1.1"
    assert b"X-Mine: 1" in lines
    assert [line for line in lines if line.lower().startswith(b"accept-encoding")] == [
        b"accept-encoding: br"
    ], "a field that is given takes the place of our own"
    assert b"Content-Length: 4" in lines
    assert body in (b"", b"body")


def test_identity_unless_asked() -> None:
    with scripted(HEAD + b"0\r\n\r\n") as server:
        receive_chunked(server.url)
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("name", "coded"),
    [("gzip", gzip.compress(b"content" * 9, mtime=0)), ("br", brotli.compress(b"content" * 9))],
)
def test_coded(name: str, coded: bytes) -> None:
    head = HEAD.replace(b"chunked\r\n", b"chunked\r\nContent-Encoding: %s\r\n" % name.encode())
    with scripted(head + chunk(coded) + b"0\r\n\r\n") as server:
        received = receive_chunked(server.url, accept_encoding=name)
    assert (received.body, received.content) == (coded, b"content" * 9)
    assert received.ended == "clean"


def test_damaged_coding_keeps_the_body() -> None:
    head = HEAD.replace(b"chunked\r\n", b"chunked\r\nContent-Encoding: gzip\r\n")
    with scripted(head + chunk(b"this is not gzip") + b"0\r\n\r\n") as server:
        received = receive_chunked(server.url)
    assert received.ended == "error"
    assert str(received.error).startswith("DecodingError: ")
    assert (received.body, received.content) == (b"this is not gzip", b"")


@pytest.mark.parametrize(
    ("ending", "error"), [("close", "RemoteProtocolError: "), ("reset", "ReadError: ")]
)
def test_cut_short_keeps_what_came(ending, error: str) -> None:
    with scripted(HEAD, chunk(b"one"), chunk(b"two"), b"5\r\nth", ending=ending) as server:
        received = receive_chunked(server.url)
    assert received.ended == "error"
    assert str(received.error).startswith(error)
    assert received.status == 200
    assert received.body == received.content == b"onetwoth"
    check_times(received)


def test_a_bad_chunk_keeps_what_came() -> None:
    with scripted(HEAD, chunk(b"one"), b"xyz\r\n") as server:
        received = receive_chunked(server.url)
    assert (received.ended, received.body) == ("error", b"one")


def test_no_byte_for_too_long() -> None:
    with scripted(HEAD, chunk(b"one"), ending="wait") as server:
        received = receive_chunked(server.url, timeout=1.0)
    assert (received.ended, received.body) == ("error", b"one")
    assert str(received.error).startswith("ReadTimeout: ")


def test_leave_after() -> None:
    with scripted(HEAD, chunk(b"one"), chunk(b"two"), ending="wait") as server:
        received = receive_chunked(server.url, leave_after=4)
    assert (received.ended, received.error) == ("left", None)
    assert received.body == b"onetwo"


def test_another_framing() -> None:
    with scripted(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno") as server:
        received = receive_chunked(server.url)
    assert (received.status, received.body, received.ended) == (404, b"no", "clean")


def test_nobody_listens() -> None:
    with scripted(HEAD + b"0\r\n\r\n") as server:
        receive_chunked(server.url)
    received = receive_chunked(server.url)
    assert (received.ended, received.status, received.headers) == ("error", None, [])
    assert str(received.error).startswith("ConnectError: ")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with scripted(HEAD + b"0\r\n\r\n") as server:
        assert receive_chunked(server.url).ended == "clean"


def test_no_url() -> None:
    with pytest.raises(httpx.InvalidURL):
        receive_chunked("http://127.0.0.1:port/")


# --- server-sent events ---


def test_events() -> None:
    stream = b": hello\n\nid: 1\ndata: a\ndata: b\n\nevent: tick\nretry: 500\ndata:\xc3\xa9\n\n"
    with scripted(EVENTS, chunk(stream[:20]), chunk(stream[20:]) + b"0\r\n\r\n") as server:
        received = receive_events(server.url)
    assert (received.transport, received.ended, received.status) == ("sse", "clean", 200)
    assert [(one.event, one.data, one.id, one.retry) for one in received.events] == [
        ("message", "a\nb", "1", None),
        ("tick", "é", "1", 500),
    ]
    assert received.body == stream
    assert received.events[0].time <= received.events[1].time <= received.finished
    check_times(received)


def test_the_request_for_events() -> None:
    with scripted(EVENTS + b"0\r\n\r\n") as server:
        receive_events(server.url, last_event_id="7", headers=[("X-Mine", "1")])
    for line in (
        b"Accept: text/event-stream",
        b"Cache-Control: no-store",
        b"Last-Event-ID: 7",
        b"Accept-Encoding: identity",
        b"X-Mine: 1",
    ):
        assert line + b"\r\n" in server.requests[0]


def test_no_last_event_id() -> None:
    with scripted(EVENTS + b"0\r\n\r\n") as server:
        receive_events(server.url)
    assert b"Last-Event-ID" not in server.requests[0]


def test_events_of_a_coded_stream() -> None:
    head = EVENTS.replace(b"chunked\r\n", b"chunked\r\nContent-Encoding: gzip\r\n")
    coded = gzip.compress(b"data: a\n\n")
    with scripted(head + chunk(coded) + b"0\r\n\r\n") as server:
        received = receive_events(server.url, accept_encoding="gzip")
    assert [one.data for one in received.events] == ["a"]
    assert received.body == coded


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_events_before_an_error_are_kept(ending) -> None:
    stream = (EVENTS, chunk(b"data: 1\n\n"), chunk(b"data: 2\n\ndata: 3\n"))
    with scripted(*stream, ending=ending) as server:
        received = receive_events(server.url)
    assert received.ended == "error"
    assert [one.data for one in received.events] == ["1", "2"]
    assert received.body == b"data: 1\n\ndata: 2\n\ndata: 3\n"


def test_leave_after_so_many_events() -> None:
    with scripted(EVENTS, chunk(b"data: 1\n\ndata: 2\n\ndata: 3\n\n"), ending="wait") as server:
        received = receive_events(server.url, expect=2)
    assert received.ended == "left"
    assert [one.data for one in received.events] == ["1", "2"]


def test_fewer_events_than_expected() -> None:
    with scripted(EVENTS, chunk(b"data: 1\n\n") + b"0\r\n\r\n") as server:
        received = receive_events(server.url, expect=2)
    assert (received.ended, len(received.events)) == ("clean", 1)


def test_no_event_stream() -> None:
    with scripted(HEAD + chunk(b"data: 1\n\n") + b"0\r\n\r\n") as server:
        received = receive_events(server.url)
    assert received.ended == "error"
    assert "text/event-stream" in str(received.error)
    assert (received.status, received.events) == (200, [])
