"""A capture of many exchanges begins with their list, or ends with it; others have none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.talk import Talk

from wireproof.cli import run
from wireproof.tasks import contents


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def capture(path: Path, count: int) -> Path:
    talk = Talk().open()
    for number in range(count):
        talk.client(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    talk.close()
    path.write_bytes(talk.tape.file())
    return path


def decoded(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> list[str]:
    assert run(["decode", str(path), "--format", "table", *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_list_comes_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = decoded(capsys, capture(tmp_path / "a.pcapng", contents.MANY))
    assert lines[0].startswith("   # Ports")
    assert [line.split()[:4] for line in lines[1:5]] == [
        [str(number), "40000→8000", "GET", f"/{number}"] for number in range(4)
    ]
    assert lines[5] == ""
    assert lines[6].startswith("Connection 0 ─")


def test_few_exchanges_have_no_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = decoded(capsys, capture(tmp_path / "a.pcapng", contents.MANY - 1))
    assert lines[0].startswith("Connection 0 ─")


def test_of_a_large_file_the_list_comes_last(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = capture(tmp_path / "a.pcapng", contents.MANY)
    first = decoded(capsys, path)
    monkeypatch.setattr(contents, "SMALL", 100)
    assert decoded(capsys, path) == [*first[6:], *first[:5], ""]


def test_of_a_pipe_the_list_comes_last(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcapng", contents.MANY)
    command = [sys.executable, "-m", "wireproof", "decode", "-", "--format", "table"]
    ran = subprocess.run(
        command, input=path.read_bytes(), capture_output=True, cwd=ROOT, check=True
    )
    lines = ran.stdout.decode().splitlines()
    assert lines[0].startswith("Connection 0 ─")
    assert lines[-6].startswith("   # Ports")


def test_only_what_is_wanted_is_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcapng", 12)
    lines = decoded(capsys, path, "--path", "/1*", "--path", "/[2-9]")
    assert [line.split()[0] for line in lines[1:9]] == [str(number) for number in range(2, 10)]


def test_of_very_many_the_first_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MAX_LISTED", 2)
    path = capture(tmp_path / "a.pcapng", 5)
    lines = decoded(capsys, path)
    assert lines[3] == f"… 3 exchanges more: wireproof ls {path}"


@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
def test_machine_views_have_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    path = capture(tmp_path / "a.pcapng", 5)
    assert run(["decode", str(path), "--format", form]) == 0
    assert "Ports" not in capsys.readouterr().out
