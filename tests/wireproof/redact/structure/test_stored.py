"""Stored captures: the copy proves itself, and its verdicts are those of the original."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.corpus import captures_folder

from parsers.limits import MiB
from wireproof import decode
from wireproof.cli import run
from wireproof.redact.capture import redact_capture
from wireproof.redact.rules import Rules

ROOT = Path(__file__).resolve().parents[4] / "fixtures"
STORED = sorted(
    path
    for folder in ("sse", "chunked", "websocket", "dialects", "verdicts")
    for path in (ROOT / folder).glob("*.pcap*")
)
OTHERS = sorted(path for path in ROOT.glob("*/*.pcap*") if path not in STORED)
LOST = {
    "unicode": "hazards of characters, which are masked",
    "multipart": "parts: their boundary is a text of the sender's",
}
"""Captures without a coding whose verdicts are others, and why."""


def copy_of(path: Path, folder: Path) -> Path:
    output = folder / "copy.pcapng"
    done = redact_capture(str(path), str(output), Rules("structure"), lambda _: None)
    assert done.left == []
    return output


def verdicts(path: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[object, ...]]:
    run(["explain", str(path), "--format", "ndjson"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        (one["exchange"], one["question"], one["answer"], one["is_fault"], *causes(one))
        for one in told
        if one["record"] == "verdict"
    ]


def causes(verdict: dict[str, list[dict[str, str]]]) -> list[str]:
    return [cause["code"] for cause in verdict["causes"]]


def is_coded(path: Path) -> bool:
    return any(getattr(one, "codings", None) for one in decode(path))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_verdicts_are_the_same(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = copy_of(path, tmp_path)
    if path.stem not in LOST and not is_coded(path):
        assert verdicts(output, capsys) == verdicts(path, capsys)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_other_stored_captures(path: Path, tmp_path: Path) -> None:
    copy_of(path, tmp_path)


@pytest.mark.parametrize("name", ["gzip", "gzip-held"])
def test_what_a_coding_hides_is_said(name: str, tmp_path: Path) -> None:
    path, output = ROOT / "sse" / f"{name}.pcapng", tmp_path / "copy.pcapng"
    done = redact_capture(str(path), str(output), Rules("structure"), lambda _: None)
    assert done.report.left_out == 1


def test_public_captures(tmp_path: Path) -> None:
    folder = captures_folder()
    for path in sorted((*folder.glob("*.pcap"), *folder.glob("*.pcapng"))):
        if path.stat().st_size < MiB:
            copy_of(path, tmp_path)
