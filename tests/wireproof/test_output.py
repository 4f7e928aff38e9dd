"""A file that takes another's place when it is whole, or leaves nothing."""

from __future__ import annotations

import os
from contextlib import ExitStack
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO

import pytest
from support.command_lines import READERS, reading

from wireproof.cli import run
from wireproof.output import (
    missing_temporary_folder,
    of_temporary_files,
    open_stream,
    scratch,
)


class Came(BaseException):
    """What a signal raises, anywhere."""


@pytest.mark.parametrize("has_name", [False, True])
def test_a_signal_as_soon_as_there_is_a_file(
    has_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    output.write_text("before")
    if has_name:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    chmod = os.chmod

    def interrupted(*given: object) -> None:
        chmod(*given)  # type: ignore[arg-type]
        raise Came

    monkeypatch.setattr(os, "chmod", interrupted)
    with pytest.raises(Came), ExitStack() as stack:
        open_stream(str(output), stack)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out", "before")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    output = str(tmp_path / "nowhere" / "out")
    with pytest.raises(OSError, match="No such file") as raised, ExitStack() as stack:
        open_stream(output, stack)
    assert raised.value.filename == output


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
@pytest.mark.parametrize("command", READERS)
def test_temporary_files_go_nowhere_else_than_said(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for other in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    assert run(reading(command, tmp_path / "in.pcapng")) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert f"{name}={tmp_path}" in said.err


def test_where_temporary_files_go_the_first_name_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("TEMP", str(tmp_path / "nowhere"))
    assert missing_temporary_folder() is None


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP"])
def test_a_folder_of_temporary_files_that_is_full_is_named_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> BinaryIO:
        raise OSError(ENOSPC, "No space left on device")

    for other in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(OSError, match="No space") as raised:
        scratch()
    assert raised.value.filename == "temporary files"
    monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(OSError, match="No space") as raised:
        scratch()
    assert raised.value.filename == f"temporary files in {name}={tmp_path}"


def test_a_folder_of_temporary_files_that_others_fill_is_not_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert of_temporary_files(OSError(ENOSPC, "no")).filename == "temporary files"
