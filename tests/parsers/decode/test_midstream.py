"""Streams whose start is not in the capture: what follows the rest of a message is decoded."""

from __future__ import annotations

from support.frames import ACK, FIN
from support.http1 import of
from support.stored import completion
from support.talk import Talk, decoded, kinds
from support.websocket_frames import frame

from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
)

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def connection(records: list[Record]) -> ConnectionRecord:
    (found,) = of(ConnectionRecord, records)
    return found


def test_the_rest_of_a_request_before_a_whole_one() -> None:
    """Offsets count from the first byte that was captured; the rest belongs to nothing."""
    talk = Talk().midstream()
    talk.client(b"rest of a body, with a line\nand no end", GET)
    talk.server(OK)
    records = talk.tape.records()
    (request,) = of(RequestRecord, records)
    assert (request.offset, request.first_packet) == (38, 2)
    assert [found.status for found in of(ResponseRecord, records)] == [200]
    assert connection(records).client_bytes == 38 + len(GET)


def test_the_rest_of_a_response_before_the_next_exchange() -> None:
    talk = Talk().midstream()
    talk.server(b"\x1f\x8b rest of a body\r\n")
    talk.client(GET)
    talk.server(OK)
    records = talk.tape.records()
    assert [found.target for found in of(RequestRecord, records)] == ["/it"]
    assert [found.status for found in of(ResponseRecord, records)] == [200]
    assert connection(records).protocol == "http/1.1"


def test_a_request_in_two_segments_after_the_rest_of_another() -> None:
    talk = Talk().midstream()
    talk.client(b"rest\n", GET[:20], GET[20:], GET)
    records = talk.tape.records()
    assert of(RequestRecord, records)[-1].offset == 5 + len(GET)
    assert not [fault for fault in of(DiagnosticRecord, records) if fault.severity == "error"]


def test_nothing_of_a_midstream_connection_is_understood() -> None:
    talk = Talk().midstream()
    talk.client(b"\x00" * 500)
    talk.server(b"\x01" * 500)
    talk.close()
    records = talk.tape.records()
    assert kinds(records) == ["connection"]
    assert connection(records).midstream


def test_a_websocket_whose_start_was_not_captured() -> None:
    """Two frames that can be nothing else tell, and who masks is the client."""
    talk = Talk().midstream()
    talk.server(frame(1, b"Hello"))
    talk.client(frame(1, b"Hello", key=b"\1\2\3\4"))
    records = talk.tape.records()
    said = ["websocket_frame", "websocket_message"]
    assert kinds(records) == ["stream-joined", *said, *said, "connection"]
    assert connection(records).protocol == "websocket"


def test_batches_make_no_difference() -> None:
    talk = Talk().midstream()
    talk.server(b"rest\r\n")
    talk.client(b"rest\n", GET, GET)
    talk.server(OK, OK)
    talk.segment("client", flags=FIN | ACK)
    whole = sorted(decoded(talk.tape.packets), key=completion)
    assert sorted(decoded(talk.tape.packets, batch=1), key=completion) == whole
    assert sorted(decoded(talk.tape.packets, general=True), key=completion) == whole
