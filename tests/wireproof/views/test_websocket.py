"""Frames in Wireshark's words."""

from __future__ import annotations

from typing import Any

import pytest
from support.handmade import ACCEPT, KEY, Wire
from support.lines import texts_of

from wireproof.views.websocket import (
    accept_verdict,
    frame_lines,
    frame_type,
    message_lines,
)


def shown(
    name: str = "text", data: str | None = "Hello", width: int = 80, **more: Any
) -> list[str]:
    return texts_of(frame_lines(Wire().frame(name, data, **more), None, None, width))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "Hello"),
        ({"sender": "client"}, "[MASKED] 1b2c3d4e Hello"),
        ({"fin": False}, "[no FIN] Hello"),
        ({"name": "continuation"}, "[FIN] Hello"),
        ({"name": "continuation", "fin": False}, "[no FIN] Hello"),
        ({"rsv1": True, "rsv2": True, "rsv3": True}, "[RSV1] [RSV2] [RSV3] Hello"),
        ({"name": "binary", "data": "/wD+", "encoding": "base64"}, "ff 00 fe"),
        ({"name": "ping", "data": "\x1b]0;x\x07"}, "\\x1b]0;x\\x07"),
        ({"name": "close", "data": ""}, "no status code"),
        ({"name": "close", "close_code": 1000, "close_reason": ""}, "1000 normal closure"),
        (
            {"name": "close", "close_code": 4008, "close_reason": "b\x07ye"},
            '4008 private use "b\\x07ye"',
        ),
    ],
)
def test_frames(fields: dict[str, Any], line: str) -> None:
    assert shown(**fields) == [line]


@pytest.mark.parametrize("data", ["", None])
def test_a_frame_without_payload(data: str | None) -> None:
    assert shown(data=data) == []


def test_type() -> None:
    names = ["text", "binary", "continuation", "close", "ping", "pong", "reserved-3"]
    assert [frame_type(Wire().frame(name)) for name in names] == [
        "Text",
        "Binary",
        "Continuation",
        "Close",
        "Ping",
        "Pong",
        "Reserved-3",
    ]


def test_a_compressed_frame_shows_its_message() -> None:
    wire = Wire()
    frame = wire.frame("text", "8kjNyckHAA==", rsv1=True, encoding="base64")
    lines = frame_lines(frame, wire.message("Hello Hello", compressed=True), None, 80)
    assert texts_of(lines) == ["[RSV1] [inflated: 11] Hello Hello"]


def test_messages_of_several_frames() -> None:
    assert texts_of(message_lines(Wire().message("whole", frames=3), 80)) == ["[3 frames] whole"]
    compressed = Wire().message("whole", frames=2, compressed=True)
    assert texts_of(message_lines(compressed, 80)) == ["[2 frames, inflated] whole"]


def test_what_does_not_fit_goes_on_below() -> None:
    assert shown(sender="client", data="H" * 20, width=32) == ["[MASKED] 1b2c3d4e", "H" * 20]


def test_a_pong_says_how_long_its_round_trip_took() -> None:
    wire = Wire()
    ping, pong = wire.frame("ping", "b"), wire.frame("pong", "b", "client")
    assert texts_of(frame_lines(ping, None, None, 80)) == ["b"]
    assert texts_of(frame_lines(pong, None, ping, 80)) == [
        "[MASKED] 1b2c3d4e b round trip 100.0 ms"
    ]
    assert texts_of(frame_lines(pong, None, None, 80)) == ["[MASKED] 1b2c3d4e b unasked"]


def test_accept_is_checked_against_the_key() -> None:
    assert texts_of([accept_verdict(KEY, ACCEPT)]) == ["  answers the key"]
    assert texts_of([accept_verdict(KEY, "x")]) == [f"  WRONG for the key: expected {ACCEPT}"]
    assert texts_of([accept_verdict(None, ACCEPT)]) == ["  no key to check it with"]
    assert "expected" in texts_of([accept_verdict("ключ", ACCEPT)])[0]
