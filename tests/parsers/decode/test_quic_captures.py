"""Captures of real HTTP/3, beside what their clients received."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.corpus import tls_captures_at_hand
from support.quic import Known
from support.stored import packets

from parsers.decode.capture import decode
from parsers.decode.packets import PacketDecoder
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    QuicRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
)
from parsers.tls.key_log import KeyLog

FIXTURES = Path(__file__).parents[3] / "fixtures" / "quic"
CAPTURES = [path for path in tls_captures_at_hand() if path.stem.startswith("h3_")]
CAPTURES += sorted(FIXTURES.glob("*.pcap"))
ENDS = {"end_stream (FIN)": "end-stream", "end_stream": "end-stream"}


def truth_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.with_suffix(".truth.json").read_text())["streams"])


def records_of(path: Path, *, has_keys: bool = True, keep_data: bool = True) -> list[Record]:
    keylog = KeyLog.open(path.with_suffix(".keys")) if has_keys else None
    with path.open("rb") as stream:
        return list(decode(stream, keylog=keylog, keep_data=keep_data))


def of(kind: type, records: list[Record]) -> list[Any]:
    return [record for record in records if type(record) is kind]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_what_the_client_received(path: Path) -> None:
    records = records_of(path)
    requests = {record.stream_id: record for record in of(RequestRecord, records)}
    responses = {record.stream_id: record for record in of(ResponseRecord, records)}
    bodies = {one.stream_id: one for one in of(BodyRecord, records) if one.sender == "server"}
    truth = truth_of(path)
    assert truth
    for stream in truth:
        number = stream["id"]
        assert requests[number].target == stream["path"]
        assert responses[number].status == stream["status"]
        body = bodies[number]
        assert (body.sha256, body.decoded_size) == (stream["sha256"], stream["bytes"])
        assert body.ended_by == ENDS.get(stream["ended_by"], "rst-stream")
        assert body.complete == (stream["ended_by"] in ENDS)
        assert body.exchange == number // 4
    assert {record.exchange for record in of(RequestRecord, records)} == set(range(len(truth)))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_event_is_where_its_bytes_are(path: Path) -> None:
    """An event lies inside its body, ends with its last packet, and none comes before another."""
    records = records_of(path)
    bodies = {one.stream_id: one for one in of(BodyRecord, records) if one.sender == "server"}
    last: dict[int | None, float] = {}
    for event in of(SseEventRecord, records):
        body = bodies[event.stream_id]
        assert body.offset <= event.offset
        assert event.offset + event.length <= body.offset + body.length
        assert event.first_packet <= event.last_packet
        assert event.last_time >= last.get(event.stream_id, 0.0)
        last[event.stream_id] = event.last_time


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_without_keys(path: Path) -> None:
    records = records_of(path, has_keys=False)
    (tls,) = of(TlsConnectionRecord, records)
    assert (tls.sni, tls.alpn_offered, tls.decrypted) == ("localhost", ["h3"], "no")
    assert of(RequestRecord, records) == []
    (connection,) = of(ConnectionRecord, records)
    assert connection.protocol == "quic"


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_with_keys_every_packet_is_opened(path: Path) -> None:
    records = records_of(path, keep_data=False)
    (tls,) = of(TlsConnectionRecord, records)
    (quic,) = of(QuicRecord, records)
    assert (tls.decrypted, tls.alpn, quic.unopened) == ("yes", "h3", 0)
    if "keyupdate" in path.stem:
        assert quic.client_key_updates + quic.server_key_updates == 2


@pytest.mark.parametrize("first", [13, 15, 16, 19, 23])
def test_a_capture_that_begins_after_a_key_update(first: int) -> None:
    """The keys of the first generation open nothing then: those of the next are tried."""
    path = FIXTURES / "h3_keyupdate.pcap"
    decoder = PacketDecoder(keys=Known(path.with_suffix(".keys").read_bytes()))
    whole = [one for one in records_of(path) if isinstance(one, SseEventRecord)]
    records = decoder.receive(packets(path)[first:]) + decoder.finish()
    events = [one.data for one in records if isinstance(one, SseEventRecord)]
    assert events == [one.data for one in whole if one.first_packet > first]
    (quic,) = [one for one in records if isinstance(one, QuicRecord)]
    assert (quic.client_key_updates, quic.server_key_updates, quic.unopened) == (1, 1, 0)
