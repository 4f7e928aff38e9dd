"""Requests and their responses on one connection, and what their records say of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from support.http1 import of
from support.http1_talk import (
    CONNECT,
    GET,
    HEAD,
    HOST,
    OK,
    POST,
    SWITCHING,
    UPGRADE,
    get,
    pairs,
    said,
)
from support.talk import Side, Talk, Tape, kinds
from support.websocket_frames import KEY, frame

from parsers import limits
from parsers.decode import http1_side as exchange
from parsers.decode.packets import PacketDecoder
from parsers.http2.elements import PREFACE
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

# --- pairing ---


def test_keep_alive() -> None:
    records = said(("client", get(b"/0")), ("server", OK), ("client", get(b"/1")), ("server", OK))
    assert pairs(records) == [("/0", 0), ("200", 0), ("/1", 1), ("200", 1)]
    assert kinds(records) == ["request", "response", "data", "body"] * 2 + ["connection"]
    assert [body.exchange for body in of(BodyRecord, records)] == [0, 1]


def test_pipelining() -> None:
    """RFC 9112 section 9.3.2: responses come in the order of the requests."""
    records = said(("client", get(b"/0") + get(b"/1") + get(b"/2")), ("server", OK * 3))
    assert pairs(records) == [("/0", 0), ("/1", 1), ("/2", 2)] + [("200", n) for n in range(3)]
    assert of(DiagnosticRecord, records) == []


def test_a_body_stands_between_its_message_and_the_next() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    records = said(("client", POST + POST), ("server", chunked + OK))
    assert kinds(records) == [
        *("request", "data", "body", "request", "data", "body"),
        *("response", "chunk", "chunk", "body", "response", "data", "body", "connection"),
    ]


def test_head_has_no_body() -> None:
    """RFC 9110 section 9.3.2: what follows its response is the next one."""
    records = said(("client", HEAD + GET), ("server", OK[:-2] + OK))
    assert pairs(records)[2:] == [("200", 0), ("200", 1)]
    assert [response.framing for response in of(ResponseRecord, records)] == [
        "none",
        "content-length",
    ]
    assert [body.exchange for body in of(BodyRecord, records)] == [1]


def test_interim_responses_belong_to_the_same_exchange() -> None:
    """RFC 9110 section 15.2."""
    records = said(
        ("client", POST),
        ("server", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK),
        ("client", GET),
        ("server", OK),
    )
    statuses = [(found.status, found.exchange) for found in of(ResponseRecord, records)]
    assert statuses == [(100, 0), (103, 0), (200, 0), (200, 1)]
    assert of(DiagnosticRecord, records) == []


def test_requests_that_nobody_answers() -> None:
    records = said(("client", GET + GET + POST))
    assert [request.exchange for request in of(RequestRecord, records)] == [0, 1, 2]
    assert [body.exchange for body in of(BodyRecord, records)] == [2]


def test_more_requests_than_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_PIPELINED", 2)
    records = said(("client", GET * 4), ("server", OK * 2))
    assert [request.exchange for request in of(RequestRecord, records)] == [0, 1, 2, 3]
    assert [response.exchange for response in of(ResponseRecord, records)] == [0, 1]
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.exchange, fault.offset) == ("http-pipelining-limit", 2, 2 * len(GET))


def test_a_response_before_its_request() -> None:
    """The capture began between the two."""
    talk = Talk().midstream()
    talk.server(OK)
    talk.client(get(b"/1"))
    talk.server(OK)
    records = talk.tape.records()
    assert [found.exchange for found in of(ResponseRecord, records)] == [0, 1]
    # It may have been asked for before the capture began.
    assert "http-response-unasked" not in {one.code for one in of(DiagnosticRecord, records)}
    assert of(ConnectionRecord, records)[0].midstream


def test_what_was_cut_says_how_it_ended() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    for ending, ended_by in (("fin", "close"), ("reset", "reset"), (None, "capture-end")):
        talk = Talk().open()
        talk.client(GET)
        talk.server(head + b"hi")
        if ending:
            getattr(talk, ending)("server")
        (body,) = of(BodyRecord, talk.tape.records())
        assert (body.ended_by, body.complete, body.size) == (ended_by, False, 2)


def test_framing_that_is_lost_gives_no_body() -> None:
    """RFC 9112 section 6.3: where two lengths differ, nobody can say where the body ends."""
    bad = b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + HOST + b"ab"
    records = said(("client", bad))
    assert kinds(records) == ["request", "http-content-length-conflict", "connection"]


# --- gaps ---


def test_conflicting_segments_are_reported_with_the_exchange() -> None:
    talk = Talk().open()
    first = talk.frame("client", GET)
    talk.tape.add(first)
    talk.tape.add(first.replace(b"GET", b"PUT"))
    talk.server(OK)
    (fault,) = of(DiagnosticRecord, talk.tape.records())
    assert (fault.code, fault.sender, fault.connection) == ("tcp-overlap-conflict", "client", 0)
    assert "PUT" in fault.summary
    assert "GET" in fault.summary


def test_conflicting_segments_of_a_websocket_are_reported_with_its_exchange() -> None:
    talk = Talk().open()
    talk.client(UPGRADE)
    talk.server(SWITCHING)
    first = talk.frame("server", frame(1, b"Hello"))
    talk.tape.add(first)
    talk.tape.add(first.replace(b"Hello", b"Hallo"))
    talk.close()
    records = talk.tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.sender, fault.exchange) == ("tcp-overlap-conflict", "server", 0)
    assert [found.data for found in of(WebSocketMessageRecord, records)] == ["Hello"]


def test_a_charset_that_event_streams_do_not_have() -> None:
    """WHATWG HTML section 9.2.4: they are UTF-8, whatever a parameter says."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: text/event-stream"
    for parameter, codes in (
        (b"; charset=latin-1", ["sse-charset-wrong"]),
        (b"; charset=UTF-8", []),
        (b';Charset="utf-8"', []),
        (b"; version=1", []),
    ):
        records = said(("client", GET), ("server", head + parameter + b"\r\n\r\n"))
        assert [fault.code for fault in of(DiagnosticRecord, records)] == codes


