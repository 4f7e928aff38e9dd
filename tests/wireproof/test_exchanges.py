"""The one fold from records to exchanges."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.handmade import Wire
from support.stored import SMALL, name

from parsers.decode.capture import decode
from parsers.limits import MAX_PIPELINED
from parsers.records import ConnectionRecord, Record, Transport
from wireproof.exchanges import (
    MAX_INTERIM,
    Exchange,
    Exchanges,
    Key,
    asked_for,
    field_value,
)
from wireproof.pings import Answer

UPGRADE = ("Upgrade", "websocket")


def fold() -> Exchanges[list[Record]]:
    """A fold whose state is the records of an exchange."""
    return Exchanges(lambda _: [])


def folded(records: Iterable[Record]) -> list[tuple[Exchange, list[Record]]]:
    """The exchanges of records, in the order in which they were over."""
    exchanges = fold()
    found = []
    for record in records:
        if (one := exchanges.add(record)) is not None:
            one[1].append(record)
        found += exchanges.over()
    return found + exchanges.finish()


def key_of(record: Record) -> tuple[int | None, int | None]:
    return record.connection, getattr(record, "exchange", None)


def only(records: Iterable[Record]) -> Exchange:
    [(exchange, _)] = folded(records)
    return exchange


# --- what an exchange is ---


def test_an_exchange_has_its_heads_its_bodies_and_its_connection() -> None:
    wire = Wire(connection=3, exchange=2)
    request, interim = wire.request(), wire.response(status=103, framing="none")
    response, chunk, last = wire.response(), wire.chunk("four"), wire.chunk()
    sent, body = replace(wire.body(), sender="client"), wire.body()
    end = wire.end()
    exchange = only([request, interim, sent, response, chunk, last, body, end])
    assert exchange.key == Key(3, 2)
    assert (exchange.request, exchange.response) == (request, response)
    assert exchange.interim == [interim]
    assert (exchange.request_body, exchange.response_body) == (sent, body)
    assert exchange.connection is end
    assert exchange.counts.chunks == 1
    assert (exchange.first_packet, exchange.last_packet) == (
        request.first_packet,
        body.last_packet,
    )
    assert (exchange.first_time, exchange.last_time) == (request.first_time, body.last_time)


def test_times_count_from_the_end_of_the_request_or_its_beginning_if_they_overlap() -> None:
    wire = Wire()
    request, response = wire.request(), wire.response()
    early = wire.body()
    wire.chunk()
    sent = replace(wire.body(), sender="client")
    wire.chunk()
    late = wire.body()
    assert request.first_time < early.first_time < sent.last_time < late.first_time
    assert only([request, sent, late]).asked_time == sent.last_time
    assert only([request, response, sent, late]).asked_time == sent.last_time, "a head alone"
    assert only([request, response, early, sent]).asked_time == request.first_time
    assert only([request, response, early]).asked_time == request.last_time
    assert only([response]).asked_time == 0.0


def test_until_the_final_response_comes_the_last_interim_one_stands_for_it() -> None:
    wire = Wire()
    hints = [wire.response(status=103, framing="none") for _ in range(MAX_INTERIM + 2)]
    exchange = only([wire.request(), *hints])
    assert exchange.response is hints[-1]
    assert exchange.interim == hints[1:-1]


def test_elements_are_counted() -> None:
    wire = Wire()
    exchange = only(
        [
            *wire.upgrade(),
            wire.frame("ping"),
            wire.frame("pong", sender="client"),
            wire.frame(),
            wire.message(),
            wire.event(("data", "x")),
            wire.event(("", "kept"), dispatched=False),
            wire.fault(severity="error"),
            wire.fault(severity="warning"),
        ]
    )
    counts = exchange.counts
    assert (counts.frames, counts.pings, counts.pongs, counts.messages) == (3, 1, 1, 1)
    assert (counts.blocks, counts.events, counts.errors) == (2, 1, 1)


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


# --- who is over ---


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


# --- what it streams by ---


@pytest.mark.parametrize(
    ("headers", "framing", "transport"),
    [
        ([("Transfer-Encoding", "chunked")], "chunked", "chunked"),
        ([("content-type", "text/event-stream")], "chunked", "sse"),
        ([("Content-Type", "Text/Event-Stream ; charset=utf-8")], "close", "sse"),
        ([("Content-Type", "text/event-stream-not")], "content-length", "http"),
        ([("Content-Type", "application/json")], "content-length", "http"),
        ([UPGRADE], "upgrade", "websocket"),
        ([("Upgrade", "h2c")], "upgrade", "http"),
        ([], "none", "http"),
    ],
)
def test_a_response_says_what_it_streams_by(
    headers: list[tuple[str, str]], framing: str, transport: Transport
) -> None:
    wire = Wire()
    status = 101 if framing == "upgrade" else 200
    response = wire.response(*headers, status=status, framing=framing)
    assert only([wire.request(), response]).transport == transport


@pytest.mark.parametrize("framing", ["content-length", "chunked", "close", "none"])
def test_a_refused_upgrade_is_a_websocket_that_was_refused(framing: str) -> None:
    wire = Wire()
    exchange = only([wire.request("/ws", UPGRADE), wire.response(status=403, framing=framing)])
    assert exchange.transport == "websocket"
    assert exchange.is_refused


def test_an_upgrade_that_was_not_refused() -> None:
    exchange = only(Wire().upgrade())
    assert exchange.transport == "websocket"
    assert not exchange.is_refused


@pytest.mark.parametrize(
    ("record", "transport"),
    [(Wire().event(), "sse"), (Wire().frame(), "websocket"), (Wire().chunk("x"), "chunked")],
    ids=["event", "frame", "chunk"],
)
def test_without_a_response_what_came_says_it(record: Record, transport: Transport) -> None:
    assert only([record]).transport == transport


def test_without_anything_else_it_is_what_it_asked_for() -> None:
    exchange = only([Wire().request("/", ("Accept", "text/event-stream"))])
    assert exchange.transport == "sse"


def test_a_choice_has_what_asked_to_stream_and_does_not() -> None:
    wire = Wire()
    asks = wire.request("/", ("Accept", "text/event-stream"))
    exchange = only([asks, wire.response(status=404, framing="content-length")])
    assert exchange.transport == "http"
    assert exchange.is_of("sse")
    assert not exchange.is_of("chunked")


@pytest.mark.parametrize(
    ("headers", "transport"),
    [
        ([UPGRADE], "websocket"),
        ([("transfer-encoding", "Chunked")], "chunked"),
        ([("Transfer-Encoding", "gzip, chunked")], "chunked"),
        ([("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")], "chunked"),
        ([("Accept", "text/event-stream")], "sse"),
        ([("Accept", "application/json, text/event-stream")], None),
        ([], None),
    ],
)
def test_asked_for(headers: list[tuple[str, str]], transport: Transport | None) -> None:
    assert asked_for(Wire().request("/", *headers)) == transport


def test_field_value_is_the_first_of_its_name() -> None:
    fields = [("A", "1"), ("X-Y", "2"), ("x-y", "3")]
    assert field_value(fields, "x-y") == "2"
    assert field_value(fields, "z") is None


def test_an_exchange_says_what_its_last_frame_answers() -> None:
    wire = Wire()
    asked = [wire.frame("ping", "1"), wire.frame("ping", "2")]
    exchanges = fold()
    for record in (*wire.upgrade(), *asked, wire.frame("pong", "2", sender="client")):
        found = exchanges.add(record)
    assert found is not None and found[0].answer == (asked[1], asked)
    exchanges.add(wire.frame())
    assert found[0].answer == Answer()


def test_closing_is_the_first_close_frame_of_each_side() -> None:
    wire = Wire()
    first, again = wire.frame("close", sender="server"), wire.frame("close", sender="server")
    other = wire.frame("close", sender="client")
    assert only([first, again, other]).closing == [first, other]
