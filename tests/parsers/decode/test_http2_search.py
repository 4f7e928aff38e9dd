"""What a stream's DATA tells of whether it is a WebSocket."""

from __future__ import annotations

import pytest
from support.websocket_frames import KEY, frame

from parsers.decode.http2_search import WebSocketSearch
from parsers.limits import MAX_UNDECIDED
from parsers.records import Sender

Said = list[tuple[Sender, bytes]]
HI, LONG = frame(1, b"hi"), frame(1, b"a longer message")
ASKED = frame(1, b"hi", key=KEY)


def search(said: Said) -> WebSocketSearch:
    found = WebSocketSearch()
    for sender, content in said:
        found.add(sender, content[:1])
        found.add(sender, content[1:])
        found.end_frame(sender)
    return found


@pytest.mark.parametrize(
    ("said", "frames"),
    [
        ([("server", LONG), ("server", LONG)], 2),
        ([("server", HI), ("client", ASKED)], 2),
        ([("client", ASKED), ("client", ASKED)], 2),
        ([("server", HI + HI + HI), ("server", b"")], 3),
        ([("server", LONG[:5]), ("server", LONG[5:]), ("client", ASKED)], 2),
        ([("server", frame(9, b"p")), ("client", frame(10, b"p", key=KEY)), ("server", HI)], 3),
    ],
)
def test_frames_by_which_chance_is_ruled_out(said: Said, frames: int) -> None:
    found = search(said)
    assert f"WebSocket frames, certain by {frames}: " in found.proof
    assert found.is_likely and not found.is_refuted


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("server", b"")],
        [("server", LONG)],  # one alone
        [("client", ASKED)],
        [("server", frame(2, b"a")), ("server", frame(2, b"b"))],  # a type and a length, as of MQTT
    ],
)
def test_what_may_be_frames_is_not_certain(said: Said) -> None:
    found = search(said)
    assert (found.proof, found.is_refuted) == ("", False)


@pytest.mark.parametrize(
    "said",
    [
        [("server", b"data: one\n\n")],
        [("server", ASKED)],  # masked, by a server
        [("client", HI)],  # not masked, by a client
        [("server", HI), ("server", b"<html>")],
        [("client", ASKED), ("server", b"{}\n")],
        [("server", frame(1, b"\xff\xfe"))],
        [("server", frame(1, b"x" * MAX_UNDECIDED))],
    ],
)
def test_what_cannot_be_frames(said: Said) -> None:
    found = search(said)
    assert (found.proof, found.is_refuted, found.is_likely) == ("", True, False)
