"""The report: one file that holds every answer, and asks nobody."""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode
from contextlib import closing
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.answers import asked, paths, streamed
from support.browser import indexed, watched
from support.capture_files import Blocks
from support.corpus import ROOT
from support.reports import answers as answers_of
from support.reports import answers_in_node, held
from support.talk import Talk, Tape

from wireproof import shelf
from wireproof.web import bundles as making
from wireproof.web import frame
from wireproof.web.api import Answers
from wireproof.web.bundles import bundles, workers_for
from wireproof.web.finding import find
from wireproof.web.index import Index
from wireproof.web.page_files import MODULES, TYPES, page_file
from wireproof.web.paths import own_bundle, shared_bundle
from wireproof.web.report import joined_modules, write_report

FIXTURES = ROOT / "fixtures"
CAPTURES = sorted(FIXTURES.glob("*/*.pcap*"))
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOSTILE = (
    b"data: </script><script>alert(1)</script>\n\n",
    b"data: <img src=x onerror=alert(1)>\n\n",
    b"event: --><svg/onload=alert(1)>\ndata: ]]>\n\n",
)


def report_of(index: Index) -> str:
    output = BytesIO()
    write_report(index, output)
    return output.getvalue().decode()


def test_it_holds_every_answer_of_the_server() -> None:
    index = indexed(FIXTURES / "websocket/deflate.pcapng")
    answers = Answers(index)
    expected = {path: json.loads(answers.answer(path) or b"") for path in paths(index)}
    report = report_of(index)
    assert answers_of(report) == expected
    for name, own in held(report).items():
        bundles = {bundle for path in own for bundle in (own_bundle(path), shared_bundle(path))}
        assert name in bundles
    index.close()


@pytest.mark.tool("node")
@pytest.mark.parametrize("folder", sorted({path.parent.name for path in CAPTURES}))
def test_the_page_builds_the_answers_that_the_server_gives(folder: str) -> None:
    captures = [path for path in CAPTURES if path.parent.name == folder]
    reports, expected = [], []
    for path in captures:
        with closing(indexed(path, with_keys=path.with_suffix(".keys").exists())) as index:
            answers = Answers(index)
            expected.append({one: json.loads(answers.answer(one) or b"") for one in paths(index)})
            reports.append(report_of(index))
    found = zip(captures, reports, answers_in_node(reports), expected, strict=True)
    for path, report, own, asked_for in found:
        assert own == answers_of(report), path
        assert set(own) == set(asked_for), path
        for one, answer in asked_for.items():
            assert own[one] == answer, (path, one)


def test_empty_packets_are_in_it_and_what_is_no_packet_is_not(tmp_path: Path) -> None:
    blocks = Blocks()
    talk = Talk().open()
    frames = [blocks.enhanced(n, row[4]) for n, row in enumerate(talk.tape.packets)]
    empty, custom = blocks.enhanced(9, b""), blocks.block(0xBAD, bytes(4) + b"mine")
    late = blocks.enhanced((1 << 64) - 1, b"\xff" * 20)
    path = tmp_path / "odd.pcapng"
    parts = [blocks.section(), blocks.interface(1, 0), custom, frames[0], empty, *frames[1:], late]
    path.write_bytes(b"".join(parts))
    index = indexed(path)
    packets = [name for name in answers_of(report_of(index)) if name.startswith("packet/")]
    assert len(packets) == 5
    index.close()


def test_no_bundle_is_written_twice() -> None:
    talk = Talk().open()
    for _ in range(3):
        talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    talk.close()
    with closing(Index("several")) as index:
        index.receive(talk.tape.packets)
        index.finish([])
        names = [name for name, _ in bundles(index)]
    assert len(names) == len(set(names))


def test_the_same_capture_gives_the_same_report_however_many_make_it() -> None:
    with closing(indexed(FIXTURES / "nginx/chat.pcapng")) as index:
        alone = list(bundles(index))
        assert list(bundles(index)) == alone
        if hasattr(os, "fork"):
            assert list(bundles(index, workers=3)) == alone


