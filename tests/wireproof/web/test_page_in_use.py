"""The page as a person uses it: with the mouse on what is seen, and the keys of the keyboard."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.answers import SSE, asked, chunk, streamed
from support.browser import PATIENCE, Watched, inspecting, serving, watched
from support.corpus import ROOT
from support.talk import Talk

from wireproof.plot.figure import stalls
from wireproof.plot.timeline import Timelines
from wireproof.web.index import Index

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
IN_VIEW = re.compile(r"; ([0-9.]+ \S+) in view")
ROWS = "document.querySelectorAll('.conn .row').length"


@pytest.fixture
def slow(browser: Browser) -> Iterator[Watched]:
    with inspecting(FIXTURES / "sse/slow.pcapng") as server, watched(browser) as found:
        found.open(server.url)
        yield found


def note(page: Page) -> str:
    return page.locator("#timeline-note").inner_text()


def dragged(page: Page, first: float, last: float) -> None:
    """Press the mouse at a part of the plot's width, and let it go at another."""
    box = page.locator("#timeline-plot .u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] - 20
    page.mouse.move(box["x"] + first * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + (first + last) / 2 * box["width"], middle)
    page.mouse.move(box["x"] + last * box["width"], middle)
    page.mouse.up()


def test_a_drag_zooms_and_a_double_click_shows_all_of_it(slow: Watched) -> None:
    page = slow.page
    page.locator("#timeline-plot .u-over").wait_for()
    before = note(page)
    dragged(page, 0.25, 0.75)
    page.wait_for_function(
        "() => /in view/.test(document.querySelector('#timeline-note').textContent)"
    )
    shown = IN_VIEW.search(note(page))
    assert shown is not None
    # Half of the plot is half of 498 ms, and of the margins around it.
    assert 245 < float(shown[1].removesuffix(" ms")) < 270
    page.locator("#timeline-plot .u-over").dblclick(position={"x": 200, "y": 20})
    page.wait_for_function(
        "before => document.querySelector('#timeline-note').textContent === before", arg=before
    )


def test_a_drag_from_right_to_left_zooms_too_and_chooses_nothing(slow: Watched) -> None:
    page = slow.page
    page.locator("#timeline-plot .u-over").wait_for()
    dragged(page, 0.9, 0.6)
    page.wait_for_function(
        "() => /in view/.test(document.querySelector('#timeline-note').textContent)"
    )
    assert page.evaluate("location.hash") == "#c0"


def test_escape_takes_the_filter_away_and_enter_keeps_it(browser: Browser) -> None:
    with inspecting(FIXTURES / "nginx/chat.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator(".conn .row").nth(1).wait_for()
        page.keyboard.press("/")
        page.keyboard.type("nothing like it")
        page.wait_for_function("() => !document.querySelector('.conn .row')")
        page.keyboard.press("Enter")
        assert page.locator("#filter").input_value() == "nothing like it"
        page.keyboard.press("/")
        page.keyboard.press("Escape")
        page.locator(".conn .row").nth(1).wait_for()
        assert page.locator("#filter").input_value() == ""
        page.wait_for_function(f"{ROWS} === 2")


def test_the_payload_of_a_post_is_there_though_the_answer_comes_in_chunks(
    browser: Browser,
) -> None:
    body = b'{"model":"small-1","stream":true}'
    talk = Talk().open()
    head = b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    talk.client(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    talk.server(SSE, chunk(b"data: x\n\n"), b"0\r\n\r\n")
    talk.close()
    with asked(talk) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-payload").click()
        page.locator(".body-panel .grown").get_by_text('"small-1"').wait_for()
        assert page.locator(".strip").inner_text().startswith(f"{len(body)} B in 1 piece")


def test_an_upload_that_is_no_text_is_measured_in_its_own_bytes(browser: Browser) -> None:
    body = bytes(range(256)) * 4
    talk = Talk().open()
    talk.client(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    talk.close()
    with asked(talk) as ask, serving(ask.index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#tab-payload").click()
        page.locator(".body-panel .grown").get_by_text("00 01 02 03").wait_for()
        said = page.locator(".strip").inner_text()
        assert said.startswith("1.0 kB in 1 piece") and "in hex" in said


def test_the_page_says_when_wireproof_has_ended(browser: Browser) -> None:
    with closing(Index("going", "live")) as index, watched(browser) as found:
        tape = streamed(b"data: x\n\n").tape
        index.receive(tape.packets)
        with serving(index) as server:
            page = found.open(server.url)
            page.locator("#live").get_by_text("live").wait_for()
            page.locator(".table.e .row").wait_for()
        page.locator("#gone").wait_for()
        expect(page.locator("#live")).to_be_hidden()
        # What was fetched is still there; what was not says why.
        expect(page.locator(".table.e .row")).to_be_visible()
        page.locator("#tab-response").click()
        page.locator("#panel").get_by_text("wireproof has ended").wait_for()
        page.keyboard.press("s")
        page.get_by_role("button", name="HAR", exact=True).click()
        page.locator("dialog[open]").get_by_text("HAR: wireproof has ended").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+f")
        page.keyboard.type("zebra")
        page.locator("#find [role=status]", has_text="wireproof has ended").wait_for()
        page.keyboard.press("Escape")
        page.locator("#find").wait_for(state="hidden")
        page.keyboard.press("/")
        page.keyboard.type('"zebra"')
        expect(page.locator("#connections .none")).to_contain_text("wireproof has ended")
        found.problems = [one for one in found.problems if "Failed to load resource" not in one]


def test_a_page_of_a_file_says_so_when_somebody_comes_back_to_it(browser: Browser) -> None:
    with watched(browser) as found:
        with inspecting(FIXTURES / "sse/slow.pcapng") as server:
            page = found.open(server.url)
            page.locator(".table.e .row").first.wait_for()
        page.evaluate("window.dispatchEvent(new FocusEvent('focus'))")  # headless: no window has it
        page.locator("#gone").wait_for()
        found.problems = [one for one in found.problems if "Failed to load resource" not in one]


@pytest.mark.parametrize("name", ["sse/slow", "sse/plain", "sse/burst", "sse/gzip-held"])
def test_stalls_are_those_of_the_plot(browser: Browser, name: str) -> None:
    path = FIXTURES / f"{name}.pcapng"
    timelines = Timelines()
    with path.open("rb") as stream:
        timelines.read(stream)
    expected = len(stalls(timelines.choose()))
    with inspecting(path) as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#timeline-plot .u-over").wait_for()
        said = re.search(r"(\d+) pause", note(page))
        assert int(said[1] if said else 0) == expected


def test_a_websocket_is_timed_by_its_messages(browser: Browser) -> None:
    with inspecting(FIXTURES / "websocket/plain.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        page.locator("#gaps-figures").get_by_text("between messages").wait_for()


@pytest.mark.packets
def test_a_command_is_recorded_and_the_page_stays(browser: Browser, tmp_path: Path) -> None:
    """The command asks a server of its own, so that it needs none of anybody else's rights."""
    script = tmp_path / "ask.py"
    script.write_text(
        "import http.server, socket, sys, threading, urllib.request\n"
        "server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])),"
        " http.server.SimpleHTTPRequestHandler)\n"
        "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
        "urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/asked').read()\n"
    )
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "wireproof", "view", "--live", "--port", port, "--no-browser", "--",
         sys.executable, str(script), port],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    with watched(browser) as found:
        page = found.open(url)
        page.locator(".conn .row .target").get_by_text("/asked").wait_for()
        page.locator("#live").wait_for(state="hidden")
        page.goto("about:blank")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert "has ended, and the recording; the page stays until Ctrl-C" in err
    assert process.returncode == 1  # 404 is an error of the command's own


def numbers_shown(page: Page) -> list[str]:
    """What stands in the first column of the rows in view, from above."""
    rows: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#panel .row')]"
        ".sort((a, b) => a.dataset.index - b.dataset.index)"
        ".map((row) => row.querySelector('.number').textContent)"
    )
    return rows


def test_events_are_sorted_by_their_heads(slow: Watched) -> None:
    page = slow.page
    lane = page.evaluate("() => fetch('answers/lane/0.0/e/0').then((found) => found.json())")
    gaps = [0.0, *(after - time for time, after in pairwise(lane["time"]))]
    widest = sorted(range(len(gaps)), key=lambda row: (-gaps[row], row))
    page.locator("#panel .head.gap").click()
    page.locator("#panel .head.gap[data-sorted=down]").wait_for()
    page.wait_for_function(
        "first => document.querySelector('#panel .row[data-index=\"0\"] .number').textContent"
        " === first",
        arg=str(widest[0]),
    )
    assert numbers_shown(page)[:3] == [str(row) for row in widest[:3]]
    page.locator('#panel .row[data-index="0"]').click()
    page.wait_for_function("link => location.hash === link", arg=f"#c0/e{widest[0]}")
    page.locator("#panel .head.number").click()
    page.wait_for_function(
        "() => { const row = document.querySelector('#panel .row[aria-selected=true]');"
        " return row?.dataset.index === row?.querySelector('.number').textContent; }"
    )


def test_ctrl_f_finds_texts_in_events_heads_and_bytes(slow: Watched) -> None:
    page = slow.page
    page.keyboard.press("Control+f")
    page.keyboard.type("HOST")
    said = page.locator("#find [role=status]")
    said.get_by_text("places").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#c0/q0'")
    assert said.inner_text().startswith("1 of ")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /^#p[0-9]+$/.test(location.hash)")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("() => location.hash === '#c0/q0'")
    page.keyboard.press("Escape")
    expect(page.locator("#find")).to_be_hidden()
    page.keyboard.press("Control+f")
    page.keyboard.type("0x0d0a0d0a")
    said.get_by_text("place").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_function("() => /^#p[0-9]+$/.test(location.hash)")


def test_json_is_a_tree_and_a_path_of_it_becomes_a_column(browser: Browser) -> None:
    long = 12345678901234567890123
    events = [
        f'{{"id": {long + row}, "delta": [{{"text": "piece {row}"}}, {{}}]}}' for row in range(3)
    ]
    found = streamed(*(f"data: {event}\n\n".encode() for event in [*events, "[DONE]"]))
    with asked(found) as ask, serving(ask.index) as server, watched(browser) as seen:
        page = seen.open(server.url)
        seen.choose("#c0/e1")
        tree = page.locator(".json-tree")
        assert str(long + 1) in tree.inner_text()
        tree.get_by_role("button", name='"piece 1"').click()
        head = page.locator(".heads .data")
        head.get_by_text("delta[0].text").wait_for()
        shown = page.locator("#panel .row .data")
        expect(shown).to_have_text(["piece 0", "piece 1", "piece 2", ""])
        tree.get_by_role("button", name=str(long + 1)).click()
        head.get_by_text("id", exact=True).wait_for()
        expect(shown).to_have_text([*(str(long + row) for row in range(3)), ""])
        head.get_by_role("button", name="Data").click()
        head.get_by_text("Data", exact=True).wait_for()
        expect(shown.first).to_have_text(events[0])


def test_what_is_folded_of_json_is_built_when_it_is_unfolded(browser: Browser) -> None:
    event = f'data: {{"deep": {"[" * 9}1{"]" * 9}, "many": {list(range(450))}}}\n\n'
    found = streamed(event.encode())
    with asked(found) as ask, serving(ask.index) as server, watched(browser) as seen:
        page = seen.open(server.url)
        seen.choose("#c0/e0")
        tree = page.locator(".json-tree")
        assert tree.locator("details").count() == 6
        tree.locator("details:not([open]) > summary").click()
        assert tree.locator("details").count() == 7
        more = tree.get_by_role("button", name="More")
        more.click()
        more.click()
        tree.get_by_role("button", name="449", exact=True).wait_for()
        assert more.count() == 0
