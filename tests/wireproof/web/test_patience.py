"""Clients of the inspector that never send a whole request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from wireproof.web import patience
from wireproof.web.server import HOST, InspectorServer


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(patience, "HEAD_TIMEOUT", 0.3)
    server = InspectorServer()
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    assert ready.wait(10)
    yield server.port
    server.stop()
    thread.join()
    server.close()


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", REQUEST[:-2]])
def test_a_client_without_a_whole_request_is_let_go(sent: bytes, port: int) -> None:
    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(sent)
        assert closes(client)


def test_so_is_one_that_begins_another_request(port: int) -> None:
    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(REQUEST)
        assert client.recv(65_536).startswith(b"HTTP/1.1 4")
        client.sendall(b"GET / HT")
        assert closes(client)


def closes(client: socket.socket) -> bool:
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    return True
