"""Serve, capture, decode: what the records say is what the client received, byte for byte."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from capture.clients import Received
from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from server import SCENARIOS, DemoServer, Scenario, content, scenario
from wireproof import decode
from wireproof.tasks.demo import record

pytestmark = pytest.mark.packets

DELAY = 0.02
PING_INTERVAL = 0.05
LEGAL_IN_CUT_STREAMS = {
    "chunk-last-missing",
    "sse-event-unfinished",
    "websocket-frame-cut",
    "websocket-message-cut",
    "content-coding-cut",
}


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(delay=DELAY, ping_interval=PING_INTERVAL) as server:
        yield server


def recorded(server: DemoServer, chosen: Scenario, folder: Path) -> tuple[Received, list[Record]]:
    path = folder / "it.pcapng"
    result = record(server, chosen, path)
    assert result.statistics.dropped == 0
    records = list(decode(path))
    connections = [found for found in records if isinstance(found, ConnectionRecord)]
    assert len(connections) == 1, "one client, one connection"
    assert connections[0].packets == result.statistics.captured
    assert connections[0].close == ("reset" if chosen.ending == "reset" else "fin")
    return result.received, records


def payload(found: ChunkRecord | WebSocketMessageRecord) -> bytes:
    assert found.data is not None
    return found.data.encode() if found.encoding == "utf-8" else b64decode(found.data)


def of(records: list[Record], kind: type) -> list:
    return [found for found in records if isinstance(found, kind)]


def faults(records: list[Record]) -> set[str]:
    return {found.code for found in of(records, DiagnosticRecord) if found.severity != "note"}


def check_body(chosen: Scenario, received: Received, records: list[Record]) -> None:
    chunks = of(records, ChunkRecord)
    assert b"".join(payload(chunk) for chunk in chunks if chunk.size).startswith(received.body)
    if chosen.ending == "complete":
        assert b"".join(payload(chunk) for chunk in chunks) == received.body
    (body,) = of(records, BodyRecord)
    assert body.size == sum(chunk.size for chunk in chunks)
    assert body.complete == (chosen.ending == "complete")
    ended_by = {"complete": "last-chunk", "truncated": "close", "reset": "reset"}
    assert body.ended_by == ended_by[chosen.ending]
    (response,) = of(records, ResponseRecord)
    assert response.framing == "chunked"
    assert faults(records) <= (set() if body.complete else LEGAL_IN_CUT_STREAMS)


@pytest.mark.parametrize("name", SCENARIOS["chunked"])
def test_chunked(server: DemoServer, tmp_path: Path, name: str) -> None:
    chosen = scenario("chunked", name)
    received, records = recorded(server, chosen, tmp_path)
    check_body(chosen, received, records)
    chunks = of(records, ChunkRecord)
    (body,) = of(records, BodyRecord)
    if chosen.content_encoding is None:
        sent = [payload(chunk) for chunk in chunks if chunk.size]
        assert sent == list(chosen.chunks)
        assert body.sha256 == sha256(b"".join(chosen.chunks)).hexdigest()
    messages = [json.loads(found.data) for found in of(records, BodyElement)]
    if name in ("ndjson", "multipart"):
        assert [message["text"] for message in messages] == list(content.STREAM_MESSAGES)
    else:
        assert messages == []
    assert body.content_encoding == chosen.content_encoding
    if chosen.ending == "complete":
        assert body.sha256 == sha256(received.content).hexdigest()
        assert chunks[-1].size == 0
        assert [tuple(pair) for pair in chunks[-1].trailers or []] == list(chosen.trailers)


@pytest.mark.parametrize("name", SCENARIOS["sse"])
def test_sse(server: DemoServer, tmp_path: Path, name: str) -> None:
    chosen = scenario("sse", name)
    received, records = recorded(server, chosen, tmp_path)
    check_body(chosen, received, records)
    dispatched = [found for found in of(records, SseEventRecord) if found.dispatched]
    assert [(e.event, e.data, e.id, e.retry) for e in dispatched] == list(map(tuple, chosen.events))
    # httpx-sse deviates twice: it dispatches an empty event for a comment after an id, and it
    # breaks lines where the standard does not.
    got = [(e.event, e.data, e.id) for e in received.events if e.data]
    if name != "unicode":
        assert got == [(e.event, e.data, e.id) for e in dispatched][: len(got)]
    if chosen.ending == "complete":
        assert len(got) == len(dispatched)


@pytest.mark.parametrize("name", SCENARIOS["websocket"])
def test_websocket(server: DemoServer, tmp_path: Path, name: str) -> None:
    chosen = scenario("websocket", name)
    received, records = recorded(server, chosen, tmp_path)
    messages = of(records, WebSocketMessageRecord)
    for sender in ("client", "server"):
        on_wire = [payload(found) for found in messages if found.sender == sender]
        application = [
            data.encode() if isinstance(data, str) else data
            for _, data in ((m.time, m.data) for m in received.messages if m.sender == sender)
        ]
        sent = [
            message.data.encode() if isinstance(message.data, str) else message.data
            for message in chosen.messages
            if message.sender == sender
        ]
        assert on_wire == sent
        assert application == on_wire[: len(application)]
        if chosen.ending == "complete":
            assert application == on_wire
    assert all(found.compressed == chosen.deflate for found in messages)
    frames = of(records, WebSocketFrameRecord)
    assert all(frame.masked == (frame.sender == "client") for frame in frames)
    closes = {frame.sender: frame for frame in frames if frame.opcode_name == "close"}
    if chosen.close is not None:
        assert (closes["server"].close_code, closes["server"].close_reason) == (
            received.close_code,
            received.close_reason,
        )
        assert closes.keys() == {"client", "server"}
        assert closes[chosen.close.sender].close_code == chosen.close.code
    assert faults(records) <= (set() if chosen.ending == "complete" else LEGAL_IN_CUT_STREAMS)


def test_the_chunks_of_the_stream_arrive_one_by_one(server: DemoServer, tmp_path: Path) -> None:
    _, records = recorded(server, scenario("chunked"), tmp_path)
    chunks = of(records, ChunkRecord)
    assert [chunk.size for chunk in chunks] == [7, 8, 9, 6, 9, 35, 17, 7, 0]
    assert len({chunk.last_packet for chunk in chunks[:8]}) == 8, "a segment each"
    gaps = [
        later.last_time - earlier.last_time
        for earlier, later in zip(chunks[:7], chunks[1:8], strict=True)
    ]
    assert min(gaps) > 0.5 * DELAY, "the server waits before each"


def test_ping_is_answered_by_pong(server: DemoServer, tmp_path: Path) -> None:
    _, records = recorded(server, scenario("websocket"), tmp_path)
    frames = of(records, WebSocketFrameRecord)
    pings = [frame for frame in frames if frame.opcode_name == "ping"]
    pongs = [frame for frame in frames if frame.opcode_name == "pong"]
    assert pings
    assert [ping.data for ping in pings] == [pong.data for pong in pongs]
    assert {ping.sender for ping in pings} == {"server"}
    assert {pong.sender for pong in pongs} == {"client"}


def test_over_ipv6(tmp_path: Path) -> None:
    with DemoServer(host="::1", delay=0.001) as server:
        received, records = recorded(server, scenario("chunked"), tmp_path)
        (connection,) = of(records, ConnectionRecord)
        assert connection.server == f"[::1]:{server.port}"
    assert b"".join(payload(chunk) for chunk in of(records, ChunkRecord)) == received.body
