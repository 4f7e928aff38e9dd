"""Applications with a fault of their own, and the same ones without it.

Each writes the same events, one every ``EVERY`` seconds, from a generator: how they get to the
server is the fault.
"""

from __future__ import annotations

import asyncio
import threading
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVENTS = 12
EVERY = 0.080
"""Seconds between two events."""
BLOCKED = EVERY * (EVENTS + 4)
"""Seconds that a blocking call takes: longer than the stream."""
MEDIA_TYPE = "text/event-stream"
TEXT = b"data: %d a token of a model, and some more of them to fill a line\n\n"
Handler = Callable[..., Awaitable[Response]]


def event(number: int) -> bytes:
    """Return an event that says its number."""
    return TEXT % number


async def tokens(events: int = EVENTS) -> AsyncIterator[bytes]:
    """Yield events as a model makes them."""
    for number in range(events):
        await asyncio.sleep(EVERY)
        yield event(number)


def streaming(content: AsyncIterator[bytes]) -> Response:
    """Return a response that streams."""
    return StreamingResponse(content, media_type=MEDIA_TYPE)


def app_of(handler: Handler, beside: Handler | None) -> FastAPI:
    """Return an app that answers at ``/chat``, and at ``/report`` if something is beside it.

    What it answers at ``/warm`` streams at once: a first answer takes longer than all others.
    """
    app = FastAPI()
    app.add_api_route("/warm", warm, methods=["GET"], response_model=None)
    app.add_api_route("/chat", handler, methods=["GET", "POST"], response_model=None)
    if beside is not None:
        app.add_api_route("/report", beside, methods=["GET"], response_model=None)
    return app


async def warm() -> Response:
    """Answer with one event, at once."""

    async def one() -> AsyncIterator[bytes]:
        yield event(0)

    return streaming(one())


async def stream() -> Response:
    """Answer as it should be."""
    return streaming(tokens())


async def numbered() -> Response:
    """Answer with events that have IDs."""

    async def with_ids() -> AsyncIterator[bytes]:
        number = 0
        async for piece in tokens():
            yield b"id: %d\n%s" % (number, piece)
            number += 1

    return streaming(with_ids())


async def large() -> Response:
    """Answer with events of 930 bytes."""

    async def padded() -> AsyncIterator[bytes]:
        async for piece in tokens(4 * EVENTS):
            yield padded_event(piece)

    return streaming(padded())


async def large_at_once() -> Response:
    """Answer with as many of them at once: they were there before they were asked for."""

    async def at_once() -> AsyncIterator[bytes]:
        for number in range(4 * EVENTS):
            yield padded_event(event(number))

    return streaming(at_once())


def padded_event(piece: bytes) -> bytes:
    """Return an event of 930 bytes."""
    return piece.rstrip() + b" and" * 215 + b"\n\n"


async def receive(request: Request) -> Response:
    """Take what a client uploads, and say how much it was."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return Response(b"%d bytes" % size, media_type="text/plain")


async def collect() -> Response:
    """Answer once all is there."""
    return Response(b"".join([piece async for piece in tokens()]), media_type=MEDIA_TYPE)


async def batch() -> Response:
    """Answer four events at a time."""

    async def batches() -> AsyncIterator[bytes]:
        waiting = b""
        async for piece in tokens(4 * EVENTS):
            waiting += piece
            if waiting.count(b"\n\n") == 4:
                yield waiting
                waiting = b""

    return streaming(batches())


async def batch_no_more() -> Response:
    """Answer the same event by event."""
    return streaming(tokens(4 * EVENTS))


async def same_tick() -> Response:
    """Answer in one turn of the event loop: nothing is awaited between the events."""

    async def at_once() -> AsyncIterator[bytes]:
        found = [piece async for piece in tokens()]
        for piece in found:
            yield piece

    return streaming(at_once())


async def head_with_first_event() -> Response:
    """Answer once the first event is there: it is awaited before the response is made."""
    pieces = tokens()
    first = await anext(pieces)
    await asyncio.sleep(1.0)

    async def rest() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return streaming(rest())


async def head_at_once() -> Response:
    """Answer with the header at once, and think then."""

    async def thinking() -> AsyncIterator[bytes]:
        yield b": thinking\n\n"
        await asyncio.sleep(1.0)
        async for piece in tokens():
            yield piece

    return streaming(thinking())


async def fed_by_thread() -> Response:
    """Answer with what a thread makes: it goes on also while the event loop cannot."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def make() -> None:
        for number in range(EVENTS):
            time.sleep(EVERY)
            loop.call_soon_threadsafe(queue.put_nowait, event(number))
        loop.call_soon_threadsafe(queue.put_nowait, None)

    async def made() -> AsyncIterator[bytes]:
        while (piece := await queue.get()) is not None:
            yield piece

    threading.Thread(target=make).start()
    return streaming(made())


async def block() -> Response:
    """Answer another client, with the event loop blocked meanwhile."""
    time.sleep(BLOCKED)  # noqa: ASYNC251 - that is the fault
    return Response(b"done", media_type="text/plain")


async def work_aside() -> Response:
    """Answer another client, with the work done in a thread."""
    await asyncio.to_thread(time.sleep, BLOCKED)
    return Response(b"done", media_type="text/plain")


async def fall_silent() -> Response:
    """Answer with a pause that is longer than a proxy waits."""
    return streaming(_pausing(comments=False))


async def keep_alive() -> Response:
    """Answer with the same pause, and a comment every now and then."""
    return streaming(_pausing(comments=True))


async def _pausing(*, comments: bool) -> AsyncIterator[bytes]:
    async for piece in tokens():
        yield piece
    for _ in range(6):
        await asyncio.sleep(0.4)
        if comments:
            yield b": ping\n\n"
    async for piece in tokens():
        yield piece


async def no_last_word() -> Response:
    """Answer without the last word that clients of this dialect wait for."""
    return streaming(_chat(ends=False))


async def last_word() -> Response:
    """Answer with the reason of the end, and the last word."""
    return streaming(_chat(ends=True))


async def unbuffered() -> Response:
    """Answer the same, and ask nginx not to buffer it."""
    return StreamingResponse(
        _chat(ends=True), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"}
    )


async def _chat(*, ends: bool) -> AsyncIterator[bytes]:
    head = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"lab",'
    choice = head + b'"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n'
    yield choice % (b'{"role":"assistant","content":""}', b"null")
    for number in range(EVENTS):
        await asyncio.sleep(EVERY)
        yield choice % (b'{"content":" token %d"}' % number, b"null")
    if ends:
        yield choice % (b"{}", b'"stop"')
        yield b"data: [DONE]\n\n"


class Gzip:
    """A middleware that compresses responses, and flushes after each piece or not at all."""

    def __init__(self, app: ASGIApp, *, flushes: bool) -> None:
        self._app = app
        self._flushes = flushes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        compressor = zlib.compressobj(wbits=31)

        async def send_compressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-encoding", b"gzip")]
            elif message["type"] == "http.response.body":
                data = compressor.compress(message.get("body", b""))
                if self._flushes:
                    data += compressor.flush(zlib.Z_SYNC_FLUSH)
                if not message.get("more_body"):
                    data += compressor.flush()
                message["body"] = data
            await send(message)

        await self._app(scope, receive, send_compressed)
