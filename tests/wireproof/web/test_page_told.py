"""What docs/inspector.md tells of the page, as far as no other module holds it to that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from support.answers import asked, streamed
from support.browser import Watched, inspecting, serving, watched
from support.corpus import ROOT
from support.talk import Talk
from support.timed import Stream, chunk, event

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
CHAT = FIXTURES / "nginx" / "chat.pcapng"
LANE = 34
"""Pixels, as docs/design.md has it."""
COLOURS = {"client": "#5a55c8", "server": "#0a857d", "bad": "#b42318", "warn": "#7f4b00"}
"""Of the light theme, as docs/design.md has them."""
DRAWN = """
([colour, from, upto]) => {
  const canvas = document.querySelector("#timeline-plot canvas");
  const size = [canvas.width, Math.min(upto, canvas.height) - from];
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, from, ...size);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const found = {};
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) {
      const x = (at / 4) % size[0];
      found[x] = (found[x] ?? 0) + 1;
    }
  return found;
}
"""


def drawn(page: Page, colour: str, first: int, last: int) -> set[int]:
    """How many pixels of a colour columns of the timeline have between two heights; those that have
    no other are lines, of who ended it, and left out."""
    found = page.evaluate(DRAWN, [COLOURS[colour], first, last])
    return set(found.values()) - {last - first}


@pytest.fixture
def chat(browser: Browser) -> Iterator[Watched]:
    with inspecting(CHAT) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.locator("#answer .sentence").wait_for()
        yield found


def test_a_mark_is_as_high_as_the_root_of_its_size(browser: Browser) -> None:
    events = [b"data: %s\n\n" % (b"x" * (size - 8)) for size in (1_600, 100, 400)]
    with asked(streamed(*events)) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.wait_for_timeout(200)
        heights = sorted(drawn(page, "server", 2 * LANE + 2, 3 * LANE))
        small, middle, large = heights[-3:]
        assert large == pytest.approx(2 * middle, abs=2) == pytest.approx(4 * small, abs=4)


def test_what_was_not_recorded_is_no_pause(browser: Browser) -> None:
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(1.0)
    stream.talk.server(chunk(event(6)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.events(5, every=0.2).end()
    with (
        asked(stream.talk) as ask,
        serving(ask.index) as server,
        watched(browser) as found,
    ):
        page = found.open(server.url)
        page.locator("#answer .sentence").wait_for()
        expect(page.locator("#timeline-note")).to_contain_text(", 1 pause not recorded")
        expect(page.locator("#gaps-figures")).to_contain_text("8 gaps between events")
        expect(page.locator("#gaps-figures")).to_contain_text("max 200.0 ms")
        page.get_by_role("tab", name="Events").click()
        expect(page.locator(".gap", has_text="not recorded")).to_have_count(1)


def test_what_the_client_sent_points_up_and_what_it_received_down(browser: Browser) -> None:
    path = FIXTURES / "websocket/plain.pcapng"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.wait_for_timeout(200)
        middle = LANE + LANE // 2  # of the frames' lane, the second
        assert drawn(page, "client", LANE + 2, middle)
        assert not drawn(page, "client", middle + 2, 2 * LANE)
        assert drawn(page, "server", middle + 2, 2 * LANE)


def test_a_red_line_marks_where_a_body_breaks_off(browser: Browser) -> None:
    path = FIXTURES / "verdicts/en04-rst-by-server.pcap"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        page.wait_for_timeout(200)
        assert max(drawn(page, "bad", 0, 400)) >= 3 * LANE
        # Words stand in the lane of the end alone: below packets, chunks and events.
        words = [drawn(page, "bad", LANE * lane + 1, LANE * (lane + 1)) for lane in range(5)]
        assert [bool(one) for one in words] == [False, False, False, True, False]


def test_a_ping_without_a_pong_is_shaded_and_the_frames_are_opened(browser: Browser) -> None:
    path = FIXTURES / "verdicts/ws13-websockets-lib-1011-blocked-client.pcap"
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-frames[aria-selected=true]").wait_for()
        page.locator("#panel .opcode", has_text="ping").wait_for()
        page.wait_for_timeout(100)
        assert drawn(page, "warn", 0, LANE // 2)  # how long it was waited for, in words
        page.locator("#tab-messages").click()
        page.locator("#answer .question", has_text="streaming").click()
        page.locator("#tab-messages[aria-selected=true]").wait_for()


def test_shift_and_drag_moves_what_is_in_view(chat: Watched) -> None:
    page = chat.page
    page.keyboard.press("+")
    note = page.locator("#timeline-note").inner_text()
    assert note.endswith("in view") and ", 1 burst" in note
    before = page.evaluate("() => document.querySelector('#timeline-plot canvas').toDataURL()")
    box = page.locator("#timeline-plot .u-over").bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 300, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.up()
    page.keyboard.up("Shift")
    canvas = "document.querySelector('#timeline-plot canvas').toDataURL()"
    page.wait_for_function(f"before => {canvas} !== before", arg=before)
    assert page.locator("#timeline-note").inner_text() == note
    page.keyboard.press("0")
    page.locator("#timeline-note").get_by_text("in view").wait_for(state="hidden")


def test_the_scrubber_and_the_borders_work_by_the_arrow_keys(chat: Watched) -> None:
    page = chat.page
    page.locator("#scrubber").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#scrubbed", has_text="At 1.").wait_for()
    border = page.locator(".splitter.along")
    before = border.bounding_box()
    border.focus()
    page.keyboard.press("ArrowLeft")
    after = border.bounding_box()
    assert before is not None and after is not None and after["x"] < before["x"] - 10


@pytest.mark.parametrize("link", ["#c0/q0", "#c0/r0", "#c0/k1", "#c0/e3", "#c1/t0", "#c0/b0"])
def test_the_address_names_what_is_chosen(chat: Watched, link: str) -> None:
    page = chat.page
    page.evaluate("link => { location.hash = link; }", link)
    page.wait_for_function("() => document.documentElement.dataset.bytes === 'yes'")
    page.locator("#bytes h2, #bytes .empty").first.wait_for()
    if page.locator("#bytes a.link").count():
        assert page.locator("#bytes a.link").inner_text() == link
    else:
        expect(page.locator("#bytes .empty")).to_contain_text(
            "no such element", use_inner_text=True
        )


def test_only_rows_in_view_exist_in_the_document(browser: Browser) -> None:
    events = [b"data: %d\n\n" % number for number in range(400)]
    with asked(streamed(*events)) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator(".table.e .row .time").first.wait_for()
        assert page.locator(".rows.table.e").get_attribute("aria-rowcount") == "400"
        assert page.locator(".table.e .row").count() < 120


def test_a_body_that_is_json_is_a_tree(browser: Browser) -> None:
    body = b'{"answer": {"deep": [1, 2]}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(head % len(body) + body)
    talk.close()
    with asked(talk) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-response").click()
        page.locator("#panel button[aria-pressed=true]", has_text="Pretty").wait_for()
        page.locator("#panel summary", has_text="answer").wait_for()
