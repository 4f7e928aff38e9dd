"""The filter of the page: its fields, what it says of others, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import serving, watched
from support.pages import CHAT, looking

from parsers import CaptureReader
from wireproof.analysis.vocabulary import UNKNOWN
from wireproof.web.index import Index

pytestmark = pytest.mark.browser

ROWS = "document.querySelectorAll('.conn .row').length"


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


# --- what TLS, HTTP/2 and QUIC carried ---


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
