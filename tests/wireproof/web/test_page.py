"""The page in Chromium: what it shows of real captures, and whether these are the right bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from support.answers import asked, streamed
from support.browser import NARROW, Watched, inspecting, serving, watched
from support.corpus import ROOT
from support.stored import SMALL, dialogue, name
from support.talk import Talk, Tape

from parsers.decode.capture import decode
from parsers.records import Record
from wireproof.text.wording import duration
from wireproof.web.elements import KINDS

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
# Choose each element, and of each packet that the pane offers take the bytes that stand out.
HIGHLIGHTED = """async links => {
  const until = async isDone => {
    while (!isDone()) await new Promise(done => setTimeout(done, 4));
  };
  const hits = () => [...document.querySelectorAll('.hexes .hit')]
    .sort((one, other) => one.dataset.byte - other.dataset.byte)
    .map(byte => byte.textContent).join('');
  const isShown = packet => document.querySelector('.frame-head h3')?.textContent
    === `Packet ${packet}` && document.querySelector('.hexes [data-byte]');
  const found = [];
  for (const link of links) {
    location.hash = link;
    await until(() => document.querySelector('#bytes .link')?.textContent === link
      && document.querySelector('.hexes [data-byte]'));
    let bytes = hits(); // of the first packet
    for (const button of [...document.querySelectorAll('#bytes .carriers button')].slice(1)) {
      button.click();
      await until(() => isShown(button.dataset.packet));
      bytes += hits();
    }
    found.push(bytes);
  }
  return found;
}"""


def streams(path: Path) -> dict[str, bytes]:
    """What each side sent, put together by the tests' own means."""
    sent = {"client": b"", "server": b""}
    for turn in dialogue(path).turns:
        sent[turn.sender] += turn.data
    return sent


def links(path: Path) -> dict[str, Record]:
    """A link to the first and the last element of each kind that bytes carried."""
    with path.open("rb") as stream:
        records = list(decode(stream))
    found: dict[str, list[tuple[str, Record]]] = {}
    for record in records:
        kind = KINDS.get(record.record)
        if kind is not None:
            rows = found.setdefault(kind, [])
            rows.append((f"#c0/{kind}{len(rows)}", record))
    ends = dict(row for rows in found.values() for row in (rows[0], rows[-1]))
    return {link: record for link, record in ends.items() if getattr(record, "length", None)}


@pytest.fixture(scope="module")
def one_page(browser: Browser) -> Iterator[Watched]:
    """A page for what does not depend on what was there before."""
    with watched(browser) as found:
        yield found


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_the_highlighted_bytes_are_those_of_the_element(one_page: Watched, path: Path) -> None:
    sent, chosen = streams(path), links(path)
    assert len(chosen) >= 4
    with inspecting(path) as server:
        shown = one_page.open(server.url).evaluate(HIGHLIGHTED, list(chosen))
        one_page.page.goto("about:blank")
    for bytes_, (link, record) in zip(shown, chosen.items(), strict=True):
        offset, length, sender = record.offset, record.length, record.sender  # type: ignore[union-attr]
        expected = sent[sender][offset : offset + length]  # type: ignore[index, operator]
        assert bytes.fromhex(bytes_) == expected, link


@pytest.fixture
def slow(browser: Browser) -> Any:
    with inspecting(FIXTURES / "sse/slow.pcapng") as server, watched(browser) as found:
        found.open(server.url)
        yield found


def test_a_byte_leads_to_its_element(slow: Watched) -> None:
    page = slow.page
    page.evaluate("location.hash = '#p16'")
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
    expect(page.locator("#bytes .offset")).to_have_text([f"{16 * row:04x}" for row in range(8)])
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
    page.wait_for_function(
        "() => document.querySelector('#timeline-note').textContent.includes('pause')"
    )
    expect(page.locator("#timeline-note")).to_have_text("498.0 ms, 1 pause", use_inner_text=True)
    figures = page.locator("#gaps-figures").inner_text()
    assert "p50 10.5 ms" in figures and "max 412.4 ms" in figures
    expect(page.locator(".table.e .row").nth(4).locator(".gap")).to_have_text(
        "412.4 ms", use_inner_text=True
    )


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
    expect(page.locator(".conn .row")).to_have_count(0)
    expect(page.locator("#shown")).to_have_text("0 of 1", use_inner_text=True)
    page.keyboard.press("Control+A")
    page.keyboard.type("slow")
    page.keyboard.press("Escape")
    page.locator(".conn .row").wait_for()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    before = page.locator("#timeline-note").inner_text()
    page.keyboard.press("+")
    page.wait_for_function(
        "() => document.querySelector('#timeline-note').textContent.includes('in view')"
    )
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
                "() => { const on = document.activeElement;"
                " return on.id || on.getAttribute('aria-label') || on.textContent; }"
            )
        )
    for expected in ("filter", "theme", "help-open", "Connections", "zoom-in", "tab-events"):
        assert expected in stops
    assert {"Server-sent events", "Bytes of packet 16", "Copy filter"} <= set(stops)


def test_the_response_can_be_wound_back(slow: Watched) -> None:
    page = slow.page
    page.locator("#tab-response").click()
    page.locator(".body-panel .piece").first.wait_for()
    expect(page.locator(".body-panel .piece")).to_have_count(9)
    expect(page.locator(".body-panel .grown")).to_contain_text(
        "data:  streamed", use_inner_text=True
    )
    page.locator(".strip input[type=range]").fill("500")
    page.wait_for_function("() => document.querySelectorAll('.body-panel .not-yet').length === 5")


