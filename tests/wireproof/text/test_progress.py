"""The progress bar: on a terminal, for long work, and nowhere else."""

from __future__ import annotations

import os
import pty
import sys
import threading
from pathlib import Path

import pytest

from wireproof.text import progress
from wireproof.text.progress import shown


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(progress, "WORTH_SHOWING", 1_000)
    path = tmp_path / "large"
    path.write_bytes(bytes(5_000))
    return path


def test_without_a_terminal_it_is_the_stream_itself(large: Path) -> None:
    with large.open("rb") as file, shown(file, "reading") as stream:
        assert stream is file


def test_on_a_terminal(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    printed: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(ours, printed))
    reader.start()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with large.open("rb") as file, shown(file, "reading") as stream:
            assert stream is not file
            assert len(stream.read(3_000)) == 3_000 and len(stream.read()) == 2_000
        monkeypatch.undo()
    reader.join(timeout=20)
    os.close(ours)
    assert b"reading" in b"".join(printed)


def _drain(terminal: int, printed: list[bytes]) -> None:
    try:
        while data := os.read(terminal, 65_536):
            printed.append(data)
    except OSError:  # the other end is closed
        return


def test_small_files_and_pipes_show_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    small = tmp_path / "small"
    small.write_bytes(b"few")
    with small.open("rb") as file, shown(file, "reading") as stream:
        assert stream is file
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe, shown(pipe, "reading") as stream:
        assert stream is pipe
