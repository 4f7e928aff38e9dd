"""A proxy of our own that hands answers on in its way: by the clock, in batches, late, or not all.

Strategy: a chunk of the app's answer goes in, and when and as what it comes out is a coroutine of
a few lines: a way. Each is a fault that proxies, gateways and middleboxes are known for, alone, so
that nothing else explains what is seen.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import NamedTuple

Chunks = AsyncIterator[bytes]
HandOn = Callable[[Chunks], Chunks]
"""What becomes of chunks; what it yields is written as one chunk each."""


class Relay(NamedTuple):
    """What a proxy does to an answer."""

    hand_on: HandOn
    holds_head: bool = False
    """Whether the head leaves with the first chunk."""


class Cut(Exception):
    """The proxy gives up."""


async def at_once(chunks: Chunks) -> Chunks:
    """Hand on what comes."""
    async for chunk in chunks:
        yield chunk


def every(interval: float) -> HandOn:
    """Hand on at each tick what came, as ``FlushInterval`` of Go's proxy does; in seconds."""

    async def hand_on(chunks: Chunks) -> Chunks:
        coming = _Coming(chunks)
        tick = coming.now + interval
        while not coming.has_ended:
            if waiting := await coming.until(tick):
                yield b"".join(waiting)
            tick += interval

    return hand_on


def batches(size: int) -> HandOn:
    """Hand on so many at a time."""

    async def hand_on(chunks: Chunks) -> Chunks:
        waiting: list[bytes] = []
        async for chunk in chunks:
            waiting.append(chunk)
            if len(waiting) == size:
                yield b"".join(waiting)
                waiting.clear()
        if waiting:
            yield b"".join(waiting)

    return hand_on


async def looking_ahead(chunks: Chunks) -> Chunks:
    """Hand on each when the next one has come, as who looks for the last one does."""
    before = b""
    async for chunk in chunks:
        if before:
            yield before
        before = chunk
    yield before


def later(seconds: float) -> HandOn:
    """Hand on each so much later."""

    async def hand_on(chunks: Chunks) -> Chunks:
        coming = _Coming(chunks)
        while (found := await coming.next()) is not None:
            time, chunk = found
            await asyncio.sleep(max(0.0, time + seconds - coming.now))
            yield chunk

    return hand_on


def standing_still(after: int, seconds: float) -> HandOn:
    """Hand on what comes, but stand still once, for some seconds."""

    async def hand_on(chunks: Chunks) -> Chunks:
        coming = _Coming(chunks)
        passed = 0
        while (found := await coming.next()) is not None:
            yield found[1]
            passed += 1
            if passed == after:
                await asyncio.sleep(seconds)

    return hand_on


def without(place: int) -> HandOn:
    """Hand on all but one, counted from 0; -1 is the last one."""

    async def hand_on(chunks: Chunks) -> Chunks:
        at, before = -1, b""
        async for chunk in chunks:
            if before and at != place:
                yield before
            at, before = at + 1, chunk
        if before and place != -1:
            yield before

    return hand_on


def replaced(place: int, made: Callable[[bytes], list[bytes]]) -> HandOn:
    """Hand on something else in place of one, counted from 0."""

    async def hand_on(chunks: Chunks) -> Chunks:
        at = 0
        async for chunk in chunks:
            for piece in made(chunk) if at == place else [chunk]:
                yield piece
            at += 1

    return hand_on


async def renumbered(chunks: Chunks) -> Chunks:
    """Hand on events with IDs of the proxy's own."""
    number = 1_000
    async for chunk in chunks:
        yield b"id: %d\n%s" % (number, chunk.partition(b"\n")[2])
        number += 1


def swapped(place: int) -> HandOn:
    """Hand on one after the next one."""

    async def hand_on(chunks: Chunks) -> Chunks:
        at, kept = 0, b""
        async for chunk in chunks:
            if at == place:
                kept = chunk
            else:
                yield chunk
            if at == place + 1:
                yield kept
            at += 1

    return hand_on


def cut_after(number: int) -> HandOn:
    """Hand on so many, and give up."""

    async def hand_on(chunks: Chunks) -> Chunks:
        passed = 0
        async for chunk in chunks:
            yield chunk
            passed += 1
            if passed == number:
                raise Cut

    return hand_on


class _Coming:
    """Chunks with the time at which each came, read on whatever becomes of them."""

    def __init__(self, chunks: Chunks) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(chunks))
        self.has_ended = False

    @property
    def now(self) -> float:
        """Seconds by the loop's clock."""
        return self._loop.time()

    async def _read(self, chunks: Chunks) -> None:
        async for chunk in chunks:
            self._queue.put_nowait((self.now, chunk))
        self._queue.put_nowait(None)

    async def next(self) -> tuple[float, bytes] | None:
        """Return the next one, None after the last."""
        found = await self._queue.get()
        self.has_ended = found is None
        return found

    async def until(self, time: float) -> list[bytes]:
        """Return what comes up to a time, or to the end."""
        waiting: list[bytes] = []
        while not self.has_ended:
            try:
                found = await asyncio.wait_for(self._queue.get(), time - self.now)
            except TimeoutError:
                break
            self.has_ended = found is None
            waiting += [found[1]] if found is not None else []
        return waiting


async def serve_relay(listener: socket.socket, upstream: int, relay: Relay) -> asyncio.Server:
    """Serve on a socket that listens, in front of an app on a port that answers in chunks."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        app_reader, app_writer = await asyncio.open_connection("127.0.0.1", upstream)
        app_writer.write(await reader.readuntil(b"\r\n\r\n"))
        with suppress(Cut):  # it closes both connections, as after the end
            await _hand_on(relay, app_reader, writer)
        for one in (writer, app_writer):
            one.close()
            await one.wait_closed()

    return await asyncio.start_server(answer, sock=listener)


async def _hand_on(
    relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not relay.holds_head:
        writer.write(head)
        head = b""
    async for piece in relay.hand_on(_chunks(reader)):
        writer.write(head + b"%x\r\n%s\r\n" % (len(piece), piece))
        head = b""
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _chunks(reader: asyncio.StreamReader) -> Chunks:
    """Yield the content of each chunk, up to the last one (RFC 9112 section 7.1)."""
    while size := int(await reader.readline(), 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
