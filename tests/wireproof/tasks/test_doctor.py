"""What this machine permits and lacks, as it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capture.backends import BACKENDS
from wireproof.cli import run
from wireproof.tasks import doctor as diagnosis
from wireproof.tasks.doctor import Finding, findings


def test_every_way_to_record_is_tried() -> None:
    found = list(findings())
    backends = [one for one in found if one.kind == "backend"]
    assert [one.name for one in backends] == [backend.name for backend in BACKENDS]
    assert {one.name: one.works for one in backends} == {
        backend.name: backend.lacks() is None for backend in BACKENDS
    }
    assert all(one.works != bool(one.remedy) for one in found)


def test_a_machine_without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one.name: one for one in findings()}
    assert found["dumpcap"].remedy == (
        "dumpcap is not installed (Debian: sudo apt install wireshark-common)"
    )
    assert found["tshark"].remedy == "not installed (Debian: sudo apt install tshark)"
    assert not found["chromium"].works


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo ' Version 7 '; echo more", "Version 7"),
        ("exit 0", "{path}"),
        ("exit 9", "{path}, which does not run"),
    ],
)
def test_what_a_tool_says_of_itself(script: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    assert diagnosis._version(str(path)).startswith(said.format(path=path))


FOUND = [
    Finding("backend", "first", False, "this", "lacking; to allow it: \x1b[31mdo that"),
    Finding("backend", "second", True, "the other"),
    Finding("tool", "third", True, "a tool"),
]


@pytest.mark.parametrize(("count", "code"), [(3, 0), (1, 3)])
def test_the_command(
    count: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(diagnosis, "findings", lambda: iter(FOUND[:count]))
    assert run(["doctor"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["no", "first", "this"]
    assert lines[1].strip() == r"lacking; to allow it: \x1b[31mdo that"
    assert len(lines) == count + 1
    assert run(["doctor", "--format", "json"]) == code
    assert json.loads(capsys.readouterr().out) == [one._asdict() for one in FOUND[:count]]
