"""One demo server for all tests that ask nothing special of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.demo import serving

from server.address import Address


@pytest.fixture(scope="session")
def address() -> Iterator[Address]:
    with serving() as address:
        yield address
