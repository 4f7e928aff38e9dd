"""The applications: both ways of a cause give a client the same, sooner or later."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import ASGIApp

from server.causes import apps
from server.causes.apps import EVENTS, Gzip, Handler, app_of, event
from server.causes.registry import CAUSES, Shown

APP_ONLY = [
    shown for shown in CAUSES if shown.fault.proxy is None and shown.question == "streaming"
]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "EVERY", 0.0)
    monkeypatch.setattr(apps, "BLOCKED", 0.0)


def asked(app: ASGIApp, path: str = "/chat", content: bytes | None = None) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request("POST" if content else "GET", path, content=content)

    return asyncio.run(ask())


def got(handler: Handler, path: str = "/chat", beside: Handler | None = None) -> bytes:
    return asked(app_of(handler, beside), path).content


@pytest.mark.parametrize("shown", APP_ONLY, ids=lambda shown: shown.name)
def test_the_fault_and_its_cure_have_the_same_events(shown: Shown) -> None:
    events = [part for part in got(shown.fault.app).split(b"\n\n") if not part.startswith(b":")]
    cured = [part for part in got(shown.cure.app).split(b"\n\n") if not part.startswith(b":")]
    assert events == cured
    assert len(events) > EVENTS / 2


@pytest.mark.parametrize("flushes", [True, False])
def test_what_is_compressed_is_whole(flushes: bool) -> None:
    app = Gzip(app_of(apps.stream, None), flushes=flushes)
    body = asked(app)
    assert body.headers["content-encoding"] == "gzip"
    assert body.content == b"".join(map(event, range(EVENTS)))


def test_an_upload_is_counted() -> None:
    assert asked(app_of(apps.receive, None), content=b"x" * 10).content == b"10 bytes"


@pytest.mark.parametrize("beside", [apps.block, apps.work_aside])
def test_another_client_is_answered_beside(beside: Handler) -> None:
    assert got(apps.stream, "/report", beside) == b"done"


def test_the_last_word_is_there_or_not() -> None:
    assert got(apps.last_word).endswith(b"data: [DONE]\n\n")
    assert b"[DONE]" not in got(apps.no_last_word)


def test_a_pause_has_comments_or_not() -> None:
    apps_with = got(apps.keep_alive).count(b": ping")
    assert (apps_with, got(apps.fall_silent).count(b": ping")) == (6, 0)
