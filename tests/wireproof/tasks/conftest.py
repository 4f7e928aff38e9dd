"""What tests of several processes have alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.divisible import make


@pytest.fixture
def no_process_is_left() -> Iterator[None]:
    """Leave no process behind, in whatever state."""
    before = children()  # other tests' libraries keep helpers of their own
    yield
    assert children() <= before


def children() -> set[int]:
    """Return the processes that this one has started and not waited for, the dead ones too."""
    threads = Path("/proc/self/task").iterdir()
    return {int(child) for at in threads for child in (at / "children").read_text().split()}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures of several batches and many connections, in every state."""
    folder = tmp_path_factory.mktemp("captures")
    make(folder)
    return folder
