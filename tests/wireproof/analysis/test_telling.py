"""What is told of exchanges: heads as they come, the rest when they are over, and no more."""

from __future__ import annotations

import pickle

import pytest
from support.corpus import ROOT
from support.talk import Talk
from support.timed import LAST_CHUNK, Stream, TimedTape

from parsers import Indivisible, decode_batches
from parsers.records import ConnectionRecord, Record
from wireproof.analysis import telling
from wireproof.analysis.exchange_filter import EVERYTHING, ExchangeFilter
from wireproof.analysis.outcomes import Held, Sealed
from wireproof.analysis.payload_ids import Ids
from wireproof.analysis.telling import Message, Remembered, Searched, Teller, Told, Whole
from wireproof.exchange import Counts, Exchange
from wireproof.open_exchanges import Key


def told_of(
    records: list[Record], wanted: ExchangeFilter = EVERYTHING, *, with_ids: bool = False
) -> list[tuple[int, Message]]:
    return list(Teller(wanted, with_ids=with_ids, of=2).tell(records))


def test_of_what_streams_nothing_is_told_until_it_is_over() -> None:
    records = Stream().events(500, every=0.01).end().tape.records()
    found = told_of(records)
    assert len(found) < 10 < 1_000 < len(records)
    kinds = [told.record.record for _, told in found if isinstance(told, Told) and told.record]
    assert kinds == ["request", "response", "body", "connection"]
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    for at, told in found:
        assert isinstance(told, Told) and told.record in (None, records[at])
    [over] = [one for _, told in found if isinstance(told, Told) for one in told.ended]
    assert over.key == (0, 0) and over.trace.elements.count == over.whole.counts.events == 500


def test_it_is_small_whatever_came() -> None:
    records = Stream().events(2_000, every=0.01).end().tape.records()
    assert 2 * len(pickle.dumps(told_of(records))) < len(pickle.dumps(records))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_batches_make_no_difference(size: int) -> None:
    tape = TimedTape()
    streams = [Stream(tape=tape, client_port=40_000 + number) for number in range(2)]
    for _ in range(3):
        for stream in streams:
            stream.events(5, every=0.01)
    for stream in streams:
        stream.end()
    records = tape.records()
    teller = Teller(EVERYTHING, with_ids=False, of=2)
    found = []
    for start in range(0, len(records), size):
        found += [(start + at, one) for at, one in teller.tell(records[start : start + size])]
    assert [at for at, _ in found] == [at for at, _ in told_of(records)]
    assert shown(found) == shown(told_of(records))


def shown(found: list[tuple[int, Message]]) -> list[object]:
    """What is told, without what has no representation of its own."""
    return [
        (one.record, one.key, [(over.key, over.whole) for over in one.ended], one.has_begun)
        for _, one in found
        if isinstance(one, Told)
    ]


def test_what_follows_the_end_of_an_answer_tells_what_is_remembered() -> None:
    stream = Stream().events(3, every=0.1)
    stream.talk.server(LAST_CHUNK)
    records = [one for one in stream.tape.records() if not isinstance(one, ConnectionRecord)]
    found = [told for _, told in told_of(records) if isinstance(told, Told)]
    assert [told.remembered is None for told in found] == [True, True, False]
    remembered = found[-1].remembered
    assert remembered is not None and remembered.ids is not None
    assert remembered.ids.kept == ["1", "2", "3"]
    assert remembered.last_time == records[-1].last_time


def test_what_is_whole_is_given_on() -> None:
    one, other = Exchange(Key(0, 0), 0), Exchange(Key(0, 0), 0)
    one.counts, one.first_packet, one.last_time, one.is_let_go = Counts(events=3), 4, 5.0, True
    Whole.of(one).give(other)
    assert (other.counts, other.first_packet, other.last_time) == (Counts(events=3), 4, 5.0)
    assert other.is_let_go


def test_a_text_is_told_once_and_sessions_as_they_are_read() -> None:
    tape = TimedTape()
    stream = Stream("/chat", tape=tape)
    stream.chunks([b'data: {"id": "resp_1", "object": "response"}\n\n'] * 3, every=0.1).end()
    wanted = ExchangeFilter(grep="resp_1")
    found = [told for _, told in told_of(tape.records(), wanted, with_ids=True)]
    assert [one for one in found if isinstance(one, Searched)] == [Searched(Key(0, 0))]
    given = [one.given for one in found if isinstance(one, Ids)]
    assert given == 3 * [[("response", "resp_1")]]


def test_a_connection_that_was_not_decrypted() -> None:
    path = ROOT / "fixtures" / "tls" / "http1.pcapng"
    with path.open("rb") as stream:
        records = [one for batch in decode_batches(stream, shows_records=True) for one in batch]
    kinds = [type(told) for _, told in told_of(records)]
    assert kinds.count(Held) == kinds.count(Sealed) > 0
    assert kinds.index(Held) < kinds.index(Sealed)


@pytest.mark.parametrize("limit", ["MAX_KEPT", "MAX_HELD", "MAX_OPEN"])
def test_more_than_one_of_several_may_keep(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out then is another thing than one process would leave out."""
    monkeypatch.setattr(telling, limit, 2)
    path = ROOT / "fixtures" / "tls" / "http1.pcapng"
    with path.open("rb") as stream:
        sealed = [one for batch in decode_batches(stream, shows_records=True) for one in batch]
    tape = TimedTape()
    talks = [Talk(tape, client_port=40_000 + number).open() for number in range(2)]
    for piece in (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n", b'{"a":', b"1 }"):
        for talk in talks:
            talk.client(piece)
    records = sealed if limit == "MAX_KEPT" else tape.records()
    assert list(Teller(EVERYTHING, with_ids=True, of=1).tell(records))
    with pytest.raises(Indivisible, match="more is kept"):
        list(Teller(EVERYTHING, with_ids=True, of=2).tell(records))


def test_an_answer_that_goes_on_is_not_remembered() -> None:
    exchange = Exchange(Key(0, 0), 0)
    trace = telling.Trace(exchange)
    assert Remembered.of((exchange, trace)) is None
    Remembered(3.0).give((exchange, trace))
    assert exchange.last_time == 3.0 and trace.is_remembered and not trace.ids.count
