"""A WebSocket whose request comes after its answer, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from support.talk import Talk
from support.websocket_frames import KEY, frame

from parsers.records import (
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketMessageRecord,
)

ASKED = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
BEFORE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def dialogue(lost: int, *asked: bytes) -> list[Record]:
    """``lost`` bytes of the client's are missing before what it asked, which waits for them."""
    talk = Talk().open()
    talk.lose("client", lost)
    if asked:
        talk.client(*asked)
    talk.server(SWITCHED, frame(1, b"hello"))
    for number in range(20):
        talk.client(frame(1, b"%d" % number, key=KEY))
        talk.server(frame(1, b"%d" % number))
    return talk.tape.records()


def messages(records: list[Record], sender: str) -> list[str | None]:
    found = [one for one in records if isinstance(one, WebSocketMessageRecord)]
    return [one.data for one in found if one.sender == sender]


def of(kind: type[Any], records: list[Record]) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


@pytest.mark.parametrize(
    ("lost", "asked"),
    [
        (len(BEFORE), (ASKED,)),  # an earlier request is missing
        (len(BEFORE), (ASKED[:30], ASKED[30:])),
        (len(ASKED), ()),  # the request is missing
        (60, (ASKED[60:],)),  # a part of it
        (60, (ASKED[60:61], ASKED[61:])),
    ],
)
def test_what_the_client_sends_after_its_request_is_frames(
    lost: int, asked: tuple[bytes, ...]
) -> None:
    records = dialogue(lost, *asked)
    assert messages(records, "client") == [str(number) for number in range(20)]
    assert messages(records, "server") == ["hello", *(str(number) for number in range(20))]
    codes = [one.code for one in of(DiagnosticRecord, records) if one.severity == "error"]
    assert [code for code in codes if code.startswith("websocket")] == []
    (response,) = of(ResponseRecord, records)
    exchanges = {one.exchange for one in records if isinstance(one, WebSocketMessageRecord)}
    assert exchanges == {response.exchange}
    if asked and asked[0][:3] == b"GET":
        (request,) = of(RequestRecord, records)
        assert request.target == "/ws"
