"""The inspector that looks at stored captures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from .browser import Watched, indexed, serving, watched
from .corpus import ROOT

FIXTURES = ROOT / "fixtures"
VERDICTS = FIXTURES / "verdicts"
CHAT = FIXTURES / "nginx/chat.pcapng"
TOOLS = VERDICTS / "lm03-openai-tool-calls.pcap"
LEFT = VERDICTS / "en13-client-abort-app-goes-on.pcap"
WIDE = {"width": 1440, "height": 900}


@contextmanager
def looking(browser: Browser, *paths: Path, **options: object) -> Iterator[tuple[Page, Watched]]:
    """Look at captures that are shown together."""
    with ExitStack() as stack:
        indexes = []
        for number, path in enumerate(paths):
            indexes.append(stack.enter_context(closing(indexed(path, number=number))))
        server = stack.enter_context(serving(*indexes))
        found = stack.enter_context(watched(browser, **{"viewport": WIDE, **options}))
        yield found.open(server.url), found


def text(page: Page, selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())
