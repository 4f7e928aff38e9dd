"""WebSockets under uvicorn: the messages one by one, then an echo until one side has enough.

uvicorn itself answers pings, sends its own, and compresses where the client offered it. What it
cannot be made to send (fragments, a ping inside a message, an early FIN) is in
:mod:`.raw_server`.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from .content import (
    CLOSE_CODE,
    CLOSE_REASON,
    LARGE_BINARY,
    LARGE_TEXT,
    WEBSOCKET_MESSAGES,
    generate,
    reply_to,
)
from .requests import Delay, settings_of

NORMAL = 1000
UNSUPPORTED_DATA = 1003
"""Close codes of RFC 6455 section 7.4.1."""

router = APIRouter(prefix="/ws")


@router.websocket("")
async def plain(websocket: WebSocket, delay: Delay) -> None:
    await _converse(websocket, WEBSOCKET_MESSAGES, delay)


@router.websocket("/large")
async def large(websocket: WebSocket, delay: Delay) -> None:
    await _converse(websocket, (LARGE_TEXT, LARGE_BINARY), delay)


@router.websocket("/close-code")
async def close_code(websocket: WebSocket, delay: Delay) -> None:
    await websocket.accept()
    try:
        await _send(websocket, WEBSOCKET_MESSAGES[:3], delay)
        await asyncio.sleep(delay)
        await websocket.close(CLOSE_CODE, CLOSE_REASON)
    except WebSocketDisconnect:
        return  # the client was first


async def _converse(websocket: WebSocket, messages: tuple[str | bytes, ...], delay: float) -> None:
    await websocket.accept()
    try:
        await _send(websocket, messages, delay)
        await _echo(websocket, settings_of(websocket).idle_timeout)
    except WebSocketDisconnect:
        return  # the usual end: the client has closed


async def _send(websocket: WebSocket, messages: tuple[str | bytes, ...], delay: float) -> None:
    async for message in generate(messages, delay):
        if isinstance(message, str):
            await websocket.send_text(message)
        else:
            await websocket.send_bytes(message)


async def _echo(websocket: WebSocket, idle_timeout: float) -> None:
    """Answer each text message, until the client closes (raises WebSocketDisconnect) or idles."""
    while True:
        try:
            async with asyncio.timeout(idle_timeout):
                message = await websocket.receive()
        except TimeoutError:
            return await websocket.close(NORMAL, f"idle for {idle_timeout:g} s")
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if text is None:
            return await websocket.close(UNSUPPORTED_DATA, "text messages only")
        await websocket.send_text(reply_to(text))
