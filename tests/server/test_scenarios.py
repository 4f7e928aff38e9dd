"""Every scenario, asked for as it says, delivers what it says."""

from __future__ import annotations

import httpx
import httpx_sse
import pytest
from support.demo import PATIENCE
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from server.address import Address
from server.raw_server import HTTP, WEBSOCKET
from server.scenarios import SCENARIOS, Close, Message, Scenario, scenario


def every(*transports: str) -> list[object]:
    return [
        pytest.param(one, id=f"{transport}-{one.name}")
        for transport in transports
        for one in SCENARIOS[transport].values()
    ]


def read(address: Address, one: Scenario) -> tuple[bytes, httpx.Response, str]:
    """Return the decoded body as far as it came, its response, and how it ended."""
    headers = {"Accept-Encoding": "identity", **dict(one.headers)}
    body = b""
    with httpx.stream("GET", address.url(one), headers=headers, timeout=PATIENCE) as response:
        try:
            for piece in response.iter_bytes():
                body += piece
        except httpx.RemoteProtocolError:
            return body, response, "truncated"
        except httpx.ReadError:
            return body, response, "reset"
    return body, response, "complete"


MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "multipart": 'multipart/mixed; boundary="wireproof-part"',
}


@pytest.mark.parametrize("one", every("chunked", "sse"))
def test_bodies(address: Address, one: Scenario) -> None:
    body, response, ending = read(address, one)
    assert response.status_code == 200
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers.get("Content-Encoding") == one.content_encoding
    usual = f"text/{'event-stream' if one.transport == 'sse' else 'plain'}; charset=utf-8"
    assert response.headers["Content-Type"] == MEDIA_TYPES.get(one.name, usual)
    assert (body, ending) == (one.body, one.ending)
    if one.trailers:
        assert response.headers["Trailer"] == ", ".join(name for name, _ in one.trailers)


def _events_until_the_end(address: Address, one: Scenario) -> list[httpx_sse.ServerSentEvent]:
    events: list[httpx_sse.ServerSentEvent] = []
    with (
        httpx.Client(timeout=PATIENCE) as client,
        httpx_sse.connect_sse(client, "GET", address.url(one), headers=dict(one.headers)) as source,
    ):
        try:
            for event in source.iter_sse():
                events.append(event)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            assert one.ending != "complete"
    return events


@pytest.mark.parametrize("one", every("sse"))
def test_events(address: Address, one: Scenario) -> None:
    found = _events_until_the_end(address, one)
    assert [(event.event, event.data, event.id, event.retry) for event in found] == list(one.events)


def play(client: ClientConnection, one: Scenario) -> list[Message]:
    """Hold the conversation as the scenario has it; return both sides' messages."""
    said: list[Message] = []
    for message in one.messages:
        if message.sender == "client":
            client.send(message.data)
            said.append(message)
        else:
            said.append(Message("server", client.recv(PATIENCE)))
    return said


def ended(client: ClientConnection, one: Scenario) -> Close | None:
    """Close as the scenario has it; return the closing handshake, None if there was none."""
    if one.close is not None and one.close.sender == "client":
        client.close(one.close.code, one.close.reason)
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(PATIENCE)
    received, sent = closed.value.rcvd, closed.value.sent
    if received is None or sent is None:
        return None
    sender = "server" if closed.value.rcvd_then_sent else "client"
    return Close(sender, received.code, received.reason)


@pytest.mark.parametrize("one", every("websocket"))
def test_conversations(address: Address, one: Scenario) -> None:
    compression = "deflate" if one.deflate else None
    with connect(
        address.url(one),
        compression=compression,
        additional_headers=one.headers,
        max_size=1 << 20,
        proxy=None,
    ) as client:
        assert bool(client.protocol.extensions) == one.deflate
        assert play(client, one) == list(one.messages)
        assert ended(client, one) == one.close


def test_the_register() -> None:
    assert {transport: list(named) for transport, named in SCENARIOS.items()} == {
        "chunked": [
            "plain",
            "unicode",
            "burst",
            "gzip",
            "truncated",
            "reset",
            "trailers",
            "slow",
            "large",
            "ndjson",
            "multipart",
        ],
        "sse": [
            "plain",
            "fastapi",
            "resume",
            "unicode",
            "burst",
            "gzip",
            "gzip-held",
            "truncated",
            "reset",
            "slow",
        ],
        "websocket": [
            "plain",
            "deflate",
            "burst",
            "fragments",
            "close-code",
            "large",
            "truncated",
            "reset",
        ],
    }
    for transport, named in SCENARIOS.items():
        for name, one in named.items():
            assert (one.transport, one.name) == (transport, name)
            assert one.summary
            hash(one)


def test_the_raw_server_has_what_the_register_says() -> None:
    raw = [one for named in SCENARIOS.values() for one in named.values() if one.on == "raw"]
    assert {one.path for one in raw} == HTTP.keys() | WEBSOCKET.keys()
    assert len(raw) == len(HTTP) + len(WEBSOCKET)


def test_lookup() -> None:
    assert scenario("sse") is SCENARIOS["sse"]["plain"]
    assert scenario("websocket", "large") is SCENARIOS["websocket"]["large"]
    with pytest.raises(LookupError, match="no transport 'smtp', only chunked, sse, websocket"):
        scenario("smtp")
    with pytest.raises(LookupError, match="no scenario 'gzip' for websocket, only plain, deflate"):
        scenario("websocket", "gzip")


def test_target() -> None:
    assert scenario("chunked").target == "/stream"
    assert scenario("chunked", "slow").target == "/stream/slow?stall=0.4"
