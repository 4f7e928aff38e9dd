"""One browser for all tests that look at what it makes of an export."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from support.devtools import chromium, devtools


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def network_panel(browser: Browser) -> Iterator[Page]:
    with devtools(browser) as page:
        yield page
