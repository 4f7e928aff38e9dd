"""The app of these scenarios: plain ASGI, so that what is sent and when is all that there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Receive, Scope, Send

EVENTS = 10
EVERY = 0.02
"""Seconds between two events."""
LARGE = 40
FILLER = b"x" * 4_000
MESSAGES = ("This is", " a stream", " in a stream.")
Fields = list[tuple[bytes, bytes]]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve what a path names."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await _talk(receive, send)
    elif scope["path"] == "/large":
        await _stream(send, b"text/event-stream", _events(LARGE, FILLER))
    elif scope["path"].startswith("/demo."):
        await _call(receive, send)
    else:
        await _stream(send, b"text/event-stream", _events(EVENTS, b"a token"))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        said = (await receive())["type"]
        await send({"type": f"{said}.complete"})
        if said == "lifespan.shutdown":
            return


async def _events(number: int, text: bytes) -> AsyncIterator[bytes]:
    for index in range(number):
        await asyncio.sleep(EVERY)
        yield b"id: %d\ndata: %s %d\n\n" % (index, text, index)


async def _stream(send: Send, media_type: bytes, pieces: AsyncIterator[bytes]) -> None:
    await _begin(send, [(b"content-type", media_type)])
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _begin(send: Send, headers: Fields, **more: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers, **more})


async def _call(receive: Receive, send: Send) -> None:
    """Answer a call of gRPC with a stream of messages: length-prefixed, then the status."""
    while (await receive()).get("more_body"):
        pass
    await _begin(send, [(b"content-type", b"application/grpc")], trailers=True)
    for text in MESSAGES:
        await asyncio.sleep(EVERY)
        body = grpc_message(b"\x0a%c%s" % (len(text), text.encode()))
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    status = [(b"grpc-status", b"0"), (b"grpc-message", b"")]
    await send({"type": "http.response.trailers", "headers": status, "more_trailers": False})


def grpc_message(payload: bytes) -> bytes:
    """Return a length-prefixed message, not compressed (gRPC over HTTP/2, "Length-Prefixed")."""
    return b"\0" + len(payload).to_bytes(4, "big") + payload


async def _talk(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for text in MESSAGES:
        await asyncio.sleep(EVERY)
        await send({"type": "websocket.send", "text": text})
    while (said := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"you said: {said.get('text')}"})
