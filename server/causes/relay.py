"""A proxy of our own that hands answers on by the clock, as ``FlushInterval`` of Go's proxy does.

What arrives from the app waits until the next tick; without an interval it goes at once.
"""

from __future__ import annotations

import asyncio
import socket

READ = 65_536
"""Bytes that are read at once."""


async def serve_relay(listener: socket.socket, upstream: int, interval: float) -> asyncio.Server:
    """Serve on a socket that listens; ``interval``: seconds between flushes, 0 for none."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        app_reader, app_writer = await asyncio.open_connection("127.0.0.1", upstream)
        app_writer.write(await reader.readuntil(b"\r\n\r\n"))
        await _hand_on(app_reader, writer, interval)
        for one in (app_writer, writer):
            one.close()
            await one.wait_closed()

    return await asyncio.start_server(relay, sock=listener)


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, interval: float
) -> None:
    """Write what is read, at once or at each tick, up to the end."""
    waiting = bytearray()

    async def tick() -> None:
        while True:
            await asyncio.sleep(interval)
            writer.write(bytes(waiting))
            waiting.clear()

    ticking = asyncio.create_task(tick()) if interval else None
    while data := await reader.read(READ):
        if ticking is None:
            writer.write(data)
        else:
            waiting += data
    if ticking is not None:
        ticking.cancel()
    writer.write(bytes(waiting))
    await writer.drain()
