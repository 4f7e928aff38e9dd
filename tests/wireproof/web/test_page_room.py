"""Time and room on the page: axes, columns, narrow windows, long texts, live pages, reports."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.answers import streamed
from support.browser import NARROW, indexed, serving, watched
from support.corpus import tls_captures_at_hand
from support.pages import CHAT, LEFT, TOOLS, VERDICTS, WIDE, looking, text

from parsers import KeyLog
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index, State

pytestmark = pytest.mark.browser

# --- time, and room ---


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("x.pcapng", "reading", "Reading: exchanges are shown as they are found."),
        ("port 8614 on lo", "live", "such as those of curl -N http://127.0.0.1:8614/"),
        ("port 443 on eth0", "live", "Waiting for packets: port 443 on eth0."),
        ("x.pcapng", "ended", "This capture has no packets. To record some: wireproof"),
    ],
)
def test_where_there_is_nothing_it_says_what_is_awaited_or_can_be_done(
    browser: Browser, name: str, state: State, said: str
) -> None:
    with (
        closing(Index(name, state)) as index,
        serving(index) as server,
        watched(browser) as found,
    ):
        page = found.open(server.url)
        assert said in text(page, "#connections .none")


def test_a_link_that_points_at_nothing_says_so_until_something_is_chosen(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, found):
        problem = page.locator("#problem")
        for link in ("#c9/e3", "#of nothing"):
            page.evaluate("link => { location.hash = link; }", link)
            problem.get_by_text("points at nothing in what is shown").wait_for()
        page.locator(".conn .row").nth(1).click()
        problem.wait_for(state="hidden")
        page.evaluate("location.hash = '#p99999'")
        page.locator("#bytes").get_by_text("#p99999 is not in the capture").wait_for()
        found.problems = [one for one in found.problems if "404" not in one]
        page.goto("about:blank")


def test_what_is_said_in_colour_is_not_said_again_in_words(browser: Browser) -> None:
    with looking(browser, LEFT) as (page, _):
        said = text(page, "#answer .sentence")
        assert said.startswith("aborted streamed: 4 events from"), said


def test_the_axis_reaches_to_the_end_of_the_connection(browser: Browser) -> None:
    path = VERDICTS / "ws06-1011-no-pong.pcap"
    with looking(browser, path) as (page, _):
        page.locator("#timeline-plot .u-over").wait_for()
        state = "async () => { const {state} = await import('./store.js'); const row ="
        last = f"{state} state.rows.get(state.current); return state.end - row.ends.at(-1).time; }}"
        assert page.evaluate(last) >= 0
        later = "return row.ends.at(-1).time > row.last_time; }"
        assert page.evaluate(f"{state} state.rows.get(state.current); {later}")


BARS = """() => {
    const bars = [".bar .waiting", ".bar .streaming"].map((one) => document.querySelector(one));
    const boxes = bars.map((bar) => bar?.getBoundingClientRect());
    const sizes = ({ width, height }) => ({ width, height });
    return boxes.every((box) => box?.width) && boxes.map(sizes);
}"""
"""Both bars of a row at once: rows are drawn anew."""


def test_the_waterfall_is_thin_while_it_waits(browser: Browser) -> None:
    with looking(browser, TOOLS) as (page, _):
        waiting, streaming = page.wait_for_function(BARS).json_value()
        assert waiting["height"] < streaming["height"] / 3
        # It waits for the first element, 502 of 895 ms, and not for the head, which came after 97.
        assert waiting["width"] > streaming["width"]


def test_what_came_at_once_has_no_histogram(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, _):
        page.locator("#gaps-plot", has_text="All at once").wait_for()
        expect(page.locator("#gaps-plot canvas")).to_have_count(0)
        assert text(page, "#gaps-figures") == "15 events at one time"


OVERVIEW = [
    VERDICTS / name
    for name in (
        "hb01-node-gzip-no-flush.pcap",
        "en04-rst-by-server.pcap",
        "en05-rst-by-client.pcap",
        "sm02-uvicorn-httptools-uvloop-20ms.pcap",
        "en13-client-abort-app-goes-on.pcap",
    )
]
CUT = """() => [...document.querySelectorAll('.conn .row .cell:not([hidden]):not(.start)')]
    .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""
