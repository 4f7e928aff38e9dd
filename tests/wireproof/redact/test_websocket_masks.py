"""Frames of a WebSocket of which the capture lacks bytes."""

from __future__ import annotations

import pytest
from support.attack import request, response
from support.talk import Talk
from support.websocket_frames import KEY, frame

from wireproof.redact.frames import CUT_NAMES, FrameMasks

SECRET = b"Zq7vLw9xKt3nPb5s"
SWITCH = ("Upgrade: websocket", "Connection: Upgrade")
CUTS = {
    "a sign": (b'{"user":"anna","password', b'":"', SECRET + b'","a":1}'),
    "the end of a name and a sign": (b'{"user":"anna","passw', b'ord":"', SECRET + b'","a":1}'),
    "the beginning of a value": (b'{"password":"', b"abcd", SECRET + b'","a":1}'),
}


def websocket() -> Talk:
    talk = Talk().open()
    talk.client(request("/", *SWITCH, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    talk.server(response("101 Switching Protocols", *SWITCH))
    return talk


def masks_of(talk: Talk) -> tuple[FrameMasks, bytes]:
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    return masks, b"".join(map(masks.masked, talk.tape.packets))


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("name", CUTS)
def test_a_hole_in_a_payload(name: str, key: bytes | None) -> None:
    before, lost, after = CUTS[name]
    whole = frame(1, before + lost + after, key=key)
    at = len(whole) - len(lost + after)
    talk = websocket()
    sender = "server" if key is None else "client"
    say = talk.server if key is None else talk.client
    say(whole[:at])
    talk.lose(sender, len(lost))
    say(whole[at + len(lost) :])
    masks, found = masks_of(talk)
    assert masks.not_looked_into[CUT_NAMES] == 1
    is_left = whole[at + len(lost) : at + len(lost) + len(SECRET)] in found
    assert is_left == (name == "the end of a name and a sign")


def test_a_hole_that_takes_the_border_of_frames() -> None:
    """What follows is looked at as it stands."""
    first, second = frame(1, b"hello"), frame(1, b'{"password":"' + SECRET + b'"}')
    talk = websocket()
    talk.server(first)
    talk.lose("server", 4)
    talk.server(second[4:])
    masks, found = masks_of(talk)
    assert masks.not_looked_into[CUT_NAMES] == 1
    assert SECRET not in found and b'assword":"***' in found


def test_a_value_in_messages_that_a_separator_ends() -> None:
    """As SignalR has them, whose words are arguments."""
    text = f"the password is {SECRET.decode()}."
    talk = websocket()
    for at in range(0, len(text), 4):
        part = text[at : at + 4].encode()
        ping = b'{"type":6}\x1e' if at % 8 else b""
        message = b'{"type":1,"target":"Token","arguments":["%b"]}\x1e' % part
        talk.server(frame(1, ping + message))
    _, found = masks_of(talk)
    assert not any(SECRET[at : at + 4] in found for at in range(len(SECRET) - 3))
