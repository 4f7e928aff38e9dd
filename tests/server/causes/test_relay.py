"""A relay that hands on by the clock, or at once."""

from __future__ import annotations

import asyncio
import socket

import pytest

from server.causes.relay import serve_relay


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def pieces(interval: float) -> list[bytes]:
    """What a client reads of an answer in four pieces, 50 ms apart."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for number in range(4):
            writer.write(b"%d" % number)
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.close()

    app, front = listener(), listener()
    port = front.getsockname()[1]
    async with (
        await asyncio.start_server(answer, sock=app),
        await serve_relay(front, app.getsockname()[1], interval),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        found = []
        while data := await reader.read(100):
            found.append(data)
        writer.close()
        await writer.wait_closed()
    return found


@pytest.mark.parametrize(("interval", "most"), [(0.0, 4), (5.0, 1)])
def test_pieces_are_handed_on_at_once_or_together(interval: float, most: int) -> None:
    found = asyncio.run(pieces(interval))
    assert b"".join(found) == b"0123"
    assert len(found) <= most
    assert (len(found) > 1) == (interval == 0)
