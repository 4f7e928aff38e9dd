"""A server that leaves Nagle's algorithm on, and writes a chunk's line and its data separately.

Nagle's algorithm (RFC 9293 section 3.7.4) keeps the second small write back until the first one is
acknowledged: that takes a round trip, and 40 ms more where the client's kernel delays it.
"""

from __future__ import annotations

import asyncio
import socket

from .apps import EVENTS, EVERY, MEDIA_TYPE, event

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n"
APART = 2 * EVERY
"""Seconds between two events: two acknowledgements that are both delayed by 40 ms come sooner."""


async def serve_nagle(listener: socket.socket, *, no_delay: bool) -> asyncio.Server:
    """Serve on a socket that listens; ``no_delay`` turns the algorithm off."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD.encode())
        for number in range(EVENTS):
            await asyncio.sleep(APART)
            data = event(number)
            writer.write(b"%x\r\n" % len(data))
            await writer.drain()
            writer.write(data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_server(answer, sock=listener)
