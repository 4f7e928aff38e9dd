"""What the page says first: verdicts, hops, and what the reader had seen; and how it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.answers import GET, SSE, asked, chunk, streamed
from support.browser import NARROW, Watched, indexed, serving, watched
from support.corpus import ROOT, tls_captures_at_hand
from support.talk import Talk, Tape

from parsers import CaptureReader, KeyLog
from wireproof.analysis.judges import explain
from wireproof.analysis.vocabulary import UNKNOWN
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index, State

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
VERDICTS = FIXTURES / "verdicts"
CHAT = FIXTURES / "nginx/chat.pcapng"
TOOLS = VERDICTS / "lm03-openai-tool-calls.pcap"
LEFT = VERDICTS / "en13-client-abort-app-goes-on.pcap"
WIDE = {"width": 1440, "height": 900}
ROWS = "document.querySelectorAll('.conn .row').length"


@contextmanager
def looking(browser: Browser, *paths: Path, **options: object) -> Iterator[tuple[Page, Watched]]:
    """Look at captures that are shown together."""
    with ExitStack() as stack:
        indexes = []
        for number, path in enumerate(paths):
            indexes.append(stack.enter_context(closing(indexed(path, number=number))))
        server = stack.enter_context(serving(*indexes))
        found = stack.enter_context(watched(browser, **{"viewport": WIDE, **options}))
        yield found.open(server.url), found


def text(page: Page, selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())


# --- verdicts ---


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("hb01-node-gzip-no-flush", "held"),
        ("en04-rst-by-server", "cut"),
        ("sm08-uvicorn-llm-jitter", "streamed"),
        ("ws06-1011-no-pong", "ws-1011"),
        ("en13-client-abort-app-goes-on", "aborted"),
    ],
)
def test_the_list_has_the_verdict_and_a_sentence_stands_above_the_timeline(
    browser: Browser, name: str, word: str
) -> None:
    path = VERDICTS / f"{name}.pcap"
    with closing(indexed(path)) as index:
        (explained,) = explain(index.records())
    with looking(browser, path) as (page, _):
        page.locator("#answer .sentence").wait_for()
        assert page.locator(".conn .row .outcome .word").inner_text() == word
        assert page.locator("#answer .sentence .tagged").inner_text() == word
        if explained.is_fault:
            first = next(one for one in explained.verdicts if one.is_fault)
            assert first.summary[1:] in text(page, "#answer .sentence")
            for cause in first.causes:
                assert cause.code in text(page, "#answer")


def test_tls_without_keys_has_a_row_with_what_sizes_and_times_tell(browser: Browser) -> None:
    with looking(browser, FIXTURES / "tls/sse.pcapng") as (page, seen):
        page.locator("#answer .sentence").wait_for()
        row = page.locator(".conn .row")
        assert row.locator(".outcome .word").inner_text() == "streamed"
        assert row.locator(".target").inner_text() == "TLS 1.3, h2"
        assert row.locator(".elements").inner_text() == "11"
        said = text(page, "#answer .sentence")
        assert said.startswith("streamed from record sizes and times alone, 11 records came")
        page.locator("#answer .question", has_text="ending").click()
        assert "the server said that it was done" in text(page, "#answer .sentence")
        page.locator("#tabs button", has_text="Rules").click()
        assert "stands above the timeline" in text(page, "#panel")
        assert not seen.problems


def test_what_is_not_judged_does_not_point_at_an_answer(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "unread.pcap"
    talk = Talk().open()
    talk.client(b"\x00\x01\x02\x03 no protocol that is read here\n")
    talk.close()
    path.write_bytes(talk.tape.file())
    with looking(browser, path) as (page, _):
        page.locator(".conn .row").wait_for()
        page.locator("#tabs button", has_text="Rules").click()
        page.locator("#panel .empty, #panel .fault").first.wait_for()
        expect(page.locator("#answer")).to_have_text("", use_inner_text=True)
        assert "above the timeline" not in text(page, "#panel")


def test_a_cause_has_its_name_first_what_to_do_on_a_line_and_settings_as_code(
    browser: Browser,
) -> None:
    with looking(browser, CHAT) as (page, _):
        page.locator("#answer .remedy", has_text="→ turn response").wait_for()  # of the hop
        names = ["compressor-not-flushed", "proxy-buffer"]
        expect(page.locator("#answer .cause")).to_have_text(names)
        remedy = page.locator("#answer .remedy").nth(1)
        assert remedy.inner_text().startswith("→ turn response buffering off")
        assert remedy.locator("code").first.inner_text() == "proxy_buffering off"
        assert "`" not in text(page, "#answer")
        heads = [
            page.locator("#answer .sentence").inner_text(),
            page.locator(".conn .row .elements").first.inner_text(),
        ]
        assert "held 12 of 15 events" in heads[0] and heads[1] == "15"


def test_the_page_opens_on_what_is_wrong_and_counts_filter_the_list(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, _):
        counts = ["all 2", "held 1", "streamed 1"]
        expect(page.locator(".tally button")).to_have_text(counts)
        expect(page.locator(".conn .row[aria-selected=true] .outcome .word")).to_have_text(
            "held", use_inner_text=True
        )
        page.locator(".tally button", has_text="streamed").click()
        page.wait_for_function("() => document.querySelectorAll('.conn .row').length === 1")
        assert page.locator("#filter").input_value() == "verdict:streamed"
        expect(page.locator("#shown")).to_have_text("1 of 2", use_inner_text=True)
        page.locator(".tally button", has_text="streamed").click()
        page.wait_for_function("() => document.querySelectorAll('.conn .row').length === 2")


def test_what_is_sound_opens_on_the_longest(browser: Browser, tmp_path: Path) -> None:
    tape = Tape()
    for port, events in ((40_000, 2), (40_001, 9)):
        talk = Talk(tape, client_port=port).open()
        talk.client(GET)
        talk.server(SSE, *[chunk(b"data: %d\n\n" % one) for one in range(events)], b"0\r\n\r\n")
        talk.close()
    path = tmp_path / "two.pcapng"
    path.write_bytes(tape.file())
    with looking(browser, path) as (page, _):
        assert page.evaluate("location.hash") == "#c1"


def test_what_is_undecided_is_not_in_the_colour_of_good_news(browser: Browser) -> None:
    talk = streamed(b"data: x\n\n")
    with asked(talk) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        word = page.locator("#answer .word", has_text="undecided")
        for one in (word.first, page.locator(".conn .row .word", has_text="undecided")):
            assert "note" in (one.get_attribute("class") or "")
            assert one.evaluate("node => getComputedStyle(node).color") == "rgb(86, 99, 112)"


def test_a_click_on_a_packet_that_is_cited_shows_its_bytes(browser: Browser) -> None:
    with looking(browser, LEFT) as (page, _):
        page.locator("#answer .cite.inline").first.click()
        page.locator("#bytes h3", has_text="Packet 16").wait_for()
        assert page.evaluate("location.hash") == "#p16"


def test_what_an_answer_cites_is_marked_in_the_tables(browser: Browser) -> None:
    with looking(browser, LEFT) as (page, _):
        expect(page.locator(".table.e .row.cited .number")).to_have_text(["3"])
        page.locator("#tab-packets").click()
        expect(page.locator(".table.p .row.cited .number")).to_have_text(["14", "16"])


def test_each_question_has_its_answer_at_a_click(browser: Browser) -> None:
    with looking(browser, FIXTURES / "sse/slow.pcapng") as (page, _):
        page.locator(".question", has_text="ending").click()
        assert "last chunk" in text(page, "#answer .sentence")
        page.locator(".question", has_text="gap").click()
        assert text(page, "#answer .sentence").startswith("sender-silent")


# --- hops ---


def test_legs_of_one_exchange_are_paired_and_the_hop_that_held_is_named(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, _):
        page.locator("#answer .tagged", has_text="holds").wait_for()
        said = text(page, "#answer .sentence")
        assert "nginx/1.22.1" in said and "held 12 of 15 events until the end" in said
        expect(page.locator(".conn .row .id")).to_have_text(["0", "↳ 1"])
        page.locator(".rests summary").click()
        assert "not coded → gzip" in text(page, ".rests")
        # A click on a leg looks at the exchange from there.
        page.locator("#timeline-plot .u-over").click(position={"x": 300, "y": 103})
        page.wait_for_function("() => location.hash === '#c1'")


def test_captures_of_two_hops_are_laid_on_one_axis(browser: Browser) -> None:
    sides = ("client", "middle", "server")
    paths = [VERDICTS / f"hp21-chain-nginx-haproxy.{side}.pcap" for side in sides]
    with looking(browser, *paths) as (page, found):
        page.locator("#answer .tagged", has_text="holds").wait_for()
        expect(page.locator(".conn .row .id")).to_have_text(["0", "↳ 1:0", "↳ 2:0"])
        assert page.evaluate("async () => (await import('./store.js')).state.way.legs.length") == 3
        found.choose("#2:c0/e3")
        expect(page.locator(".conn .row[aria-selected=true] .id")).to_have_text(
            "↳ 2:0", use_inner_text=True
        )
        assert page.locator("#bytes .filter code").inner_text().startswith("tcp.stream == 0")


# --- what the reader had seen ---


def test_the_text_grows_along_the_timeline(browser: Browser) -> None:
    path = VERDICTS / "lm01-openai-chat-role-first.pcap"
    with looking(browser, path) as (page, _):
        page.locator("#reader .grown.text").wait_for()
        assert text(page, "#reader .grown.text").startswith("Rivers of small words run under")
        page.locator("#scrubber").focus()
        for _ in range(5):
            page.keyboard.press("PageDown")
        page.locator("#scrubbed", has_text="the reader had seen").wait_for()
        page.evaluate("() => new Promise(requestAnimationFrame)")  # all of it is drawn
        said = page.locator("#scrubbed").inner_text()
        come = page.locator("#reader .grown.text .piece:not(.not-yet)").count()
        assert said.startswith("At ") and f"had seen {come} of 20 deltas" in said
        assert 0 < come < 20


def test_a_tool_call_is_assembled(browser: Browser) -> None:
    with looking(browser, TOOLS) as (page, _):
        page.locator("#reader .assembled").wait_for()
        assert text(page, "#reader .assembled") == '{ "city": "Zurich", "day": 3 }'
        assert "look_up" in text(page, "#reader h3")


def test_the_body_of_the_request_stands_beside_the_answer(browser: Browser) -> None:
    body = b'{"model":"small-1","stream":true}'
    talk = Talk().open()
    talk.client(b"POST /chat HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    talk.server(SSE, chunk(b"data: Hello\n\n"), b"0\r\n\r\n")
    talk.close()
    with (
        asked(talk) as ask,
        serving(ask.index) as server,
        watched(browser, viewport=WIDE) as found,
    ):
        page = found.open(server.url)
        page.locator("#reader .asked pre", has_text='"small-1"').wait_for()
        assert text(page, "#reader .asked pre") == '{ "model": "small-1", "stream": true }'
        assert text(page, "#reader .grown.data") == "Hello"


def test_the_bytes_are_folded_until_they_are_asked_for(browser: Browser) -> None:
    with looking(browser, TOOLS) as (page, _):
        page.locator(".table.e .row").nth(2).wait_for()
        expect(page.locator("#bytes")).to_be_hidden()
        page.locator(".table.e .row").nth(2).click()
        page.locator("#bytes .hex-dump").wait_for()
        page.locator("#bytes .close").click()
        page.locator("#reader").wait_for()
        expect(page.locator("#bytes")).to_be_hidden()
        page.locator(".table.e .row").nth(2).click()
        page.locator("#bytes .hex-dump").wait_for()
        page.keyboard.press("Escape")
        page.locator("#bytes").wait_for(state="hidden")


# --- the filter ---


@pytest.fixture(scope="module")
def shared_chat(browser: Browser) -> Iterator[Page]:
    """A page that is asked one thing after another."""
    with looking(browser, CHAT) as (page, _):
        page.locator(".conn .row .word").nth(1).wait_for()
        yield page


@pytest.mark.parametrize(
    ("filter_", "rows"),
    [
        ("verdict:held", 1),
        ("verdict:fault", 1),
        ("status:2xx", 2),
        ("status:404", 0),
        ("port:44913", 1),
        ("method:get path:/ch*", 2),
        ("transport:sse gap>1s", 1),
        ("gap<50ms", 0),
        ("connection:1", 1),
        ('"token 11"', 2),
        ('"nobody said this"', 0),
        ("verdict:held,streamed", 2),
        ("verdict:ws-1006", 0),
        ("streamed", 1),
    ],
)
def test_fields_filter_the_list(browser: Browser, filter_: str, rows: int) -> None:
    with looking(browser, CHAT) as (page, _):
        page.keyboard.press("/")
        page.keyboard.type(filter_)
        page.wait_for_function(
            "rows => document.querySelectorAll('.conn .row').length === rows"
            " && !/looking/.test(document.querySelector('#shown').textContent)",
            arg=rows,
        )


def test_a_field_that_there_is_not_is_named(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, _):
        page.keyboard.press("/")
        page.keyboard.type("colour:red")
        page.locator("#shown", has_text="there is no field colour: status, port,").wait_for()


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ("verdict:nonsense", f"'nonsense' {UNKNOWN}; here are held, streamed, whole"),
        ("verdict:held,lte", f"'lte' {UNKNOWN}; here are held, streamed, whole"),
        ("port:abc", "'abc' is not a port: 1 to 65535"),
        ("port:0", "'0' is not a port: 1 to 65535"),
        ("status:teapot", "'teapot' is not a status: 404, 5xx"),
        ("connection:a", "'a' is not a connection: a number, from 0"),
        ("min-gap:1", "there is no field min-gap: status, port, verdict, method, path, transport,"
         " connection, gap"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_understood_is_named(
    shared_chat: Page, filter_: str, said: str
) -> None:
    shared_chat.locator("#filter").fill(filter_)
    expect(shared_chat.locator("#shown")).to_have_text(said)
    expect(shared_chat.locator(".conn .row")).to_have_count(2)  # of what is amiss nothing is asked


# --- time, and room ---


def test_a_filter_that_nothing_matches_says_so_and_a_click_shows_all(browser: Browser) -> None:
    with looking(browser, CHAT) as (page, _):
        page.locator(".conn .row").nth(1).wait_for()
        page.keyboard.press("/")
        page.keyboard.type("status:5xx")
        page.locator("#connections .none", has_text="No exchange matches the filter").wait_for()
        page.keyboard.press("Control+a")
        page.keyboard.type("gap>soon")
        page.locator("#shown", has_text="gap>soon is not a time").wait_for()
        page.wait_for_function(f"{ROWS} === 2")  # of what is amiss nothing is asked
        page.keyboard.press("Control+a")
        page.keyboard.type("status:5xx")
        page.locator("#connections .none button").click()
        page.locator(".conn .row").nth(1).wait_for()
        assert page.locator("#filter").input_value() == ""
        expect(page.locator("#connections .none")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("x.pcapng", "reading", "Reading: exchanges are shown as they are found."),
        ("port 8614 on lo", "live", "such as those of curl -N http://127.0.0.1:8614/"),
        ("port 443 on eth0", "live", "Waiting for packets: port 443 on eth0."),
        ("x.pcapng", "ended", "There is no packet in this capture. To record some: wireproof"),
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
        page.locator("#bytes").get_by_text("#p99999 is not in what was captured").wait_for()
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


def test_a_text_is_looked_for_again_when_more_has_come(browser: Browser) -> None:
    with CHAT.open("rb") as stream:
        packets = list(CaptureReader(stream))
    with (
        closing(Index("port 80", "live")) as index,
        serving(index) as server,
        watched(browser) as found,
    ):
        index.receive(packets[:12])
        page = found.open(server.url)
        page.locator("#filter").fill('"token 11"')
        page.locator("#connections .none", has_text="No exchange matches the filter").wait_for()
        index.receive(packets[12:])
        index.finish([], None)
        expect(page.locator(".conn .row")).to_have_count(2)


def test_how_it_ended_says_why_that_is_whole_which_only_closing_ended(shared_chat: Page) -> None:
    shared_chat.locator("#filter").fill("verdict:streamed")
    shown = shared_chat.locator(".conn .row .ended")
    expect(shown).to_have_text("complete ([DONE], packet 41)")
    assert shown.get_attribute("title") == "complete ([DONE], packet 41)"
