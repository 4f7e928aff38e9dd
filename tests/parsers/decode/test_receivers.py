"""What every receiver of a side's bytes owes the layer below, also where hardly anything asks.

A fault of that layer is shown with the packet that showed it; and what a receiver says may still be
asked for are places that its stream has.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.talk import Talk
from support.websocket_frames import KEY, frame

from parsers.decode import http2_tunnel, raw, silent
from parsers.decode.http3_connection import Http3Connection
from parsers.decode.joining import AwaitedFrame
from parsers.decode.late_request import LateRequest
from parsers.decode.packets import PacketDecoder
from parsers.decode.writer import RecordWriter
from parsers.diagnostics import diagnose
from parsers.provenance import Arrival, SourceMap
from parsers.quic.streams import QuicStream, Room
from parsers.records import (
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    WebSocketMessageRecord,
)
from parsers.streams import ByteStream, Receiver

SHOWN = 7, 0.5
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def writer(*_: object) -> RecordWriter:
    origins: SourceMap[Arrival] = SourceMap()
    origins.extend(100, (3, 3, 0.25, 0.25))
    return RecordWriter(0, "client", origins, True)


def of_http3(stream_id: int) -> Receiver[Record]:
    connection = Http3Connection(writer, lambda sender: False)
    first, second = (
        QuicStream[Record](stream_id, side, Room(1 << 20)) for side in ("client", "server")
    )
    first.peer, second.peer = second, first
    connection.open_stream(first)
    return first.receiver


def awaited() -> Receiver[Record]:
    return AwaitedFrame(
        QuicStream(0, "client", Room(1 << 20)), 0, writer(), lambda at: silent.UNHEARD, 3
    )


def late() -> LateRequest:
    """What reads a client whose request waits behind a hole, after the server has agreed to it."""
    talk = Talk().open()
    talk.lose("client", 60)
    talk.client(UPGRADE)
    talk.server(SWITCHED)
    decoder = PacketDecoder()
    decoder.receive(talk.tape.packets)
    connection = decoder._table.open_connections[0]
    found = connection.first.receiver
    assert isinstance(found, LateRequest)
    return found


SHOWS: dict[str, Callable[[], Receiver[Record]]] = {
    "bytes that are not decoded": lambda: raw.RawSide(writer(), 0, 3, "in a tunnel"),
    "a stream that is let go": lambda: silent.Ignored(writer(), 0),
    "a frame that is awaited": awaited,
    "a request of HTTP/3": lambda: of_http3(0),
    "a stream of control of HTTP/3": lambda: of_http3(2),
    "a request that is late": late,
}
HIDES: dict[str, Callable[[], Receiver[Record]]] = {
    "a connection that nobody asked for": lambda: silent.UNHEARD,
    "a tunnel that is not granted yet": http2_tunnel.Held,
}


@pytest.mark.parametrize("make", SHOWS.values(), ids=SHOWS)
def test_a_fault_below_is_shown_with_its_packet(make: Callable[[], Receiver[Record]]) -> None:
    fault = diagnose("tcp-overlap-conflict", 5, 9, "")
    (found,) = make().receive_fault(fault, SHOWN)
    assert isinstance(found, DiagnosticRecord)
    assert (found.code, found.last_packet, found.offset) == ("tcp-overlap-conflict", 7, 5)


@pytest.mark.parametrize("make", HIDES.values(), ids=HIDES)
def test_who_has_no_records_shows_none(make: Callable[[], Receiver[Record]]) -> None:
    assert make().receive_fault(diagnose("tcp-overlap-conflict", 5, 9, ""), SHOWN) == []


@pytest.mark.parametrize("make", (SHOWS | HIDES).values(), ids=SHOWS | HIDES)
def test_places_that_may_be_asked_for(make: Callable[[], Receiver[Record]]) -> None:
    assert all(place >= 0 for place in make().open_offsets)


def test_what_crossed_a_fin_is_a_fault_of_requests_alone() -> None:
    crossed = diagnose("tcp-data-crossed-fin", 5, 9, "")
    assert raw.RawSide(writer(), 0, 3).receive_fault(crossed, SHOWN) == []
    assert len(awaited().receive_fault(crossed, SHOWN)) == 1


def test_a_hole_is_shown_where_it_is_not_yet() -> None:
    """And it is counted where it is."""
    for receiver in (raw.RawSide(writer(), 0, 3), awaited()):
        (gap,) = receiver.receive_gap(4)
        assert isinstance(gap, GapRecord)
        assert (gap.offset, gap.length, gap.exchange) == (0, 4, 3)
        assert receiver.pass_over(5) == []  # type: ignore[attr-defined]
        (gap,) = receiver.receive_gap(1)
        assert isinstance(gap, GapRecord)
        assert gap.offset == 9


def hand(stream: ByteStream[Record], data: bytes) -> list[Record]:
    stream.origins.extend(len(data), (9, 9, 0.5, 0.5))
    return stream.receiver.receive_data(data)


def test_a_late_request_comes_byte_by_byte_after_empty_lines() -> None:
    receiver = late()
    stream = receiver._stream
    stream.origins.extend(60, (9, 9, 0.5, 0.5))
    found = receiver.receive_gap(60)
    for byte in b"\r\n" + UPGRADE + frame(1, b"hi", key=KEY):
        found += hand(stream, bytes((byte,)))
    (request,) = [one for one in found if isinstance(one, RequestRecord)]
    (message,) = [one for one in found if isinstance(one, WebSocketMessageRecord)]
    assert (request.target, message.data) == ("/ws", "hi")


def test_a_late_request_that_never_is_whole() -> None:
    receiver = late()
    assert hand(receiver._stream, b"G") == []
    found = receiver.receive_eof("close")
    assert [one.code for one in found if isinstance(one, DiagnosticRecord)] == ["http-message-cut"]


def test_a_late_request_whose_hole_has_its_record_already() -> None:
    receiver = late()
    hand(receiver._stream, b"G")
    receiver._stream.origins.extend(60, (9, 9, 0.5, 0.5))
    assert not any(isinstance(one, GapRecord) for one in receiver.pass_over(60))
