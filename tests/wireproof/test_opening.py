"""Captures opened for reading: they end where they ended when they were opened."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from io import SEEK_CUR, SEEK_END
from pathlib import Path

import pytest

from wireproof.opening import end_of, open_capture, open_input


def test_a_file_that_grows_ends_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"0123456789" * 2000)
    with open_capture(str(path)) as stream:
        first = stream.read(3)
        with path.open("ab") as more:
            more.write(b"x" * 40_000)
        assert first + stream.read() == b"0123456789" * 2000
        assert stream.read(1) == b""
        assert stream.seek(-2, SEEK_END) == 19_998
        assert stream.read(100) == b"89"
        stream.seek(0)
        assert stream.read(30_000) == b"0123456789" * 2000
        stream.seek(5)
        assert stream.seek(2, SEEK_CUR) == 7
        assert end_of(stream) == 20_000
        assert stream.read(2) == b"78"
        stream.seek(30_000)
        assert stream.read() == b""


def test_a_file_that_is_cut_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    path.write_bytes(b"0123456789")
    with open_capture(str(path)) as stream:
        path.write_bytes(b"01")
        assert stream.read() == b"01"


def test_what_is_no_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)  # it opens at once, in whatever order
    with open_capture(str(path)) as stream:
        os.write(descriptor, b"0123")
        assert stream.read(4) == b"0123"
    os.close(descriptor)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        open_capture(str(tmp_path / "none"))
    assert raised.value.filename == str(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        open_capture(str(tmp_path))


def test_standard_input_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "redirected"
    path.write_bytes(b"0123456789")
    with path.open() as redirected:
        monkeypatch.setattr(sys, "stdin", redirected)
        with ExitStack() as stack:
            stream = open_input("-", stack)
            with path.open("ab") as more:
                more.write(b"abc")
            assert stream.read() == b"0123456789"
            del stream
        assert not redirected.closed
        assert redirected.read() == "abc"


def test_a_pipe_as_standard_input_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, ExitStack() as stack:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert open_input("-", stack) is pipe.buffer
    os.close(writing)
