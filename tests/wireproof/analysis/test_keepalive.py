"""Pings and their answers, and who closed a WebSocket."""

from __future__ import annotations

import re

import pytest
from support.talk import Talk
from support.timed import HANDSHAKE, Handmade, Socket, TimedTape
from support.websocket_frames import KEY, frame

from wireproof.testing import WireFailure

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def pinged(*, after: float | None, payload: bytes = b"1", answer: bytes = b"1") -> Socket:
    """The server pings; the client answers ``after`` seconds."""
    socket = Socket()
    socket.talk.server(frame(PING, payload))
    if after is not None:
        socket.tape.wait(after)
        socket.talk.client(frame(PONG, answer, key=KEY))
    return socket


def test_a_ping_that_is_answered_in_time() -> None:
    pinged(after=0.05).exchange.assert_ping_answered(within=0.1)


@pytest.mark.parametrize(
    ("socket", "said"),
    [
        (Socket(), "there was no ping"),
        (pinged(after=None), "the server's ping in packet 6 was not answered"),
        (pinged(after=0.01, answer=b"2"), "the server's ping in packet 6 was not answered"),
        (pinged(after=0.3), "was answered after 300.0 ms (packet 7), at most 0.1 s expected"),
    ],
    ids=["no ping", "no pong", "another pong", "late"],
)
def test_a_ping_that_is_not(socket: Socket, said: str) -> None:
    with pytest.raises(WireFailure, match=re.escape(said)):
        socket.exchange.assert_ping_answered(within=0.1)


def test_an_upgrade_that_was_refused() -> None:
    """There was no WebSocket: whoever asks for its Close or its pings is told so."""
    talk = Talk(TimedTape()).open()
    talk.client(HANDSHAKE)
    talk.server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nno token")
    talk.close()
    exchange = Handmade(talk.tape).exchange()
    said = "the upgrade was refused with 403 Forbidden: no WebSocket was opened"
    with pytest.raises(WireFailure, match=said) as failure:
        exchange.assert_closed()
    assert "websocket was asked for, 403 Forbidden came: 'no token'" in str(failure.value)
    with pytest.raises(WireFailure, match=said):
        exchange.assert_ping_answered(within=1)


def test_what_stood_before_a_late_pong_is_told() -> None:
    socket = Socket()
    socket.talk.server(frame(PING))
    socket.tape.wait(0.3)
    socket.talk.client(frame(TEXT, bytes(500), key=KEY), frame(PONG, key=KEY))
    with pytest.raises(WireFailure, match="meanwhile the client sent 1 other frame of 500 bytes"):
        socket.exchange.assert_ping_answered(within=0.1)


def test_one_pong_answers_the_pings_before_it() -> None:
    """RFC 6455 section 5.5.3."""
    socket = Socket()
    socket.talk.server(frame(PING, b"1"), frame(PING, b"2"))
    socket.talk.client(frame(PONG, b"2", key=KEY))
    socket.exchange.assert_ping_answered(within=1)


def test_the_end_may_overtake_a_ping() -> None:
    socket = pinged(after=None)
    socket.talk.client(frame(CLOSE, (1000).to_bytes(2), key=KEY))
    socket.exchange.assert_ping_answered(within=1)
    late = pinged(after=None)
    late.tape.wait(5)
    late.talk.client(frame(CLOSE, (1000).to_bytes(2), key=KEY))
    with pytest.raises(WireFailure, match="the client sent Close 1000 normal closure"):
        late.exchange.assert_ping_answered(within=1)


def test_a_clients_pings_count_as_well() -> None:
    socket = Socket()
    socket.talk.client(frame(PING, b"c", key=KEY))
    socket.talk.server(frame(PONG, b"c"))
    socket.exchange.assert_ping_answered(within=1)


def closed(first: bytes, *, answered: bool = True) -> Socket:
    socket = Socket()
    socket.talk.server(frame(CLOSE, first))
    if answered:
        socket.talk.client(frame(CLOSE, first[:2], key=KEY))
    socket.talk.close()
    return socket


def test_who_closed_with_what() -> None:
    exchange = closed((1001).to_bytes(2) + b"bye").exchange
    exchange.assert_closed()
    exchange.assert_closed(code=1001, by="server")
    with pytest.raises(WireFailure, match=r"closed with 1001 going away, 1000 expected\n.*bye"):
        exchange.assert_closed(code=1000)
    with pytest.raises(WireFailure, match="the server closed first, the client expected"):
        exchange.assert_closed(code=1001, by="client")


def test_a_reason_cannot_write_to_the_terminal() -> None:
    exchange = closed((1011).to_bytes(2) + b"\x1b[2Jgone").exchange
    with pytest.raises(WireFailure, match=re.escape(r"\x1b[2Jgone")):
        exchange.assert_closed(code=1000)


@pytest.mark.parametrize(
    ("socket", "said"),
    [
        (Socket(), "there was none"),
        (closed((1000).to_bytes(2), answered=False), "only the server sent one"),
    ],
)
def test_a_handshake_that_was_not_held(socket: Socket, said: str) -> None:
    with pytest.raises(WireFailure, match=rf"{said} \(clients report 1006\)"):
        socket.exchange.assert_closed()


def test_a_close_without_a_code() -> None:
    closed(b"").exchange.assert_closed()
    with pytest.raises(WireFailure, match="closed with no status code, 1000 expected"):
        closed(b"").exchange.assert_closed(code=1000)
