"""Serve, capture, drive, decode, show: with real packets on loopback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture import CaptureError, CaptureNotPermitted
from capture.linux.spawn_child import Refused
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    SseEventRecord,
    WebSocketMessageRecord,
)
from server import SCENARIOS, DemoServer, Scenario
from wireproof import decode
from wireproof.cli import run
from wireproof.tasks import demo

pytestmark = pytest.mark.packets

EVERY = [scenario for named in SCENARIOS.values() for scenario in named.values()]


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(delay=0.002, ping_interval=0) as running:
        yield running


def check_chunks(scenario: Scenario, path: Path) -> None:
    records = list(decode(path))
    chunks = [record for record in records if isinstance(record, ChunkRecord) and record.size]
    if scenario.content_encoding is None:
        assert [chunk.size for chunk in chunks] == [len(chunk) for chunk in scenario.chunks]
    (body,) = [r for r in records if isinstance(r, BodyRecord) and r.sender == "server"]
    assert body.complete == (scenario.ending == "complete")
    assert body.decoded_size == len(scenario.body)


def check_events(scenario: Scenario, path: Path) -> None:
    events = [r for r in decode(path) if isinstance(r, SseEventRecord) and r.dispatched]
    found = [(event.event, event.data, event.id) for event in events]
    assert found == [event[:3] for event in scenario.events]


def check_messages(scenario: Scenario, path: Path) -> None:
    messages = [r for r in decode(path) if isinstance(r, WebSocketMessageRecord)]
    assert [message.sender for message in messages] == [m.sender for m in scenario.messages]
    assert [m.data for m in messages if m.type == "text"] == [
        m.data for m in scenario.messages if isinstance(m.data, str)
    ]


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: f"{s.transport}-{s.name}")
def test_every_scenario_is_on_the_wire_as_it_should_be(
    scenario: Scenario, server: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "out.pcapng"
    recorded = demo.record(server, scenario, path)
    assert recorded.statistics.dropped == 0
    assert (recorded.received.ended == "error") == (scenario.ending != "complete")
    if scenario.transport == "websocket":
        check_messages(scenario, path)
    else:
        check_chunks(scenario, path)
        if scenario.transport == "sse":
            check_events(scenario, path)


def test_a_connection_that_stays_open_is_an_error(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.Recorder.wait_closed", lambda recorder, timeout: False)
    with pytest.raises(CaptureError, match="still open after 10 s"):
        demo.record(server, SCENARIOS["chunked"]["plain"], tmp_path / "out.pcapng")


@pytest.mark.parametrize("options", [[], ["--delay", "0.001", "--scenario", "burst"]])
def test_capture_of_a_transport(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.pcapng"
    assert run(["capture", "chunked", "-o", str(path), *(options or ["--delay", "0"])]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(rf"wireproof: {path}: \d+ packets captured, 0 dropped\n", captured.err)
    check_chunks(SCENARIOS["chunked"]["burst" if options else "plain"], path)


def test_a_scenario_has_a_server_with_its_own_delay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []

    class Server(DemoServer):
        def __init__(self, **options: Any) -> None:
            given.append(options)
            super().__init__(delay=0)

    monkeypatch.setattr(demo, "DemoServer", Server)
    demo.record_scenario("chunked", "plain", str(tmp_path / "a"), None)
    demo.record_scenario("chunked", "plain", str(tmp_path / "b"), 1.5)
    assert given == [{}, {"delay": 1.5}]


def test_the_demo_shows_what_each_transport_put_on_the_wire(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["demo", "--delay", "0.01"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    text = captured.out
    assert text.count("Connection 0 ─") == 3
    # chunked: sizes, data, the last chunk
    assert re.search(r" 7  chunk 0    This is$", text, re.MULTILINE)
    assert re.search(r" 0  last chunk$", text, re.MULTILINE)
    # server-sent events: every field, and the comments that keep the line open
    assert re.search(r"id: 1  event: message  data: This is  retry: 3000$", text, re.MULTILINE)
    assert ": ping" in text
    # WebSocket: the handshake, masks, pings with their pongs, and the close
    assert re.search(r"Sec-WebSocket-Accept: \S{28}  answers the key$", text, re.MULTILINE)
    assert re.search(r"→ .* Text       \[MASKED\] [0-9a-f]{8} Hello$", text, re.MULTILINE)
    assert re.search(r"← .* Ping ", text)
    assert re.search(r"→ .* Pong       \[MASKED\] .* round trip [\d.]+ [mµ]s$", text, re.MULTILINE)
    assert text.count("1000 normal closure") >= 2
    assert len(re.findall(r"^closed by the (?:client|server) \(FIN\)", text, re.MULTILINE)) == 3
    summary = text.partition("What arrived\n")[2].splitlines()
    assert [line.split()[0] for line in summary] == ["chunked", "sse", "websocket"]
    assert "8 chunks, 98 bytes" in summary[0]
    assert "9 events" in summary[1]
    assert "10 messages" in summary[2]


def test_the_demo_says_what_it_does_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run(["demo", "sse", "--delay", "0"]) == 0
    assert capsys.readouterr().err.startswith("recording sse: sse-starlette")


def test_a_client_that_was_not_content_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "scenario", lambda transport: SCENARIOS[transport]["truncated"])
    assert run(["demo", "chunked", "--delay", "0"]) == 1
    text = capsys.readouterr().out
    assert "body INCOMPLETE (connection closed too early)" in text
    assert "the chunked client failed: RemoteProtocolError: " in text


@pytest.mark.namespaces
def test_the_demo_in_a_namespace_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", "demo", "--delay", "0", "--backend", "namespace"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "wireproof: recording with namespace\n"
    assert done.stdout.count("Connection 0 ─") == 3
    assert "recorded by relay" not in done.stdout


@pytest.mark.parametrize("transport", ["chunked", "sse", "websocket"])
def test_a_transport_by_relay(server: DemoServer, transport: str, tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    scenario = SCENARIOS[transport]["plain"]
    recorded = demo.record(server, scenario, path, "relay")
    assert recorded.received.ended == "clean"
    if transport == "websocket":
        check_messages(scenario, path)
    else:
        check_chunks(scenario, path)
    (connection,) = [r for r in decode(path) if isinstance(r, ConnectionRecord)]
    assert connection.recorded_by == "relay"
    assert connection.server == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("backend", ["packet-socket", "relay"])
def test_what_it_can_be_prepared_for(backend: str) -> None:
    assert demo.prepare(backend) == backend


def test_what_it_cannot_be_prepared_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaptureNotPermitted, match="dumpcap: cannot be used here"):
        demo.prepare("dumpcap")

    def refuse() -> None:
        raise Refused("making a namespace: no")

    monkeypatch.setattr("capture.linux.spawn_child.make_namespace", refuse)
    monkeypatch.setattr("capture.Namespace.available", lambda: None)
    with pytest.raises(CaptureNotPermitted, match="making a namespace: no"):
        demo.prepare("namespace")
