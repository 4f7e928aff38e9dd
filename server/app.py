"""The FastAPI app: the three transports under uvicorn, and the pages that are their clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from . import sse, stream, websocket
from .scenarios import SCENARIOS, Scenario
from .settings import Settings

_HTML = "text/html; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"
PAGES = {
    "/": ("index.html", _HTML),
    "/stream.html": ("stream.html", _HTML),
    "/sse.html": ("sse.html", _HTML),
    "/websocket.html": ("websocket.html", _HTML),
    "/index.js": ("index.js", _SCRIPT),
    "/stream.js": ("stream.js", _SCRIPT),
    "/sse.js": ("sse.js", _SCRIPT),
    "/websocket.js": ("websocket.js", _SCRIPT),
    "/page.js": ("page.js", _SCRIPT),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""Every file that is served, by path: there is no folder to climb out of."""

_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def create_app(settings: Settings | None = None, raw_port: int | None = None) -> FastAPI:
    """Return the app. ``raw_port`` is where the raw server listens, if it does."""
    app = FastAPI(title="wireproof demo server", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings or Settings()
    for module in (stream, sse, websocket):
        app.include_router(module.router)
    for path, (name, media_type) in PAGES.items():
        app.add_api_route(path, _page(name, media_type))
    app.add_api_route("/scenarios", _list_scenarios(raw_port))
    return app


def _page(name: str, media_type: str) -> Callable[[], Awaitable[Response]]:
    body = files(__package__).joinpath("pages", name).read_bytes()

    async def page() -> Response:
        return Response(body, media_type=media_type, headers=_PAGE_HEADERS)

    return page


def _list_scenarios(raw_port: int | None) -> Callable[[], Awaitable[JSONResponse]]:
    listed = [_row(one) for named in SCENARIOS.values() for one in named.values()]

    async def list_scenarios() -> JSONResponse:
        return JSONResponse({"raw_port": raw_port, "scenarios": listed})

    return list_scenarios


def _row(scenario: Scenario) -> dict[str, object]:
    return {
        "transport": scenario.transport,
        "name": scenario.name,
        "path": scenario.target,
        "on": scenario.on,
        "summary": scenario.summary,
        "headers": scenario.headers,
    }
