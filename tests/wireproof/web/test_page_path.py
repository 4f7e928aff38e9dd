"""What happened to packets on their way, as a lane of the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from support.browser import NARROW, WIDE, inspecting, watched
from support.corpus import ROOT

pytestmark = pytest.mark.browser

VERDICTS = ROOT / "fixtures" / "verdicts"
LANE = 34
"""Pixels, as docs/design.md has it."""


def tips(page: Page, lane: int) -> Iterator[str]:
    """Move the pointer along a lane, and yield what is said there, each once."""
    over = page.locator("#timeline-plot .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    tip, last = page.locator(".tip"), ""
    for part in range(1, 100):
        page.mouse.move(box["x"] + box["width"] * part / 100, box["y"] + LANE * (lane + 0.5))
        said = tip.inner_text() if tip.is_visible() else ""
        if said and said != last:
            last = said
            yield said


def test_a_closed_window_is_said_and_a_click_shows_its_packet(browser: Browser) -> None:
    path = VERDICTS / "gp12-zero-window-1500ms-b.client.pcap"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.locator("#answer .sentence").wait_for()
        assert next(tips(page, 3)) == (
            "the client's window was closed for 1.047 s: packet 21 closed it,"
            " packet 25 opened it again"
        )
        assert page.locator("#timeline-note").inner_text().endswith(", 1 closed window")
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("() => location.hash === '#p21'")
        page.locator("#bytes h3", has_text="Packet 21").wait_for()


def test_what_was_lost_and_sent_again_is_said(browser: Browser) -> None:
    path = VERDICTS / "gp17-silence-then-loss.client.pcap"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.locator("#answer .sentence").wait_for()
        said = list(tips(page, 3))
        assert any(text.endswith("packet 26 brought them 246.4 ms later") for text in said), said
        assert any(text.startswith("packet 26 sent ") and "again" in text for text in said), said


def test_where_nothing_happened_there_is_no_such_lane(browser: Browser) -> None:
    with inspecting(ROOT / "fixtures/sse/slow.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        height = page.locator("#timeline-plot").evaluate("node => node.offsetHeight")
        assert height == 4 * LANE + 46 + 24  # packets, chunks, events, end; the curve; the axis


def test_round_trips_are_points_that_say_which_packet_acknowledged(browser: Browser) -> None:
    path = VERDICTS / "gp17-silence-then-loss.client.pcap"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.locator("#answer .sentence").wait_for()
        said = next(tips(page, 4))
        assert said == "the server acknowledged in packet 5 what had been sent 20.7 ms before"
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("() => location.hash === '#p5'")
        page.locator("#bytes h3", has_text="Packet 5").wait_for()


@pytest.mark.parametrize(("viewport", "scheme"), [(NARROW, "dark"), (WIDE, "light")])
def test_axe_finds_nothing_where_there_is_such_a_lane(
    browser: Browser, viewport: Any, scheme: Any
) -> None:
    path = VERDICTS / "hb36-zero-window-slow-reader.pcap"
    with (
        inspecting(path) as server,
        watched(browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as found,
    ):
        page = found.open(server.url)
        page.locator("#timeline-note", has_text="10 closed windows").wait_for()
        run = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [one for one in run if one["impact"] in ("serious", "critical")] == []