CUT_HEADS = """() => [...document.querySelectorAll('.conn.heads .head:not([hidden])')]
    .filter((head) => head.scrollWidth > head.clientWidth).map((head) => head.textContent)"""
SHOWN = """() => [...document.querySelectorAll('.conn.heads .head:not([hidden])')]
    .map((head) => head.textContent)"""


def test_recordings_of_different_times_are_no_legs_of_one_exchange(browser: Browser) -> None:
    with looking(browser, *OVERVIEW) as (page, _):
        page.locator(".conn .row").nth(4).wait_for()
        page.locator("#answer .sentence").wait_for()
        expect(page.locator(".conn .row .id")).to_have_text(["0", "1:0", "2:0", "3:0", "4:0"])
        expect(page.locator("#answer").get_by_text("hop")).to_have_count(0)
        expect(page.locator("#name")).to_have_text("5 captures", use_inner_text=True)


@pytest.mark.parametrize(
    ("width", "there", "gone"),
    [
        (1280, {"Verdict", "Target", "Status", "First", "Last", "Ended", "Waterfall"}, set()),
        (1000, {"Verdict", "Target", "First", "Last", "Count", "Waterfall"}, {"Transport"}),
        (400, {"Verdict", "Target", "Last", "Waterfall"}, {"Ended", "Status", "Ports"}),
    ],
)
def test_columns_share_the_room_by_what_is_in_them(
    browser: Browser, width: int, there: set[str], gone: set[str]
) -> None:
    with looking(browser, *OVERVIEW, viewport={"width": width, "height": 800}) as (page, _):
        page.locator(".conn .row .word").nth(4).wait_for()
        page.wait_for_timeout(100)  # two frames: one that draws the rows, one that shares the room
        shown = set(page.evaluate(SHOWN))
        assert there <= shown and not gone & shown
        assert page.evaluate(CUT_HEADS) == []
        cut = page.evaluate(CUT)
        # In a narrow one a long target is cut, never what is said of it.
        assert cut == [] if width >= 1000 else all(one.startswith("/") for one in cut)


def test_a_column_that_nothing_is_in_takes_no_room(browser: Browser) -> None:
    with looking(browser, OVERVIEW[3]) as (page, _):
        page.locator(".conn .row .word").wait_for()
        page.locator(".conn.heads .issues").wait_for(state="hidden")
        assert "Ended" in page.evaluate(SHOWN)
        assert page.evaluate(CUT) == []


