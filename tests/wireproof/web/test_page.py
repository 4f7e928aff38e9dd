"""The page in Chromium: what it shows of real captures, and whether the bytes are the right ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from parsers.decode import decode
from parsers.records import Record
from support.browser import NARROW, Watched, inspecting, watched
from support.corpus import ROOT
from support.stored import SMALL, dialogue, name
from wireproof.web.elements import KINDS

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
HITS = """() => [...document.querySelectorAll('.hexes .hit')].map(
    byte => [Number(byte.dataset.byte), parseInt(byte.textContent, 16)]).sort((a, b) => a[0] - b[0])
"""


def streams(path: Path) -> dict[str, bytes]:
    """What each side sent, put together by the tests' own means."""
    sent = {"client": b"", "server": b""}
    for turn in dialogue(path).turns:
        sent[turn.sender] += turn.data
    return sent


def links(path: Path) -> list[tuple[str, Record]]:
    """A link to the first and the last element of each kind that bytes carried."""
    with path.open("rb") as stream:
        records = list(decode(stream))
    found: dict[str, list[tuple[str, Record]]] = {}
    for record in records:
        kind = KINDS.get(record.record)
        if kind is not None:
            rows = found.setdefault(kind, [])
            rows.append((f"#c0/{kind}{len(rows)}", record))
    ends = [one for rows in found.values() for one in {rows[0][0]: rows[0], rows[-1][0]: rows[-1]}.values()]
    return [(link, record) for link, record in ends if getattr(record, "length", None)]


def highlighted(page: Page) -> bytes:
    """All bytes of the chosen element, from each of the packets that the pane offers."""
    data = b""
    buttons = page.locator("#bytes .carriers button[data-packet]")
    for index in range(max(buttons.count(), 1)):
        if buttons.count():
            packet = buttons.nth(index).get_attribute("data-packet")
            buttons.nth(index).click()
            page.wait_for_function(
                "packet => document.querySelector('.frame-head h3')?.textContent === `Frame ${packet}`",
                arg=packet,
            )
        page.wait_for_selector("#bytes .hexes [data-byte]")
        data += bytes(value for _, value in page.evaluate(HITS))
    return data


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_the_highlighted_bytes_are_those_of_the_element(browser: Browser, path: Path) -> None:
    sent = streams(path)
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        chosen = links(path)
        assert len(chosen) >= 4
        for link, record in chosen:
            found.choose(link)
            offset, length, sender = record.offset, record.length, record.sender  # type: ignore[union-attr]
            assert highlighted(page) == sent[sender][offset : offset + length], link  # type: ignore[index, operator]


@pytest.fixture
def slow(browser: Browser) -> Any:
    with inspecting(FIXTURES / "sse/slow.pcapng") as server, watched(browser) as found:
        found.open(server.url)
        yield found


def test_a_byte_leads_to_its_element(slow: Watched) -> None:
    slow.choose("#c0/q0")
    slow.choose("#p16")if False else slow.page.evaluate("location.hash = '#p16'")
    page = slow.page
    page.wait_for_selector("#bytes .hexes .payload")
    page.locator("#bytes .hexes b.payload").first.click()
    page.wait_for_function("() => location.hash === '#c0/e4'")
    assert page.locator("#tab-events").get_attribute("aria-selected") == "true"
    page.locator("#bytes .hexes b.framing").first.click()
    page.wait_for_function("() => location.hash === '#c0/k4'")
    assert page.locator("#tab-chunks").get_attribute("aria-selected") == "true"


def test_offsets_and_layers_are_those_of_the_frame(slow: Watched) -> None:
    slow.choose("#c0/e4")
    page = slow.page
    offsets = page.locator("#bytes .offset").all_inner_texts()
    assert offsets == [f"{16 * row:04x}" for row in range(8)]
    layers = page.locator("#bytes .layer").all_inner_texts()
    assert [layer.split("\n")[0] for layer in layers] == [
        "Ethernet 0000–000d",
        "IPv4 000e–0021",
        "TCP 0022–0041",
        "Chunk 4 framing 0042–0045",
        "Chunk 4 payload 0046–006f",
        "Chunk 4 framing 0070–0071",
    ]
    assert page.locator("#bytes .filter code").inner_text() == (
        "tcp.stream == 0 && frame.number == 16"
    )


