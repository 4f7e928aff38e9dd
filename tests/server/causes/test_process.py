"""One way of a cause as a process."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import pytest

from server.causes.apps import EVENTS
from server.causes.process import CauseServer
from server.causes.registry import cause


@pytest.mark.parametrize("name", ["app-collects", "same-tick"])
def test_it_listens_within_its_block(name: str) -> None:
    with CauseServer(cause(name), "cure") as server:
        assert server.port == server.app_port
        port = server.port
        with urlopen(f"http://127.0.0.1:{port}/chat", timeout=30) as answer:
            assert answer.read().count(b"data: ") >= EVENTS
    assert server.stderr == ""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.tool("nginx")
def test_a_proxy_has_a_port_of_its_own() -> None:
    with CauseServer(cause("proxy-buffer"), "fault") as server:
        assert server.port != server.app_port
        assert server.way.proxy == "nginx"
        port = server.port
    with pytest.raises(ConnectionRefusedError):  # it is stopped, too
        socket.create_connection(("127.0.0.1", port))
