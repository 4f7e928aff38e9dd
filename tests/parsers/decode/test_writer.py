"""Records of one direction: the packets and times of events, and text as it was on the wire."""

from __future__ import annotations

import pytest

from parsers.decode.writer import RecordWriter, wire_fields, wire_text
from parsers.diagnostics import diagnose
from parsers.http1.chunked import Chunk
from parsers.http1.decoder import Request, Response
from parsers.provenance import Arrival, SourceMap
from parsers.sse.stream import ServerSentEvent
from parsers.websocket.frames import CLOSE, OPCODE_NAMES, TEXT, Frame
from parsers.websocket.messages import Message


def writer(*arrivals: tuple[int, int, int], keep_data: bool = True) -> RecordWriter:
    """A direction whose runs have a length, the packet that carried it, and what completed it."""
    stream: SourceMap[Arrival] = SourceMap()
    for length, packet, completed in arrivals:
        stream.extend(length, (packet, completed, float(packet), float(completed)))
    return RecordWriter(7, "server", stream, keep_data)


def common(record) -> tuple:
    return (
        record.connection,
        record.exchange,
        record.sender,
        record.first_packet,
        record.last_packet,
        record.first_time,
        record.last_time,
        record.offset,
        record.length,
    )


SPREAD = (7, 3, "server", 1, 4, 1.0, 4.0, 2, 20)
"""Of [2, 22) in the runs below."""


@pytest.fixture
def spread() -> RecordWriter:
    """Packet 2 was lost at first and came as packet 4: it completed what 3 had carried."""
    return writer((10, 1, 1), (10, 4, 4), (10, 3, 4), (10, 5, 5))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, (1, 1, 1.0, 1.0)),
        (0, 10, (1, 1, 1.0, 1.0)),
        (9, 11, (1, 4, 1.0, 4.0)),
        (20, 30, (3, 4, 3.0, 4.0)),
        (25, 40, (3, 5, 3.0, 5.0)),
        (30, 40, (5, 5, 5.0, 5.0)),
        (40, 40, (5, 5, 5.0, 5.0)),  # what lies at the end of the stream: its last packet
        (10, 10, (1, 1, 1.0, 1.0)),  # what is empty lies after the byte before it
    ],
)
def test_places(spread: RecordWriter, start: int, end: int, expected: tuple) -> None:
    assert spread.place(start, end) == expected


def test_no_place_in_an_empty_stream() -> None:
    assert writer().place(0, 0) == (0, 0, 0.0, 0.0)


def test_the_newest_run_that_a_late_packet_completed() -> None:
    assert writer((5, 3, 3), (5, 1, 3)).place(5, 10) == (1, 3, 1.0, 3.0)


def test_text_of_the_wire() -> None:
    """UTF-8 where it is, else each byte as its own character: nothing is lost or replaced."""
    assert wire_text("Grüße".encode()) == "Grüße"
    assert wire_text(b"Gr\xfc\xdfe") == "Grüße"
    assert wire_text(b"\xff\xfe") == "\u00ff\u00fe"
    assert wire_fields([(b"A", b"b"), (b"C\xff", b"")]) == [("A", "b"), ("C\u00ff", "")]


def test_heads(spread: RecordWriter) -> None:
    fields = [(b"Host", b"example"), (b"X", b"\xff")]
    request = Request(2, 22, b"GET", b"/\xc3\xa9", b"HTTP/1.1", fields, "none", (), False)
    record = spread.request(request, 3)
    assert common(record) == SPREAD
    assert (record.record, record.method, record.target) == ("request", "GET", "/é")
    assert (record.version, record.headers) == (
        "HTTP/1.1",
        [("Host", "example"), ("X", "\u00ff")],
    )
    response = Response(2, 22, b"HTTP/1.0", 404, b"Not\xa0Found", fields, "close", ())
    found = spread.response(response, 3, "http")
    assert common(found) == SPREAD
    assert (found.record, found.version, found.status) == ("response", "HTTP/1.0", 404)
    assert (found.reason, found.framing) == ("Not\u00a0Found", "close")


