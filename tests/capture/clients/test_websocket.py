"""What the WebSocket client keeps of a connection, however it ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import pairwise

import pytest
from support.scripted import RESET, scripted
from websockets.exceptions import InvalidURI
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from capture.clients import Received, receive_messages

Handler = Callable[[ServerConnection], None]


@contextmanager
def serving(handler: Handler, **options: object) -> Iterator[str]:
    """A server on a free port, and its URL."""
    with serve(handler, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


def stream(connection: ServerConnection) -> None:
    for number in range(3):
        connection.send(f"message {number}")


def said(received: Received) -> list[tuple[str, str | bytes]]:
    return [(message.sender, message.data) for message in received.messages]


def check_times(received: Received) -> None:
    times = [received.started, *(one.time for one in received.messages), received.finished]
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_echoes_and_our_close() -> None:
    with serving(echo) as url:
        received = receive_messages(url, send=["text", b"\0binary", "é" * 70_000])
    assert said(received) == [
        ("client", "text"),
        ("server", "text"),
        ("client", b"\0binary"),
        ("server", b"\0binary"),
        ("client", "é" * 70_000),
        ("server", "é" * 70_000),
    ]
    assert (received.transport, received.url, received.status) == ("websocket", url, 101)
    assert (received.ended, received.error) == ("clean", None)
    assert (received.close_code, received.close_reason) == (1000, "")
    assert received.extensions == ["permessage-deflate"]
    check_times(received)


def test_messages_and_the_servers_close() -> None:
    with serving(stream) as url:
        received = receive_messages(url, closes="server")
    assert said(received) == [("server", f"message {number}") for number in range(3)]
    assert (received.ended, received.close_code) == ("clean", 1000)


def test_expected_messages_then_our_own() -> None:
    def both(connection: ServerConnection) -> None:
        stream(connection)
        echo(connection)

    with serving(both) as url:
        received = receive_messages(url, expect=3, send=["mine"])
    assert [sender for sender, _ in said(received)] == ["server"] * 3 + ["client", "server"]
    assert received.ended == "clean"


def test_no_echoes_are_awaited() -> None:
    heard: list[str | bytes] = []
    with serving(heard.extend) as url:
        received = receive_messages(url, send=["a", "b"], echoes=False)
    assert said(received) == [("client", "a"), ("client", "b")]
    assert heard == ["a", "b"]
    assert received.ended == "clean"


def test_fewer_messages_than_expected() -> None:
    with serving(stream) as url:
        received = receive_messages(url, expect=5)
    assert len(received.messages) == 3
    assert (received.ended, received.close_code) == ("clean", 1000)


def test_a_close_code_and_a_reason() -> None:
    with serving(lambda connection: connection.close(1011, "out of order")) as url:
        received = receive_messages(url, closes="server")
    assert (received.ended, received.close_code, received.close_reason) == (
        "clean",
        1011,
        "out of order",
    )


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_no_close_frame(reset: bool) -> None:
    def vanish(connection: ServerConnection) -> None:
        connection.send("last words")
        assert connection.recv() == "heard"
        if reset:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.socket.close()
        else:
            connection.socket.shutdown(socket.SHUT_WR)

    with serving(vanish) as url:
        received = receive_messages(
            url, expect=1, send=["heard"], echoes=False, closes="server", timeout=5
        )
    assert said(received) == [("server", "last words"), ("client", "heard")]
    assert (received.ended, received.close_code) == ("error", 1006)
    assert str(received.error).startswith("ConnectionClosedError: ")


def test_no_message_for_too_long() -> None:
    with serving(echo) as url:
        received = receive_messages(url, expect=1, timeout=0.1)
    assert (received.ended, received.messages) == ("error", [])
    assert str(received.error).startswith("TimeoutError: ")


def test_subprotocol_headers_and_no_compression() -> None:
    requests: list[Request] = []

    def note(connection: ServerConnection, request: Request) -> None:
        requests.append(request)

    with serving(echo, subprotocols=["chat.v2", "chat"], process_request=note) as url:
        received = receive_messages(
            url, subprotocols=["chat", "other"], headers={"X-Mine": "1"}, compression=False
        )
    assert received.subprotocol == "chat"
    assert received.extensions == []
    assert requests[0].headers["X-Mine"] == "1"
    assert requests[0].headers["Sec-WebSocket-Protocol"] == "chat, other"
    assert "Sec-WebSocket-Extensions" not in requests[0].headers
    assert ("Sec-WebSocket-Protocol", "chat") in received.headers


def test_refused() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.FORBIDDEN, "not you")

    with serving(echo, process_request=refuse) as url:
        received = receive_messages(url)
    assert (received.ended, received.status, received.body) == ("error", 403, b"not you")
    assert str(received.error).startswith("InvalidStatus: ")
    assert "text/plain; charset=utf-8" in dict(received.headers).values()
    assert received.close_code is None


def test_not_http() -> None:
    with scripted(b"SSH-2.0-none\r\n") as server:
        received = receive_messages(server.url.replace("http", "ws"), timeout=5)
    assert (received.ended, received.status) == ("error", None)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    received = receive_messages(f"ws://127.0.0.1:{port}/")
    assert (received.ended, received.status, received.close_code) == ("error", None, None)
    assert str(received.error).startswith("ConnectionRefusedError: ")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(echo) as url:
        assert receive_messages(url, send=["a"]).ended == "clean"


def test_no_url() -> None:
    with pytest.raises(InvalidURI):
        receive_messages("http://127.0.0.1/")
