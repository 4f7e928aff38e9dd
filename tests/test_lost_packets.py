"""Each packet of stored connections of HTTP/2 left out in turn: what remains is what was there."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.stored import packets
from support.talk import completion

from parsers import KeyLog, PacketDecoder
from parsers.files.packets import Packet
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    GrpcMessageRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
)
from wireproof.analysis.judges import explain

STORED = [ROOT / "fixtures" / "tls" / f"{name}.pcapng" for name in ("h2c", "cancel", "grpc")]
Element = SseEventRecord | GrpcMessageRecord | ResponseRecord


class Source:
    """Keys that are all there."""

    is_possible, waiting, waits = True, 0, False

    def __init__(self, path: Path) -> None:
        self.log = KeyLog()
        if path.exists():
            self.log.read(path.read_bytes())

    def refresh(self) -> bool:
        return False


def decoded(path: Path, taken: list[Packet]) -> list[Record]:
    decoder = PacketDecoder(keys=Source(path.with_suffix(".keys")))
    return sorted(decoder.receive(taken) + decoder.finish(), key=completion)


@cache
def whole(path: Path) -> list[Record]:
    return decoded(path, packets(path))


def elements(records: list[Record], lost: int = 0) -> Counter[str]:
    """What the server said, without what lay in the packet that is lost."""
    return Counter(
        f"{one.record} {one.stream_id} {getattr(one, 'data', None)}"
        for one in records
        if isinstance(one, Element)
        and one.sender == "server"
        and not one.first_packet <= lost <= one.last_packet
    )


def faults(records: list[Record]) -> set[str]:
    found = (one for one in records if isinstance(one, DiagnosticRecord))
    return {one.code for one in found if one.severity == "error"}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_lost_packet_costs_what_it_held_and_accuses_nobody(path: Path) -> None:
    every = packets(path)
    for lost in [packet[0] for packet in every]:
        records = decoded(path, [packet for packet in every if packet[0] != lost])
        (connection,) = [one for one in records if isinstance(one, ConnectionRecord)]
        assert connection.protocol == "http/2", lost
        assert faults(records) <= faults(whole(path)), lost
        missing = elements(whole(path), lost) - elements(records)
        assert not missing, lost


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_lost_packet_makes_no_verdict_worse_than_unknowable(path: Path) -> None:
    every = packets(path)
    wanted = endings(whole(path))
    for lost in [packet[0] for packet in every]:
        found = endings(decoded(path, [packet for packet in every if packet[0] != lost]))
        assert found.keys() == wanted.keys(), lost
        for stream_id, answer in found.items():
            assert answer in (wanted[stream_id], "unknowable"), lost


def endings(records: list[Record]) -> dict[int | None, str]:
    """How each stream ended, by the verdict."""
    return {
        (one.exchange.request or one.exchange.response).stream_id: verdict.answer  # type: ignore[union-attr]
        for one in explain(records)
        for verdict in one.verdicts
        if verdict.question == "ending"
    }
