"""What tests of commands share: a small capture, a folder, and one process that commands are forked
of (see ``support.forked``)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_lines import small
from support.forked import Forked, load


@pytest.fixture(scope="session")
def commands() -> Iterator[Forked]:
    with Forked() as found:
        yield found


@pytest.fixture(scope="session")
def loaded() -> None:
    """For those that run hundreds of commands: some collect what they leave, and look through all
    that has been loaded since the tests began, which takes longer than the command."""
    load()
    gc.collect()
    gc.freeze()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "small.pcapng"
    path.write_bytes(small())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for outputs."""
    path = tmp_path / "outputs"
    path.mkdir()
    return path
