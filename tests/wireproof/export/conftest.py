"""One browser for the tests of a module: no longer, as it keeps an event loop running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from support.browser import chromium
from support.devtools import devtools


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def network_panel(browser: Browser) -> Iterator[Page]:
    with devtools(browser) as page:
        yield page
