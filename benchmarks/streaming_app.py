"""An app that streams, and the same one as it looks when it collects first, in each usual way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from fastapi import FastAPI
from sse_starlette import EventSourceResponse
from starlette.responses import Response, StreamingResponse

EVENTS = 10
PAUSE = 0.02
"""Seconds that the source takes for each event."""
EVENT_STREAM = "text/event-stream"

app = FastAPI()


async def source() -> AsyncIterator[str]:
    for number in range(EVENTS):
        await asyncio.sleep(PAUSE)
        yield f"token {number}"


def event(data: str) -> str:
    return f"data: {data}\n\n"


@app.get("/streamed")
async def streamed() -> Response:
    async def events() -> AsyncIterator[str]:
        async for data in source():
            yield event(data)

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/streamed-sse-starlette")
async def streamed_by_sse_starlette() -> Response:
    async def events() -> AsyncIterator[dict[str, str]]:
        async for data in source():
            yield {"data": data}

    return EventSourceResponse(events())


@app.get("/streamed-thread")
def streamed_by_a_thread() -> Response:
    def events() -> Iterator[str]:
        for number in range(EVENTS):
            time.sleep(PAUSE)
            yield event(f"token {number}")

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/collected")
async def collected_and_sent_whole() -> Response:
    return Response("".join([event(data) async for data in source()]), media_type=EVENT_STREAM)


@app.get("/collected-chunk")
async def collected_into_one_chunk() -> Response:
    whole = "".join([event(data) async for data in source()])

    async def events() -> AsyncIterator[str]:
        yield whole

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/collected-loop")
async def collected_and_sent_one_by_one() -> Response:
    found = [data async for data in source()]

    async def events() -> AsyncIterator[str]:
        for data in found:
            yield event(data)

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/collected-yielding")
async def collected_and_sent_with_turns_for_others() -> Response:
    found = [data async for data in source()]

    async def events() -> AsyncIterator[str]:
        for data in found:
            yield event(data)
            await asyncio.sleep(0)

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/collected-thread")
def collected_and_sent_by_a_thread() -> Response:
    def events() -> Iterator[str]:
        found = []
        for number in range(EVENTS):
            time.sleep(PAUSE)
            found.append(event(f"token {number}"))
        yield from found

    return StreamingResponse(events(), media_type=EVENT_STREAM)


@app.get("/collected-sse-starlette")
async def collected_and_sent_by_sse_starlette() -> Response:
    found = [data async for data in source()]

    async def events() -> AsyncIterator[dict[str, str]]:
        for data in found:
            yield {"data": data}

    return EventSourceResponse(events())
