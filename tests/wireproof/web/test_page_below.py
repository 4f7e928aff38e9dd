"""What a connection carried below its exchanges, in the browser: lanes, streams, windows, bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import Watched, inspecting, watched
from support.corpus import ROOT

pytestmark = pytest.mark.browser

TLS = ROOT / "fixtures" / "tls"


@pytest.fixture
def stalled(browser: Browser) -> Iterator[Watched]:
    """A stream of HTTP/2 in TLS whose window was closed for a second."""
    path = TLS / "stall.pcapng"
    with inspecting(path, with_keys=True) as server, watched(browser) as found:
        found.open(server.url)
        yield found


def test_frames_of_all_streams_have_a_lane_and_a_table(stalled: Watched) -> None:
    page = stalled.page
    page.locator("#tab-http2").click()
    types = page.locator(".table.a .row .type")
    for one in ("SETTINGS", "HEADERS", "DATA", "WINDOW_UPDATE"):
        types.filter(has_text=one).first.wait_for()
    page.locator(".table.a .row", has_text="WINDOW_UPDATE").first.click()
    page.wait_for_function("() => /^#c0.w\\/a\\d+$/.test(location.hash)")
    expect(page.locator("#bytes h2")).to_contain_text("WINDOW_UPDATE", use_inner_text=True)
    page.keyboard.press("Escape")
    expect(page.locator("#bytes")).to_be_hidden()


def test_a_stream_is_chosen_from_the_list_by_mouse_and_keys(browser: Browser) -> None:
    with inspecting(TLS / "cancel.pcapng", with_keys=True) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-streams").click()
        rows = page.locator(".table.streams .row")
        rows.nth(1).wait_for()
        for row, number in enumerate("13"):
            expect(rows.nth(row)).to_contain_text(re.compile(rf"^\s*{number}\s*GET"))
        assert "RST_STREAM CANCEL by the client" in rows.filter(has_text="CANCEL").inner_text()
        rows.nth(1).click()
        page.wait_for_function("() => location.hash === '#c0.1'")
        page.locator(".table.streams[role=grid], .rows.streams").first.focus()
        page.keyboard.press("ArrowUp")
        page.wait_for_function("() => location.hash === '#c0'")


def test_windows_that_are_closed_at_once_are_one_wait(stalled: Watched) -> None:
    """As the verdict counts them, which names both."""
    found = stalled.page.evaluate("""async () => {
        const { closedSpans } = await import('./held.js');
        return closedSpans([
            { window: 'connection', first_time: 1.5, seconds: 1 },
            { window: 'stream', first_time: 1, seconds: 1 },
            { window: 'stream', first_time: 2.2, seconds: 0.1 },
            { window: 'stream', first_time: 4, seconds: 0.5 },
        ]);
    }""")
    assert found == [
        {"from": 1, "upto": 2.5, "windows": ["stream", "connection"]},
        {"from": 4, "upto": 4.5, "windows": ["stream"]},
    ]


def test_a_connection_that_was_not_decrypted_is_called_as_in_ls(browser: Browser) -> None:
    with inspecting(TLS / "sse.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        shown = page.locator("#connections .row .transport .tag").first.text_content()
        assert shown == "tls"


def test_the_window_chart_says_who_opened_it_again(stalled: Watched) -> None:
    page = stalled.page
    page.locator("#tab-windows").click()
    page.locator(".windows-plot canvas").wait_for()
    said = page.locator(".stalls li", has_text="stream 1's window").first.inner_text()
    assert said.startswith("1.002 s stream 1's window was closed: used up in packet 39; ")
    assert said.endswith("the client opened it again in packet 41")
    page.locator(".stalls button", has_text="41").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#p41'")
    page.locator(".windows-plot .u-over").click(position={"x": 8, "y": 20})
    page.wait_for_function("() => /^#p(1\\d|2\\d)$/.test(location.hash)")


def highlighted(page: Page, dump: str) -> bytes:
    """The bytes of a dump that are highlighted and in view."""
    return bytes.fromhex("".join(page.locator(f"{dump} .hexes b.hit").all_inner_texts()))


@pytest.mark.parametrize(
    ("name", "link", "begins"),
    [
        ("sse", "#c0/e1", b"id: 1"),
        ("http1", "#c0/e1", b"id: 1"),
        ("websocket", "#c0/f1", b""),
        ("grpc", "#c0/x0", b"\x00\x00\x00\x00"),
    ],
)
def test_an_element_leads_through_the_layers_to_its_packet(
    browser: Browser, name: str, link: str, begins: bytes
) -> None:
    path = TLS / f"{name}.pcapng"
    with inspecting(path, with_keys=True) as server, watched(browser) as found:
        page = found.open(server.url)
        found.choose(link)
        page.locator(".opened .hexes b.hit").first.wait_for()
        page.locator(".frame-view:not(.opened) .hexes b.hit").first.wait_for()
        sealed = highlighted(page, ".frame-view:not(.opened)")
        assert sealed[:3] == b"\x17\x03\x03"  # application data (RFC 8446 section 5.1)
        assert highlighted(page, ".opened").startswith(begins)
        assert page.locator(".opened .layer").count() >= 1
        # The encrypted bytes lead to the record, and its decrypted ones back to the element.
        page.locator(".frame-view:not(.opened) .hexes b.hit").first.click()
        page.wait_for_function("() => /^#c0.w\\/y\\d+$/.test(location.hash)")
        expect(page.locator("#bytes .about")).to_contain_text("decrypted", use_inner_text=True)


def test_without_keys_records_stand_alone(browser: Browser) -> None:
    with inspecting(TLS / "sse.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-records").click()
        page.locator(".table.y .row", has_text="Application Data").first.click()
        page.locator("#bytes .where", has_text="not decrypted").wait_for()
        assert not page.locator(".opened").count()
