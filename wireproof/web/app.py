"""The inspector's server: the page, its answers, and a stream of what is new.

Strategy: three routes behind one :class:`~.origin.Guard`. Files come from a fixed table, answers
from :mod:`.api`; both know a path or do not, and then say the same nothing. News are
server-sent events: the capture's summary and the rows that changed, a few times a second at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp

from .api import Answers, summary
from .index import ENCODER, Index
from .origin import Guard, nothing
from .page_files import ENTRY, TYPES, page_file

NEWS_INTERVAL = {"live": 0.1, "reading": 0.5, "ended": 0.0}
"""Seconds between two events of news: less is not seen, and costs drawing and reading."""
MAX_NEWS = 500
"""Rows in one event of news; more follow in the next."""


def create_app(index: Index, port: int) -> Guard:
    """Return the inspector of ``index`` for a server that listens on ``port``."""
    return Guard(_routes(index), port)


def _routes(index: Index) -> ASGIApp:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    answers = Answers(index)

    @app.get("/")
    def page() -> Response:
        return Response(page_file(ENTRY), media_type=TYPES[ENTRY])

    @app.get("/news")
    async def news(since: int = 0) -> Response:
        return EventSourceResponse(_news(index, since), ping=15)

    @app.get("/answers/{path:path}")
    async def answer(path: str) -> Response:
        found = await run_in_threadpool(answers.answer, path)
        return nothing() if found is None else Response(found, media_type="application/json")

    @app.get("/{path:path}")
    def file(path: str) -> Response:
        if path not in TYPES:
            return nothing()
        return Response(page_file(path), media_type=TYPES[path])

    return app


async def _news(index: Index, since: int) -> AsyncIterator[ServerSentEvent]:
    """Yield what changed after version ``since``, until the capture has ended."""
    while True:
        found, since, is_last = await run_in_threadpool(_changes, index, since)
        if found is not None:
            yield ServerSentEvent(data=found.decode(), id=str(since))
        if is_last:
            yield ServerSentEvent(data="{}", event="end")
            return
        await asyncio.sleep(NEWS_INTERVAL[index.state])


def _changes(index: Index, since: int) -> tuple[bytes | None, int, bool]:
    """Return an event of news if there is any, up to which version it goes, whether it is last."""
    with index.changed:
        if index.version == since:
            return None, since, index.state == "ended"
        changed = [found for found in index.order if found.changed > since]
        if is_all := len(changed) <= MAX_NEWS:
            upto = index.version
        else:
            changed.sort(key=lambda found: found.changed)
            upto = max(changed[MAX_NEWS - 1].changed, since + 1)
            changed = [found for found in changed if found.changed <= upto]
        event: dict[str, Any] = {
            "summary": summary(index),
            "rows": [index.row(found) for found in changed],
        }
        return ENCODER.encode(event), upto, is_all and index.state == "ended"
