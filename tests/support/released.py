"""An app in two releases, for uvicorn: the second one regresses, in another way at each path.

RELEASE=2 uvicorn support.released:app
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import NamedTuple

from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

EVENTS = 12
PAUSE = 0.03
"""Seconds between two events."""


class Wrong(NamedTuple):
    """What the second release does otherwise."""

    said: str
    """What a comparison calls it; empty: nothing."""
    headers: float = 0.0
    """Seconds more until the header."""
    first: float = 0.0
    """Seconds more until the first event."""
    together: int = 1
    """Events that come at once."""
    slower: float = 1.0
    """How many times the pause is as long."""
    stall: float = 0.0
    """Seconds more in the middle."""
    events: int = EVENTS
    breaks_off: bool = False
    status: int = 200


REGRESSIONS = {
    "/burst": Wrong("streaming: bursty", together=4, slower=4.0),
    "/held": Wrong("streaming: held", together=EVENTS),
    "/late": Wrong("first_token p50", first=0.4),
    "/late-header": Wrong("headers_after p50", headers=0.4),
    "/slow": Wrong("gap_p50 p50", slower=4.0),
    "/longer": Wrong("last p50", slower=2.5),
    "/stall": Wrong("gap_max p50", stall=0.8),
    "/cut": Wrong("end: cut", breaks_off=True),
    "/short": Wrong("fewer elements: count", events=7),
    "/failing": Wrong("status 5xx", status=503),
    "/same": Wrong(""),
}
app = FastAPI()


async def events(wrong: Wrong) -> AsyncIterator[bytes]:
    await asyncio.sleep(PAUSE + wrong.first)
    waiting = b""
    for number in range(wrong.events):
        await asyncio.sleep(PAUSE * wrong.slower + wrong.stall * (number == EVENTS // 2))
        waiting += b"data: token %d\n\n" % number
        if (number + 1) % wrong.together == 0:
            yield waiting
            waiting = b""
    if wrong.breaks_off:
        raise ConnectionAbortedError("the second release loses ends")


@app.get("/{path}")
async def answer(path: str) -> Response:
    wrong = REGRESSIONS[f"/{path}"] if os.environ["RELEASE"] == "2" else Wrong("")
    await asyncio.sleep(wrong.headers)
    return StreamingResponse(
        events(wrong), status_code=wrong.status, media_type="text/event-stream"
    )
