"""The inspector's server: the page, its answers, and a stream of what is new.

Strategy: three routes behind one :class:`~.origin.Guard`. Files come from a fixed table, answers
from :mod:`.api`; both know a path or do not, and then say the same nothing. News are
server-sent events: the capture's summary and the rows that changed, a few times a second at most.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from fastapi import FastAPI
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from ..open_exchanges import Key
from ..redact import Policy
from .api import CAPTURE, Answers, locked, summary
from .exchange import ExchangeRow
from .index import ENCODER, Index
from .origin import Guard, nothing, of_the_page
from .page_files import ENTRY, TYPES, page_file
from .saving import WRITERS, NotSaved, save

NEWS_INTERVAL = {"live": 0.1, "reading": 0.5, "ended": 0.0}
"""Seconds between two events of news: less is not seen, and costs drawing and reading."""
POLICIES: dict[str, Policy] = {policy: policy for policy in get_args(Policy)}
TAKEN = "application/octet-stream"
KEYS = r"[0-9]{1,10}\.[0-9]{1,9}(?:,[0-9]{1,10}\.[0-9]{1,9}){0,999}"
"""Exchanges of one capture that are taken along together, 1,000 at most."""
MAX_NEWS = 500
"""Rows in one event of news; more follow in the next."""


def create_app(indexes: Sequence[Index], port: int) -> Guard:
    """Return the inspector of captures for a server that listens on ``port``."""
    return Guard(inspector(indexes), port)


def inspector(indexes: Sequence[Index]) -> ASGIApp:
    """Return the inspector of captures, for whoever guards it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    answers = Answers(*indexes)

    @app.get("/")
    def page() -> Response:
        return Response(page_file(ENTRY), media_type=TYPES[ENTRY])

    @app.get("/news")
    async def news(since: str = "") -> Response:
        told = [int(number) if number.isdigit() else 0 for number in since.split(".")]
        told += [0] * (len(indexes) - len(told))
        return EventSourceResponse(_news(indexes, told[: len(indexes)]), ping=15)

    @app.get("/answers/{path:path}")
    async def answer(path: str) -> Response:
        found = await run_in_threadpool(answers.answer, path)
        return nothing() if found is None else Response(found, media_type="application/json")

    @app.get("/take/{policy}/{keys}/{form}")
    def take(policy: str, keys: str, form: str) -> Response:
        return _taken(indexes, policy, keys, form)

    @app.get("/{path:path}")
    def file(path: str) -> Response:
        return of_the_page(path)

    return app


def _taken(indexes: Sequence[Index], policy: str, keys: str, form: str) -> Response:
    """Return exchanges as a file, or why there is none; ``keys`` are of one capture."""
    found = re.fullmatch(f"{CAPTURE}({KEYS})", keys)
    if found is None or policy not in POLICIES or form not in WRITERS:
        return nothing()
    number = int(found[1] or 0)
    wanted = [Key(*map(int, key.split("."))) for key in found[2].split(",")]
    if number >= len(indexes) or not indexes[number].knows(wanted):
        return nothing()
    folder = TemporaryDirectory(prefix="wireproof-")
    try:
        path = save(indexes[number], wanted, form, POLICIES[policy], Path(folder.name))
    except (NotSaved, OSError) as error:
        folder.cleanup()
        return PlainTextResponse(str(error), status_code=409)
    cleanup = BackgroundTask(folder.cleanup)
    return FileResponse(path, filename=path.name, media_type=TAKEN, background=cleanup)


async def _news(indexes: Sequence[Index], since: list[int]) -> AsyncIterator[ServerSentEvent]:
    """Yield what changed after these versions, until the captures have ended."""
    while True:
        found, since, is_last = await run_in_threadpool(_changes, indexes, since)
        if found is not None:
            yield ServerSentEvent(data=found.decode(), id=".".join(map(str, since)))
        if is_last:
            yield ServerSentEvent(data="{}", event="end")
            return
        await asyncio.sleep(min(NEWS_INTERVAL[index.state] or 0.5 for index in indexes))


def _changes(indexes: Sequence[Index], since: list[int]) -> tuple[bytes | None, list[int], bool]:
    """Return an event of news if there is any, up to which versions it goes, whether it is last."""
    with locked(indexes):
        has_ended = all(index.state == "ended" for index in indexes)
        if [index.version for index in indexes] == since:
            return None, since, has_ended
        told: list[int] = []
        rows: list[dict[str, Any]] = []
        is_all = True
        for index, known in zip(indexes, since, strict=True):
            changed, upto = _changed(index, known, MAX_NEWS - len(rows))
            rows += [index.row(found) for found in changed]
            told.append(upto)
            is_all &= upto == index.version
        event = {"summary": summary(indexes), "rows": rows}
        return ENCODER.encode(event), told, is_all and has_ended


def _changed(index: Index, since: int, most: int) -> tuple[list[ExchangeRow], int]:
    """Return exchanges of a capture that changed, ``most`` if possible, and up to which version."""
    changed = index.order.changed_since(since)
    if len(changed) <= most:
        return [index.order[number] for _, number in changed], index.version
    if not most:
        return [], since
    upto = max(sorted(changed)[most - 1][0], since + 1)
    return [index.order[number] for change, number in changed if change <= upto], upto
