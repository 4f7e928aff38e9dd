"""Records folded into exchanges: what is told of them, in which order, and what is put aside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.timed import LAST_CHUNK, Stream, TimedTape

from benchmarks.encrypted import key_log, streams_in_tls
from benchmarks.packets import write
from benchmarks.workloads import interleaved, sse_event, timed
from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.records import ChunkRecord, Record, SseEventRecord
from wireproof.analysis import folding as folding_module
from wireproof.analysis.company import Company
from wireproof.analysis.folding import AT_ONCE, Folding, Found, Moment
from wireproof.analysis.together import Streaming, add_stream
from wireproof.analysis.trace import Trace

TLS = ROOT / "fixtures" / "tls"
COLUMNS = "times", "starts", "packets", "first_packets", "offsets", "lengths", "kinds", "waits"


def moments(records: list[Record], size: int = 10_000) -> tuple[Folding, list[Moment]]:
    folding = Folding(Company())
    found: list[Moment] = []
    for start in range(0, len(records), size):
        found += folding.add_all(records[start : start + size])
    return folding, found


def test_moments_of_a_stream() -> None:
    records = Stream().events(20, every=0.1).end().tape.records()
    folding, found = moments(records)
    assert [one.has_begun for one in found] == [True, False, False, False]
    assert [len(one.ended) for one in found] == [0, 0, 0, 1]
    [(exchange, trace)] = found[-1].ended
    assert trace.elements.count == exchange.counts.events == 20
    assert folding.begun == 1 and folding.finish() == []


def test_an_exchange_begins_with_the_first_of_its_records_whatever_that_is() -> None:
    """In the middle of two streams: numbers follow the first record of each."""
    tape = TimedTape()
    streams = [Stream(tape=tape, client_port=40_000 + number) for number in range(2)]
    for _ in range(3):
        for stream in reversed(streams):
            stream.events(2, every=0.1)
    kinds = ChunkRecord, SseEventRecord
    records: list[Record] = [one for one in tape.records() if isinstance(one, kinds)]
    folding, found = moments(records)
    assert [one.record for one in found] == [None, None]
    began = [one.found[0] for one in found if one.found is not None and one.has_begun]
    assert [(one.number, one.key.connection) for one in began] == [(0, 1), (1, 0)]
    rest = folding.finish()
    assert [trace.elements.count for _, trace in rest] == [6, 6]


def test_records_of_one_exchange_are_taken_at_once() -> None:
    stream = Stream().events(AT_ONCE, every=0.001)
    records = [one for one in stream.tape.records() if one.record not in ("body", "connection")]
    folding = Folding(Company())
    assert not folding.takes_at_once(records)  # it has not begun
    assert len(list(folding.add_all(records[:2]))) == 2
    assert folding.takes_at_once(records[2:])
    assert not folding.takes_at_once([])
    [(exchange, trace)] = folding.finish()
    assert exchange.counts.events == trace.elements.count == AT_ONCE


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_what_follows_the_end_of_an_answer_is_told(size: int) -> None:
    stream = Stream().events(2, every=0.1)
    stream.talk.server(LAST_CHUNK)
    records = stream.end().tape.records()
    late = [one for one in records if isinstance(one, SseEventRecord)][:1]
    end = next(at for at, one in enumerate(records) if one.record == "body")
    folding, found = moments([*records[: end + 1], *late, *late, *records[end + 1 :]], size)
    assert [one.record is None for one in found].count(True) == 2
    assert folding.begun == 1


def test_who_lets_go_of_what_streams_share() -> None:
    folding = Folding(Company())
    assert folding.shared(0) is None
    folding.let_go(0)


def seen(found: Found) -> dict[str, object]:
    """All that judges may see of an exchange, as plain values."""
    exchange, trace = found
    marks = {
        (side, column): list(getattr(getattr(trace, side), column))
        for side in ("elements", "pieces", "requested")
        for column in COLUMNS
    }
    reach = exchange.first_packet, exchange.last_packet, exchange.first_time, exchange.last_time
    return {
        "key": exchange.key,
        "counts": exchange.counts,
        "reach": reach,
        "marks": marks,
        "sizes": list(trace.piece_sizes),
        "flags": bytes(trace.is_chunk),
        "said": (trace.contents, trace.tokens, trace.last_payload, trace.words, trace.trailers),
        "faults": (trace.faults, trace.gaps, exchange.reset),
        "hazards": trace.hazards_found,
        "ids": (trace.ids.count, trace.ids.retry),
    }


def told(one: Moment) -> tuple[object, ...]:
    """What a moment tells."""
    key = None if one.found is None else one.found[0].key
    return one.record, key, list(map(seen, one.ended)), one.has_begun


def streams_of_http2(folder: Path, events: int) -> list[Record]:
    path = folder / "streams.pcapng"
    said = [sse_event(index) for index in range(events)]
    frames = interleaved([streams_in_tls(number, 3, said) for number in range(2)])
    write(path, timed(frames), key_log(2))
    with path.open("rb") as stream:
        return list(decode(stream))


def recorded(path: Path) -> list[Record]:
    keys = path.with_suffix(".keys")
    with path.open("rb") as stream:
        return list(decode(stream, keylog=KeyLog.open(keys) if keys.exists() else None))


@pytest.mark.parametrize("name", ["made", *sorted(path.stem for path in TLS.glob("*.pcapng"))])
@pytest.mark.parametrize("size", [7, 10_000])
def test_streams_put_aside_are_as_if_taken_one_by_one(
    name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = (
        streams_of_http2(tmp_path, AT_ONCE + 20) if name == "made"
        else recorded(TLS / f"{name}.pcapng")
    )  # fmt: skip

    def folded() -> tuple[list[tuple[object, ...]], list[dict[str, object]], list[Any]]:
        folding, found = moments(records, size)
        numbers = {one.connection for one in records if one.connection is not None}
        shared = [folding.shared(number) for number in sorted(numbers)]
        facts = [None if one is None else vars(one) for one in shared]
        return list(map(told, found)), list(map(seen, folding.finish())), facts

    together = folded()
    monkeypatch.setattr(folding_module, "_waits", waits_without_stream)
    assert folded() == together


def waits_without_stream(found: Found, record: Streaming) -> bool:
    return found[0].response_body is None and record.stream_id is None


def test_streams_are_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def add_counted(trace: Trace, records: Sequence[Streaming]) -> None:
        taken.append(len(records))
        add_stream(trace, records)

    monkeypatch.setattr(folding_module, "add_stream", add_counted)
    moments(streams_of_http2(tmp_path, 100))
    assert sum(taken) == 6 * (2 * 100 + 1)  # the last frames are empty
    assert len([size for size in taken if size >= 200]) == 6
