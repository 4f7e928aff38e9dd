"""The server of a data set's page: the page, its answers, and an inspector for each capture.

Strategy: one guard in front of everything, as for a capture. A capture is opened when somebody goes
to its path, and is then the same inspector as ever, below that path; a few stay open, and of those
the one that was asked least recently goes. That its file is still the same its digest says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..output import buffered_scratch
from ..tables.files import opened
from ..tables.reading import PIECE, digest
from .app import inspector
from .feed import FileFeed
from .fleet import KEY_LENGTH, Fleet, Known, to_do
from .index import ENCODER, Index
from .origin import Guard, nothing, of_the_page
from .page_files import FLEET_ENTRY, TYPES, page_file

MAX_OPEN = 4
"""Captures that are open at once."""
CAPTURE_PATH = re.compile(rf"/capture/([0-9a-f]{{{KEY_LENGTH}}})(/.*)?")


class NotAtHand(Exception):
    """A capture cannot be opened; the message says why, and what to do."""


class _Opened(NamedTuple):
    app: ASGIApp
    stack: ExitStack


class Captures:
    """The captures of a data set that are open, each with its inspector."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = Lock()
        self._opened: dict[str, _Opened] = {}

    def app(self, key: str) -> ASGIApp | None:
        """Return the inspector of a capture, None if there is none of that key.

        Raises NotAtHand.
        """
        with self._lock:
            found = self._opened.pop(key, None) or self._open(key)
            if found is None:
                return None
            self._opened[key] = found  # the last one to go
            if len(self._opened) > MAX_OPEN:
                self._opened.pop(next(iter(self._opened))).stack.close()
            return found.app

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            while self._opened:
                self._opened.popitem()[1].stack.close()

    def _open(self, key: str) -> _Opened | None:
        capture = self._fleet.known(key)
        if capture is None:
            return None
        path = self._fleet.path_of(capture)
        if path is None:
            raise NotAtHand(to_do(capture))
        try:
            with ExitStack() as stack:
                app = inspector([_indexed(capture, path, stack)])
                return _Opened(app, stack.pop_all())
        except OSError as error:
            raise NotAtHand(f"{path}: {error.strerror or error}") from error
        except ValueError as error:
            raise NotAtHand(f"{path}: {error}") from error


def _indexed(capture: Known, path: str, stack: ExitStack) -> Index:
    """Return the index of a capture, which is being read from now on."""
    if digest([path]) != capture.sha256:
        raise ValueError("this is another file than the one that was exported")
    index = stack.enter_context(closing(Index(Path(path).name)))
    feed = FileFeed(index, stack.enter_context(_file(path)))
    feed.start()
    stack.callback(feed.stop)
    return index


@contextmanager
def _file(path: str) -> Iterator[BinaryIO]:
    """Give a file, and of an object in a store a copy: the inspector reads what is regular."""
    with ExitStack() as stack:
        stream = opened(path, stack)
        if hasattr(stream, "fileno") and Path(path).is_file():
            yield stream
            return
        copy = stack.enter_context(buffered_scratch())
        while piece := stream.read(PIECE):
            copy.write(piece)
        copy.seek(0)
        yield copy


def create_fleet_app(fleet: Fleet, captures: Captures, port: int) -> Guard:
    """Return the page of a data set for a server that listens on ``port``."""
    page = _routes(fleet)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = CAPTURE_PATH.fullmatch(scope["path"])
        chosen = page if found is None else await _inspector(captures, found[1], found[2])
        if found is not None:
            scope = dict(scope) | {"path": found[2] or "/", "raw_path": (found[2] or "/").encode()}
        await chosen(scope, receive, send)

    return Guard(app, port)


async def _inspector(captures: Captures, key: str, rest: str | None) -> ASGIApp:
    """Return what answers below a capture's path: its inspector, or why there is none."""
    if rest is None:
        return RedirectResponse(f"/capture/{key}/", status_code=308)
    try:
        return await run_in_threadpool(captures.app, key) or nothing()
    except NotAtHand as why:
        return PlainTextResponse(f"{why}\n", status_code=409)


def _json(found: object, status: int = 200) -> Response:
    return Response(ENCODER.encode(found), status, media_type="application/json")


def _routes(fleet: Fleet) -> ASGIApp:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def page() -> Response:
        return Response(page_file(FLEET_ENTRY), media_type=TYPES[FLEET_ENTRY])

    @app.get("/answers/{name}")
    def answer(name: str) -> Response:
        try:
            found = fleet.answer(name)
        except ValueError as error:
            return _json({"problem": str(error)}, 500)
        return nothing() if found is None else _json(found)

    @app.get("/{path:path}")
    def file(path: str) -> Response:
        return of_the_page(path)

    return app
