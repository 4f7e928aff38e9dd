from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.demo import PATIENCE, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from server import content
from server.address import Address
from server.settings import Settings


@contextmanager
def talking(address: Address, path: str = "/ws", **options: object) -> Iterator[ClientConnection]:
    url = address.origin("ws") + path
    with connect(url, proxy=None, max_size=1 << 20, **options) as client:  # type: ignore[arg-type]
        yield client


def hear(client: ClientConnection, count: int) -> list[str | bytes]:
    return [client.recv(PATIENCE) for _ in range(count)]


def closing(client: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(PATIENCE)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_messages_then_echoes(address: Address) -> None:
    with talking(address) as client:
        assert hear(client, 8) == list(content.WEBSOCKET_MESSAGES)
        for text in ("Hello", "", "Grüße 🚀"):
            client.send(text)
            assert client.recv(PATIENCE) == f"Response: {text}"


def test_what_is_said_too_early_is_answered_after_the_messages(address: Address) -> None:
    with talking(address, "/ws?delay=0.01") as client:
        client.send("Hello")
        assert hear(client, 9) == [*content.WEBSOCKET_MESSAGES, "Response: Hello"]


def test_binary_messages_are_not_for_this_server(address: Address) -> None:
    with talking(address) as client:
        hear(client, 8)
        client.send(b"Hello")
        assert closing(client) == (1003, "text messages only")


def test_an_idle_client_is_closed() -> None:
    with serving(Settings(delay=0, idle_timeout=0.4)) as address, talking(address) as client:
        hear(client, 8)
        start = time.monotonic()
        time.sleep(0.1)
        client.send("still here")
        assert client.recv(PATIENCE) == "Response: still here"
        assert closing(client) == (1000, "idle for 0.4 s")
        assert time.monotonic() - start >= 0.49


def test_a_close_code_of_its_own(address: Address) -> None:
    with talking(address, "/ws/close-code") as client:
        assert hear(client, 3) == list(content.WEBSOCKET_MESSAGES[:3])
        assert closing(client) == (content.CLOSE_CODE, content.CLOSE_REASON)


@pytest.mark.parametrize("path", ["/ws", "/ws/close-code"])
def test_a_client_may_leave_at_any_time(address: Address, path: str) -> None:
    with talking(address, f"{path}?delay=0.02") as client:
        hear(client, 1)
    with talking(address) as client:  # and the server is there for the next
        hear(client, 8)


def test_large_messages(address: Address) -> None:
    with talking(address, "/ws/large") as client:
        assert hear(client, 2) == [content.LARGE_TEXT, content.LARGE_BINARY]
        client.send(content.LARGE_CLIENT_TEXT)
        assert client.recv(PATIENCE) == f"Response: {content.LARGE_CLIENT_TEXT}"


@pytest.mark.parametrize("deflate", [True, False])
def test_deflate_is_on_where_both_want_it(deflate: bool) -> None:
    with serving(Settings(delay=0, deflate=deflate)) as address:
        with talking(address, compression="deflate") as client:
            assert bool(client.protocol.extensions) is deflate
        with talking(address, compression=None) as client:
            assert not client.protocol.extensions


def test_the_server_pings() -> None:
    pings: list[Frame] = []
    with (
        serving(Settings(delay=0.05, ping_interval=0.05)) as address,
        talking(address) as client,
    ):
        receive_frame = client.protocol.recv_frame

        def note_pings(frame: Frame) -> None:
            if frame.opcode is Opcode.PING:
                pings.append(frame)
            receive_frame(frame)

        client.protocol.recv_frame = note_pings  # type: ignore[method-assign]
        hear(client, 8)
    assert len(pings) >= 2
    assert all(len(frame.data) == 4 for frame in pings)


def test_a_delay_out_of_bounds_is_refused(address: Address) -> None:
    with pytest.raises(InvalidStatus) as refused, talking(address, "/ws?delay=-1"):
        pass
    assert refused.value.response.status_code == 403
