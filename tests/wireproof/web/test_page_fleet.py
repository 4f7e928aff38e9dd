"""The page of a data set in the browser: distributions, the worst exchanges, and their captures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from support.browser import looking_at, watched
from support.corpus import ROOT

from wireproof.tables import TableOptions
from wireproof.tables.exporting import ExportJob, run

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
CAPTURES = (
    "sse/truncated.pcapng",
    "sse/gzip-held.pcapng",
    "sse/slow.pcapng",
    "verdicts/lm01-openai-chat-role-first.pcap",
    "verdicts/ws06-1011-no-pong.pcap",
)
GONE = "sse/slow.pcapng"
NARROW: Any = {"width": 400, "height": 860}
WIDE: Any = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of five captures, one of which was deleted since."""
    folder = tmp_path_factory.mktemp("fleet")
    for name in CAPTURES:
        shutil.copy(FIXTURES / name, folder)
    options = TableOptions(host="web1")
    run(ExportJob([str(folder)], str(folder / "set"), options), print)
    (folder / Path(GONE).name).unlink()
    return folder / "set"


def row_of(page: Page, text: str) -> Any:
    return page.locator("#worst tbody tr", has_text=text)


def test_distributions_and_a_way_into_a_capture(data_set: Path, browser: Browser) -> None:
    with looking_at(data_set) as server, watched(browser, viewport=WIDE) as found:
        page = found.open(server.url)
        facts = page.locator("#facts").inner_text()
        assert facts.startswith("5 exchanges · 5 captures · 1 host · 20")
        held = page.locator("#verdicts tr", has_text="held").first.inner_text().split("\t")
        assert held[:3] == ["held", "1", "20 %"]
        first = page.locator("#tokens tbody tr").first
        assert first.locator(".extent").evaluate("bar => bar.getBoundingClientRect().width") > 1
        assert page.locator("#gaps tbody tr").count() >= 3
        expect(page.locator("#worst tbody tr")).to_have_count(5)
        worst = page.locator("#worst tbody .word").all_inner_texts()
        assert set(worst[:3]) == {"cut", "held", "ws-1011"}
        row = row_of(page, "/sse/gzip-held")
        assert "9 events came together" in row.locator(".sentence").inner_text()
        row.locator("a").click()
        page.locator("#answer .word", has_text="held").first.wait_for()
        assert page.url.endswith("/#c0")
        page.locator("#tab-events").click()
        page.locator(".table.e .row").first.click()
        page.locator("#bytes .hex-dump [data-byte]").first.wait_for()
        page.go_back()
        page.locator("#worst tbody tr").first.wait_for()


def test_a_capture_that_is_gone_says_what_to_do(data_set: Path, browser: Browser) -> None:
    with looking_at(data_set) as server, watched(browser, viewport=WIDE) as found:
        page = found.open(server.url)
        row = row_of(page, "/sse/slow")
        told = page.locator("#worst > p").inner_text()
        assert told.startswith("The captures of 1 of these 5 exchanges are not where they were")
        assert row.locator("a").count() == 0
        row.locator("summary").click()
        said = row.locator("details").inner_text()
        assert f"It was {data_set.parent / 'slow.pcapng'}, on web1" in said
        assert "wireproof view slow.pcapng" in said
    with (
        looking_at(data_set, FIXTURES / "sse") as server,
        watched(browser, viewport=WIDE) as found,
    ):
        row_of(found.open(server.url), "/sse/slow").locator("a").click()
        found.page.locator("#answer .sentence").wait_for()


def test_what_is_left_out_is_said(tmp_path: Path, browser: Browser) -> None:
    for name in CAPTURES[:2]:
        run(ExportJob([str(FIXTURES / name)], str(tmp_path), TableOptions(host="web1")), print)
    with looking_at(tmp_path) as server, watched(browser, viewport=WIDE) as found:
        assert found.open(server.url).locator("#problem").is_hidden()
    [path] = (tmp_path / "exchanges").glob("truncated*")
    path.unlink()
    with looking_at(tmp_path) as server, watched(browser, viewport=WIDE) as found:
        said = found.open(server.url).locator("#problem").inner_text()
        assert said == "1 damaged part left out: see the terminal"


def test_keys_go_from_one_exchange_to_the_next(data_set: Path, browser: Browser) -> None:
    with looking_at(data_set) as server, watched(browser, viewport=WIDE) as found:
        page = found.open(server.url)
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.locator("#worst .go").first.focus()
        for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1)):
            page.keyboard.press(key)
            links = "[...document.querySelectorAll('#worst .go')]"
            assert page.evaluate(f"{links}.indexOf(document.activeElement)") == place
        page.locator("#worst a.go").first.focus()
        page.keyboard.press("Enter")
        page.locator("#answer .sentence").wait_for()


@pytest.mark.parametrize(("viewport", "scheme"), [(NARROW, "light"), (WIDE, "dark")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    data_set: Path, browser: Browser, viewport: Any, scheme: Any
) -> None:
    with (
        looking_at(data_set) as server,
        watched(browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as found,
    ):
        page = found.open(server.url)
        page.locator("#worst summary").first.click()
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [json.dumps(one) for one in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
