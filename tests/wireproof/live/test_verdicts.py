"""What is said of an exchange when it ends, while its connection goes on."""

from __future__ import annotations

from support.talk import Talk
from support.timed import Socket, Stream

from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.judges import Explained, explain
from wireproof.live.verdicts import LiveVerdicts

GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def told(talk: Talk, wanted: ExchangeFilter | None = None) -> list[Explained]:
    live = LiveVerdicts() if wanted is None else LiveVerdicts(wanted)
    return list(live.add(talk.tape.records()))


def test_an_exchange_is_told_when_both_sides_have_sent_all() -> None:
    stream = Stream().events(3, every=0.1)
    stream.talk.server(b"0\r\n\r\n")
    live = LiveVerdicts()
    records = stream.tape.records()  # the connection goes on: its record is the last
    body = next(n for n, record in enumerate(records) if record.record == "body")
    assert list(live.add(records[:body])) == []
    [explained] = live.add([records[body]])
    assert [one.answer for one in explained.verdicts][:2] == ["streamed", "whole"]
    assert list(live.add(records[body + 1 :])) == []


def test_each_is_told_once() -> None:
    talk = Talk().open()
    for number in range(3):
        talk.client(GET % number)
        talk.server(OK)
    talk.close()
    assert [one.exchange.number for one in told(talk)] == [0, 1, 2]


def test_one_that_is_cut_is_told_with_its_connection() -> None:
    stream = Stream().events(3, every=0.1)
    stream.talk.reset("server")
    [explained] = told(stream.talk)
    assert "cut" in [one.answer for one in explained.verdicts]
    [expected] = explain(stream.tape.records())
    assert explained.verdicts == expected.verdicts


def test_a_websocket_is_told_with_its_closing_handshake() -> None:
    socket = Socket()
    socket.talk.server(b"\x81\x02hi")
    socket.talk.server(b"\x88\x02\x03\xe8")
    socket.talk.client(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
    records = socket.tape.records()
    found = list(LiveVerdicts().add(records[:-1]))
    assert [one.exchange.transport for one in found] == ["websocket"]


def test_only_those_that_are_wanted_are_told_and_keep_their_numbers() -> None:
    talk = Talk().open()
    for number in range(3):
        talk.client(GET % number)
        talk.server(OK)
    [explained] = told(talk, ExchangeFilter(path="/2"))
    assert explained.exchange.number == 2


def test_what_is_over_is_forgotten() -> None:
    live = LiveVerdicts()
    for number in range(50):
        talk = Talk(client_port=40_000).open()
        talk.client(GET % number)
        talk.server(OK)
        talk.close()
        assert len(list(live.add(talk.tape.records()))) == 1
    assert live._told == set()
