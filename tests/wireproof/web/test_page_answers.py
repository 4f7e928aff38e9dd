"""What the page says first: verdicts, hops, and what the reader had seen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.answers import GET, SSE, asked, chunk, streamed
from support.browser import indexed, serving, watched
from support.corpus import ROOT
from support.pages import CHAT, LEFT, TOOLS, VERDICTS, WIDE, looking, text
from support.talk import Talk, Tape

from wireproof.analysis.judges import explain

pytestmark = pytest.mark.browser

FIXTURES = ROOT / "fixtures"


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
        # of the hop
        page.locator("#answer .remedy", has_text="→ in nginx: proxy_buffering").wait_for()
        names = ["compressor-not-flushed", "proxy-buffer"]
        expect(page.locator("#answer .cause")).to_have_text(names)
        remedy = page.locator("#answer .remedy").nth(1)
        assert remedy.inner_text().startswith("→ in nginx: proxy_buffering off")
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