@pytest.mark.parametrize(
    ("head", "framing", "codings"),
    [
        (GET, "none", []),
        (POST, "content-length", []),
        (CONNECT, "none", []),
        # Not as its fields alone would have it: where it ends cannot be known, or it is faulty.
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + HOST, "none", []),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + HOST, "none", []),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" + HOST, "chunked", []),
        (
            b"POST / HTTP/1.1\r\nContent-Encoding: identity\r\nContent-Encoding: br, GZip\r\n"
            b"Transfer-Encoding: identity\r\nTransfer-Encoding: deflate, chunked\r\n" + HOST,
            "chunked",
            ["deflate", "identity", "gzip", "br"],
        ),
    ],
)
def test_a_request_says_how_it_was_read(head: bytes, framing: str, codings: list[str]) -> None:
    (request,) = of(RequestRecord, said(("client", head)))
    assert (request.framing, request.codings) == (framing, codings)


def test_codings_stand_in_the_order_of_undoing() -> None:
    """Several field lines are one list (RFC 9110 section 5.3); an empty one adds nothing to it."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding:\r\nContent-Encoding: x-gzip\r\n"
        b"Content-Encoding: br\r\nTransfer-Encoding: deflate, chunked\r\n\r\n"
    )
    (response,) = of(ResponseRecord, said(("client", GET), ("server", head)))
    assert (response.framing, response.codings) == ("chunked", ["deflate", "br", "gzip"])


def test_a_chunk_says_where_its_content_lies() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b"5\r\nhello\r\n00A;a=b\r\n0123456789\r\n0;c\r\nX: y\r\n\r\n"
    *chunks, last = of(ChunkRecord, said(("client", GET), ("server", sent)))
    for chunk in chunks:
        begin = chunk.content_offset
        assert sent[begin : begin + chunk.size].decode() == chunk.data
    assert sent[last.content_offset :] == b"X: y\r\n\r\n"


@pytest.mark.parametrize(
    ("payload", "form"), [(b"", None), (b"hello", None), (b"hello", 127), (b"x" * 126, None)]
)
def test_a_frame_says_where_its_payload_lies(payload: bytes, form: int | None) -> None:
    """By the fast path and by the states of a frame, in each form of its length."""
    sent = {
        "client": frame(1, payload, key=KEY, form=form),
        "server": frame(1, payload, form=form),
    }
    lines: list[tuple[Side, bytes]] = [("client", sent["client"]), ("server", sent["server"])]
    records = said(("client", UPGRADE), ("server", SWITCHING), *lines)
    heads = {"client": len(UPGRADE), "server": len(SWITCHING)}
    found = of(WebSocketFrameRecord, records)
    assert len(found) == 2
    for record in found:
        header = len(sent[record.sender]) - len(payload)
        assert record.content_offset == heads[record.sender] + header
        assert record.content_offset + record.payload_length == record.offset + record.length


@pytest.mark.parametrize("lines", [[GET], [UPGRADE, SWITCHING], [PREFACE]])
def test_an_unknown_event_is_a_bug(lines: list[bytes]) -> None:
    talk = Talk().open()
    for number, line in enumerate(lines):
        (talk.server if number else talk.client)(line)
    decoder = PacketDecoder()
    for packet in talk.tape.packets:  # by the layers that are asked here
        decoder.receive_general(packet)
    receiver: Any = next(iter(decoder._table.directions.values())).receiver
    write = getattr(receiver, "write", None) or receiver._write
    with pytest.raises(TypeError, match="no record is known"):
        write([object()])


def test_a_request_whose_head_takes_longer_than_is_remembered() -> None:
    """Meanwhile the answer to the one before arrives, and each segment acknowledges more of it."""
    count = limits.MAX_RECEIVED + 6
    second = b"GET /second HTTP/1.1\r\nX-Long: " + b"a" * count + b"\r\n" + HOST
    talk = Talk().open()
    talk.client(GET)
    talk.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(count):
        talk.server(b"1\r\na\r\n")
        talk.client(second[number : number + 1])
    talk.client(second[count:])
    talk.server(b"0\r\n\r\n", OK)
    records = talk.tape.records()
    assert [(one.exchange, one.target) for one in of(RequestRecord, records)] == [
        (0, "/"), (1, "/second"),
    ]  # fmt: skip
    sizes = [(one.exchange, one.size) for one in of(BodyRecord, records)]
    assert sizes == [(0, count), (1, 2)]
    assert of(DiagnosticRecord, records) == []


# --- memory ---


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def sse_stream(talk: Talk) -> Iterator[None]:
    yield talk.client(GET)
    yield talk.server(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    while True:
        yield talk.server(chunk(b"data: this is a message\r\n\r\n"))


def websocket_stream(talk: Talk) -> Iterator[None]:
    yield talk.client(UPGRADE)
    yield talk.server(SWITCHING)
    while True:
        yield talk.server(frame(1, b"this is a message"))
        yield talk.client(frame(1, b"and this an answer", key=KEY))


def unmasked_text(talk: Talk) -> Iterator[None]:
    """Bytes that no decoder here understands."""
    while True:
        yield talk.client(b"this is a message\n")
        yield talk.server(b"and this an answer\n")


def tunnel(talk: Talk) -> Iterator[None]:
    yield talk.client(CONNECT)
    yield talk.server(b"HTTP/1.1 200 Connection established\r\n\r\n")
    while True:
        yield talk.client(b"raw")
        yield talk.server(b"raw")


STREAMS = {sse_stream: 39_990, websocket_stream: 39_990, unmasked_text: 0, tunnel: 2}


@pytest.mark.parametrize("stream", STREAMS)
def test_memory_does_not_grow_with_a_stream(stream) -> None:
    """20,000 packets; what is kept after the last fifth is what was kept before it."""
    tape = Tape()
    talk = Talk(tape).open()
    steps = stream(talk)
    decoder = PacketDecoder()
    count, used = 0, []
    tracemalloc.start()
    try:
        for _ in range(20):
            for _ in range(1_000):
                next(steps)
            count += len(decoder.receive(tape.packets))
            tape.packets.clear()
            used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert count >= STREAMS[stream]
    assert used[-1] - used[4] < 160 * 1024, used  # less than 11 bytes a packet
    for direction in decoder._table.directions.values():
        assert len(direction.origins) <= 1_100