def test_a_long_text_is_shown_part_by_part_by_keyboard(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wireproof.web.reading.MAX_PIECES", 5)
    shown = 0
    with looking(browser, VERDICTS / "lm01-openai-chat-role-first.pcap") as (page, found):
        button = page.locator("#reader .rest button")
        button.wait_for()
        button.focus()
        while button.count():
            pieces = page.locator("#reader .piece").count()
            assert shown < pieces <= shown + 5
            expect(page.locator("#scrubbed")).to_contain_text("the first", use_inner_text=True)
            shown = pieces
            page.keyboard.press("Enter")
            page.wait_for_function(
                "shown => document.querySelectorAll('#reader .piece').length > shown", arg=shown
            )
            focus = page.evaluate("() => document.activeElement.tagName")
            assert focus == ("BUTTON" if button.count() else "PRE")
        assert shown >= 10
        assert "the first" not in page.locator("#scrubbed").inner_text()
        grown = text(page, "#reader .grown.text")
    monkeypatch.undo()
    with looking(browser, VERDICTS / "lm01-openai-chat-role-first.pcap") as (page, _):
        page.locator("#reader .grown.text").wait_for()
        assert text(page, "#reader .grown.text") == grown


def test_the_histogram_has_a_title_and_an_axis(browser: Browser) -> None:
    with looking(browser, TOOLS) as (page, _):
        page.locator("#gaps-title", has_text="Gaps between events").wait_for()


def test_parts_are_dragged_and_stay_where_they_were_put(browser: Browser) -> None:
    with looking(browser, TOOLS) as (page, _):
        page.locator("#reader .assembled").wait_for()
        box = page.locator(".splitter.along").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 1, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(480, box["y"] + 40)
        page.mouse.up()
        moved = page.locator(".splitter.along").bounding_box()
        assert moved is not None and abs(moved["x"] - 480) < 4
        page.reload()
        page.locator("#reader .assembled").wait_for()
        again = page.locator(".splitter.along").bounding_box()
        assert again is not None and abs(again["x"] - 480) < 4


@pytest.mark.parametrize("width", [400, 700, 1000, 1440])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    with looking(browser, CHAT, viewport={"width": width, "height": 860}) as (page, _):
        page.locator("#answer .sentence").wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_a_narrow_window_says_what_happened(browser: Browser) -> None:
    with looking(browser, CHAT, viewport=NARROW) as (page, _):
        page.locator("#answer .tagged", has_text="holds").wait_for()
        box = page.locator("#answer .sentence").bounding_box()
        assert box is not None and box["y"] + box["height"] < NARROW["height"]
        expect(page.locator(".conn .row .outcome .word").first).to_have_text(
            "held", use_inner_text=True
        )


def test_verdicts_come_while_it_is_recorded(browser: Browser) -> None:
    tape = streamed(b"data: x\n\n").tape
    with (
        closing(Index("going", "live")) as index,
        serving(index) as server,
        watched(browser, viewport=WIDE) as found,
    ):
        page = found.open(server.url)
        expect(page.locator(".conn .row")).to_have_count(0)
        index.receive(tape.packets)
        page.locator(".conn .row .outcome .word").wait_for()
        index.finish([])
        page.locator("#live").wait_for(state="hidden")


def test_a_report_has_all_of_it(browser: Browser, tmp_path: Path) -> None:
    from wireproof.web.report import write_report

    with closing(indexed(CHAT)) as index, (tmp_path / "chat.html").open("wb") as output:
        write_report(index, output)
    with watched(browser, viewport=WIDE, offline=True) as found:
        page = found.open((tmp_path / "chat.html").as_uri())
        page.locator("#answer .tagged", has_text="holds").wait_for()
        assert text(page, "#reader .grown.text").startswith("token 0 token 1")
        page.keyboard.press("/")
        page.keyboard.type('"token"')
        page.locator("#shown", has_text="a report is not searched for texts").wait_for()


# --- what TLS, HTTP/2 and QUIC carried ---


@pytest.mark.parametrize(
    ("name", "row", "tab"),
    [
        ("node_h2_stall", "#c0", "DATA frames9"),
        ("httpx_h2_sse", "#c0", "DATA frames8"),
        ("h3_mux", "#c1000000000", ""),
    ],
)
def test_exchanges_in_streams_are_shown(browser: Browser, name: str, row: str, tab: str) -> None:
    captures = [path for path in tls_captures_at_hand() if path.stem == name]
    if not captures:
        pytest.skip("no captures with TLS at hand: WIREPROOF_TLS names their folder")
    keys = KeyLog.open(captures[0].with_suffix(".keys"))
    with (
        closing(Index(name)) as index,
        captures[0].open("rb") as stream,
        serving(index) as server,
        watched(browser, viewport=WIDE) as found,
    ):
        FileFeed(index, stream, keylog=keys).read_all()
        page = found.open(server.url + row)
        page.locator(".table.e .row").nth(1).wait_for()
        assert tab in " ".join(page.locator("#tabs").inner_text().split())
        assert page.locator(".conn .row .outcome .word").first.inner_text() != ""
        page.locator("#tab-response").click()
        page.locator(".body-panel .piece").first.wait_for()
        page.locator("#tab-headers").click()
        page.locator("#panel .facts h3").first.wait_for()
        expect(page.locator("#panel")).to_contain_text("TLS", use_inner_text=True)
        # Its bytes are encrypted in the packet: the whole record is marked there, and of QUIC none.
        found.choose(f"{row}/e1")
        marked = page.locator("#bytes .frame-view:not(.opened) .hexes b.hit")
        if tab:
            marked.first.wait_for()
            assert marked.first.inner_text().startswith("17")  # application data
        else:
            assert marked.count() == 0
