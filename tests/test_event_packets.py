"""Every event has the packet that completed its record: beside a witness that shares no code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.utils import rdpcap
from support.corpus import ROOT, tls_captures_at_hand
from support.wire_witness import elements, grpc_size, sse_size, websocket_size

from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.records import GrpcMessageRecord, Record, SseEventRecord, WebSocketFrameRecord

OTHERS: dict[str, tuple[Callable[[bytes], int], type[Record]]] = {
    "grpc": (grpc_size, GrpcMessageRecord),
    "grpc_cancel": (grpc_size, GrpcMessageRecord),
    "node_h2_ws_clear": (websocket_size, WebSocketFrameRecord),
    "websocket": (websocket_size, WebSocketFrameRecord),
}
"""Captures whose streams hold something else than server-sent events."""
STORED = sorted(
    set((ROOT / "fixtures" / "tls").glob("*.pcapng")) - {ROOT / "fixtures/tls/wss.pcapng"}
)
"""The witness knows WebSocket frames in DATA, not those that follow an upgrade."""
CAPTURES = [path for path in tls_captures_at_hand() if not path.name.startswith("h3_")]


@pytest.mark.parametrize("path", [*STORED, *CAPTURES], ids=lambda path: path.stem)
def test_an_event_is_there_with_the_packet_that_completed_its_record(path: Path) -> None:
    size_of, kind = OTHERS.get(path.stem, (sse_size, SseEventRecord))
    keys = path.with_suffix(".keys")
    keylog = keys if keys.exists() else None
    with path.open("rb") as stream:
        records = list(decode(stream, keylog=None if keylog is None else KeyLog.open(keylog)))
    found = [one for one in records if isinstance(one, kind)]
    expected = elements(path, keylog, size_of)
    assert sorted((one.stream_id or 0, one.last_packet) for one in found) == sorted(
        (one.stream_id or 0, one.packet) for one in expected
    )
    if kind is SseEventRecord:
        assert sorted(map(written, found)) == sorted(lines(one.content) for one in expected)
    times = [float(packet.time) for packet in rdpcap(str(path))]
    assert [one.last_time for one in found] == pytest.approx(
        [times[one.last_packet - 1] for one in found], abs=1e-6
    )
    assert found or "nokeys" in path.stem


def written(event: Record) -> list[str]:
    assert isinstance(event, SseEventRecord)
    return [f"{name}:{value if name == '' else ' ' + value}" for name, value in event.fields]


def lines(content: bytes) -> list[str]:
    return content.decode().rstrip("\n").split("\n")
