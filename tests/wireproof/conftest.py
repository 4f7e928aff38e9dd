"""One process of which commands are forked, for all tests of a worker: see ``support.forked``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.forked import Forked


@pytest.fixture(scope="session")
def commands() -> Iterator[Forked]:
    with Forked() as found:
        yield found
