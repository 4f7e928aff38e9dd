"""The page on ends is what the judges' tables say, and names their answers and causes rightly."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.analysis.hazard_table import HAZARDS
from wireproof.analysis.time_limits import LIMITS

SCRIPT = ROOT / "docs" / "endings.py"
PAGE = SCRIPT.with_suffix(".md")


def test_the_page_is_the_tables() -> None:
    written = runpy.run_path(str(SCRIPT))["page"]()
    assert PAGE.read_text() == written, "write it anew: make reference"


def test_every_row_stands_there_once() -> None:
    lines = PAGE.read_text().splitlines()
    assert sum(line.startswith("| `") and "github.com" in line for line in lines) == sum(
        bool(row.reports) for row in HAZARDS.values()
    )
    assert all(any(f"| {limit.setting} |" in line for line in lines) for limit in LIMITS)


@pytest.mark.parametrize("name", ["ending", "websocket", "disconnect", "reconnect"])
def test_its_answers_are_those_of_the_judges(name: str) -> None:
    folder = ROOT / "wireproof" / "analysis"
    judges = [
        folder / f"{module}.py" for module in (name, "application_end", "premature", "relayed")
    ]
    source = "".join([judge.read_text() for judge in judges])
    section = {"reconnect": "resume"}.get(name, name)
    text = PAGE.read_text().split(f": `{section}`\n", 1)[1].split("\n## ", 1)[0]
    for word in re.findall(r"`([a-z][a-z0-9]*(?:-[a-z0-9]+)*)`", text):
        if word not in ("message_stop", "retry"):
            assert f'"{word}"' in source or word.startswith("ws-10"), word


def test_it_is_written_beside_the_script(tmp_path: Path) -> None:
    copy = tmp_path / SCRIPT.name
    copy.write_text(SCRIPT.read_text())
    runpy.run_path(str(copy), run_name="__main__")
    assert (tmp_path / PAGE.name).read_text() == PAGE.read_text()