def test_a_stall_is_named_and_measured(slow: Watched) -> None:
    page = slow.page
    page.wait_for_function("() => document.querySelector('#timeline-note').textContent.includes('stall')")
    assert page.locator("#timeline-note").inner_text() == "498 ms, 1 stall"
    figures = page.locator("#gaps-figures").inner_text()
    assert "p50 10.5 ms" in figures and "max 412 ms" in figures
    assert page.locator(".table.e .row").nth(4).locator(".gap").inner_text() == "412 ms"


def test_everything_can_be_reached_by_keyboard(slow: Watched) -> None:
    page = slow.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.wait_for_function("() => location.hash === '#c0/e1'")
    page.keyboard.press("k")
    page.wait_for_function("() => location.hash === '#c0/e0'")
    page.keyboard.press("]")
    assert page.locator("#tab-response").get_attribute("aria-selected") == "true"
    page.keyboard.press("1")
    assert page.locator("#tab-headers").get_attribute("aria-selected") == "true"
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    assert page.locator(".conn .row").count() == 0
    assert page.locator("#shown").inner_text() == "0 of 1"
    page.keyboard.press("Control+A")
    page.keyboard.type("slow")
    page.keyboard.press("Escape")
    page.locator(".conn .row").wait_for()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    before = page.locator("#timeline-note").inner_text()
    page.keyboard.press("+")
    page.wait_for_function("() => document.querySelector('#timeline-note').textContent.includes('in view')")
    page.keyboard.press("0")
    assert page.locator("#timeline-note").inner_text() == before


def test_every_part_is_a_stop_of_the_tab_key(slow: Watched) -> None:
    page = slow.page
    slow.choose("#c0/e4")
    stops: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                "() => document.activeElement.id || document.activeElement.getAttribute('aria-label')"
                " || document.activeElement.textContent"
            )
        )
    for expected in ("filter", "theme", "help-open", "Connections", "zoom-in", "tab-events"):
        assert expected in stops
    assert {"Server-sent events", "Bytes of frame 16", "Copy filter"} <= set(stops)


def test_the_response_can_be_wound_back(slow: Watched) -> None:
    page = slow.page
    page.locator("#tab-response").click()
    page.locator(".grown .piece").first.wait_for()
    assert page.locator(".grown .piece").count() == 9
    assert "data:  streamed" in page.locator(".grown").inner_text()
    page.locator("input[type=range]").fill("500")
    page.wait_for_function("() => document.querySelectorAll('.grown .not-yet').length === 5")


def test_a_cut_stream_says_so(browser: Browser) -> None:
    with inspecting(FIXTURES / "chunked/truncated.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        assert page.locator(".conn .ended.bad").inner_text() == "INCOMPLETE (connection closed too early)"
        page.locator("#tab-diagnostics").click()
        page.locator(".fault.error").wait_for()
        assert "chunk-last-missing · RFC 9112 section 8 · packet 16" in page.locator(".fault").inner_text()


def test_a_websocket_has_its_handshake_verified(browser: Browser) -> None:
    with inspecting(FIXTURES / "websocket/deflate.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        assert page.locator("#tab-messages").get_attribute("aria-selected") == "true"
        page.locator("#tab-handshake").click()
        assert page.locator(".verdict.good").is_visible()
        page.locator("#tab-frames").click()
        page.locator(".table.f .row .opcode").first.wait_for()
        opcodes = page.locator(".table.f .row .opcode").all_inner_texts()
        assert {"text", "ping", "pong", "close"} <= set(opcodes)
        assert "RSV1" in page.locator(".table.f .row .bits").first.inner_text()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("capture", ["sse/truncated", "websocket/plain"])
def test_axe_finds_no_serious_violation(
    browser: Browser, capture: str, viewport: Any, scheme: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with (
        inspecting(FIXTURES / f"{capture}.pcapng") as server,
        watched(browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as found,
    ):
        page = found.open(server.url)
        kind = "e" if "sse" in capture else "f"
        found.choose(f"#c0/{kind}1")
        for tab in page.locator(".tab").all():
            tab.click()
            results = Axe().run(page).response["violations"]
            serious = [one for one in results if one["impact"] in ("serious", "critical")]
            assert serious == [], json.dumps(serious, indent=1)[:4000]


def test_a_narrow_window_scrolls_in_one_direction_only(browser: Browser) -> None:
    with (
        inspecting(FIXTURES / "sse/slow.pcapng") as server,
        watched(browser, viewport=NARROW) as found,
    ):
        page = found.open(server.url)
        found.choose("#c0/e4")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= NARROW["width"]
