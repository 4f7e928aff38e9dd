"""The page in another engine than Chromium's: served, and as a report."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.browser import indexed, inspecting
from support.corpus import ROOT
from support.firefox import Firefox, firefox

from wireproof.web.report import write_report

pytestmark = pytest.mark.firefox

CAPTURE = ROOT / "fixtures" / "nginx" / "chat.pcapng"
CONTROL, ENTER = "\ue009", "\ue007"
"""Keys, as WebDriver numbers them (section 17.4.2)."""


def test_it_chooses_filters_and_finds(tmp_path: Path) -> None:
    report, profile = tmp_path / "report.html", tmp_path / "profile"
    profile.mkdir()
    with closing(indexed(CAPTURE)) as index, report.open("wb") as output:
        write_report(index, output)
    with inspecting(CAPTURE) as server, firefox(profile) as page:
        for url in (server.url, report.as_uri()):
            page.open(url)
            used(page)


def used(page: Firefox) -> None:
    """Do what a person does first."""
    page.wait_for("document.querySelector('#answer .sentence')?.textContent.includes('held')")
    page.wait_for("document.querySelector('#timeline-plot canvas')?.width > 300")
    page.click(".table.e .row[aria-rowindex='3']")
    page.wait_for("/e2$/.test(location.hash)")
    page.wait_for("document.querySelectorAll('#bytes .hexes b.hit').length > 20")
    page.press("/", *"port:1", ENTER)
    page.wait_for("document.querySelectorAll('.conn .row').length === 0")
    page.click("#filter")
    page.press("\ue00c")  # Escape
    page.wait_for("document.querySelectorAll('.conn .row').length === 2")
    page.together(CONTROL, "f")
    page.press(*"data")
    said = "document.querySelector('#find .quiet').textContent"
    page.wait_for(f"/^[1-9][0-9,]* places$/.test({said})")
    page.press(ENTER)
    page.wait_for(f"{said}.startsWith('1 of ')")