def test_processes_that_make_it_add_nothing_to_the_spool_that_they_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However much of what is over is in memory when they begin: each would write in its place."""
    tape = Tape()
    for number in range(40):
        Talk(tape, client_port=40_000 + number).open().close()
    with closing(Index("talks.pcapng")) as index:
        index.receive(tape.packets)
        index.finish([])
        monkeypatch.setattr(shelf, "MAX_OVER", 2)
        if not hasattr(os, "fork"):
            index.rest()
        together = list(bundles(index, workers=3 if hasattr(os, "fork") else 1))
        size = index.spool.size
        assert list(bundles(index)) == together
        index.rest()
        assert index.spool.size == size


def test_neighbours_that_hold_much_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(indexed(FIXTURES / "nginx/chat.pcapng")) as index:
        whole = answers_of(report_of(index))
        monkeypatch.setattr(making, "PART", 2_000)
        monkeypatch.setattr(frame, "BLOCK", 0)
        report = report_of(index)
        assert answers_of(report) == whole
        if hasattr(os, "fork"):
            assert list(bundles(index, workers=3)) == list(bundles(index))
    packets = {name: own for name, own in held(report).items() if name.startswith("packet/")}
    assert len(packets) > 3
    for name, own in list(packets.items())[1:]:
        bundle, _, first = name.partition("*")
        assert min(own, key=lambda path: int(path[7:])) == f"packet/{first}"
        assert bundle == "packet/0"
        # It begins when the part has as many bytes, so it has one answer more than fit.
        sizes = [len(b64decode(answer["data"])) for answer in own.values()]
        assert sum(sizes[:-1]) <= 2_000


def test_one_process_makes_it_where_others_would_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "usable_cores", lambda: 2)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    with closing(indexed(FIXTURES / "sse/plain.pcapng")) as index:
        assert workers_for(index) == 1
        monkeypatch.setattr(making, "LARGE", 10)
        assert workers_for(index) == (2 if hasattr(os, "fork") else 1)
        monkeypatch.setattr("threading.active_count", lambda: 2)
        assert workers_for(index) == 1


def test_nothing_from_the_wire_is_in_reach_of_the_html_parser() -> None:
    with asked(streamed(*HOSTILE)) as ask:
        report = report_of(ask.index)
        for event in HOSTILE:
            assert event.decode().strip() not in report
        assert "alert(1)" not in report
        assert "alert(1)" in json.dumps(answers_of(report))


def test_scripts_and_styles_are_allowed_by_their_digests_and_nothing_else_is() -> None:
    index = indexed(FIXTURES / "sse/plain.pcapng")
    report = report_of(index)
    index.close()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', report)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "http" not in policy and "connect-src" not in policy
    for tag in ("script", "style"):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", report, re.S)
        assert len(inline) == 2
        for text in inline:
            digest = sha256(text.encode()).digest()
            (allowed,) = re.findall(rf"{tag}-src ([^;]*);", policy)
            assert f"'sha256-{b64encode_text(digest)}'" in allowed
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)", report)


def b64encode_text(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()


def test_modules_are_written_so_that_they_can_be_joined() -> None:
    joined = joined_modules()
    assert "</script" not in joined
    assert not re.search(r"^(?:import|export)\b", joined, re.M)
    for number, name in enumerate(MODULES):
        imported = re.findall(r'from "\./([a-z]+\.js)";', page_file(name).decode())
        assert set(imported) <= set(MODULES[:number]), f"{name} imports what comes after it"


def test_every_file_of_the_page_is_in_the_table_and_the_other_way_around() -> None:
    folder = ROOT / "wireproof/web/page"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    unserved = {"vendor/README.md", "vendor/uplot/LICENSE"}
    assert files - unserved == set(TYPES)


@pytest.mark.browser
def test_it_opens_from_disk_and_asks_no_network(browser: Browser, tmp_path: Path) -> None:
    index = indexed(FIXTURES / "sse/slow.pcapng")
    path = tmp_path / "report.html"
    path.write_text(report_of(index))
    index.close()
    url = path.as_uri()
    with watched(browser, offline=True) as found:
        page = found.open(url)
        found.choose("#c0/e4")
        expect(page.locator(".conn .row .target")).to_have_text(
            "/sse/slow?stall=0.4", use_inner_text=True
        )
        expect(page.locator(".said pre")).to_have_text(" streamed", use_inner_text=True)
        text = "".join(page.locator("#bytes .chars .hit").all_inner_texts())
        assert text == "id: 5··event: message··data:  streamed····"
        page.locator("#tab-response").click()
        page.locator(".grown .piece").first.wait_for()
        asked_for = [one for one in found.requests if not one.startswith("data:")]
        assert asked_for == [url]


def several() -> Tape:
    """An exchange of a connection, and two of another, of which the last is cut."""
    tape = Tape()
    for number, answers in enumerate(((WHOLE,), (WHOLE, WHOLE[:-1]))):
        talk = Talk(tape, client_port=40_000 + number).open()
        for answer in answers:
            talk.client(GET)
            talk.server(answer)
        talk.close()
    return tape


def test_a_report_of_many_has_details_of_those_that_are_most_worth_a_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(Index("many.pcapng")) as index:
        index.receive(several().packets)
        index.finish([])
        whole = answers_of(report_of(index))
        assert whole["summary"]["detailed"] == whole["summary"]["exchanges"] == 3
        assert not any("outlined" in row for row in whole["exchanges/0"])
        monkeypatch.setattr(making, "DETAILED", 1)
        found = answers_of(report_of(index))
    shown = [answer for path, answer in found.items() if path.startswith("packet/")]
    held = {"packets": len(shown), "bytes": sum(one["captured"] for one in shown), "connections": 1}
    assert whole["summary"]["held"] is None
    assert found["summary"] == whole["summary"] | {
        "held": held,
        "detailed": 1,
        "captures": [whole["summary"]["captures"][0] | {"detailed": 1}],
    }
    # Every exchange has its row.
    rows = {row["key"]: row.pop("outlined", False) for row in found["exchanges/0"]}
    assert rows == {"0.0": True, "1.0": True, "1.1": False}
    assert found["exchanges/0"] == whole["exchanges/0"]
    # One has its details, and its connection all packets: what is in these leads to it alone.
    keys = {path.split("/")[1] for path in found if re.search(r"/\d+\.\d+", path)}
    assert keys == {"1.1"}
    owned = {path for path in whole if "/1.1" in path} | {"packets/1/0", "roundtrips/1"}
    assert owned <= set(found)
    assert {path: found[path] for path in owned} == {path: whole[path] for path in owned}
    packets = {path: answer for path, answer in found.items() if path.startswith("packet/")}
    assert {answer["connection"] for answer in packets.values()} == {1}
    for path, answer in packets.items():
        assert answer["parts"] == [one for one in whole[path]["parts"] if one[4] == "1.1"]


@pytest.mark.browser
def test_the_page_says_of_which_exchanges_a_report_has_no_details(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    monkeypatch.setattr(making, "DETAILED", 1)
    with closing(Index("many.pcapng")) as index:
        index.receive(several().packets)
        index.finish([])
        path.write_text(report_of(index))
    with watched(browser, offline=True) as found:
        page = found.open(path.as_uri())
        expect(page.locator("#facts")).to_contain_text("details of 1 of 3 exchanges")
        expect(page.locator("#facts")).to_contain_text(re.compile(r"^\d+ of \d+ packets · "))
        expect(page.locator("#facts")).to_contain_text("· 1 of 2 connections ·")
        expect(page.locator("#tab-headers")).to_be_visible()  # of the one that has them
        for link, which in (("#c1", "--connection 1 --exchange 0"), ("#c0", "--connection 0 ")):
            page.evaluate("link => { location.hash = link; }", link)
            said = page.locator("#answer .outlined")
            expect(said).to_contain_text("details of 1 of 3 exchanges: those that failed first")
            expect(said).to_contain_text(which)
            expect(page.locator("#tabs .tab")).to_have_count(0)
        page.evaluate("link => { location.hash = link; }", "#c1.1")
        expect(page.locator("#tab-headers")).to_be_visible()


@pytest.mark.browser
def test_the_browser_reads_the_answers_that_the_server_gives(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    monkeypatch.setattr(making, "PART", 4_000)  # so that some bundles come in parts
    monkeypatch.setattr(making, "SHARED", 3_000)
    monkeypatch.setattr(making, "LIGHT", 2_000)
    with watched(browser, offline=True) as report:
        for name in ("tls/stall", "websocket/deflate", "nginx/chat"):
            with closing(
                indexed(FIXTURES / f"{name}.pcapng", with_keys=name == "tls/stall")
            ) as index:
                path.write_text(report_of(index))
                answers = Answers(index)
                expected = {one: json.loads(answers.answer(one) or b"") for one in paths(index)}
            page = report.open(path.as_uri())
            read = """async (paths) => {
              const { source } = modules["store.js"].state;
              return Promise.all(paths.map((path) => source.get(path)));
            }"""
            found = page.evaluate(read, list(expected))
            for one, answer in zip(expected, found, strict=True):
                assert answer == expected[one], one


@pytest.mark.browser
@pytest.mark.parametrize("name", ["nginx/chat", "websocket/plain", "sse/gzip-held"])
def test_what_is_found_in_a_report_is_what_the_server_finds(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    index = indexed(FIXTURES / f"{name}.pcapng")
    path = tmp_path / "report.html"
    path.write_text(report_of(index))
    texts = ["HOST", "e", "0x0d0a", "\u00e9", "nothing like it"]
    found = {text: find(index, index.order[-1], text) for text in texts}
    key = index.order[-1].name
    index.close()
    assert any(one["total"] for one in found.values())
    with watched(browser, offline=True) as report:
        page = report.open(f"{path.as_uri()}#c{key}")
        page.locator("#timeline-plot .u-over").wait_for()
        page.keyboard.press("Control+f")
        for text, expected in found.items():
            page.locator("#find input").fill(text)
            said = page.locator("#find [role=status]")
            said.get_by_text(re.compile(f"^{expected['total']:,} place")).wait_for()
            places = page.evaluate(
                "() => [...modules['store.js'].state.found].map(([k, rows]) => [k, [...rows]])"
            )
            assert dict(places) == expected["found"]


@pytest.mark.browser
def test_a_hostile_capture_runs_nothing_from_disk(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with asked(streamed(*HOSTILE)) as ask:
        path.write_text(report_of(ask.index))
    with watched(browser, offline=True) as found:
        page = found.open(path.as_uri())
        for row in range(3):
            found.choose(f"#c0/e{row}")
        page.locator("#tab-response").click()
        page.locator(".grown .piece").first.wait_for()
        expect(page.locator("img, svg, iframe, object, embed")).to_have_count(0)
        expect(page.locator(".body-panel .grown")).to_contain_text(
            "<img src=x onerror=alert(1)>", use_inner_text=True
        )
