"""The bytes of a connection as they come: whose they are, and which packet brought them."""

from __future__ import annotations

import pytest
from support.attack import request, response
from support.talk import Talk

from parsers.files.packets import Packet
from wireproof.bytes.followed import MAX_UNTOLD, FollowedConnection, Piece

OK = response("200 OK", "Content-Length: 2") + b"ok"


def followed(packets: list[Packet], batch: int = 1) -> list[Piece]:
    pieces: list[Piece] = []
    connection = FollowedConnection(0, pieces.append)
    for start in range(0, len(packets), batch):
        connection.receive(packets[start : start + batch])
    connection.finish()
    return pieces


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_each_packet_has_its_piece(batch: int) -> None:
    talk = Talk().open()
    talk.client(request("/")[:10], request("/")[10:])
    talk.server(OK)
    pieces = followed(talk.tape.packets, batch)
    assert [(one.sender, one.data) for one in pieces] == [
        ("client", request("/")[:10]),
        ("client", request("/")[10:]),
        ("server", OK),
    ]
    numbers = [packet[0] for packet in talk.tape.packets]
    assert [one.packet for one in pieces] == numbers[-3:]


def test_in_the_middle_the_messages_say_whose_is_whose() -> None:
    talk = Talk().midstream()
    talk.server(OK)
    talk.client(request("/"))
    assert {(one.sender, one.data) for one in followed(talk.tape.packets)} == {
        ("server", OK),
        ("client", request("/")),
    }


def test_what_is_never_told_does_not_wait_for_ever() -> None:
    talk = Talk().midstream()
    pieces: list[Piece] = []
    connection = FollowedConnection(0, pieces.append)
    for _ in range(MAX_UNTOLD // 1_000 + 2):
        talk.client(bytes(range(200, 250)) * 20)
    connection.receive(talk.tape.packets)
    assert sum(len(one.data) for one in pieces) > MAX_UNTOLD


def test_what_is_missing_is_a_piece_too() -> None:
    talk = Talk().open()
    talk.client(b"GET / HT")
    talk.lose("client", 5)
    talk.client(b"more")
    talk.server(OK)
    found = followed(talk.tape.packets)
    assert [(one.data, one.missing) for one in found if one.sender == "client"] == [
        (b"GET / HT", 0),
        (b"", 5),
        (b"more", 0),
    ]


def test_another_connection_is_not_followed() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    pieces: list[Piece] = []
    connection = FollowedConnection(1, pieces.append)
    connection.receive(talk.tape.packets)
    connection.finish()
    assert not pieces and connection.connection is None
