"""One browser for the tests of a module: no longer, as it keeps an event loop running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser
from support.browser import chromium

from wireproof.spool import Spool


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as found:
        yield found
