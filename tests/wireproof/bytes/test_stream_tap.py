"""Tapping the decoder's streams: whose stream is whose, when the handshake was."""

from __future__ import annotations

from support.attack import request, response
from support.talk import Talk, Tape

from parsers.files.packets import Packet
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
    for record in tap.finish():
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