def test_the_packets_of_one_exchange_stay_until_those_of_the_next_are_there(
    browser: Browser, tmp_path: Path
) -> None:
    """A row is drawn a frame after it is counted, and the next exchange's are not there yet."""
    tape = Tape()
    for port in (40_000, 40_001):
        talk = Talk(tape, client_port=port).open()
        talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        talk.close()
    path = tmp_path / "two.pcapng"
    path.write_bytes(tape.file())
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        found.choose("#c0/q0")
        # In one go: the packets are counted, and before they are drawn another exchange is chosen.
        page.evaluate(
            """() => {
              [...document.querySelectorAll('[role=tab]')]
                .find(tab => tab.textContent.startsWith('Packets')).click();
              document.querySelectorAll('.conn .row')[1].click();
              return new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)));
            }"""
        )
        page.wait_for_selector(".table.p .row")


def test_a_cut_stream_says_so(browser: Browser) -> None:
    with inspecting(FIXTURES / "chunked/truncated.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        expect(page.locator(".conn .outcome .word")).to_have_text("cut", use_inner_text=True)
        assert (
            page.locator(".conn .ended.bad").text_content()
            == "INCOMPLETE (connection closed too early)"
        )
        page.locator("#tab-diagnostics").click()
        page.locator(".fault.error").wait_for()
        assert (
            "chunk-last-missing · RFC 9112 section 8 · packet 16"
            in page.locator(".fault").inner_text()
        )


def test_a_websocket_has_its_handshake_verified(browser: Browser) -> None:
    with inspecting(FIXTURES / "websocket/deflate.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        assert page.locator("#tab-messages").get_attribute("aria-selected") == "true"
        page.locator("#tab-handshake").click()
        expect(page.locator(".verdict.good")).to_be_visible()
        page.locator("#tab-frames").click()
        page.locator(".table.f .row .opcode").first.wait_for()
        opcodes = page.locator(".table.f .row .opcode").all_inner_texts()
        assert {"text", "ping", "pong", "close"} <= set(opcodes)
        expect(page.locator(".table.f .row .bits").first).to_contain_text(
            "RSV1", use_inner_text=True
        )


def test_rows_show_what_elements_say(browser: Browser) -> None:
    talk = streamed(
        b'data: {"id":"c1","object":"chat.completion.chunk","model":"small-1",'
        b'"choices":[{"index":0,"delta":{"content":"<b>Hello</b>"}}]}\n\n',
        b'data: {"error":{"message":"It broke","type":"server_error"}}\n\n',
    )
    with asked(talk) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        expect(page.locator(".table.e .row .cell.data")).to_have_text(
            ['text "<b>Hello</b>"', "error server_error: It broke"]
        )
        page.locator("#tab-headers").click()
        shared = page.get_by_text("OpenAI chat completions: id c1, model small-1")
        shared.wait_for()


def serious(page: Page) -> list[str]:
    """What axe calls a serious violation, or a critical one."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [json.dumps(one) for one in found if one["impact"] in ("serious", "critical")]


LAPTOP = {"width": 1280, "height": 720}


@pytest.mark.parametrize(
    ("capture", "link", "tabs", "viewport", "scheme"),
    [
        ("sse/truncated", "#c0/e1", ("events", "diagnostics"), LAPTOP, "light"),
        ("websocket/plain", "#c0/f2", ("frames", "handshake"), LAPTOP, "dark"),
        ("chunked/gzip", "#c0/k1", ("headers", "response"), NARROW, "light"),
    ],
)
def test_axe_finds_no_serious_violation(
    browser: Browser, capture: str, link: str, tabs: tuple[str, ...], viewport: Any, scheme: Any
) -> None:
    with (
        inspecting(FIXTURES / f"{capture}.pcapng") as server,
        watched(browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as found,
    ):
        page = found.open(server.url)
        found.choose(link)
        for tab in tabs:
            page.locator(f"#tab-{tab}").click()
            assert serious(page) == []


@pytest.mark.parametrize(("viewport", "scheme"), [(NARROW, "light"), (LAPTOP, "dark")])
def test_axe_finds_nothing_in_what_is_laid_over_and_compared(
    browser: Browser, viewport: Any, scheme: Any
) -> None:
    with (
        inspecting(FIXTURES / "nginx/chat.pcapng") as server,
        watched(browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as found,
    ):
        page = found.open(server.url)
        found.choose("#c0/e1")
        page.locator(".json-tree button").first.click()
        assert serious(page) == []
        for key, dialog in (("?", "#help"), ("s", "#take")):
            page.keyboard.press(key)
            page.locator(dialog).wait_for()
            assert serious(page) == []
            page.keyboard.press("Escape")
        page.keyboard.press("c")
        page.locator(".conn .row").nth(1).click()
        page.locator("#compared").get_by_text("The one that is kept").wait_for()
        page.keyboard.press("Control+f")
        page.keyboard.type("data")
        page.locator("#find [role=status]").get_by_text("place").wait_for()
        assert serious(page) == []
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= viewport["width"]


def test_a_narrow_window_scrolls_in_one_direction_only(browser: Browser) -> None:
    with (
        inspecting(FIXTURES / "sse/slow.pcapng") as server,
        watched(browser, viewport=NARROW) as found,
    ):
        page = found.open(server.url)
        found.choose("#c0/e4")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= NARROW["width"]


def test_times_are_worded_as_in_the_tables(browser: Browser) -> None:
    """A figure is the same wherever it stands, up to a minute."""
    times = [0.0, 4e-7, 6e-7, 0.0009994, 0.0009996, 0.0104, 0.41249, 0.99996, 3.2041, 9.9996, 59.9]
    with inspecting(FIXTURES / "sse/plain.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        shown = page.evaluate(
            """async times => {
              const {duration} = await import(new URL('format.js', location));
              return times.map(duration);
            }""",
            times,
        )
    assert shown == [duration(time) for time in times]
