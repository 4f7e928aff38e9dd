"""Each packet of stored connections left out in turn: what remains is what was there.

No lost packet makes a fact wrong: what is told is told by the whole capture too, or is unknown.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import pytest
from support.corpus import ROOT
from support.stored import packets
from support.talk import completion

from parsers import KeyLog, PacketDecoder
from parsers.files.packets import Packet
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GrpcMessageRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketMessageRecord,
)
from wireproof.analysis.judges import explain

EVERY = [
    *sorted((ROOT / "fixtures" / "tls").glob("*.pcapng")),
    *sorted((ROOT / "fixtures" / "quic").glob("*.pcap")),
]
STORED = [ROOT / "fixtures" / "tls" / f"{name}.pcapng" for name in ("h2c", "cancel", "grpc")]
MOST = 60
"""Packets of a capture that are left out, chosen with a fixed seed if it has more."""
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


Told = SseEventRecord | GrpcMessageRecord | WebSocketMessageRecord | RequestRecord | ResponseRecord


def told(records: list[Record]) -> dict[tuple[object, ...], list[object]]:
    """What each side said in each stream, in order; of heads what is known of them."""
    found: dict[tuple[object, ...], list[object]] = {}
    for one in records:
        if isinstance(one, SseEventRecord) and not one.dispatched:
            continue
        if isinstance(one, Told):
            said = one.status if isinstance(one, ResponseRecord) else getattr(one, "data", None)
            found.setdefault((one.record, one.stream_id, one.sender), []).append(said)
    return found


def is_within(part: list[object], whole: list[object]) -> bool:
    """Whether all of a part comes in the whole, in this order."""
    rest = iter(whole)
    return all(one in rest for one in part)


def bodies(records: list[Record]) -> dict[tuple[object, ...], BodyRecord]:
    found = [one for one in records if isinstance(one, BodyRecord)]
    return {(one.connection, one.stream_id, one.exchange, one.sender): one for one in found}


OF_THE_CAPTURE = {"http3-frames-lost"}
"""Errors that accuse nobody: what the capture has cannot be read without what it lacks."""
NEVER_SAID = ("close", "capture-end")
"""How a body ended of whose end the capture tells nothing."""


@cache
def losses(path: Path) -> list[tuple[int, list[Record]]]:
    every = packets(path)
    numbers = [packet[0] for packet in every]
    chosen = numbers if len(numbers) <= MOST else sorted(Random(path.stem).sample(numbers, MOST))
    return [
        (lost, decoded(path, [packet for packet in every if packet[0] != lost])) for lost in chosen
    ]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_what_is_told_was_said(path: Path) -> None:
    wanted = told(whole(path))
    for lost, records in losses(path):
        for key, said in told(records).items():
            assert is_within(said, wanted.get(key, [])), (lost, key)
        assert faults(records) <= faults(whole(path)) | OF_THE_CAPTURE, lost


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_a_body_is_whole_only_if_it_is(path: Path) -> None:
    wanted = bodies(whole(path))
    for lost, records in losses(path):
        for key, body in bodies(records).items():
            truth = wanted.get(key)
            assert truth is not None, (lost, key)
            assert body.ended_by in (truth.ended_by, *NEVER_SAID), (lost, key)
            if body.complete:
                same = (True, truth.size, truth.sha256)
                assert (truth.complete, body.size, body.sha256) == same, (lost, key)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_who_closed_is_right_or_unknown(path: Path) -> None:
    wanted = {one.connection: one for one in whole(path) if isinstance(one, ConnectionRecord)}
    for lost, records in losses(path):
        for one in records:
            if isinstance(one, ConnectionRecord):
                assert one.closed_by in (wanted[one.connection].closed_by, None), lost


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_no_verdict_on_an_end_is_wrong(path: Path) -> None:
    wanted = verdicts(whole(path))
    for lost, records in losses(path):
        for key, answer in verdicts(records).items():
            assert answer in (wanted.get(key), "unknowable", "open"), (lost, key)


def verdicts(records: list[Record]) -> dict[tuple[object, ...], str]:
    """How each exchange ended, by the verdicts."""
    return {
        (one.exchange.key, verdict.question): verdict.answer
        for one in explain(records)
        for verdict in one.verdicts
        if verdict.question in ("ending", "websocket")
    }


def test_a_fin_of_a_stream_that_is_missing_accuses_nobody() -> None:
    (path,) = [one for one in EVERY if one.stem == "h3_keyupdate"]
    last = max(body.last_packet for body in bodies(whole(path)).values())
    records = dict(losses(path))[last]
    found = {one.code: one.severity for one in records if isinstance(one, DiagnosticRecord)}
    assert found["http3-frames-missing"] == "note"
    assert "http3-stream-cut" not in found
    assert [body.ended_by for body in bodies(records).values()] == ["capture-end"]
    assert set(verdicts(records).values()) == {"unknowable"}


def test_a_wait_is_no_silence_of_the_server_where_window_updates_may_be_missing() -> None:
    (path,) = [one for one in EVERY if one.stem == "stall"]
    told = 0
    for lost, records in losses(path):
        for one in explain(records):
            for verdict in one.verdicts:
                for cause in verdict.causes:
                    if verdict.question == "gap" and cause.code == "sender-silent":
                        told += 1
                        assert cause.sure == "possible", lost
                        assert "stream-window" in [other.code for other in verdict.causes], lost
                        assert "maybe WINDOW_UPDATE" in verdict.summary, lost
    assert told > 10
