"""A chat that streams its answer, and a feed that goes on where a client left it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Header
from parsers.prompt import words
from sse_starlette import EventSourceResponse

PAUSE = 0.02

app = FastAPI()


@app.get("/chat")
async def chat(prompt: str) -> EventSourceResponse:
    async def events() -> AsyncIterator[dict[str, str]]:
        for word in words(prompt):
            await asyncio.sleep(PAUSE)
            yield {"event": "token", "data": word}
        yield {"data": "[DONE]"}

    return EventSourceResponse(events())


@app.get("/collected")
async def collected(prompt: str) -> EventSourceResponse:
    """What somebody broke: it waits for the whole answer."""
    answer = []
    for word in words(prompt):
        await asyncio.sleep(PAUSE)
        answer.append({"event": "token", "data": word})

    async def events() -> AsyncIterator[dict[str, str]]:
        for event in answer:
            yield event

    return EventSourceResponse(events())


@app.get("/feed")
async def feed(last_event_id: Annotated[int, Header()] = 0) -> EventSourceResponse:
    async def events() -> AsyncIterator[dict[str, str | int]]:
        number = last_event_id
        while True:
            number += 1
            await asyncio.sleep(PAUSE)
            yield {"id": str(number), "data": f"item {number}", "retry": 100}

    return EventSourceResponse(events(), ping=1)
