"""What is known of a request and of what came back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.folded import fold, only
from support.handmade import Wire

from parsers.records import Record, Transport
from wireproof.exchange import MAX_INTERIM, Exchange
from wireproof.open_exchanges import Key
from wireproof.pings import Answer

UPGRADE = ("Upgrade", "websocket")


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


@pytest.mark.parametrize("is_late", [True, False])
def test_a_chunk_and_its_event_may_be_taken_together(is_late: bool) -> None:
    wire = Wire()
    request = wire.request()
    chunk = wire.chunk("data: a\n\n")
    event = wire.event(("data", "a"), data="a")
    heads = [request] if is_late else []
    together = only(heads) if is_late else Exchange(Key(0, 0), 0)
    together.add_event(chunk, event)
    assert repr(together) == repr(only([*heads, chunk, event]))


def test_what_is_streamed_may_be_taken_together() -> None:
    wire = Wire()
    heads = [wire.request(), wire.response()]
    chunks, events = [], []
    for text in ("one", "two"):
        chunks.append(wire.chunk(text))
        events.append(wire.event(data=text))
    chunks.append(wire.chunk())
    events.append(replace(wire.event(), dispatched=False))
    together = only(heads)
    together.add_streamed(chunks, events)
    assert repr(together) == repr(only([*heads, *chunks, *events]))
    assert (together.counts.chunks, together.counts.events, together.counts.blocks) == (2, 2, 3)


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
