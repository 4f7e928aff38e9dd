"""Streams as FastAPI has had them since 2023: server-sent events, a body in chunks, a WebSocket."""

import asyncio

from fastapi import FastAPI, Header, WebSocket
from fastapi.responses import StreamingResponse
from sse_starlette.sse import EventSourceResponse

PAUSE = 0.02

app = FastAPI()


async def tokens(words):
    for word in words.split("-"):
        await asyncio.sleep(PAUSE)
        yield word


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/chat")
async def chat(prompt: str):
    async def events():
        async for word in tokens(prompt):
            yield {"event": "token", "data": word}
        yield {"data": "[DONE]"}

    return EventSourceResponse(events())


@app.get("/collected")
async def collected(prompt: str):
    """What somebody broke: it waits for the whole answer."""
    words = [word async for word in tokens(prompt)]

    async def events():
        for word in words:
            yield {"event": "token", "data": word}

    return EventSourceResponse(events())


@app.get("/feed")
async def feed(last_event_id: int = Header(default=0)):
    async def events():
        number = last_event_id
        while True:
            number += 1
            await asyncio.sleep(PAUSE)
            yield {"id": str(number), "data": f"item {number}", "retry": 100}

    return EventSourceResponse(events())


@app.get("/lines")
async def lines(prompt: str):
    async def written():
        async for word in tokens(prompt):
            yield f"{word}\n"

    return StreamingResponse(written(), media_type="text/plain")


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    async for word in tokens(await socket.receive_text()):
        await socket.send_text(word)
    await socket.close(4000)


def create_app():
    return app
