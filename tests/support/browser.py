"""Debian's Chromium, driven by Playwright, and the inspector that it looks at."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Page, expect, sync_playwright

from parsers import KeyLog
from wireproof.web.feed import FileFeed
from wireproof.web.fleet import looked_at
from wireproof.web.fleet_app import Captures, create_fleet_app
from wireproof.web.index import Index
from wireproof.web.server import InspectorServer, PageServer

S = TypeVar("S", bound=PageServer)

PATIENCE = 60.0
"""Seconds that no test needs, and none waits longer than."""
expect.set_options(timeout=PATIENCE * 1000)
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = {"width": 1000, "height": 1500}
"""High enough that a small frame is in view with all its bytes."""
NARROW = {"width": 420, "height": 860}
IDLE: dict[Browser, dict[str, Watched]] = {}
"""Pages that were looked at, by what they were opened with: one that is new takes a process."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(SWITCHES)
        )
        try:
            yield browser
        finally:
            IDLE.pop(browser, None)
            browser.close()


def indexed(path: Path, *, with_keys: bool = False, number: int = 0) -> Index:
    """The index of a capture file that has been read; to be closed.

    The keys of TLS are those in the file, or with ``with_keys`` beside it. ``number`` is which it
    is of captures that are shown together.
    """
    index = Index(path.name, number=number)
    keylog = KeyLog.open(path.with_suffix(".keys")) if with_keys else None
    with path.open("rb") as stream:
        FileFeed(index, stream, keylog=keylog).read_all()
    return index


@contextmanager
def serving(*indexes: Index) -> Iterator[InspectorServer]:
    """Serve an inspector in a thread."""
    with running(InspectorServer(*indexes)) as server:
        yield server


@contextmanager
def running(server: S) -> Iterator[S]:
    ready = threading.Event()
    with closing(server):
        thread = threading.Thread(target=server.run, args=(ready.set,))
        thread.start()
        try:
            assert ready.wait(PATIENCE), "the inspector does not listen"
            yield server
        finally:
            server.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the inspector does not stop"


@contextmanager
def looking_at(place: Path, *captures: Path) -> Iterator[PageServer]:
    """Serve the page of a data set in a thread; ``captures`` are folders of its files."""
    with (
        looked_at(str(place), captures, print) as fleet,
        closing(Captures(fleet)) as opened,
        running(PageServer(partial(create_fleet_app, fleet, opened))) as server,
    ):
        yield server


@contextmanager
def inspecting(path: Path, *, with_keys: bool = False) -> Iterator[InspectorServer]:
    """Serve the inspector of a capture file."""
    with closing(indexed(path, with_keys=with_keys)) as index, serving(index) as server:
        yield server


class Watched:
    """A page, and all that went wrong in it."""

    def __init__(self, browser: Browser, *, offline: bool = False, **options: object) -> None:
        self.context = browser.new_context(
            offline=offline,
            viewport=options.pop("viewport", WIDE),  # type: ignore[arg-type]
            **options,  # type: ignore[arg-type]
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("console", lambda said: self.problems.append(f"{said.type}: {said.text}"))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, url: str) -> Page:
        """Go to the inspector, and wait until it is there."""
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self.page

    def choose(self, link: str) -> None:
        """Choose what a link points at, and wait for its bytes."""
        self.page.evaluate("link => { location.hash = link; }", link)
        self.page.wait_for_function(
            "link => document.querySelector('#bytes .link')?.textContent === link"
            " && document.querySelector('#bytes .hex-dump [data-byte]')",
            arg=link,
        )

    def reset(self) -> None:
        """Be as new: what a page stores is its server's, and each server has a port of its own."""
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.page.mouse.move(0, 0)
        self.page.goto("about:blank")
        self.context.clear_cookies()
        self.context.clear_permissions()
        self.problems.clear()
        self.requests.clear()

    def close(self) -> None:
        self.context.close()


@contextmanager
def watched(browser: Browser, *, offline: bool = False, **options: object) -> Iterator[Watched]:
    """A page that nobody else looks at; nothing may go wrong in it.

    It is used again by the next one, unless the test failed or was offline: all files are of one
    origin.
    """
    idle = IDLE.setdefault(browser, {})
    kind = repr(sorted(options.items()))
    reused = None if offline else idle.pop(kind, None)
    found = reused or Watched(browser, offline=offline, **options)
    is_good = False
    try:
        yield found
        assert found.problems == [], found.problems
        is_good = not offline and kind not in idle
    finally:
        if is_good:
            found.reset()
            idle[kind] = found
        else:
            found.close()
