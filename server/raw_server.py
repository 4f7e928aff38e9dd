"""The scenarios that uvicorn cannot be made to send, on a small server of their own.

uvicorn frames every response itself and to the end. It cannot leave out the last chunk (without
reporting a fault of its own), reset a connection, send trailer fields or a fragmented WebSocket
message, or choose the borders of its writes. This server writes bytes as they are to appear on
the wire; it listens on a second port of the same process. Each scenario is a coroutine over a
:class:`.raw_connection.Connection`; a connection serves one request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain

from websockets.exceptions import WebSocketException
from websockets.frames import Opcode

from .content import (
    FRAGMENTS,
    PING_BETWEEN,
    RESET_EVENT_STREAM,
    RESET_STREAM,
    STREAM,
    TRAILERS,
    TRUNCATED_EVENT_STREAM,
    TRUNCATED_STREAM,
    WEBSOCKET_MESSAGES,
)
from .raw_connection import (
    PATIENCE,
    BadRequest,
    Connection,
    Target,
    chunk,
    field_lines,
    last_chunk,
    parse_target,
)
from .settings import Settings

NORMAL = 1000
MAX_HEAD = 65_536
"""Bytes of a request head, as h11's limit is of this order."""

_CLIENT_GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, WebSocketException)
"""What a client does that leaves before the end, or is silent: nobody is left to answer."""

Play = Callable[[Connection], Awaitable[None]]


def _head(media_type: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    lines = (
        ("Content-Type", f"{media_type}; charset=utf-8"),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
        ("Transfer-Encoding", "chunked"),
        *fields,
    )
    return b"HTTP/1.1 200 OK\r\n" + field_lines(lines) + b"\r\n"


_TEXT = _head("text/plain")
_EVENT_STREAM = _head("text/event-stream")


async def _write_chunks(connection: Connection, head: bytes, pieces: Iterable[bytes]) -> None:
    await connection.write(head)
    for piece in pieces:
        await connection.write_later(chunk(piece))


async def stream_burst(connection: Connection) -> None:
    chunks = [chunk(piece) for piece in STREAM]
    await connection.write(_TEXT)
    await connection.write_later(b"".join(chunks[:3]))
    await connection.write_later(b"".join(chunks[3:6]))
    await connection.write_later(b"".join(chunks[6:]) + last_chunk())


async def stream_truncated(connection: Connection) -> None:
    await _write_chunks(connection, _TEXT, TRUNCATED_STREAM)


async def stream_reset(connection: Connection) -> None:
    await _write_chunks(connection, _TEXT, RESET_STREAM)
    await connection.reset()


async def stream_trailers(connection: Connection) -> None:
    names = ", ".join(name for name, _ in TRAILERS)
    await _write_chunks(connection, _head("text/plain", [("Trailer", names)]), STREAM)
    await connection.write(last_chunk(TRAILERS))


async def sse_truncated(connection: Connection) -> None:
    await _write_chunks(connection, _EVENT_STREAM, TRUNCATED_EVENT_STREAM)


async def sse_reset(connection: Connection) -> None:
    await _write_chunks(connection, _EVENT_STREAM, RESET_EVENT_STREAM)
    await connection.reset()


def _frames(connection: Connection, first: int, end: int) -> list[bytes]:
    return [connection.text(message.encode()) for message in WEBSOCKET_MESSAGES[first:end]]


async def _close(connection: Connection) -> None:
    """Close as RFC 6455 section 7.1.1 has it: the server sends FIN after both close frames."""
    await connection.write_later(connection.close(NORMAL))
    await connection.wait_for(Opcode.CLOSE)


async def websocket_burst(connection: Connection) -> None:
    await connection.write_later(b"".join(_frames(connection, 0, 4)))
    await connection.write_later(b"".join(_frames(connection, 4, 8)))
    await _close(connection)


async def websocket_fragments(connection: Connection) -> None:
    first, second, third = FRAGMENTS
    await connection.write_later(connection.text(first, fin=False))
    await connection.write_later(connection.ping(PING_BETWEEN))
    await connection.wait_for(Opcode.PONG)
    await connection.write_later(connection.continuation(second, fin=False))
    await connection.write_later(connection.continuation(third, fin=True))
    await _close(connection)


async def websocket_truncated(connection: Connection) -> None:
    *whole, last = _frames(connection, 0, 6)
    for frame in whole:
        await connection.write_later(frame)
    await connection.write_later(last[: len(last) // 2])


async def websocket_reset(connection: Connection) -> None:
    for frame in _frames(connection, 0, 4):
        await connection.write_later(frame)
    await connection.reset()


HTTP: dict[str, Play] = {
    "/stream/burst": stream_burst,
    "/stream/truncated": stream_truncated,
    "/stream/reset": stream_reset,
    "/stream/trailers": stream_trailers,
    "/sse/truncated": sse_truncated,
    "/sse/reset": sse_reset,
}
WEBSOCKET: dict[str, Play] = {
    "/ws/burst": websocket_burst,
    "/ws/fragments": websocket_fragments,
    "/ws/truncated": websocket_truncated,
    "/ws/reset": websocket_reset,
}


class RawServer:
    """Listens on a socket and plays a scenario to each client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def start(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._serve, sock=listener, limit=MAX_HEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(*_CLIENT_GONE):
                await self._answer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):  # the client may have reset it
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            target = parse_target(head)
            delay = self._settings.delay if target.delay is None else target.delay
            await self._play(target, Connection(reader, writer, head, delay))
        except asyncio.LimitOverrunError:
            detail = f"the head is longer than {MAX_HEAD} bytes"
            writer.write(_error("431 Request Header Fields Too Large", detail))
        except BadRequest as error:
            writer.write(_error("400 Bad Request", str(error)))

    async def _play(self, target: Target, connection: Connection) -> None:
        if target.path in WEBSOCKET:
            if await connection.accept():
                await WEBSOCKET[target.path](connection)
        elif target.method == "GET" and target.path in HTTP:
            await HTTP[target.path](connection)
        else:
            await connection.write(_not_here(target))


def _not_here(target: Target) -> bytes:
    if target.path in HTTP:
        return _error("405 Method Not Allowed", f"not {target.method}", [("Allow", "GET")])
    paths = ", ".join(chain(HTTP, WEBSOCKET))
    return _error("404 Not Found", f"no {target.path} here, only {paths}")


def _error(status: str, detail: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    body = f"{detail}\n".encode()
    lines = (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        *fields,
    )
    return f"HTTP/1.1 {status}\r\n".encode() + field_lines(lines) + b"\r\n" + body
