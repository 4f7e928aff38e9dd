"""HAR files: valid, the same as the capture, and what other programs make of them."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarEntry, HarParser
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Page
from support.attack import PROBES, attack, request, response
from support.corpus import ROOT
from support.devtools import imported, shown
from support.har_schema import HAR
from support.http2 import GET as HTTP2_GET
from support.http2 import OK as HTTP2_OK
from support.http2 import Http2Talk
from support.http2 import data as data_frame
from support.planted import in_headers, planted
from support.stored import SMALL, name
from support.talk import Talk, Tape
from support.tls_live import dialogue
from support.websocket_frames import KEY, frame

from parsers import KeyLog, OrderedCapture
from parsers.decode.capture import decode
from parsers.files.reader import CaptureReader
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.cli import run
from wireproof.export import content as content_module
from wireproof.export import entry as entry_module
from wireproof.export.entry import http_version
from wireproof.export.har import HarWriter
from wireproof.redact import Policy

ASKED = b"GET /sse HTTP/1.1\r\nHost: api.example.test\r\n\r\n"
STREAMED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\n"
    b"data: 0\n\ndata: 1\n\n"
)
FIXTURES = ROOT / "fixtures"
VALID = Draft202012Validator(HAR)


def har_of(data: bytes, policy: Policy = "none", **only: Any) -> str:
    """Export a capture, packet by packet."""
    written = BytesIO()
    with HarWriter(policy, **only) as writer:
        for packet in CaptureReader(BytesIO(data)):
            writer.add([packet])
        writer.finish()
        writer.write(written)
    return written.getvalue().decode()


def entries_of(data: bytes, policy: Policy = "none", **only: Any) -> list[dict[str, Any]]:
    har = json.loads(har_of(data, policy, **only))
    assert [error.message for error in VALID.iter_errors(har)] == []
    return har["log"]["entries"]


def talked(*said: tuple[str, bytes]) -> list[dict[str, Any]]:
    """The entries of a connection made by hand."""
    talk = Talk().open()
    for sender, data in said:
        (talk.client if sender == "client" else talk.server)(data)
    talk.close()
    return entries_of(talk.tape.file())


OK = response("200 OK", "Content-Length: 2", "Content-Type: text/plain") + b"ok"


# --- real captures ---


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_entries_say_what_the_records_do(path: Path) -> None:
    data = path.read_bytes()
    records = list(decode(BytesIO(data)))
    entries = entries_of(data)
    requests = [r for r in records if r.record == "request"]
    assert len(entries) == len(requests)
    for entry, asked in zip(entries, requests, strict=True):
        mine = [r for r in records if (r.connection, getattr(r, "exchange", None))
                == (asked.connection, asked.exchange)]  # fmt: skip
        assert entry["request"]["url"].endswith(asked.target)
        assert entry["request"]["headersSize"] == asked.length
        answer = next(r for r in mine if r.record == "response")
        assert entry["response"]["status"] == answer.status
        for body in (r for r in mine if r.record == "body" and r.sender == "server"):
            content = entry["response"]["content"]
            raw = content.get("text", "").encode()
            raw = b64decode(raw) if content.get("encoding") else raw
            assert sha256(raw).hexdigest() == body.sha256
            assert entry["response"]["bodySize"] == body.size
            assert ("_error" in entry["response"]) == (not body.complete)
        assert [(m["time"], m["data"]) for m in entry.get("_eventSourceMessages", [])] == [
            (r.last_time, r.data) for r in mine if r.record == "sse_event" and r.dispatched
        ]
        messages = [r for r in mine if r.record == "websocket_message"]
        assert [(m["time"], m["type"]) for m in entry.get("_webSocketMessages", [])] == [
            (m.last_time, "send" if m.sender == "client" else "receive") for m in messages
        ]


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_times_are_those_of_packets(path: Path) -> None:
    data = path.read_bytes()
    first, *_ = list(CaptureReader(BytesIO(data)))
    for entry in entries_of(data):
        timings = entry["timings"]
        assert entry["time"] == pytest.approx(sum(t for t in timings.values() if t > 0))
        assert timings["connect"] >= 0 and timings["blocked"] >= 0
        assert timings["wait"] > 0
        if entry["_wireproof"]["connection"] == 0:
            # On this connection the SYN is the capture's first packet.
            assert entry["startedDateTime"].startswith(_utc(first[1]))


def _utc(time_ns: int | None) -> str:
    from datetime import UTC, datetime

    assert time_ns is not None
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}"


# --- other programs ---


def test_an_independent_reader() -> None:
    archive = HarParser(json.loads(har_of(attack())))
    assert archive.creator["name"] == "wireproof"
    found = [HarEntry(entry) for entry in archive.har_data["entries"]]
    assert [entry.startTime for entry in found] == sorted(entry.startTime for entry in found)
    assert {entry.status for entry in found} == {101, 200}
    events = [entry for entry in found if entry.request.url.endswith("/events")]
    assert [entry.response.mimeType for entry in events] == ["text/event-stream"]
    assert all(entry.time > 0 and entry.response.httpVersion == "HTTP/1.1" for entry in found)


@pytest.mark.browser
@pytest.mark.parametrize("path", SMALL, ids=name)
def test_devtools_imports_it(path: Path, network_panel: Page) -> None:
    har = har_of(path.read_bytes())
    entries = json.loads(har)["log"]["entries"]
    requests = imported(network_panel, har)
    assert [r["url"] for r in requests] == [entry["request"]["url"] for entry in entries]
    for entry, found in zip(entries, requests, strict=True):
        assert found["status"] == entry["response"]["status"]
        assert found["type"] == entry.get("_resourceType", found["type"])
        assert found["seconds"] * 1000 == pytest.approx(entry["time"], abs=0.01)
        assert [f[:1] + f[2:] for f in found["frames"]] == [
            [m["type"], m["opcode"], m["data"]] for m in entry.get("_webSocketMessages", [])
        ]
        assert [e[1:] for e in found["events"]] == [
            [m["eventName"], m["eventId"], m["data"]] for m in entry.get("_eventSourceMessages", [])
        ]
        assert (found["content"] or "") == entry["response"]["content"].get("text", "")


@pytest.mark.browser
def test_the_network_panel_shows_it(network_panel: Page) -> None:
    shown(network_panel, har_of((FIXTURES / "websocket" / "plain.pcapng").read_bytes()))
    row = network_panel.locator(".data-grid tr", has_text="ws").first
    row.wait_for()
    assert "101" in row.inner_text() and "websocket" in row.inner_text()


@pytest.mark.browser
def test_an_attack_is_only_shown(network_panel: Page) -> None:
    dialogs: list[str] = []
    asked: list[str] = []
    network_panel.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    network_panel.on("request", lambda request: asked.append(request.url))
    har = har_of(attack())
    assert len(imported(network_panel, har)) == len(json.loads(har)["log"]["entries"])
    shown(network_panel, har)
    network_panel.locator(".data-grid tr", has_text="attack").first.wait_for()
    assert network_panel.evaluate("window.attacked") is None
    assert dialogs == [] and not [url for url in asked if "attacker" in url]


@pytest.mark.browser
def test_a_page_gets_the_responses_again(browser: Browser, tmp_path: Path) -> None:
    """Playwright serves a page from the archive, without any server."""
    talk = Talk().open()
    html = b"<title>replayed</title><script src=/app.js></script>"
    script = b"document.title += ' with its script'"
    talk.client(request("/"))
    talk.server(
        response("200 OK", "Content-Type: text/html", f"Content-Length: {len(html)}") + html
    )
    talk.client(request("/app.js"))
    kind = ("Content-Type: text/javascript", "Transfer-Encoding: chunked")
    talk.server(response("200 OK", *kind) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(script), script))
    talk.close()
    path = tmp_path / "capture.har"
    path.write_text(har_of(talk.tape.file()))
    context = browser.new_context()
    context.route_from_har(str(path), not_found="abort")
    page = context.new_page()
    page.goto("http://victim.example/")
    assert page.title() == "replayed with its script"
    context.close()


# --- exchanges by hand ---


def test_several_exchanges_of_a_connection() -> None:
    said = [("client", request("/1")), ("server", OK), ("client", request("/2")), ("server", OK)]
    first, second = talked(*said)
    assert [e["request"]["url"][-2:] for e in (first, second)] == ["/1", "/2"]
    assert first["timings"]["connect"] == 2 and first["timings"]["blocked"] == 1
    assert second["timings"]["connect"] == -1 and second["timings"]["blocked"] == -1
    assert second["timings"]["wait"] == 1 and second["time"] == 1
    assert first["serverIPAddress"] == second["serverIPAddress"] == "127.0.0.1"


def test_where_the_end_of_a_request_is_missing_only_what_is_there_was_sent() -> None:
    """And not until the end of the connection, which shows that something is missing."""
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n", b"x" * 10)
    talk.lose("client", 20)
    talk.server(STREAMED)
    talk.close()
    [entry] = entries_of(talk.tape.file())
    assert (entry["timings"]["send"], entry["timings"]["wait"]) == (1, 1)
    assert entry["comment"] == "the capture lacks the request's end: part of wait was send"


def test_pipelined_requests() -> None:
    first, second = talked(("client", request("/1") + request("/2")), ("server", OK + OK))
    assert [e["response"]["content"]["text"] for e in (first, second)] == ["ok", "ok"]


def test_interim_responses_are_not_the_answer() -> None:
    (entry,) = talked(
        ("client", request("/")), ("server", response("103 Early Hints")), ("server", OK)
    )
    assert entry["response"]["status"] == 200


def test_a_form() -> None:
    form = b"a=1&b=%C3%BC+x&c="
    fields = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}")
    (entry,) = talked(
        ("client", request("/?q=1&q=", *fields, method="POST") + form), ("server", OK)
    )
    assert entry["request"]["queryString"] == [
        {"name": "q", "value": "1"}, {"name": "q", "value": ""}
    ]  # fmt: skip
    assert entry["request"]["postData"]["params"][1] == {"name": "b", "value": "\u00fc x"}
    assert entry["request"]["bodySize"] == len(form)


def test_what_is_no_text() -> None:
    fields = ("Content-Type: image/png", "Content-Length: 4")
    post = request("/", *fields, method="POST") + b"\x89PN\xff"
    (entry,) = talked(("client", post), ("server", response("200 OK", *fields) + b"\x89PN\xff"))
    assert entry["response"]["content"]["encoding"] == "base64"
    assert b64decode(entry["response"]["content"]["text"]) == b"\x89PN\xff"
    assert entry["request"]["postData"]["encoding"] == "base64"


def test_redirects_and_cookies() -> None:
    fields = ("Location: /next", "Set-Cookie: a=b; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 "
              "07:28:00 GMT", "Set-Cookie: c=d; Secure; SameSite=Lax; Expires=never",
              "Content-Length: 0")  # fmt: skip
    (entry,) = talked(
        ("client", request("/", "Cookie: x=1; y=2")), ("server", response("302 Found", *fields))
    )
    assert entry["response"]["redirectURL"] == "/next"
    assert entry["request"]["cookies"] == [
        {"name": "x", "value": "1"}, {"name": "y", "value": "2"}
    ]  # fmt: skip
    first, second = entry["response"]["cookies"]
    assert first["expires"] == "2026-10-21T07:28:00Z" and first["httpOnly"]
    assert "expires" not in second and second["secure"] and second["sameSite"] == "Lax"


def test_without_an_answer() -> None:
    (entry,) = talked(("client", request("/")))
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"] == "net::ERR_EMPTY_RESPONSE"


def test_without_a_request() -> None:
    talk = Talk().midstream()
    talk.server(OK)
    talk.close()
    (entry,) = entries_of(talk.tape.file())
    assert entry["response"]["status"] == 200 and entry["request"]["method"] == ""


def test_a_connection_that_was_open_before() -> None:
    talk = Talk().open()
    tape = talk.tape
    talk.client(request("/"))
    talk.server(OK)
    late = [(n, t + 10**9 if n > 3 and t else t, *more) for n, t, *more in tape.packets]
    tape.packets[:] = [tuple(packet) for packet in late]
    (entry,) = entries_of(tape.file())
    assert entry["timings"]["connect"] == -1 and entry["time"] == 1


@pytest.mark.parametrize(
    "end, error",
    [
        ("reset", "net::ERR_CONNECTION_RESET"),
        ("fin", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"),
    ],
)
def test_a_body_that_breaks_off(end: str, error: str) -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n9\r\n wor")
    talk.reset("server") if end == "reset" else talk.close()
    (entry,) = entries_of(talk.tape.file())
    assert entry["response"]["_error"] == error
    assert entry["response"]["content"]["text"] == "hello wor"


@pytest.mark.parametrize("missing", [2, 100_000])
def test_bytes_that_the_capture_lacks(missing: int) -> None:
    """Nothing is invented in their place, and what follows them is decoded."""
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", f"Content-Length: {missing + 6}") + b"abc")
    talk.lose("server", missing)
    talk.server(b"def")
    talk.client(request("/next"))
    talk.server(OK)
    talk.close()
    first, second = entries_of(talk.tape.file())
    assert first["response"]["content"]["text"] == "abc"
    assert "lacks" in first["response"]["content"]["comment"] and first["response"]["_error"]
    assert second["response"]["content"]["text"] == "ok"


def test_messages_as_chrome_writes_them() -> None:
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    (entry,) = talked(
        ("client", request("/ws", *switch, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
        ("server", response("101 Switching Protocols", *switch)),
        ("client", frame(1, b"up", key=KEY)),
        ("server", frame(2, b"down")),
        ("server", frame(9, b"ping")),
    )
    sent, received = entry["_webSocketMessages"]
    assert (sent["type"], sent["opcode"], sent["data"]) == ("send", 1, "up")
    assert (received["type"], received["opcode"], received["data"]) == ("receive", 2, "ZG93bg==")
    assert entry["request"]["url"] == "ws://victim.example/ws"


def test_only_what_is_wanted() -> None:
    data = attack()
    assert len(entries_of(data, wanted=ExchangeFilter(transport="websocket"))) == 2
    assert len(entries_of(data, wanted=ExchangeFilter(transport="sse"))) == 1
    assert len(entries_of(data, connection=0)) == 1


@pytest.mark.parametrize("most", [None, 300], ids=["all", "more than are kept"])
@pytest.mark.parametrize("path", SMALL, ids=name)
def test_what_is_taken_together_is_what_is_taken_one_by_one(
    path: Path, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if most is not None:
        monkeypatch.setattr(entry_module, "MAX_MESSAGES", most)
        monkeypatch.setattr(content_module, "MAX_CONTENT", most)

    def written() -> bytes:
        file = BytesIO()
        capture = OrderedCapture(BytesIO(path.read_bytes()))
        with HarWriter("none", sort=capture.sort) as writer:
            for batch in capture.batches(64):
                writer.add(batch)
            writer.finish()
            writer.write(file)
        return file.getvalue()

    together = written()
    monkeypatch.setattr(HarWriter, "_waits", lambda self, record: False)
    assert together == written()


# --- secrets and attacks ---


def test_no_secret_is_left() -> None:
    tape, secrets = planted()
    har = har_of(tape.file(), "all")
    assert secrets.found_in(_with_base64(har)) == []
    assert len(secrets.found_in(_with_base64(har_of(tape.file())))) >= len(secrets.made) - 3
    left = secrets.found_in(_with_base64(har_of(tape.file(), "headers")))
    assert not set(left) & set(in_headers(secrets))


def _with_base64(har: str) -> str:
    """The text, with what stands in it in base64."""
    found = [har]
    for entry in json.loads(har)["log"]["entries"]:
        for held in (entry["response"]["content"], entry["request"].get("postData", {})):
            if held.get("encoding"):
                found.append(b64decode(held["text"]).decode("latin-1"))
        for message in entry.get("_webSocketMessages", []):
            if message["opcode"] == 2:
                found.append(b64decode(message["data"]).decode("latin-1"))
    return "\n".join(found)


def test_no_name_of_a_field_of_json_is_from_the_wire() -> None:
    har = json.loads(har_of(attack()))
    names = set(_names(har))
    assert "__proto__" not in names and "attacked" not in names
    assert not {probe for probes in PROBES.values() for probe in probes} & names
    assert len(names) < 130  # those of verdicts and of their numbers among them


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(name for inner in value.values() for name in _names(inner))]
    return [name for inner in value for name in _names(inner)] if isinstance(value, list) else []


def test_contents_of_streams_that_alternate_are_told_apart() -> None:
    spoken = Http2Talk().begin()
    for stream_id in (1, 3):
        spoken.say("client", spoken.client.head(stream_id, HTTP2_GET, ends=True))
        spoken.say("server", spoken.server.head(stream_id, HTTP2_OK))
    spoken.say("server", data_frame(1, b"one "), data_frame(3, b"three "))
    spoken.say("server", data_frame(1, b"1", ends=True), data_frame(3, b"3", ends=True))
    first, second = entries_of(spoken.talk.tape.file())
    assert first["response"]["content"]["text"] == "one 1"
    assert second["response"]["content"]["text"] == "three 3"
    assert first["request"]["url"] == "http://a/"


def test_what_tls_carries() -> None:
    said = dialogue([("client", ASKED), ("server", STREAMED)])
    log = KeyLog()
    log.read(said.keys)
    written = BytesIO()
    capture = OrderedCapture(BytesIO(said.talk().tape.file()), keylog=log)
    with HarWriter("none", keys=capture.keys) as writer:
        for packet in capture:
            writer.add([packet])
        writer.finish()
        writer.write(written)
    (entry,) = json.loads(written.getvalue())["log"]["entries"]
    assert entry["request"]["url"] == "https://api.example.test/sse"
    assert entry["response"]["content"]["text"] == "data: 0\n\ndata: 1\n\n"
    assert [one["data"] for one in entry["_eventSourceMessages"]] == ["0", "1"]


def test_an_empty_capture() -> None:
    assert entries_of(Tape().file()) == []


def test_entries_carry_what_explain_says(capsys: pytest.CaptureFixture[str]) -> None:
    path = FIXTURES / "chunked" / "truncated.pcapng"
    run(["explain", str(path), "--format", "ndjson"])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (entry,) = entries_of(path.read_bytes())
    assert entry["_verdicts"]
    for verdict, told in zip(entry["_verdicts"], said, strict=True):
        assert verdict.items() <= told.items()


def test_verdicts_of_a_redacted_archive_hold_no_secret() -> None:
    secret = "sk-live-0123456789abcdef0123456789abcdef"
    talk = Talk().open()
    talk.client(b"GET /x HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    error = {"error": {"type": "invalid_request_error", "message": f"no such key: {secret}"}}
    talk.server(b"event: error\ndata: %s\n\n" % json.dumps(error).encode())
    talk.close()
    data = talk.tape.file()
    assert secret in json.dumps(entries_of(data)[0]["_verdicts"])
    assert secret not in har_of(data, "all")


@pytest.mark.parametrize(
    ("version", "shown"), [("HTTP/1.1", "HTTP/1.1"), ("HTTP/2", "h2"), ("HTTP/3", "h3")]
)
def test_versions_are_named_as_browsers_do(version: str, shown: str) -> None:
    assert http_version(version) == shown
