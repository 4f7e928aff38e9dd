"""What is wrong with an exchange, asked without a test that expects anything."""

from __future__ import annotations

import pytest
from support.handmade import Wire, chunked
from support.timed import Socket, Stream
from support.websocket_frames import KEY, frame

from parsers.records import Record
from wireproof.analysis import evidence as module
from wireproof.analysis.evidence import Evidence, collect
from wireproof.analysis.verdict import explain

CLOSE, PING, PONG = 8, 9, 10
NORMAL = (1000).to_bytes(2)


def codes(records: list[Record]) -> list[str]:
    [evidence] = collect(records, Evidence)
    return [finding.code for finding in explain(evidence)]


def closed(socket: Socket) -> list[Record]:
    socket.talk.client(frame(CLOSE, NORMAL, key=KEY))
    socket.talk.server(frame(CLOSE, NORMAL))
    socket.talk.close()
    return socket.tape.records()


def test_a_stream_without_fault() -> None:
    assert codes(Stream().events(5, every=0.1).end().tape.records()) == []


def test_a_stream_that_was_collected_and_cut() -> None:
    stream = Stream().chunks([b"data: 1\n\ndata: 2\n\ndata: 3\n\n"], every=1.0)
    stream.talk.close()
    assert codes(stream.tape.records()) == ["shared-segments", "unclean-end"]


def test_chunks_may_come_at_once() -> None:
    assert codes(chunked()) == []


@pytest.mark.parametrize(("status", "framing"), [(304, "none"), (200, "content-length")])
def test_a_response_without_a_stream(status: int, framing: str) -> None:
    wire = Wire()
    records: list[Record] = [wire.request(), wire.response(status=status, framing=framing)]
    if framing != "none":
        records.append(wire.body(chunks=None, ended_by="content-length"))
    assert codes([*records, wire.end()]) == []


def test_pings_that_are_answered_and_one_that_is_not() -> None:
    socket = Socket()
    socket.talk.server(frame(PING, b"1"), frame(PING, b"2"))
    socket.talk.client(frame(PONG, b"2", key=KEY))
    assert codes(closed(socket)) == []
    silent = Socket()
    silent.talk.server(frame(PING, b"1"))
    silent.tape.wait(60)
    assert codes(closed(silent)) == ["ping-unanswered"]


def test_a_refused_upgrade_is_judged_by_its_body() -> None:
    wire = Wire()
    asks = wire.request("/ws", ("Upgrade", "websocket"))
    refuses = wire.response(status=403, framing="content-length")
    body = wire.body(chunks=None, ended_by="content-length")
    [evidence] = collect([asks, refuses, body, wire.end()], Evidence)
    assert evidence.transport == "websocket"
    assert not evidence.is_websocket
    assert evidence.is_complete
    assert explain(evidence) == []


def test_what_is_kept_of_one_exchange_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ELEMENTS", 3)
    [evidence] = collect(chunked(), Evidence)
    assert len(evidence.chunks) == 1
    assert evidence.left_out == 3
    assert evidence.about.counts.chunks == 2
