"""Rows and marks appear while the demo streams: real packets, a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
from playwright.sync_api import Browser
from support.browser import PATIENCE, serving, watched

from server.process import DemoServer
from wireproof.live.decoding import LivePackets
from wireproof.web.index import Index
from wireproof.web.live_feed import LiveFeed
from wireproof.web.server import InspectorServer

pytestmark = [pytest.mark.packets, pytest.mark.browser]

EVENTS = "document.querySelector('#tab-events .some')?.textContent"


@contextmanager
def live_inspector(port: int) -> Iterator[tuple[InspectorServer, LiveFeed, Index]]:
    with (
        closing(Index("live", "live")) as index,
        LivePackets(port=port) as packets,
        serving(index) as server,
    ):
        feed = LiveFeed(index, packets)
        feed.start()
        yield server, feed, index
        feed.stop()


class Stream:
    """A client that reads an event stream, and goes on when it is told to."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.reading = threading.Event()
        self._may_end = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Stream:
        self._thread.start()
        assert self.reading.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._may_end.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _read(self) -> None:
        with httpx.Client(timeout=PATIENCE) as client, client.stream("GET", self._url) as response:
            for _ in response.iter_raw():
                self.reading.set()
            self._may_end.wait(PATIENCE)


def test_rows_appear_while_the_demo_streams_and_wait_while_it_is_paused(browser: Browser) -> None:
    with (
        DemoServer(delay=0.2) as demo,
        live_inspector(demo.port) as (server, feed, index),
        watched(browser) as found,
    ):
        page = found.open(server.url)
        assert page.locator("#live").inner_text() == "live"
        assert page.locator(".conn .row").count() == 0
        with Stream(f"{demo.address.origin()}/sse"):
            # The first row is there while the stream goes on: it has nine events.
            page.wait_for_function(f"() => Number({EVENTS}) >= 1")
            assert index.state == "live"
            assert page.locator(".conn .row .ended").text_content() in (
                "streaming…",
                "complete (last chunk)",
            )
            page.wait_for_function(f"() => Number({EVENTS}) === 9")
            page.wait_for_function("() => document.querySelectorAll('.table.e .row').length === 9")
            page.keyboard.press("p")
            assert page.locator("#pause").get_attribute("aria-pressed") == "true"
            httpx.get(f"{demo.address.origin()}/stream", timeout=PATIENCE)
            page.wait_for_function(
                "() => document.querySelector('#pause').textContent.startsWith('Resume (')"
            )
            assert page.locator(".conn .row").count() == 1
            page.keyboard.press("p")
            page.wait_for_function("() => document.querySelectorAll('.conn .row').length === 2")
        feed.stop()
        page.wait_for_selector("#live", state="hidden")
        found.choose("#c0/e8")
        assert "9 messages" not in page.locator(".said pre").inner_text()
        assert page.locator(".said pre").inner_text().startswith("8 messages")


def test_what_came_too_fast_is_counted() -> None:
    with closing(Index("live", "live")) as index:
        index.miss(3)
        index.miss(4)
        assert index.missed == 7
