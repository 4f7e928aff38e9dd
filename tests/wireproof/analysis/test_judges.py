"""Every exchange is explained once, when its connection has ended or the capture has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.timed import LAST_CHUNK, Stream, TimedTape

from parsers.memory import Memory
from parsers.records import ConnectionRecord, Record
from wireproof.analysis.folding import AT_ONCE
from wireproof.analysis.judges import Explanations, explain, judge
from wireproof.analysis.trace import Trace
from wireproof.analysis.verdict import Verdict
from wireproof.open_exchanges import EXCHANGE_COST


def counted(trace: Trace) -> Verdict:
    return Verdict("streaming", "counted", "ok", f"{trace.elements.count} events")


def test_an_exchange_is_explained_with_what_its_connection_tells() -> None:
    records = Stream().events(5, every=0.1).end().tape.records()
    [explained] = explain(records)
    assert explained.exchange.connection is not None
    assert explained.trace.elements.count == 5
    assert explained.trace.streamed is explained.trace.elements
    assert judge(explained.trace, [counted]) == [counted(explained.trace)]


def test_an_exchange_whose_connection_goes_on_is_explained_at_the_end() -> None:
    records = Stream().events(2, every=0.1).end().tape.records()
    explanations = Explanations([counted])
    early = [one for record in records[:-1] for one in explanations.add(record)]
    assert early == []
    [explained] = explanations.finish()
    assert [verdict.answer for verdict in explained.verdicts] == ["counted"]
    assert not explained.is_fault


def test_who_shows_what_happens_now_does_not_wait_for_the_connection() -> None:
    tape = TimedTape()
    stream = Stream(tape=tape).events(2, every=0.1)
    stream.talk.server(LAST_CHUNK)
    stream.talk.client(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    stream.talk.close()
    records = tape.records()
    explanations = Explanations([counted], waits=False)
    at_once = [one for record in records[:-1] for one in explanations.add(record)]
    assert [one.exchange.number for one in at_once] == [0]
    assert at_once[0].exchange.connection is None
    assert len(list(explain(records))) == 2


def columns_of(trace: Trace) -> Iterator[object]:
    for marks in (trace.elements, trace.pieces):
        yield from (marks.times, marks.packets, marks.kinds)


def explained_in_portions(records: list[Record], size: int) -> list[tuple[object, ...]]:
    """What is said of exchanges whose records come ``size`` at a time."""
    explanations = Explanations()
    found = [
        one
        for start in range(0, len(records), size)
        for one in explanations.add_all(records[start : start + size])
    ]
    found += explanations.finish()
    return [
        (one.exchange.number, one.exchange.counts, one.verdicts, *columns_of(one.trace))
        for one in found
    ]


@pytest.mark.parametrize("streams", [1, 2])
def test_portions_of_one_exchange_say_what_single_records_do(streams: int) -> None:
    tape = TimedTape()
    going = [Stream(tape=tape, client_port=40_000 + number) for number in range(streams)]
    for _ in range(4):
        for stream in going:
            stream.events(AT_ONCE, every=0.001)
    for stream in going:
        stream.end()
    records = tape.records()
    singly = explained_in_portions(records, 1)
    assert len(singly) == streams
    for size in (50, AT_ONCE + 1, 3 * AT_ONCE, len(records)):
        assert explained_in_portions(records, size) == singly


def test_of_too_many_that_are_open_the_longest_idle_are_judged_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tape = TimedTape()
    for number in range(9):
        Stream(tape=tape, client_port=40_000 + number).events(2, every=0.1)
    records = [one for one in tape.records() if not isinstance(one, ConnectionRecord)]
    monkeypatch.setattr(Memory, "usual", 8 * EXCHANGE_COST)
    explanations = Explanations()
    early = list(explanations.add_all(records))
    assert [one.exchange.number for one in early] == [0, 1]
    for one in early:
        [fault] = one.trace.all_faults
        assert fault.code == "memory-limit" and "idle since packet" in fault.summary
        assert one.trace.elements.count == 2 and one.exchange.is_let_go
        assert fault.last_packet == one.exchange.last_packet
    assert [one.exchange.number for one in explanations.finish()] == [2, 3, 4, 5, 6, 7, 8]


def test_no_more_wait_for_the_ends_of_their_connections_than_may_be_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tape = TimedTape()
    for number in range(9):
        stream = Stream(tape=tape, client_port=40_000 + number).events(2, every=0.1)
        stream.talk.server(LAST_CHUNK)
        stream.talk.client(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        stream.talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    records = [one for one in tape.records() if not isinstance(one, ConnectionRecord)]
    whole = Explanations([counted])
    assert not list(whole.add_all(records)) and len(whole.finish()) == 18
    monkeypatch.setattr(Memory, "usual", 8 * EXCHANGE_COST)
    bounded = Explanations([counted])
    early = list(bounded.add_all(records))
    assert early and not any(one.trace.all_faults for one in early if not one.exchange.is_let_go)
    assert len(early) + len(bounded.finish()) == 18
