"""The demo server inside the test's own process, and clients that see what is on the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from server.address import Address
from server.service import Service
from server.settings import Settings

PATIENCE = 60.0
"""Seconds that no test needs, and none waits longer than."""
_DATA_SEGS_IN = 152  # the offset of tcpi_data_segs_in in Linux's struct tcp_info


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no ::1")


@contextlib.contextmanager
def serving(settings: Settings | None = None, **options: object) -> Iterator[Address]:
    """Run the demo server in a thread."""
    service = Service(settings or Settings(delay=0), **options)  # type: ignore[arg-type]
    ready = threading.Event()
    thread = threading.Thread(target=service.run, args=(ready.set,))
    thread.start()
    try:
        assert ready.wait(PATIENCE), "the server does not listen"
        yield service.address
    finally:
        service.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server does not stop"
        service.close()


class Wire(NamedTuple):
    """What one connection brought: its bytes, how it ended, and in how many segments it came."""

    data: bytes
    ending: str
    segments: int

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


def connect(host: str, port: int) -> socket.socket:
    """Return a socket that no test hangs on."""
    return socket.create_connection((host, port), timeout=PATIENCE)


def receive(client: socket.socket, at_least: int = 1 << 62) -> Wire:
    """Receive until the end, or until ``at_least`` bytes are there."""
    data = b""
    ending = "open"
    while len(data) < at_least:
        try:
            piece = client.recv(65_536)
        except ConnectionResetError:
            ending = "reset"
            break
        if not piece:
            ending = "fin"
            break
        data += piece
    return Wire(data, ending, _data_segments(client))


def get(host: str, port: int, target: str, *fields: str) -> Wire:
    """Ask for ``target`` and receive until the server closes."""
    with connect(host, port) as client:
        client.sendall(request(target, "Connection: close", *fields))
        return receive(client)


def request(target: str, *fields: str, method: str = "GET") -> bytes:
    """Return a request head."""
    lines = [f"{method} {target} HTTP/1.1", "Host: demo", *fields, "", ""]
    return "\r\n".join(lines).encode()


HANDSHAKE = request(
    "/ws",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",  # RFC 6455 section 1.3
)

"""An opening handshake (RFC 6455 section 4.1)."""


def _data_segments(client: socket.socket) -> int:
    information = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _DATA_SEGS_IN + 4)
    return int(struct.unpack_from("I", information, _DATA_SEGS_IN)[0])
