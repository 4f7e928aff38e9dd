"""Real proxies, started and stopped; and what is said of those that cannot start."""

from __future__ import annotations

import socket
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from server.causes.proxies import TEMPLATES, ProxyNotStarted, find, proxy


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=pytest.mark.tool(name)) for name in TEMPLATES]
)
def test_a_proxy_stands_before_an_app_and_is_gone_afterwards(program: str) -> None:
    port = free_port()
    with HTTPServer(("127.0.0.1", 0), Hello) as app:
        thread = Thread(target=app.serve_forever)
        thread.start()
        with proxy(program, port, app.server_address[1], ""):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
            connection.close()
        app.shutdown()
        thread.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.tool("nginx")
def test_a_configuration_that_it_does_not_take_is_said() -> None:
    with (
        pytest.raises(ProxyNotStarted, match="unknown directive"),
        proxy("nginx", free_port(), 9, "no_such_directive on;"),
    ):
        pytest.fail("it took what nobody knows")


def test_what_is_not_installed_is_named() -> None:
    assert find("no-such-proxy") is None
    with pytest.raises(FileNotFoundError, match="no-such"), proxy("no-such", 1, 2, ""):
        pytest.fail("it runs what is not there")
