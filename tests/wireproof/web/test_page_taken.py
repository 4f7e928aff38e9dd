"""What is taken along, and what is compared, as a person does it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from support.browser import Watched, indexed, inspecting, serving, watched
from support.corpus import ROOT
from support.talk import Talk

from parsers.records import ConnectionRecord, SseEventRecord
from wireproof import decode
from wireproof.web.index import Index

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"
TWO = FIXTURES / "nginx/chat.pcapng"
POST = (
    b"POST /v1/it's?a=[1] HTTP/1.1\r\nHost: api.example\r\nX-Empty:\r\n"
    b"Content-Type: application/json\r\nContent-Length: 16\r\n\r\n"
)
BODY = b'{"say":"it\'s\n1"}'


@pytest.fixture
def two(browser: Browser) -> Iterator[Page]:
    with inspecting(TWO) as server, watched(browser) as found:
        yield found.open(server.url)


def taken(page: Page, button: str, folder: Path) -> Path:
    """Save by a button of the dialog; return the file."""
    page.locator("#take-open").click()
    with page.expect_download() as download:
        page.locator("#take").get_by_role("button", name=button, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    page.get_by_role("status").get_by_text("is saved").wait_for()
    page.keyboard.press("Escape")
    return path


def test_the_chosen_exchange_is_saved(two: Page, tmp_path: Path) -> None:
    two.evaluate("location.hash = '#c1'")
    path = taken(two, "pcapng", tmp_path)
    (own,) = [one for one in decode(path) if isinstance(one, ConnectionRecord)]
    (same,) = [one for one in decode(TWO) if isinstance(one, ConnectionRecord) and one.connection]
    assert (own.client, own.packets) == (same.client, same.packets)
    records = taken(two, "NDJSON", tmp_path).read_text().splitlines()
    assert {json.loads(line)["connection"] for line in records} == {1}
    (entry,) = json.loads(taken(two, "HAR", tmp_path).read_bytes())["log"]["entries"]
    assert entry["connection"] == "1"
    assert taken(two, "PNG", tmp_path).read_bytes().startswith(b"\x89PNG")
    assert "<svg" in taken(two, "SVG", tmp_path).read_text()


def test_a_report_of_what_the_list_shows(browser: Browser, two: Page, tmp_path: Path) -> None:
    path = taken(two, "Report of the 2 exchanges in the list", tmp_path)
    with watched(browser, offline=True) as found:
        found.page.goto(path.as_uri())
        found.page.wait_for_selector("html[data-ready]", state="attached")
        assert found.page.locator("#policy").inner_text() == "secret headers are masked"
        found.page.locator('#connections .rows .row[data-index="1"]').wait_for()
        assert found.page.locator("#connections .rows .row").count() == 2
        found.page.keyboard.press("s")
        # The request is unpacked first, for its command.
        found.page.locator("#take").get_by_text("open the capture with wireproof view").wait_for()


def copied(watched_page: Watched, name: str) -> str:
    watched_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched_page.page
    page.keyboard.press("s")
    page.locator("#take").get_by_role("button", name=name).click()
    page.locator("#take").get_by_text("Copied").wait_for()
    text: str = page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    return text


def test_a_request_is_copied_as_a_command(browser: Browser) -> None:
    talk = Talk().open()
    talk.client(POST + BODY)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    talk.close()
    with closing(Index("post")) as index:
        index.receive(talk.tape.packets)
        index.finish([])
        with serving(index) as server, watched(browser) as found:
            found.open(server.url)
            command = copied(found, "Copy as cURL")
            link = copied(found, "Copy link")
            assert copied(found, "Copy filter").startswith("tcp.stream == 0 && frame.number >= ")
            assert link == f"{server.url.partition('?')[0]}#c0"
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    words = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert words.decode().split("\0")[:-1] == [
        *("-N", "-g", "-H", "X-Empty;", "-H", "Content-Type: application/json"),
        *("-H", "User-Agent:", "-H", "Accept:"),
        *("--data-raw", BODY.decode(), "--", "http://api.example/v1/it's?a=[1]"),
    ]


def test_a_value_is_copied(browser: Browser) -> None:
    with inspecting(FIXTURES / "sse/plain.pcapng") as server, watched(browser) as found:
        page = found.open(server.url)
        found.context.grant_permissions(["clipboard-read", "clipboard-write"])
        found.choose("#c0/e3")
        page.locator("#bytes .said .copy").click()
        page.locator("#bytes .said").get_by_text("Copied").wait_for()
        (event,) = [
            one for one in decode(FIXTURES / "sse/plain.pcapng") if isinstance(one, SseEventRecord)
        ][3:4]
        assert page.evaluate("navigator.clipboard.readText()") == event.data


def test_two_exchanges_are_compared_on_one_axis(browser: Browser) -> None:
    with closing(indexed(TWO)) as index, serving(index) as server, watched(browser) as found:
        page = found.open(server.url)
        page.evaluate("location.hash = '#c0'")
        before = page.locator("#timeline-plot").bounding_box()
        page.keyboard.press("c")
        note = page.locator("#compared")
        assert note.inner_text() == "Choose the exchange to compare it with."
        assert page.locator("#compare").get_attribute("aria-pressed") == "true"
        page.evaluate("location.hash = '#c1'")
        note.get_by_text("This: ").wait_for()
        after = page.locator("#timeline-plot").bounding_box()
        assert before is not None and after is not None
        assert "The one that is kept: " in note.inner_text()
        page.evaluate("location.hash = '#c0'")  # the one that is kept: they change places
        note.get_by_text("This: ").wait_for()
        page.locator("#compare").click()
        page.wait_for_function("() => document.querySelector('#compared').hidden")


def test_at_400_pixels_every_button_above_the_timeline_is_within_reach(browser: Browser) -> None:
    size = {"width": 400, "height": 860}
    with inspecting(TWO) as server, watched(browser, viewport=size) as found:
        page = found.open(server.url)
        for button in page.locator(".timeline-head button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["x"] + box["width"] <= 400
