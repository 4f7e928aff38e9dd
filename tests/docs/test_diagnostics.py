"""The page that describes every fault is what the registry says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from support.corpus import ROOT

from parsers.diagnostics import FAULTS

SCRIPT = ROOT / "docs" / "diagnostics.py"
PAGE = SCRIPT.with_suffix(".md")


def test_the_page_is_the_registry() -> None:
    written = runpy.run_path(str(SCRIPT))["page"]()
    assert PAGE.read_text() == written, "write it anew: make reference"


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_has_its_row(code: str) -> None:
    fault = FAULTS[code]
    row = f"| `{code}` | {fault.severity} | {fault.summary} | {fault.reference} |"
    assert PAGE.read_text().splitlines().count(row) == 1


def test_faults_stand_in_groups() -> None:
    groups = PAGE.read_text().split("\n## ")[1:]
    assert groups[0].startswith("Capture files (pcap, pcapng, compressed)\n")
    assert len(groups) > 5
    assert all("| `" in group for group in groups)


def test_it_is_written_beside_the_script(tmp_path: Path) -> None:
    copy = tmp_path / SCRIPT.name
    copy.write_text(SCRIPT.read_text())
    runpy.run_path(str(copy), run_name="__main__")
    assert (tmp_path / PAGE.name).read_text() == PAGE.read_text()
