"""Captures of real servers with HTTP/2: what is decoded is what the client received."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any

import pytest
from support.corpus import tls_captures_at_hand

from parsers.decode.capture import decode
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from parsers.tls.key_log import KeyLog
from wireproof.analysis.judges import explain

CAPTURES = {
    path.name.partition(".")[0]: path
    for path in tls_captures_at_hand()
    if not path.name.startswith(("h3_", "quic")) and "nokeys" not in path.name
}
UPSTREAM = {"nginx_h2_held": {1}}
"""Connections behind the proxy, which the client knows nothing of."""
WHOLE = [name for name in CAPTURES if not name.endswith(("midstream", "lost", "clear", "cancel"))]


def records(name: str) -> list[Record]:
    path = CAPTURES[name]
    keys = path.with_name(f"{name}.keys")
    with path.open("rb") as stream:
        return list(decode(stream, keylog=KeyLog.open(keys) if keys.exists() else None))


def truth(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CAPTURES[name].with_name(f"{name}.truth.json").read_text())
    return found


def chosen(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(name not in CAPTURES, reason=f"the capture {name} is not at hand")


@pytest.mark.parametrize("name", WHOLE)
def test_streams_are_what_the_client_received(name: str) -> None:
    """Each by its path: status, size and digest of the body, and whether it was whole."""
    found = records(name)
    targets = {key(one): one.target for one in found if isinstance(one, RequestRecord)}
    statuses = {key(one): one.status for one in found if isinstance(one, ResponseRecord)}
    came = Counter(
        (targets[key(one)], statuses[key(one)], one.decoded_size, one.sha256, one.complete)
        for one in found
        if isinstance(one, BodyRecord) and one.sender == "server"
        if one.connection not in UPSTREAM.get(name, ())
    )
    received = Counter(
        (one["path"], one["status"], one["bytes"], one["sha256"], is_whole(name, one))
        for one in truth(name)["streams"]
    )
    assert came == received


def key(record: Record) -> tuple[int, int | None]:
    return record.connection, record.exchange


def is_whole(name: str, stream: dict[str, Any]) -> bool:
    """curl took the body of ``node_h2_die`` for whole: its stream was reset with NO_ERROR."""
    return stream.get("error") is None and name != "node_h2_die"


@chosen("node_h2_ws_clear")
def test_a_websocket_in_a_stream() -> None:
    (stream,) = truth("node_h2_ws_clear")["streams"]
    found = records("node_h2_ws_clear")
    messages = [one for one in found if isinstance(one, WebSocketMessageRecord)]
    said = [
        [one.sender, one.type, one.data if one.type == "text" else one.size] for one in messages
    ]
    assert sorted(map(str, said)) == sorted(map(str, stream["messages"]))
    frames = [one for one in found if isinstance(one, WebSocketFrameRecord)]
    control = [[one.sender, one.opcode_name, one.data] for one in frames]
    assert [one for one in control if one[1] in ("ping", "pong")] == stream["control"]
    content = [one for one in found if isinstance(one, Http2DataRecord) if one.sender == "server"]
    assert sum(one.size for one in content) == stream["bytes"]
    closing = [one for one in frames if one.opcode_name == "close"]
    assert (closing[0].sender, closing[0].close_code, closing[0].close_reason) == (
        stream["close"]["first"], stream["close"]["code"], stream["close"]["reason"],
    )  # fmt: skip
    (explained,) = explain(found)
    assert [one.answer for one in explained.verdicts if one.question == "websocket"] == ["ws-clean"]


@chosen("hypercorn_mux20_midstream")
def test_streams_that_were_joined_in_the_middle_are_suffixes() -> None:
    name = "hypercorn_mux20_midstream"
    whole = truth(name)["streams"][0]["body"].encode()
    digests = {sha256(whole[start:]).hexdigest() for start in range(len(whole))}
    bodies = [one for one in records(name) if isinstance(one, BodyRecord)]
    assert len(bodies) == 17
    assert {one.ended_by for one in bodies} == {"end-stream"}
    assert {one.sha256 for one in bodies} <= digests


@chosen("nginx_h2_sse_lost")
def test_one_lost_packet_costs_one_event() -> None:
    found = records("nginx_h2_sse_lost")
    body = truth("nginx_h2_sse_lost")["streams"][0]["body"]
    wanted = [block.rpartition("data: ")[2] for block in body.split("\n\n") if block]
    events = [one for one in found if isinstance(one, SseEventRecord) and one.stream_id == 1]
    assert [one.data for one in events] == wanted[:2] + wanted[3:]
    codes = Counter(one.code for one in found if isinstance(one, DiagnosticRecord))
    assert codes["http2-frames-missing"] == 1
    assert not codes["http2-reset"]


@chosen("node_h2_stall")
def test_a_stream_that_was_not_read() -> None:
    found = records("node_h2_stall")
    (stall,) = [one for one in found if isinstance(one, StallRecord)]
    assert (stall.stream_id, stall.window) == (1, "stream")
    assert stall.seconds == pytest.approx(1.818, abs=0.003)
    gaps = [one for each in explain(found) for one in each.verdicts if one.question == "gap"]
    assert [one.answer for one in gaps] == ["stream-window"]


@chosen("grpc_cancel")
def test_a_call_that_was_cancelled() -> None:
    found = records("grpc_cancel")
    sent = [one for one in found if isinstance(one, GrpcMessageRecord) and one.sender == "server"]
    contents = [one.data.encode() for one in sent]
    assert [[len(one), sha256(one).hexdigest()] for one in contents] == [
        message[2:] for message in truth("grpc_cancel")["streams"][0]["messages"]
    ]
    (explained,) = explain(found)
    assert "aborted" in [one.answer for one in explained.verdicts]


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("node_h2_die", "cut", "http2-truncated"),
        ("go_h2_abort", "cut", "http2-reset"),
        ("hypercorn_h2_die", "cut", "server-gave-up"),
    ],
)
def test_who_broke_it(name: str, answer: str, cause: str) -> None:
    if name not in CAPTURES:
        pytest.skip(f"the capture {name} is not at hand")
    verdicts = [one for each in explain(records(name)) for one in each.verdicts]
    (ending,) = [one for one in verdicts if one.question == "ending"]
    assert (ending.answer, ending.causes[0].code) == (answer, cause)


@pytest.mark.parametrize("name", CAPTURES)
def test_no_connection_is_unknown_that_could_be_read(name: str) -> None:
    connections = [one for one in records(name) if isinstance(one, ConnectionRecord)]
    read = [one for one in connections if one.client_bytes or one.server_bytes]
    assert {one.protocol for one in read} <= {"http/1.1", "http/2", "websocket"}
