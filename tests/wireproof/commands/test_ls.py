"""``wireproof ls``: a line for each exchange, of several files too."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.stored import STORED

from wireproof.cli import run

EVENTS = ROOT / "fixtures" / "sse" / "plain.pcapng"
SOCKET = ROOT / "fixtures" / "websocket" / "plain.pcapng"


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["ls", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_every_stored_capture_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed(capsys, *map(str, STORED), "--format", "json"))
    assert [one["file"] for one in found] == list(map(str, STORED))
    for one in found:
        assert one["transport"] == {"stream": "chunked"}.get(
            one["target"].split("/")[1].split("?")[0], one["transport"]
        )
        assert one["count"] > 0
        assert 0 < one["first"] <= one["last"]
        assert one["end"]


def test_the_table_fits_in_100_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = listed(capsys, str(EVENTS), str(SOCKET)).splitlines()
    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line.endswith(".pcapng")] == [str(EVENTS), str(SOCKET)]


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = csv.DictReader(StringIO(listed(capsys, str(EVENTS), "--format", "csv")))
    assert (row["target"], row["status"], row["element"]) == ("/sse", "200", "event")


def test_nothing_wanted_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ls", str(EVENTS), "--status", "5xx", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert captured.err == "wireproof: no matching exchange\n"


def test_what_cannot_be_read_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = tmp_path / "x"
    text.write_text("no capture")
    for path in (str(text), "/nowhere/x"):
        assert run(["ls", path]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"wireproof: {path}: ")
        assert captured.err.count("\n") == 1
