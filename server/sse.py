"""Server-sent events: sse-starlette's dialect, FastAPI's own, and streams cut in unlucky places.

Both dialects end after their last event. A browser then comes back by itself, with the last id
in ``Last-Event-ID``: a known id goes on after it, the last one gets 204, which tells the browser
to stay away (WHATWG HTML section 9.2.3), and an unknown one starts from the beginning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import fastapi.sse
import sse_starlette
from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from .coding import STREAM_HEADERS, streamed, streamed_gzip
from .content import (
    BURST_EVENT_STREAM,
    EVENT_STREAM,
    EVENTS,
    STALL,
    STALL_BEFORE,
    UNICODE_EVENT_STREAM,
    SseEvent,
    generate,
)
from .requests import Delay, Stall, settings_of

EVENT_STREAM_TYPE = "text/event-stream"
_AFTER = {event.id: position for position, event in enumerate(EVENTS, start=1)}
_NO_PINGS = 86_400.0  # seconds: not every sse-starlette knows 0 as "none"

router = APIRouter(prefix="/sse")


def _events_left(last_event_id: Annotated[str, Header()] = "") -> tuple[SseEvent, ...]:
    events = EVENTS[_AFTER.get(last_event_id, 0) :]
    if not events:
        raise HTTPException(204)
    return events


EventsLeft = Annotated[tuple[SseEvent, ...], Depends(_events_left)]
"""The events after ``Last-Event-ID``."""


@router.get("")
async def plain(
    request: Request, events: EventsLeft, delay: Delay
) -> sse_starlette.EventSourceResponse:
    """Answer as sse-starlette does: CRLF, and a comment when the ping interval is over."""
    return sse_starlette.EventSourceResponse(
        _by_sse_starlette(events, delay),
        ping=settings_of(request).ping_interval or _NO_PINGS,
        ping_message_factory=lambda: sse_starlette.ServerSentEvent(comment="ping"),
        headers=STREAM_HEADERS,
    )


async def _by_sse_starlette(
    events: tuple[SseEvent, ...], delay: float
) -> AsyncIterator[sse_starlette.ServerSentEvent]:
    async for event in generate(events, delay):
        yield sse_starlette.ServerSentEvent(
            event.data, event=event.event, id=event.id, retry=event.retry
        )


@router.get("/fastapi", response_class=fastapi.sse.EventSourceResponse)
async def by_fastapi(
    events: EventsLeft, delay: Delay
) -> AsyncIterator[fastapi.sse.ServerSentEvent]:
    """Answer as FastAPI does: LF. It pings after 15 s of silence, which cannot be set."""
    async for event in generate(events, delay):
        yield fastapi.sse.ServerSentEvent(
            raw_data=event.data, event=event.event, id=event.id, retry=event.retry
        )


@router.get("/unicode")
async def unicode(delay: Delay) -> StreamingResponse:
    return streamed(generate(UNICODE_EVENT_STREAM, delay), EVENT_STREAM_TYPE)


@router.get("/burst")
async def burst(delay: Delay) -> StreamingResponse:
    return streamed(generate(BURST_EVENT_STREAM, delay), EVENT_STREAM_TYPE)


@router.get("/gzip")
async def gzip(request: Request, delay: Delay) -> StreamingResponse:
    pieces = generate(EVENT_STREAM, delay)
    return streamed_gzip(request, pieces, EVENT_STREAM_TYPE, flush=True)


@router.get("/gzip-held")
async def gzip_held(request: Request, delay: Delay) -> StreamingResponse:
    pieces = generate(EVENT_STREAM, delay)
    return streamed_gzip(request, pieces, EVENT_STREAM_TYPE, flush=False)


@router.get("/slow")
async def slow(delay: Delay, stall: Stall = STALL) -> StreamingResponse:
    pieces = generate(EVENT_STREAM, delay, stall_before=STALL_BEFORE, stall=stall)
    return streamed(pieces, EVENT_STREAM_TYPE)
