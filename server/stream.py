"""Chunked responses: FastAPI's StreamingResponse under uvicorn.

Each piece that a handler yields becomes one chunk, and each chunk one write to the socket; the
head and the last chunk are writes of their own.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from .coding import streamed, streamed_gzip
from .content import (
    BOUNDARY,
    LARGE_STREAM,
    MULTIPART_STREAM,
    NDJSON_STREAM,
    STALL,
    STALL_BEFORE,
    STREAM,
    UNICODE_STREAM,
    generate,
)
from .requests import Delay, Stall

TEXT = "text/plain"

router = APIRouter(prefix="/stream")


@router.get("")
async def plain(delay: Delay) -> StreamingResponse:
    return streamed(generate(STREAM, delay), TEXT)


@router.get("/unicode")
async def unicode(delay: Delay) -> StreamingResponse:
    return streamed(generate(UNICODE_STREAM, delay), TEXT)


@router.get("/gzip")
async def gzip(request: Request, delay: Delay) -> StreamingResponse:
    return streamed_gzip(request, generate(STREAM, delay), TEXT, flush=True)


@router.get("/slow")
async def slow(delay: Delay, stall: Stall = STALL) -> StreamingResponse:
    return streamed(generate(STREAM, delay, stall_before=STALL_BEFORE, stall=stall), TEXT)


@router.get("/ndjson")
async def ndjson(delay: Delay) -> StreamingResponse:
    return streamed(generate(NDJSON_STREAM, delay), "application/x-ndjson")


@router.get("/multipart")
async def multipart(delay: Delay) -> StreamingResponse:
    media_type = f'multipart/mixed; boundary="{BOUNDARY}"'
    return streamed(generate(MULTIPART_STREAM, delay), media_type)


@router.get("/large")
async def large(delay: Delay) -> StreamingResponse:
    return streamed(generate(LARGE_STREAM, delay), TEXT)
