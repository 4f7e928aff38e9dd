"""The raw server's view of one client, over a socket pair of its own."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from support.demo import HANDSHAKE, PATIENCE, request
from websockets.frames import Frame, Opcode

from server import raw_connection
from server.raw_connection import BadRequest, Connection, Target


@pytest.mark.parametrize(
    ("head", "target"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", Target("GET", "/", None)),
        (b"GET /a?b=c HTTP/1.0\r\n\r\n", Target("GET", "/a", None)),
        (b"PUT /a?delay=0.5 HTTP/1.1\r\n\r\n", Target("PUT", "/a", 0.5)),
        (b"GET /a?delay=1&x=2&delay=0 HTTP/1.1\r\n\r\n", Target("GET", "/a", 0.0)),
        (b"GET /%C3%BC?delay=60 HTTP/1.1\r\n\r\n", Target("GET", "/%C3%BC", 60.0)),
    ],
)
def test_parse_target(head: bytes, target: Target) -> None:
    assert raw_connection.parse_target(head) == target


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET http://demo/ HTTP/1.1\r\n\r\n",
        b"G(T / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
    ],
)
def test_what_is_not_a_request(head: bytes) -> None:
    with pytest.raises(BadRequest, match="not a request"):
        raw_connection.parse_target(head)


@pytest.mark.parametrize(
    ("delay", "why"),
    [
        ("soon", "delay is not a number of seconds: 'soon'"),
        ("-1", "delay must be 0 to 60 seconds, not -1"),
        ("61", "delay must be 0 to 60 seconds, not 61"),
        ("nan", "delay must be 0 to 60 seconds, not nan"),
    ],
)
def test_a_delay_out_of_bounds_is_refused(delay: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        raw_connection.parse_target(request(f"/?delay={delay}"))


def test_chunks() -> None:
    assert raw_connection.chunk(b"") == b"0\r\n\r\n"
    assert raw_connection.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert raw_connection.last_chunk() == b"0\r\n\r\n"
    assert raw_connection.last_chunk([("A", "1"), ("B", "2")]) == b"0\r\nA: 1\r\nB: 2\r\n\r\n"
    assert raw_connection.field_lines([]) == b""


Talk = Callable[[Connection, socket.socket], Awaitable[None]]


def talk(talk: Talk, head: bytes = HANDSHAKE, delay: float = 0.0) -> None:
    """Run ``talk`` with a connection and its client's end."""

    async def run() -> None:
        here, there = _tcp_pair()
        reader, writer = await asyncio.open_connection(sock=here)
        with there:
            try:
                await talk(Connection(reader, writer, head, delay), there)
            finally:
                writer.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = socket.create_connection(listener.getsockname(), timeout=PATIENCE)
        here, _ = listener.accept()
    return here, there


def test_write_and_write_later() -> None:
    async def write(connection: Connection, client: socket.socket) -> None:
        await connection.write(b"at once")
        assert client.recv(100) == b"at once"
        start = time.monotonic()
        await connection.write_later(b"later")
        assert time.monotonic() - start >= 0.029
        assert client.recv(100) == b"later"

    talk(write, delay=0.03)


def test_reset() -> None:
    async def reset(connection: Connection, client: socket.socket) -> None:
        await connection.write(b"before")
        await connection.reset()
        await asyncio.sleep(0.01)  # the transport closes its socket in the loop's next turn
        assert client.recv(100) == b"before"
        with pytest.raises(ConnectionResetError):
            client.recv(100)

    talk(reset)


def test_accept() -> None:
    async def accept(connection: Connection, client: socket.socket) -> None:
        assert await connection.accept()
        response = client.recv(4096)
        assert response.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in response

    talk(accept)


def test_accept_refuses_what_is_no_handshake() -> None:
    async def refuse(connection: Connection, client: socket.socket) -> None:
        assert not await connection.accept()
        assert client.recv(4096).startswith(b"HTTP/1.1 426 ")

    talk(refuse, head=request("/ws"))


def test_accept_refuses_what_cannot_be_read() -> None:
    async def refuse(connection: Connection, client: socket.socket) -> None:
        with pytest.raises(BadRequest, match="no opening handshake: "):
            await connection.accept()

    talk(refuse, head=request("/ws", "no colon"))


def test_frames() -> None:
    async def frames(connection: Connection, client: socket.socket) -> None:
        await connection.accept()
        assert connection.text(b"abc") == b"\x81\x03abc"
        assert connection.text(b"a", fin=False) == b"\x01\x01a"
        assert connection.ping(b"?") == b"\x89\x01?"
        assert connection.continuation(b"b", fin=False) == b"\x00\x01b"
        assert connection.continuation(b"c", fin=True) == b"\x80\x01c"
        assert connection.close(1000, "so") == b"\x88\x04\x03\xe8so"

    talk(frames)


def _from_client(opcode: Opcode, data: bytes = b"") -> bytes:
    return Frame(opcode, data).serialize(mask=True)


def test_wait_for_passes_over_what_comes_before() -> None:
    async def wait(connection: Connection, client: socket.socket) -> None:
        await connection.accept()
        pong = _from_client(Opcode.PONG, b"!")
        client.sendall(_from_client(Opcode.TEXT, b"chatter") + pong[:3])
        waiting = asyncio.create_task(connection.wait_for(Opcode.PONG))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        client.sendall(pong[3:])
        assert (await waiting).data == b"!"

    talk(wait)


def test_wait_for_ends_with_a_close_frame() -> None:
    async def wait(connection: Connection, client: socket.socket) -> None:
        await connection.accept()
        client.sendall(_from_client(Opcode.CLOSE, b"\x03\xe8"))
        with pytest.raises(ConnectionError, match="the client closed before its PONG"):
            await connection.wait_for(Opcode.PONG)

    talk(wait)


def test_wait_for_ends_with_the_connection() -> None:
    async def wait(connection: Connection, client: socket.socket) -> None:
        await connection.accept()
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionError, match="without a closing handshake"):
            await connection.wait_for(Opcode.CLOSE)

    talk(wait)


def test_wait_for_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_connection, "PATIENCE", 0.02)

    async def wait(connection: Connection, client: socket.socket) -> None:
        await connection.accept()
        with pytest.raises(TimeoutError):
            await connection.wait_for(Opcode.CLOSE)

    talk(wait)
