"""What a connection carried below its exchanges."""

from __future__ import annotations

import pytest
from support.answers import read, stored_records
from support.corpus import ROOT

from parsers.records import (
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    StallRecord,
    TlsRecordRecord,
)
from wireproof.spool import Spool
from wireproof.web import wire as module
from wireproof.web.exchange_rows import ExchangeRows
from wireproof.web.wire import FRAMES, STALLS, TLS_RECORDS, Wire, kind_of

FIXTURES = ROOT / "fixtures"
KINDS: dict[str, dict[type, str | None]] = {
    "tls/stall.pcapng": {
        TlsRecordRecord: TLS_RECORDS,
        Http2FrameRecord: FRAMES,
        Http2DataRecord: FRAMES,
        RequestRecord: FRAMES,
        ResponseRecord: FRAMES,
        StallRecord: STALLS,
    },
    "tls/http1.pcapng": {RequestRecord: None, ResponseRecord: None, TlsRecordRecord: TLS_RECORDS},
    "quic/h3_keyupdate.pcap": {RequestRecord: None, ResponseRecord: None, Http3DataRecord: None},
}


def records_of(name: str) -> list[Record]:
    return stored_records(FIXTURES / name)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_kept_and_as_what(name: str) -> None:
    found = {type(record): kind_of(record) for record in records_of(name)}
    assert {kind: found[kind] for kind in KINDS[name]} == KINDS[name]


@pytest.mark.parametrize("name", ["sse", "cancel", "stall"])
def test_as_many_as_there_are_records(name: str) -> None:
    records = records_of(f"tls/{name}.pcapng")
    kept = [kind for record in records if (kind := kind_of(record)) is not None]
    with read(FIXTURES / "tls" / f"{name}.pcapng") as asked:
        wire = asked.index.wires[0]
        assert wire.counts == {kind: kept.count(kind) for kind in set(kept)}
        assert len(wire.streams) == wire.counts[FRAMES]
        assert [wire.exchange_of(stream) for stream, _ in wire.exchanges(0, 9)] == [
            exchange for _, exchange in wire.exchanges(0, 9)
        ]
        assert wire.exchange_of(99) is None


def test_records_that_held_bytes() -> None:
    with read(FIXTURES / "tls" / "sse.pcapng") as asked:
        wire = asked.index.wires[0]
        rows = [row for row, _, _ in wire.opened("client", 0, 1 << 20)]
        sizes = [wire.content_size("client", row) for row in rows]
        assert rows == sorted(rows) and all(sizes)
        first, second = rows[:2]
        assert list(wire.opened("client", 3, sizes[0] + 2)) == [
            (first, 3, sizes[0]), (second, 0, 2),
        ]  # fmt: skip
        assert list(wire.opened("client", sum(sizes), 1 << 20)) == []
        assert wire.content_size("server", first) == 0, "it is the client's"


def test_the_first_reset_and_the_last_goaway_are_noted(spool: Spool) -> None:
    wire = Wire(0, ExchangeRows(spool, 0))
    frames = [one for one in records_of("tls/cancel.pcapng") if isinstance(one, Http2FrameRecord)]
    for frame in [*frames, *frames]:
        wire.add(frame, 0, 0, None)
    (reset,) = wire.resets.values()
    assert reset == (wire.resets[1][0], next(one for one in frames if one.type == "RST_STREAM"))
    assert reset[0] < len(frames)
    assert wire.goaway is not None
    assert wire.goaway[0] >= len(frames)


def test_stalls_are_bounded(monkeypatch: pytest.MonkeyPatch, spool: Spool) -> None:
    monkeypatch.setattr(module, "MAX_STALLS", 2)
    wire = Wire(0, ExchangeRows(spool, 0))
    stalls = [one for one in records_of("tls/stall.pcapng") if isinstance(one, StallRecord)]
    for stall in stalls:
        wire.add(stall, 0, 0, None)
    assert wire.stalls == stalls[:2]
    assert wire.counts == {STALLS: len(stalls)}
