"""The raw server's scenarios as they are on the wire."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from support.demo import HANDSHAKE, Wire, connect, get, receive, request, serving
from websockets.frames import Frame, Opcode

from server import content, raw_server
from server.address import Address
from server.raw_connection import chunk
from server.settings import Settings

HEAD = 1
"""Segments that a response's head takes."""


def fetch(address: Address, target: str, *fields: str) -> Wire:
    return get(address.host, address.raw_port, target, *fields)


def test_burst(address: Address) -> None:
    wire = fetch(address, "/stream/burst")
    assert wire.body == b"".join(map(chunk, content.STREAM)) + b"0\r\n\r\n"
    assert (wire.ending, wire.segments) == ("fin", HEAD + 3)


@pytest.mark.parametrize(
    ("target", "chunks", "ending"),
    [
        ("/stream/truncated", content.TRUNCATED_STREAM, "fin"),
        ("/stream/reset", content.RESET_STREAM, "reset"),
        ("/sse/truncated", content.TRUNCATED_EVENT_STREAM, "fin"),
        ("/sse/reset", content.RESET_EVENT_STREAM, "reset"),
    ],
)
def test_there_is_no_last_chunk(
    address: Address, target: str, chunks: tuple[bytes, ...], ending: str
) -> None:
    wire = fetch(address, target)
    assert wire.body == b"".join(map(chunk, chunks))
    assert wire.ending == ending


def test_truncated_streams_have_a_segment_for_each_chunk(address: Address) -> None:
    wire = fetch(address, "/stream/truncated")
    assert wire.segments == HEAD + len(content.TRUNCATED_STREAM)


def test_trailers(address: Address) -> None:
    wire = fetch(address, "/stream/trailers", "TE: trailers")
    (digest, value), _ = content.TRAILERS
    assert b"\r\nTrailer: Content-Digest, X-Message-Count\r\n" in wire.data
    assert wire.body.endswith(
        b"7\r\n chunk!\r\n0\r\n" + f"{digest}: {value}\r\n".encode() + b"X-Message-Count: 8\r\n\r\n"
    )
    assert (wire.ending, wire.segments) == ("fin", HEAD + len(content.STREAM) + 1)


def test_the_delay_is_between_the_chunks(address: Address) -> None:
    start = time.monotonic()
    fetch(address, "/stream/burst?delay=0.03")
    assert time.monotonic() - start >= 0.08


def test_the_delay_of_the_settings() -> None:
    with serving(Settings(delay=0.03)) as address:
        start = time.monotonic()
        fetch(address, "/stream/burst")
        assert time.monotonic() - start >= 0.08


def websocket(address: Address, path: str) -> socket.socket:
    """Return a socket that has had the answer to its opening handshake."""
    client = connect(address.host, address.raw_port)
    client.sendall(HANDSHAKE.replace(b"/ws", path.encode()))
    response = b""
    while not response.endswith(b"\r\n\r\n"):
        response += client.recv(1)
    assert response.startswith(b"HTTP/1.1 101 ")
    return client


def from_client(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=True)


def text(message: str) -> bytes:
    return bytes([0x81, len(message)]) + message.encode()


CLOSE = b"\x88\x02\x03\xe8"
MESSAGES = [text(message) for message in content.WEBSOCKET_MESSAGES]


def test_websocket_burst(address: Address) -> None:
    expected = b"".join(MESSAGES) + CLOSE
    with websocket(address, "/ws/burst") as client:
        received = receive(client, len(expected))
        assert received.data == expected
        assert received.segments == HEAD + 3
        client.sendall(from_client(Opcode.CLOSE, CLOSE[2:]))
        assert receive(client)[:2] == (b"", "fin")


def test_a_fragmented_message_with_a_ping_inside(address: Address) -> None:
    first, second, third = content.FRAGMENTS
    with websocket(address, "/ws/fragments") as client:
        before = bytes([0x01, len(first)]) + first
        before += bytes([0x89, len(content.PING_BETWEEN)]) + content.PING_BETWEEN
        assert receive(client, len(before)).data == before
        client.sendall(from_client(Opcode.PONG, content.PING_BETWEEN))
        after = bytes([0x00, len(second)]) + second + bytes([0x80, len(third)]) + third + CLOSE
        received = receive(client, len(after))
        assert received.data == after
        assert received.segments == HEAD + 5
        client.sendall(from_client(Opcode.CLOSE, CLOSE[2:]))
        assert receive(client)[:2] == (b"", "fin")


def test_websocket_truncated(address: Address) -> None:
    with websocket(address, "/ws/truncated") as client:
        received = receive(client)
    cut = received.data.removeprefix(b"".join(MESSAGES[:5]))
    assert MESSAGES[5].startswith(cut)
    assert 0 < len(cut) < len(MESSAGES[5])
    assert received.ending == "fin"


def test_websocket_reset(address: Address) -> None:
    with websocket(address, "/ws/reset") as client:
        assert receive(client)[:2] == (b"".join(MESSAGES[:4]), "reset")


@pytest.mark.parametrize(
    ("sent", "status", "detail"),
    [
        (b"hello\r\n\r\n", b"400 Bad Request", b"this is not a request"),
        (request("/stream/burst?delay=soon"), b"400 Bad Request", b"not a number of seconds"),
        (request("/ws/burst", "no colon"), b"400 Bad Request", b"no opening handshake"),
        (request("/ws/burst"), b"426 Upgrade Required", b"WebSocket"),
        (request("/stream"), b"404 Not Found", b"no /stream here, only /stream/burst, "),
        (request("/stream/burst", method="PUT"), b"405 Method Not Allowed", b"not PUT"),
    ],
)
def test_what_cannot_be_answered(
    address: Address, sent: bytes, status: bytes, detail: bytes
) -> None:
    with connect(address.host, address.raw_port) as client:
        client.sendall(sent)
        received = receive(client)
    assert received.data.startswith(b"HTTP/1.1 " + status)
    assert detail in received.body
    assert received.ending == "fin"
    assert (b"\r\nAllow: GET\r\n" in received.data) == status.startswith(b"405")


def test_a_head_without_end(address: Address) -> None:
    with connect(address.host, address.raw_port) as client:
        client.sendall(b"GET /" + b"x" * raw_server.MAX_HEAD)
        assert receive(client).data.startswith(b"HTTP/1.1 431 ")


def _leave(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def _close_early(client: socket.socket) -> None:
    client.sendall(from_client(Opcode.CLOSE, CLOSE[2:]))


@pytest.mark.parametrize("leave", [_leave, _close_early])
def test_a_client_that_leaves_early_is_let_go(
    address: Address, leave: Callable[[socket.socket], None]
) -> None:
    with websocket(address, "/ws/fragments") as client:
        leave(client)
        assert receive(client).ending == "fin"


def test_a_client_that_says_half_a_request(address: Address) -> None:
    with connect(address.host, address.raw_port) as client:
        client.sendall(b"GET / HT")
        client.shutdown(socket.SHUT_WR)
        assert receive(client)[:2] == (b"", "fin")


def test_a_silent_client_is_let_go(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_server, "PATIENCE", 0.05)
    with connect(address.host, address.raw_port) as client:
        assert receive(client)[:2] == (b"", "fin")


def test_a_client_that_resets_is_let_go(address: Address) -> None:
    client = connect(address.host, address.raw_port)
    client.sendall(request("/stream/burst?delay=0.02"))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.close()  # with RST
    assert fetch(address, "/stream/burst").ending == "fin"
