"""Tapping the decoder's streams: whose stream is whose, when the handshake was."""

from __future__ import annotations

from functools import partial
from itertools import chain

import pytest
from support.attack import request, response
from support.talk import Talk, Tape

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.limits import MiB
from parsers.memory import Account, Memory
from wireproof.bytes import dissection
from wireproof.bytes.dissection import ElementStream
from wireproof.bytes.stream_tap import StreamTap

OK = response("200 OK", "Content-Length: 2") + b"ok"


def tapped(packets: list[Packet]) -> StreamTap[ElementStream]:
    tap = StreamTap(ElementStream)
    for packet in packets:
        for record in tap.receive([packet]):
            tap.tell(record)
    return tap


def test_whose_is_whose_and_when_it_was_opened() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(OK)
    pair = tapped(talk.tape.packets).pairs[0]
    times = [packet[1] for packet in talk.tape.packets]
    connection = pair.connection
    assert (connection.opened, connection.established) == (times[0], times[2])
    assert pair.address("server") == "127.0.0.1:8000"
    assert pair.address("client") == "127.0.0.1:40000"


def test_a_connection_in_the_middle() -> None:
    talk = Talk().midstream()
    talk.server(OK)
    talk.client(request("/"))
    pair = tapped(talk.tape.packets).pairs[0]
    assert pair.connection.opened is None
    assert pair.address("server") == "127.0.0.1:8000"


def test_before_it_is_known_whose_is_whose() -> None:
    pair = tapped(Talk().open().tape.packets).pairs[0]
    assert pair.address("server") == "" and pair.stream("client") is None


def test_a_fault_does_not_say_whose_is_whose() -> None:
    """What shows that bytes are missing may be a packet of the other side."""
    talk = Talk().open()
    talk.lose("client", 40)
    talk.server(OK)
    for _ in range(20):
        talk.client(request("/"))
        talk.server(OK)
    pair = tapped(talk.tape.packets).pairs[0]
    assert pair.address("server") == "127.0.0.1:8000"


def test_the_end_of_the_capture_hands_on_what_waited() -> None:
    talk = Talk().open()
    talk.client(request("/1"))
    talk.lose("client", 40)
    talk.client(request("/2"))
    tap = tapped(talk.tape.packets)
    stream = tap.pairs[0].stream("client")
    assert stream is not None and stream.done == len(request("/1"))
    for record in chain.from_iterable(tap.endings()):
        tap.tell(record)
    assert stream.done == len(request("/1")) + 40 + len(request("/2"))


def test_connections_that_are_not_wanted_have_no_streams() -> None:
    tape = Tape()
    for port in (40_001, 40_002):
        talk = Talk(tape, client_port=port).open()
        talk.client(request("/"))
        talk.server(OK)
    tap = StreamTap(ElementStream, wanted={1}.__contains__)
    records = tap.receive(tape.packets)
    assert list(tap.pairs) == [1] and {record.connection for record in records} == {1}


def test_what_waits_is_charged_and_given_back() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    head = response("200 OK", "Transfer-Encoding: chunked") + b"100000\r\n"
    talk.server(head, bytes(60_000), bytes(60_000))
    tap = StreamTap(ElementStream)
    for record in tap.receive(talk.tape.packets):
        tap.tell(record)
    tap.hand_on(0)
    alone = PacketDecoder()
    alone.receive(talk.tape.packets)
    assert 175_000 < tap.decoder.held - alone.held < 185_000
    assert list(tap.endings())
    assert tap.decoder.held == 0


def test_who_is_let_go_waits_for_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissection, "MAX_UNTOLD", 100_000)
    talk = Talk().open()
    talk.client(request("/"))
    head = response("200 OK", "Transfer-Encoding: chunked") + b"1000000\r\n"
    tap = StreamTap(ElementStream, decoder=partial(PacketDecoder, memory=2 * MiB))
    talk.server(head)
    sizes = []
    for _ in range(60):
        talk.server(bytes(40_000))
        packets, talk.tape.packets[:] = talk.tape.packets[:], []
        for record in tap.receive(packets):
            tap.tell(record)
        tap.hand_on(0)
        stream = tap.pairs[0].stream("server")
        assert stream is not None
        sizes.append(len(stream._raw))
    let_go = next(at for at, size in enumerate(sizes) if not size)
    assert 5 < let_go < 40, "the decoder and what listens beside it share what is allowed"
    assert sizes[:let_go] == sorted(sizes[:let_go]) and max(sizes[let_go:]) == 0
    assert stream.done == len(head) + 60 * 40_000
    assert list(tap.endings())
    assert tap.decoder.held == 0


def test_who_was_let_go_and_is_told_nothing_keeps_little() -> None:
    stream, account = ElementStream(), Account(Memory())
    stream.charge_to(account)
    stream.receive_data(bytes(5_000))
    assert account.held == 7_500 and not stream.done
    account.charge(-7_500)
    account.is_let_go = True
    for _ in range(9):
        stream.receive_data(bytes(5_000))
        assert len(stream._raw) <= dissection.MAX_LET_GO
    assert stream.done == 50_000 and account.held <= 7_500
