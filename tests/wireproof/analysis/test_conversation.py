"""Pings with their round trips, and what stood before a pong."""

from __future__ import annotations

import pytest
from support.timed import Socket
from support.websocket_frames import KEY, frame

from parsers.records import WebSocketFrameRecord
from wireproof.analysis.conversation import MAX_ROUNDS, Conversation
from wireproof.exchanges import Exchanges
from wireproof.pings import MAX_PINGS

TEXT, PING, PONG = 1, 9, 10


def heard(socket: Socket) -> Conversation:
    exchanges: Exchanges[Conversation] = Exchanges(lambda _: Conversation())
    found = Conversation()
    for record in socket.tape.records():
        one = exchanges.add(record)
        if one is not None and isinstance(record, WebSocketFrameRecord):
            found = one[1]
            found.add(record, one[0].answer)
    return found


def pinging(number: int, *, answered: int, wait: float = 0.01) -> Socket:
    socket = Socket()
    for one in range(number):
        payload = b"%d" % one
        socket.talk.server(frame(PING, payload))
        socket.tape.wait(wait)
        if one < answered:
            socket.talk.client(frame(PONG, payload, key=KEY))
    return socket


def test_a_round_trip_is_from_the_ping_to_its_pong() -> None:
    talk = heard(pinging(3, answered=3))
    assert talk.rounds == pytest.approx([0.01] * 3, abs=0.001)
    assert talk.unanswered == []


def test_pings_without_a_pong_wait() -> None:
    talk = heard(pinging(3, answered=2))
    assert talk.round_count == 2
    assert [ping.data for ping in talk.unanswered] == ["2"]


def test_one_pong_may_answer_several() -> None:
    socket = pinging(3, answered=0)
    socket.talk.client(frame(PONG, b"2", key=KEY))
    talk = heard(socket)
    assert (talk.round_count, talk.unanswered) == (3, [])
    assert talk.slowest is not None and talk.slowest.ping.data == "0"


def test_a_pong_may_stand_behind_a_message() -> None:
    socket = Socket()
    socket.talk.server(frame(PING, b"a"))
    socket.talk.client(frame(TEXT, b"x" * 5_000, key=KEY))
    socket.talk.client(frame(PONG, b"a", key=KEY))
    slowest = heard(socket).slowest
    assert slowest is not None and slowest.largest is not None
    assert (slowest.between, slowest.largest.length) == (5_000, 5_000)


def test_a_message_before_the_ping_does_not_stand_in_between() -> None:
    socket = Socket()
    socket.talk.client(frame(TEXT, b"x" * 5_000, key=KEY))
    socket.talk.server(frame(PING, b"a"))
    socket.talk.client(frame(PONG, b"a", key=KEY))
    slowest = heard(socket).slowest
    assert slowest is not None
    assert (slowest.between, slowest.largest) == (0, None)


def test_what_is_kept_does_not_grow() -> None:
    talk = heard(pinging(MAX_ROUNDS + 10, answered=MAX_ROUNDS + 10, wait=0.0))
    assert (talk.round_count, len(talk.rounds)) == (MAX_ROUNDS + 10, MAX_ROUNDS)
    assert len(heard(pinging(MAX_PINGS + 10, answered=0, wait=0.0)).unanswered) == MAX_PINGS
