"""One client of the raw server: its request, and writes exactly as they are to be sent.

Strategy: a write goes to the socket at once (TCP_NODELAY is set and the send buffer is empty),
so one write is one segment as far as it fits into one. The request is read as bytes up
to its empty line; WebSocket frames are made and read by the sans-I/O core of ``websockets``,
which lets fragments and pings be sent in any order.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qs

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from .settings import MAX_DELAY

SETTLE = 0.05
"""Seconds before an RST: the client reads what came before it, which an RST may discard."""
PATIENCE = 10.0
"""Seconds to wait for a client's request, pong or close frame."""
_LINGER_0 = struct.pack("ii", 1, 0)  # struct linger: on, for 0 s: close() sends RST, not FIN

# request-line = method SP request-target SP HTTP-version       RFC 9112 section 3
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[!-~]*) HTTP/1\.[01]\r\n")


class BadRequest(Exception):
    """The request cannot be answered; the text says why."""


class Target(NamedTuple):
    """What a request line asks for."""

    method: str
    path: str
    delay: float | None
    """Seconds, of ``?delay=``."""


def parse_target(head: bytes) -> Target:
    """Return what the request ``head`` asks for; raises BadRequest."""
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise BadRequest("this is not a request of HTTP/1.0 or HTTP/1.1")
    path, _, query = line[2].decode("ascii").partition("?")
    delays = parse_qs(query).get("delay")
    return Target(line[1].decode("ascii"), path, _parse_delay(delays[-1]) if delays else None)


def _parse_delay(text: str) -> float:
    try:
        delay = float(text)
    except ValueError:
        raise BadRequest(f"delay is not a number of seconds: {text!r}") from None
    if not 0 <= delay <= MAX_DELAY:
        raise BadRequest(f"delay must be 0 to {MAX_DELAY:g} seconds, not {text}")
    return delay


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the end of a chunked body, with its trailer section."""
    return b"0\r\n" + field_lines(trailers) + b"\r\n"


def field_lines(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return ``fields`` as field lines (RFC 9112 section 5)."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")


class Connection:
    """One client's connection, from its request on."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: bytes,
        delay: float,
    ) -> None:
        self.delay = delay
        """Seconds before each write of content."""
        self._reader = reader
        self._writer = writer
        self._head = head
        self._websocket = ServerProtocol()

    async def write(self, data: bytes) -> None:
        """Send ``data`` in one write."""
        self._writer.write(data)
        await self._writer.drain()

    async def write_later(self, data: bytes) -> None:
        """Send ``data`` in one write, after the delay."""
        await asyncio.sleep(self.delay)
        await self.write(data)

    async def reset(self) -> None:
        """Close with RST (SO_LINGER 0), when the client has had time to read."""
        await asyncio.sleep(max(self.delay, SETTLE))
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self._writer.transport.abort()

    # --- WebSocket ---

    async def accept(self) -> bool:
        """Answer the opening handshake, and say whether it was one; raises BadRequest."""
        self._websocket.receive_data(self._head)
        request = next(iter(self._websocket.events_received()), None)
        if not isinstance(request, Request):
            raise BadRequest(f"no opening handshake: {self._websocket.handshake_exc}")
        response = self._websocket.accept(request)
        self._websocket.send_response(response)
        await self.write(self._take())
        return response.status_code == 101

    def text(self, data: bytes, *, fin: bool = True) -> bytes:
        """Return a text frame, or the first of a fragmented message."""
        self._websocket.send_text(data, fin=fin)
        return self._take()

    def continuation(self, data: bytes, *, fin: bool) -> bytes:
        """Return a frame that goes on with a fragmented message."""
        self._websocket.send_continuation(data, fin=fin)
        return self._take()

    def ping(self, data: bytes) -> bytes:
        """Return a ping frame."""
        self._websocket.send_ping(data)
        return self._take()

    def close(self, code: int, reason: str = "") -> bytes:
        """Return a close frame."""
        self._websocket.send_close(code, reason)
        return self._take()

    async def wait_for(self, opcode: Opcode) -> Frame:
        """Return the client's next frame of this opcode, or raise ConnectionError or TimeoutError.

        Other frames are passed over, but after a close frame there is nothing to wait for.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in await self._receive_frames():
                    if frame.opcode is opcode:
                        return frame
                    if frame.opcode is Opcode.CLOSE:
                        raise ConnectionError(f"the client closed before its {opcode.name}")

    async def _receive_frames(self) -> list[Frame]:
        data = await self._reader.read(65_536)
        if not data:
            raise ConnectionError("the client closed without a closing handshake")
        self._websocket.receive_data(data)
        return [event for event in self._websocket.events_received() if isinstance(event, Frame)]

    def _take(self) -> bytes:
        return b"".join(self._websocket.data_to_send())
