"""What an exchange is made of, and how it is told in a line."""

from __future__ import annotations

import pytest
from support.talk import Talk
from support.timed import CHUNKED, Handmade, Socket, Stream, TimedTape, event
from support.websocket_frames import KEY, frame

from wireproof.testing import WireFailure


def test_an_event_stream() -> None:
    stream = Stream("/chat?q=1", thinking=0.25).chunks([b": hi\n\n"], every=0.0)
    exchange = stream.events(3, every=0.5).end().exchange
    assert (exchange.method, exchange.target, exchange.status) == ("GET", "/chat?q=1", 200)
    assert exchange.transport == "sse"
    assert exchange.header("Content-Type") == "text/event-stream"
    assert exchange.header("X-Other") is None
    assert exchange.request_header("host") == "127.0.0.1:8000"
    assert [found.data for found in exchange.events] == ["token 1", "token 2", "token 3"]
    assert [found.fields for found in exchange.comments] == [[("", " hi")]]
    assert exchange.elements == exchange.events
    assert exchange.time_to_headers == pytest.approx(0.25, abs=0.01)
    assert exchange.time_to_first_event == pytest.approx(0.75, abs=0.01)
    assert exchange.last_event_id == "3"
    assert str(exchange) == (
        "GET /chat?q=1 200 sse: 3 events over 1.000 s, complete (last chunk); packets 4-10"
    )


def test_an_exchange_without_an_answer() -> None:
    talk = Talk(TimedTape()).open()
    talk.client(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange = Handmade(talk.tape).exchange()
    assert exchange.status is None
    assert exchange.time_to_headers is None
    assert exchange.time_to_first_event is None
    assert not exchange.is_complete
    assert exchange.header("content-type") is None
    assert exchange.last_event_id == ""
    assert str(exchange) == "GET /slow no response http: 0 chunks, no end seen; packets 4"


def test_an_answer_without_its_request() -> None:
    talk = Talk(TimedTape()).midstream()
    talk.server(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n", b"2\r\nhi\r\n")
    exchange = Handmade(talk.tape).exchange()
    assert exchange.method == exchange.target == ""
    assert exchange.request_header("host") is None
    assert str(exchange).startswith("(request not captured) 200 chunked: 1 chunk, INCOMPLETE")


def test_a_websocket() -> None:
    socket = Socket()
    socket.talk.client(frame(1, b"hello", key=KEY))
    socket.talk.server(frame(1, b"hello yourself"))
    exchange = socket.exchange
    assert exchange.transport == "websocket"
    assert [message.data for message in exchange.messages] == ["hello", "hello yourself"]
    assert [message.data for message in exchange.elements] == ["hello yourself"]
    assert [found.masked for found in exchange.frames] == [True, False]
    assert str(exchange) == (
        "GET /ws 101 websocket: 1 message, still open when the capture ends; packets 4-7"
    )


def test_a_final_answer_follows_an_interim_one() -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n")
    assert Handmade(tape).exchange().status == 204


def test_what_comes_from_the_wire_cannot_write_to_the_terminal() -> None:
    stream = Stream("/\x1b]0;owned\x07").events(1, every=0).end()
    assert "\x1b" not in str(stream.exchange)
    with pytest.raises(WireFailure) as failure:
        stream.exchange.assert_streamed(min_events=5)
    assert "\x1b" not in str(failure.value)
    assert "\x07" not in str(failure.value)


def test_only_packets_that_matter_are_shown() -> None:
    stream = Stream(thinking=0.2).events(30, every=0).end()
    with pytest.raises(WireFailure) as failure:
        stream.exchange.assert_streamed(min_events=5)
    rows = str(failure.value).partition("No.")[2].splitlines()
    assert len(rows) == 1 + 12 + 3  # the heading's rest, packets, and what is said after them
    assert rows[13] == "      and 18 packets more"


def test_one_exchange_can_be_compared_by_itself() -> None:
    capture = Stream().chunks([event(1)], every=0).end().capture
    exchange = capture.exchange()
    exchange.assert_matches("chat")
    assert capture.compared == [("chat", [exchange])]
