"""What a watch came to, in a few lines."""

from __future__ import annotations

from support.handmade import Wire, chunked

from parsers.records import Record
from wireproof.analysis.totals import Totals


def lines(*records: Record) -> list[str]:
    totals = Totals()
    for record in records:
        totals.add(record)
    return totals.lines()


def sse(connection: int) -> list[Record]:
    wire = Wire(connection)
    return [
        wire.request(),
        wire.events(),
        wire.chunk("data: x\n\n"),
        wire.event(("data", "x")),
        wire.chunk(": ping\n\n"),
        wire.event(("", "ping"), dispatched=False),
        wire.fault(),
        wire.body(complete=False, ended_by="reset"),
        wire.end(close="reset", closed_by="client"),
    ]


def websocket(connection: int, *frames: str) -> list[Record]:
    wire = Wire(connection)
    records = [*wire.upgrade(), wire.frame(), wire.message()]
    records += [wire.frame("close", None, name, close_code=1001) for name in frames]
    return [*records, wire.end(protocol="websocket")]


def test_nothing() -> None:
    assert lines() == [
        "0 connections",
        "0 exchanges",
        "0 events, 0 chunks, 0 frames, 0 messages",
        "0 bytes from servers, 0 from clients",
    ]


def test_a_bit_of_everything() -> None:
    records = [*chunked(0), *chunked(1), *sse(2), *websocket(3, "server", "client")]
    assert lines(*records) == [
        "4 connections: 3 closed by the server, 1 reset by the client",
        "4 exchanges: 2 chunked, 1 sse, 1 websocket",
        "1 event, 6 chunks, 3 frames, 1 message",
        "1,600 bytes from servers, 400 from clients",
        "4 streams ended: 2 complete (last chunk), 1 INCOMPLETE (connection reset), "
        "1 closed with 1001 going away by the server",
        "1 error: 1 chunk-last-missing",
    ]


def test_exchanges_of_one_connection() -> None:
    wire = Wire()
    records: list[Record] = []
    for wire.exchange in range(3):
        records += [wire.request(), wire.response(framing="content-length"), wire.body()]
    found = lines(*records, wire.end(close="open", closed_by=None))
    assert found[:2] == ["1 connection: 1 still open", "3 exchanges: 3 other"]
    assert not any("stream" in line for line in found), "nothing streamed"


def test_an_interim_response_is_none() -> None:
    wire = Wire()
    hints = wire.response(status=103, framing="none")
    found = lines(wire.request(), hints, wire.events(), wire.end())
    assert found[1] == "1 exchange: 1 sse"


def test_a_websocket_without_a_close_frame() -> None:
    found = lines(*websocket(0))
    assert found[4] == "1 stream ended: 1 without a Close frame (connection closed)"


def test_codes_that_anyone_may_choose_have_one_name() -> None:
    wire = Wire()
    frames = []
    for wire.connection in range(3):
        frames.append(wire.frame("close", None, close_code=4_000 + wire.connection))
    assert lines(*frames)[4] == "3 streams ended: 3 closed with another code by the server"


def test_faults_by_how_bad_they_are() -> None:
    wire = Wire()
    faults = [wire.fault(severity=severity) for severity in ("note", "error", "note")]
    nobody = wire.fault(connection=None, exchange=None, severity="warning", code="packets-skipped")
    assert lines(*faults, nobody)[-1] == (
        "1 error, 1 warning, 2 notes: 3 chunk-last-missing, 1 packets-skipped"
    )


def test_nothing_is_remembered_of_what_is_over() -> None:
    totals = Totals()
    for number in range(10):
        for record in chunked(number):
            totals.add(record)
    assert list(totals._open.open()) == []
