"""Apps that tests of the plugin serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

PAUSE = 0.04


async def tokens(number: int, pause: float = PAUSE) -> AsyncIterator[str]:
    for index in range(number):
        await asyncio.sleep(pause)
        yield f"token {index}"


async def chat(request: Request) -> Response:
    async def events() -> AsyncIterator[dict[str, str]]:
        async for token in tokens(int(request.query_params.get("n", "6"))):
            yield {"data": token}
        yield {"data": "[DONE]"}

    return EventSourceResponse(events())


async def collected(request: Request) -> Response:
    found = [token async for token in tokens(6)]

    async def events() -> AsyncIterator[dict[str, str]]:
        for token in found:
            yield {"data": token}

    return EventSourceResponse(events())


async def endless(request: Request) -> Response:
    async def events() -> AsyncIterator[str]:
        async for token in tokens(1 << 30):
            yield f"data: {token}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def environment(request: Request) -> Response:
    return PlainTextResponse(os.environ.get(request.query_params["name"], "unset"))


async def where(request: Request) -> Response:
    return PlainTextResponse(os.getcwd())  # noqa: PTH109 # as the process has it


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    for _ in range(2):
        await socket.send_text("echo " + await socket.receive_text())
    await socket.close(1000)


def create_app() -> Starlette:
    plain = [chat, collected, endless, environment, where]
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in plain]
    return Starlette(routes=[*routes, WebSocketRoute("/ws", echo)])


app = create_app()


@asynccontextmanager
async def _fail(app: Starlette) -> AsyncIterator[None]:
    raise RuntimeError("no database")
    yield


without_database = Starlette(lifespan=_fail)
