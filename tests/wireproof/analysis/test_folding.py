"""Records folded into exchanges: what is told of them, in which order, and what is put aside."""

from __future__ import annotations

import pytest
from support.timed import LAST_CHUNK, Stream, TimedTape

from parsers.records import ChunkRecord, Record, SseEventRecord
from wireproof.analysis.company import Company
from wireproof.analysis.folding import AT_ONCE, Folding, Moment


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
