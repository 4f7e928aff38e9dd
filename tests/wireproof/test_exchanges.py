"""The one fold from records to exchanges."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from support.folded import fold, folded
from support.handmade import Wire
from support.stored import SMALL, name

from parsers.decode.capture import decode
from parsers.limits import MAX_PIPELINED
from parsers.records import ConnectionRecord, Record
from wireproof.exchanges import Exchanges, is_usual_event
from wireproof.open_exchanges import Key


def key_of(record: Record) -> tuple[int | None, int | None]:
    return record.connection, getattr(record, "exchange", None)


def test_what_belongs_to_no_exchange_is_left_to_the_view() -> None:
    wire = Wire(exchange=None)
    exchanges = fold()
    assert exchanges.add(wire.gap()) is None
    assert exchanges.add(replace(wire.fault(), connection=None)) is None
    assert exchanges.add(wire.end()) is None
    assert exchanges.finish() == []


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_every_record_of_a_stored_capture_is_in_its_exchange(path: Path) -> None:
    with path.open("rb") as stream:
        records = list(decode(stream))
    found = folded(records)
    for exchange, own in found:
        assert own == [record for record in records if key_of(record) == exchange.key]
        assert isinstance(exchange.connection, ConnectionRecord)
    assert len({exchange.key for exchange, _ in found}) == len(found)
    assert {exchange.number for exchange, _ in found} == set(range(len(found)))


def test_a_chunk_and_the_event_in_its_packet_can_be_taken_together() -> None:
    wire = Wire()
    head = wire.events()
    chunk = wire.chunk("data: a\n\n")
    event = wire.event(("data", "a"), data="a")
    assert is_usual_event(chunk, event)
    assert not is_usual_event(chunk, replace(event, first_packet=1))
    alone, together = fold(), fold()
    for exchanges in (alone, together):
        exchanges.add(head)
    alone.add(chunk)
    expected, found = alone.add(event), together.known(0, 0)
    assert expected is not None
    assert found is not None
    together.add_event(found[0], chunk, event)
    assert repr(found[0]) == repr(expected[0])


def requests(number: int) -> list[Wire]:
    """Makers of the records of ``number`` exchanges of one connection."""
    return [Wire(exchange=exchange) for exchange in range(number)]


def test_an_exchange_is_over_when_both_sides_have_begun_a_later_one() -> None:
    exchanges = fold()
    first, second = requests(2)
    for record in (first.request(), second.request(), first.response(), first.body()):
        exchanges.add(record)
        assert exchanges.over() == []
    exchanges.add(second.response())
    assert [exchange.key.exchange for exchange, _ in exchanges.over()] == [0]
    exchanges.add(second.body())
    assert exchanges.over() == []


def test_a_request_that_shows_late_still_finds_its_response() -> None:
    """After a hole in what the client sent, requests come when it is certain that it is one."""
    first, second = requests(2)
    answers = [first.response(), first.body(), second.response(), second.body()]
    found = folded([*answers, first.request("/a"), second.request("/b"), second.end()])
    assert [(e.request.target if e.request else None, e.response) for e, _ in found] == [
        ("/a", answers[0]),
        ("/b", answers[2]),
    ]


def test_a_stream_of_http_2_is_over_when_both_sides_have_ended_it() -> None:
    """RFC 9113 section 5.1: they are interleaved, and a later one ends none before it."""
    slow, quick = requests(2)
    exchanges = fold()

    def add(record: Record, stream_id: int) -> list[int]:
        exchanges.add(replace(record, stream_id=stream_id))
        return [exchange.key.exchange for exchange, _ in exchanges.over()]

    assert add(slow.request(), 1) == []
    assert add(slow.response(), 1) == []
    assert add(quick.request(), 3) == []
    assert add(quick.response(), 3) == []
    assert add(quick.body(), 3) == [1]
    assert exchanges.add(replace(quick.fault(), stream_id=3)) is None
    assert add(slow.body(), 1) == [0]
    assert exchanges.count == 2


def test_the_end_of_a_connection_ends_its_exchanges_and_no_others() -> None:
    exchanges = fold()
    one, other = Wire(0), Wire(1)
    exchanges.add(one.request())
    exchanges.add(other.request())
    end = one.end()
    exchanges.add(end)
    [(exchange, _)] = exchanges.over()
    assert exchange.key == Key(0, 0)
    assert exchange.connection is end
    assert [exchange.key for exchange, _ in exchanges.finish()] == [Key(1, 0)]


def test_one_that_was_over_before_learns_how_its_connection_ended() -> None:
    first, second = requests(2)
    records = [first.request(), first.response(), second.request(), second.response()]
    found = folded(records)
    assert [exchange.connection for exchange, _ in found] == [None, None]
    end = second.end()
    found = folded([*records, end])
    assert [exchange.key.exchange for exchange, _ in found] == [0, 1]
    assert [exchange.connection for exchange, _ in found] == [end, end]


def test_a_fault_that_shows_when_its_exchange_is_over_begins_no_other() -> None:
    first, second = requests(2)
    exchanges = fold()
    for wire in (first, second):
        exchanges.add(wire.request())
        exchanges.add(wire.response())
    assert exchanges.add(first.fault()) is None
    assert exchanges.count == 2


def test_past_a_limit_the_first_of_a_connection_is_over_and_may_come_again() -> None:
    exchanges = fold()
    wires = requests(MAX_PIPELINED + 1)
    for wire in wires:
        assert exchanges.over() == []
        exchanges.add(wire.request())
    assert [exchange.key.exchange for exchange, _ in exchanges.over()] == [0]
    found = exchanges.add(wires[0].response())
    assert found is not None and found[0].request is None


def test_past_a_limit_the_first_of_all_connections_is_over() -> None:
    exchanges: Exchanges[None] = Exchanges(lambda _: None, max_open=2)
    for connection in range(3):
        exchanges.add(Wire(connection).request())
    assert [exchange.key for exchange, _ in exchanges.over()] == [Key(0, 0)]
    assert [exchange.key for exchange, _ in exchanges.open()] == [Key(1, 0), Key(2, 0)]


def test_a_view_may_end_one_itself() -> None:
    exchanges = fold()
    exchanges.add(Wire(0).request())
    exchanges.add(Wire(1).request())
    first, _ = next(exchanges.open())
    exchanges.end(first)
    assert exchanges.over() == [(first, [])]
    found = exchanges.add(Wire(0).response())
    assert found is not None and found[0] is not first


def test_what_is_over_is_forgotten_with_the_next_record() -> None:
    exchanges = fold()
    wire = Wire()
    exchanges.add(wire.request())
    exchanges.add(wire.end())
    assert len(exchanges.over()) == 1
    exchanges.add(Wire(1).request())
    assert exchanges.over() == []
