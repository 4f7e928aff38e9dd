"""One line for each exchange."""

from __future__ import annotations

from support.handmade import Wire, chunked

from parsers.records import Record
from wireproof.analysis.summary import Summary


def lines(records: list[Record]) -> list[str]:
    summary = Summary()
    for record in records:
        summary.add(record)
    return summary.lines()


def test_chunks() -> None:
    assert lines(chunked()) == [
        "chunked    GET /stream: 2 chunks, 98 bytes over 0 µs; complete (last chunk); "
        "closed by the server (FIN), then the client"
    ]


def test_events_that_were_dispatched_are_counted() -> None:
    wire = Wire()
    records = [
        wire.request("/sse"),
        wire.events(),
        wire.chunk("data: x\n\n"),
        wire.event(("data", "x")),
        wire.chunk(": ping\n\n"),
        wire.event(("", "ping"), dispatched=False),
        wire.fault(),
        wire.fault(severity="note"),
        wire.body(complete=False, ended_by="close"),
    ]
    assert lines(records) == [
        "sse        GET /sse: 1 event in 2 chunks, 98 bytes over 0 µs; "
        "INCOMPLETE (connection closed too early); 1 error"
    ]


def test_an_event_stream_without_chunks() -> None:
    wire = Wire()
    records = [wire.request("/sse"), wire.events(), wire.event(("data", "x"))]
    assert lines(records) == ["sse        GET /sse: 1 event, 0 bytes over 0 µs; no end seen"]


def test_websocket() -> None:
    wire = Wire()
    records = [
        *wire.upgrade(),
        wire.frame(),
        wire.message(),
        wire.frame("ping", "x"),
        wire.frame("pong", "x", "client"),
        wire.frame("close", "", "client", close_code=1000),
        wire.frame("close", "", close_code=1011),
        wire.end(protocol="websocket", closed_by="client"),
    ]
    assert lines(records) == [
        "websocket  GET /ws: 1 message in 5 frames (1 ping, 1 pong), 7 bytes over 400.0 ms; "
        "1000 normal closure, by the client; closed by the client (FIN), then the server"
    ]


def test_a_body_that_is_no_stream() -> None:
    wire = Wire()
    records = [
        wire.request("/\x1b[2J"),
        wire.response(framing="content-length"),
        wire.body(chunks=None, ended_by="content-length"),
    ]
    assert lines(records) == [
        "http       GET /\\x1b[2J: 98 bytes over 0 µs; complete (Content-Length reached)"
    ]


def test_what_the_client_sent_is_not_counted_as_arrived() -> None:
    wire = Wire()
    records = [
        wire.request("/upload"),
        wire.chunk("abc", sender="client"),
        wire.body(sender="client"),
        wire.response(framing="content-length"),
    ]
    assert lines(records) == ["http       GET /upload: 0 bytes over 0 µs; no end seen"]


def test_exchanges_in_the_order_in_which_they_began() -> None:
    faults: list[Record] = [
        Wire().fault(connection=None, exchange=None),
        Wire().fault(exchange=None),
    ]
    found = lines([*faults, *chunked(1), Wire(0).frame()])
    assert [line.split()[0] for line in found] == ["chunked", "websocket"]
    assert "request not captured: 0 messages in 1 frame (0 pings, 0 pongs)" in found[1]


def test_what_a_relay_recorded_says_so() -> None:
    wire = Wire()
    records = [wire.request(), wire.end(recorded_by="relay")]
    (line,) = lines(records)
    assert line.endswith("the client; recorded by relay: packet boundaries are its reads")


def test_each_exchange_of_a_connection_says_how_that_ended() -> None:
    first, second = Wire(exchange=0), Wire(exchange=1)
    records = [first.request("/a"), first.response(), second.request("/b"), second.response()]
    endings = [line.rpartition("; ")[2] for line in lines([*records, second.end()])]
    assert endings == ["closed by the server (FIN), then the client"] * 2
    assert [line.rpartition("; ")[2] for line in lines(records)] == ["no end seen"] * 2