def test_chunks(spread: RecordWriter) -> None:
    record = spread.chunk(Chunk(2, 22, 5, 3, b";a=b", b"abc", None, 17), 3)
    assert common(record) == SPREAD
    assert (record.index, record.size, record.extension) == (5, 3, ";a=b")
    assert (record.data, record.encoding, record.trailers) == ("abc", "utf-8", None)
    assert record.content_offset == 17
    binary = spread.chunk(Chunk(2, 22, 5, 1, b"", b"\xff", None, 19), 3)
    assert (binary.data, binary.encoding, binary.extension) == ("/w==", "base64", "")
    last = spread.chunk(Chunk(2, 22, 6, 0, b"", None, [(b"A", b"b")], 5), 3)
    assert (last.data, last.encoding, last.trailers) == (None, None, [("A", "b")])


@pytest.mark.parametrize("keep_data", [True, False])
def test_events(keep_data: bool) -> None:
    spread = writer((10, 1, 1), (10, 4, 4), (10, 3, 4), (10, 5, 5), keep_data=keep_data)
    event = ServerSentEvent(90, 99, "token", "a", "7", 10, True, [("data", "a")])
    record = spread.sse_event(event, 3, 2, 22, 1, 2)
    assert common(record) == SPREAD
    assert (record.event, record.id, record.retry, record.dispatched) == ("token", "7", 10, True)
    assert (record.first_chunk, record.last_chunk) == (1, 2)
    assert (record.data, record.fields) == (("a", [("data", "a")]) if keep_data else (None, None))


def test_frames(spread: RecordWriter) -> None:
    frame = Frame(2, 22, True, False, True, False, TEXT, True, b"\1\2\3\4", 2, b"hi", None, None)
    record = spread.frame(frame, 3)
    assert common(record) == SPREAD
    assert (record.fin, record.rsv1, record.rsv2, record.rsv3) == (True, False, True, False)
    assert (record.opcode, record.opcode_name, record.masked) == (1, "text", True)
    assert (record.masking_key, record.payload_length) == ("01020304", 2)
    assert (record.data, record.encoding) == ("hi", "utf-8")
    close = Frame(
        2, 22, True, False, False, False, CLOSE, False, None, 5, b"\x03\xe8bye", 1000, "bye"
    )
    found = spread.frame(close, 3)
    assert (found.masked, found.masking_key) == (False, None)
    assert (found.data, found.encoding) == ("A+hieWU=", "base64")
    assert (found.close_code, found.close_reason) == (1000, "bye")
    left_out = spread.frame(
        Frame(2, 22, True, False, False, False, TEXT, False, None, 2, None, None, None), 3
    )
    assert (left_out.data, left_out.encoding) == (None, None)


def test_every_opcode_has_a_name() -> None:
    assert len(OPCODE_NAMES) == 16


@pytest.mark.parametrize("keep_data", [True, False])
def test_messages(keep_data: bool) -> None:
    spread = writer((10, 1, 1), (10, 4, 4), (10, 3, 4), (10, 5, 5), keep_data=keep_data)
    record = spread.message(Message(2, 22, "binary", 1, b"\xff" if keep_data else b"", 2, True), 3)
    assert common(record) == SPREAD
    assert (record.type, record.size, record.frames, record.compressed) == ("binary", 1, 2, True)
    assert (record.data, record.encoding) == (("/w==", "base64") if keep_data else (None, None))


def test_gaps_and_faults(spread: RecordWriter) -> None:
    gap = spread.gap(2, 20, None)
    assert common(gap) == (7, None, *SPREAD[2:])
    assert gap.missing == 20
    fault = spread.diagnostic(diagnose("http-body-cut", 2, 22, "why"), 3)
    assert common(fault) == SPREAD
    assert (fault.severity, fault.code) == ("error", "http-body-cut")
    assert fault.summary == "the body is incomplete: why"
    assert fault.reference == "RFC 9112 section 8"


def test_a_fault_of_tcp_has_the_packet_that_showed_it(spread: RecordWriter) -> None:
    """Also where the stream says another, or nothing yet."""
    for direction in (spread, writer()):
        fault = direction.diagnostic(diagnose("tcp-overlap-conflict", 2, 22), 3, (9, 9.5))
        assert common(fault) == (7, 3, "server", 9, 9, 9.5, 9.5, 2, 20)
