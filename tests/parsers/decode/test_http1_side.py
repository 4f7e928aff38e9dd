"""Requests and their responses on one connection, and what comes after a switch of protocols."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from support.http1 import of
from support.talk import Side, Talk, Tape, decoded, kinds, without_packets
from support.websocket_frames import KEY, Compressor, deflated, frame

from parsers import limits
from parsers.decode import http1_side as exchange
from parsers.decode.packets import PacketDecoder
from parsers.http2.elements import PREFACE
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

HOST = b"Host: example\r\n\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
HEAD = b"HEAD / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n" + HOST + b"data"
CONNECT = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"


def said(*lines: tuple[Side, bytes], close: bool = True) -> list[Record]:
    """The records of a dialogue, each line in a segment of its own, then cut byte by byte.

    Runs of content are as the packets cut them: what they hold together is the same.
    """
    found = []
    for step in (1 << 30, 1):
        talk = Talk().open()
        for sender, data in lines:
            for start in range(0, len(data), step):
                talk.segment(sender, data[start : start + step])
        if close:
            talk.close()
        found.append(talk.tape.records())
    whole, cut = (
        sorted(
            repr(without_packets(record))
            for record in records
            if not isinstance(record, DataRecord)
        )
        for records in found
    )
    assert whole == cut
    assert runs(found[0]) == runs(found[1])
    return found[0]


def runs(records: list[Record]) -> dict[tuple[int, str], str]:
    """What the runs of each body hold together."""
    found: dict[tuple[int, str], str] = {}
    for record in records:
        if isinstance(record, DataRecord) and record.data is not None:
            key = record.exchange, record.sender
            found[key] = found.get(key, "") + record.data
    return found


def pairs(records: list[Record]) -> list[tuple[str, int]]:
    """Requests' targets and responses' statuses with their exchanges."""
    found = []
    for record in records:
        if isinstance(record, RequestRecord):
            found.append((record.target, record.exchange))
        elif isinstance(record, ResponseRecord):
            found.append((str(record.status), record.exchange))
    return found


def get(target: bytes, method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST


def only_protocol(records: list[Record]) -> str:
    (connection,) = of(ConnectionRecord, records)
    return connection.protocol


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


# --- switching protocols ---


def test_a_switch_to_websocket() -> None:
    records = said(
        ("client", UPGRADE),
        ("server", SWITCHING),
        ("client", frame(1, b"Hello", key=KEY)),
        ("server", frame(1, b"Hel", fin=False) + frame(9, b"?") + frame(0, b"lo")),
    )
    assert only_protocol(records) == "websocket"
    assert of(ResponseRecord, records)[0].framing == "upgrade"
    frames = of(WebSocketFrameRecord, records)
    assert [(found.sender, found.opcode) for found in frames] == [
        ("client", 1),
        *(("server", opcode) for opcode in (1, 9, 0)),
    ]
    assert frames[0].masking_key == KEY.hex()
    messages = of(WebSocketMessageRecord, records)
    assert [(found.data, found.frames) for found in messages] == [("Hello", 1), ("Hello", 2)]
    assert {found.exchange for found in frames + messages} == {0}
    assert messages[1].offset == len(SWITCHING)
    assert of(DiagnosticRecord, records) == []


def test_frames_that_came_before_the_answer_are_held() -> None:
    early = frame(1, b"Hello", key=KEY)
    records = said(
        ("client", UPGRADE + early + early),
        ("server", SWITCHING + frame(1, b"Hello")),
    )
    messages = of(WebSocketMessageRecord, records)
    assert [found.sender for found in messages] == ["client", "client", "server"]
    assert [found.offset for found in messages] == [
        len(UPGRADE),
        len(UPGRADE + early),
        len(SWITCHING),
    ]


def test_a_client_that_left_before_the_answer_left_its_frame_unfinished() -> None:
    talk = Talk().open()
    talk.client(UPGRADE + frame(1, b"Hello", key=KEY)[:-2])
    talk.fin("client")
    talk.server(SWITCHING)
    early, fault = of(DiagnosticRecord, talk.tape.records())
    assert early.code == "websocket-frame-early"
    assert (fault.code, fault.sender) == ("websocket-frame-cut", "client")


def test_two_exchanges_before_a_switch() -> None:
    """The WebSocket belongs to its handshake's exchange, in both directions."""
    records = said(
        *(("client", GET), ("server", OK)) * 2,
        ("client", UPGRADE),
        ("server", SWITCHING + frame(2, b"\xff")),
        ("client", frame(2, b"\xfe", key=KEY)),
    )
    assert pairs(records)[-1] == ("101", 2)
    messages = of(WebSocketMessageRecord, records)
    assert [(found.sender, found.exchange, found.encoding) for found in messages] == [
        ("server", 2, "base64"),
        ("client", 2, "base64"),
    ]


def test_requests_before_a_switch_that_were_not_answered_yet() -> None:
    records = said(
        ("client", GET + UPGRADE + frame(1, b"a", key=KEY)),
        ("server", OK + SWITCHING + frame(1, b"b")),
    )
    assert [found.exchange for found in of(WebSocketFrameRecord, records)] == [1, 1]


def test_permessage_deflate() -> None:
    """RFC 7692: each direction has its own window."""
    client, server = Compressor(), Compressor()
    text = b"the same words again and again"
    records = said(
        ("client", UPGRADE[:-2] + DEFLATE),
        ("server", SWITCHING[:-2] + DEFLATE),
        ("client", b"".join(frame(1, client(text), rsv=4, key=KEY) for _ in range(2))),
        ("server", b"".join(frame(1, server(text), rsv=4) for _ in range(2)) + frame(1, text)),
    )
    messages = of(WebSocketMessageRecord, records)
    assert [found.data for found in messages] == [text.decode()] * 5
    assert [found.compressed for found in messages] == [True] * 4 + [False]
    assert [found.size for found in messages] == [len(text)] * 5
    frames = of(WebSocketFrameRecord, records)
    assert frames[1].payload_length < frames[0].payload_length == len(deflated(text))


def test_faults_of_the_handshake() -> None:
    wrong = SWITCHING.replace(b"s3pP", b"AAAA") + frame(1, b"Hello")
    records = said(("client", UPGRADE.replace(b"Version: 13", b"Version: 8")), ("server", wrong))
    faults = of(DiagnosticRecord, records)
    assert {fault.code for fault in faults} == {
        "websocket-accept-wrong",
        "websocket-version-unsupported",
    }
    for fault in faults:
        assert (fault.sender, fault.exchange, fault.offset) == ("server", 0, 0)
        assert fault.length == len(SWITCHING)
    assert of(WebSocketMessageRecord, records)[0].data == "Hello"


def test_a_handshake_whose_request_was_not_captured() -> None:
    talk = Talk().midstream()
    talk.server(SWITCHING, frame(1, b"Hello"))
    talk.client(frame(1, b"Hello", key=KEY))
    records = talk.tape.records()
    assert only_protocol(records) == "websocket"
    senders = [found.sender for found in of(WebSocketMessageRecord, records)]
    assert senders == ["server", "client"]
    codes = [fault.code for fault in of(DiagnosticRecord, records)]
    assert not [code for code in codes if code.startswith("websocket-")], codes


def test_the_first_frame_stands_at_its_offset_though_no_request_came() -> None:
    """Its segment may be put aside already when the switch is read."""
    talk = Talk().open()
    talk.server(SWITCHING)
    talk.client(frame(1, b"hi", key=KEY))
    for batch in (1, 100):
        (found,) = of(WebSocketFrameRecord, decoded(talk.tape.packets, batch=batch))
        assert (found.sender, found.offset, found.length, found.data) == ("client", 0, 8, "hi")


def test_a_switch_that_is_refused() -> None:
    """What the client sent after its request was HTTP all the time."""
    refusal = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"
    records = said(("client", UPGRADE + POST + HEAD + GET), ("server", refusal + OK + OK[:-2] + OK))
    assert pairs(records) == [
        *(("/ws", 0), ("/", 1), ("/", 2), ("/", 3)),
        *(("426", 0), ("200", 1), ("200", 2), ("200", 3)),
    ]
    bodies = [(found.sender, found.exchange, found.size) for found in of(BodyRecord, records)]
    assert bodies == [("client", 1, 4), ("server", 0, 0), ("server", 1, 2), ("server", 3, 2)]
    assert kinds(of(DiagnosticRecord, records)) == ["http-upgrade-refused"]
    assert only_protocol(records) == "http/1.1"


def test_a_refusal_before_anything_else_was_sent() -> None:
    records = said(("client", UPGRADE), ("server", OK), ("client", UPGRADE), ("server", SWITCHING))
    assert pairs(records) == [("/ws", 0), ("200", 0), ("/ws", 1), ("101", 1)]
    assert only_protocol(records) == "websocket"


def test_a_refusal_before_the_request_has_ended() -> None:
    head = UPGRADE[:-2] + b"Content-Length: 4\r\n\r\n"
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    records = said(
        ("client", head + b"da"),
        ("server", refusal),
        ("client", b"ta" + GET),
        ("server", OK),
    )
    assert pairs(records) == [("/ws", 0), ("413", 0), ("/", 1), ("200", 1)]
    assert kinds(of(DiagnosticRecord, records)) == ["http-upgrade-refused"]


def test_a_tunnel() -> None:
    """RFC 9110 section 9.3.6: after a 2xx response to CONNECT a stream of its own follows."""
    accepted = b"HTTP/1.1 200 Connection established\r\n\r\n"
    records = said(("client", CONNECT + GET), ("server", accepted + OK), ("client", GET))
    early, *further = pairs(records)[1:]
    assert (early, further) == (("/", 1), [("200", 0), ("200", 1), ("/", 2)])
    assert of(ResponseRecord, records)[0].framing == "upgrade"
    assert only_protocol(records) == "http/1.1"


@pytest.mark.parametrize(
    ("asked", "cut", "shown", "where"),
    [
        (GET, b"HTTP/1.1 503 Unavail", ("503", 0), "closed in its first line, after 20 bytes"),
        (GET, b"HTTP/1.1 503 Unavailable\r\nRetry-After: 7\r\nDa", ("503", 0),
         "closed in its header section, after 44 bytes"),
        (GET, b"HTTP/1.1 20", None, "closed in its first line, after 11 bytes"),
        (UPGRADE, SWITCHING[:50], ("101", 0), "closed in its header section, after 50 bytes"),
    ],
)  # fmt: skip
def test_a_head_that_closing_cuts_shows_what_is_whole(
    asked: bytes, cut: bytes, shown: tuple[str, int] | None, where: str
) -> None:
    records = said(("client", asked), ("server", cut))
    assert pairs(records)[1:] == ([] if shown is None else [shown])
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.exchange) == ("http-message-cut", 0)
    assert fault.summary == f"the message ends in its head: {where}"
    if b"Retry-After" in cut:
        assert of(ResponseRecord, records)[0].headers == [("Retry-After", "7")]


EVENTS = [b"14\r\nid: %d\ndata: tick %d\n\n\r\n" % (n, n) for n in range(3)]


def after_a_cut_head(head: bytes, *pieces: bytes) -> list[Record]:
    """The records of an answer whose head lacks its last 40 bytes, and of a next exchange."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(head)
    talk.lose("server", 40)
    if pieces:
        talk.server(*pieces)
    talk.client(GET)
    talk.server(OK)
    talk.close()
    return talk.tape.records()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/ev",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServ",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTr",
    ],
)
def test_chunks_after_a_head_that_is_cut(head: bytes) -> None:
    """Two chunks, one after another, prove each other, whatever the head has said."""
    records = after_a_cut_head(head, *EVENTS, b"0\r\n\r\n")
    chunks = of(ChunkRecord, records)
    assert [(one.exchange, one.index, one.size) for one in chunks] == [
        (0, 0, 20), (0, 1, 20), (0, 2, 20), (0, 3, 0)
    ]  # fmt: skip
    assert [one.id for one in of(SseEventRecord, records)] == ["0", "1", "2"]
    first, second = of(BodyRecord, records)
    assert (first.exchange, first.complete, first.ended_by) == (0, False, "last-chunk")
    assert (second.exchange, second.complete) == (1, True)
    codes = [one.code for one in of(DiagnosticRecord, records)]
    assert codes == ["http-message-cut", "http-resynchronised"]


@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        (b"HTTP/1.1 200 OK\r\nServ", [b"hello\r\n5\r\nhello\r\nworld"]),
        (b"HTTP/1.1 200 OK\r\nServ", EVENTS[:1]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\nServ", EVENTS),
        (b"HTTP/1.1 304 Not Modified\r\nServ", EVENTS),
        (b"HTTP/1.1 200 OK\r\nServ", []),
    ],
)
def test_what_proves_nothing_after_a_head_that_is_cut(head: bytes, pieces: list[bytes]) -> None:
    records = after_a_cut_head(head, *pieces)
    assert not of(ChunkRecord, records)
    assert [(one.exchange, one.complete) for one in of(BodyRecord, records)] == [(1, True)]
    assert pairs(records)[-2:] == [("/", 1), ("200", 1)]


def test_chunks_after_a_request_that_is_cut() -> None:
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: exam")
    talk.lose("client", 60)
    talk.client(*EVENTS, b"0\r\n\r\n")
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert [one.exchange for one in of(ChunkRecord, records)] == [0] * 4
    assert pairs(records) == [("/", 0), ("200", 0)]


def test_a_head_that_the_capture_cuts_may_still_become_whole() -> None:
    records = said(("client", GET), ("server", b"HTTP/1.1 503 Unavailable\r\nDa"), close=False)
    assert kinds(records) == ["request", "connection"]


def test_a_tunnel_that_is_refused() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    records = said(("client", CONNECT), ("server", refusal), ("client", GET), ("server", OK))
    assert pairs(records) == [("a:443", 0), ("407", 0), ("/", 1), ("200", 1)]


def test_h2c() -> None:
    """RFC 7540 section 3.2: what follows is HTTP/2, with the request in its first stream."""
    settings = bytes.fromhex("000000040000000000")
    asked = GET[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    records = said(
        ("client", asked + b"HTTP2-Settings: AAMAAABk\r\n\r\n"),
        ("server", switching + settings),
        ("client", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings),
    )
    assert kinds(records) == [
        "request",
        "response",
        "http2_frame",
        "http2-stream-cut",
        "http2_frame",
        "connection",
    ]
    assert only_protocol(records) == "http/2"


def test_a_switch_to_an_unknown_protocol() -> None:
    """Its bytes are not decoded, but have rows, and what the capture lacks of them is counted."""
    talk = Talk().open()
    talk.client(UPGRADE.replace(b"websocket", b"tcp"))
    talk.server(SWITCHING.replace(b"websocket", b"tcp"), b"raw")
    talk.client(b"raw")
    talk.lose("client", 5)
    talk.client(b"raw")
    talk.close()
    records = talk.tape.records()
    rows = ["data", "switch-not-decoded", "data", "gap", "data"]
    assert kinds(records) == ["request", "response", *rows, "switch-not-decoded", "connection"]
    (gap,) = of(GapRecord, records)
    assert (gap.sender, gap.missing, gap.exchange) == ("client", 5, 0)
    assert only_protocol(records) == "http/1.1"


# --- gaps ---


def test_a_gap_in_a_sized_body_is_counted() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    talk.lose("server", 5)
    talk.server(b"yz" + OK)
    talk.close()
    records = talk.tape.records()
    gap, body = of(GapRecord, records)[0], of(BodyRecord, records)[0]
    assert (gap.missing, gap.exchange, gap.sender) == (5, 0, "server")
    assert (body.size, body.decoded_size, body.complete) == (9, 4, False)
    assert pairs(records)[-1] == ("200", 1)


def test_a_gap_in_a_request_leaves_the_responses_alone() -> None:
    talk = Talk().open()
    talk.client(get(b"/0"), get(b"/1")[:10])
    talk.server(OK)
    talk.lose("client", 9)
    talk.client(b"e: example\r\n\r\n" + get(b"/2"))
    talk.server(OK, OK)
    talk.ack("server", 20)
    talk.close()
    records = talk.tape.records()
    assert [found.target for found in of(RequestRecord, records)] == ["/0", "/2"]
    assert len(of(ResponseRecord, records)) == 3
    assert [found.missing for found in of(GapRecord, records)] == [9]
    assert "http-message-cut" in kinds(records)
    assert "http-resynchronised" in kinds(records)


def test_a_gap_in_a_websocket_stream() -> None:
    """A gap inside a payload is counted, and decoding goes on after it."""
    talk = Talk().open()
    talk.client(UPGRADE)
    talk.server(SWITCHING, frame(1, b"a" * 100)[:50])
    talk.lose("server", 20)
    talk.server(frame(1, b"a" * 100)[70:] + frame(1, b"Hello"))
    talk.close()
    records = talk.tape.records()
    assert "websocket-payload-missing" in kinds(records)
    assert [found.data for found in of(WebSocketMessageRecord, records)][-1] == "Hello"


def test_a_gap_among_held_frames() -> None:
    """The handshake's answer shows what they are; the gap between them stays one."""
    held = frame(1, b"b" * 100, key=KEY)
    talk = Talk().open()
    talk.client(UPGRADE, frame(1, b"a", key=KEY), held[:20])
    talk.lose("client", 30)
    talk.client(held[50:], frame(1, b"c", key=KEY))
    talk.ack("server", 20)
    talk.server(SWITCHING)
    talk.close()
    records = talk.tape.records()
    assert [found.missing for found in of(GapRecord, records)] == [30]
    messages = of(WebSocketMessageRecord, records)
    assert [found.data for found in messages if found.size == 1] == ["a", "c"]
    assert "websocket-payload-missing" in kinds(records)


def test_a_gap_that_ends_what_is_held() -> None:
    talk = Talk().open()
    talk.client(UPGRADE, frame(1, b"a", key=KEY))
    talk.lose("client", 9)
    talk.client(frame(1, b"c", key=KEY)[:0] or b"x")
    talk.ack("server", 20)
    talk.server(SWITCHING)
    records = talk.tape.records()
    assert [found.data for found in of(WebSocketMessageRecord, records)] == ["a"]
    assert "websocket-framing-lost" in kinds(records)


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


# --- heads that are cut ---


def test_of_a_cut_head_is_shown_what_is_whole() -> None:
    talk = Talk().open()
    talk.client(GET, GET)
    talk.server(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 9\r\nContent-Le")
    talk.lose("server", 100)
    talk.server(b"rest of a body\r\n")
    talk.lose("server", 50)
    talk.server(b"\r\n" + OK)
    records = talk.tape.records()
    first, second = of(ResponseRecord, records)
    assert (first.exchange, first.status, first.headers) == (0, 503, [("Retry-After", "9")])
    assert (first.framing, second.exchange, second.status) == ("none", 1, 200)
    # What follows it belongs to its message, up to the next one.
    assert {gap.exchange for gap in of(GapRecord, records)} == {0}
    assert [(fault.code, fault.exchange) for fault in of(DiagnosticRecord, records)] == [
        ("http-message-cut", 0),
        ("http-resynchronised", 0),
    ]


def test_a_cut_request_is_asked_and_answered() -> None:
    talk = Talk().open()
    head = b"HEAD /a HTTP/1.1\r\nHost: a\r\nCook"
    cut = talk.frame("client", head + b"ie: b\r\n\r\n")
    talk.tape.add(cut, captured=len(cut) - 9)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    talk.client(GET)
    talk.server(OK)
    records = talk.tape.records()
    assert sorted(pairs(records)) == [("/", 1), ("/a", 0), ("200", 0), ("200", 1)]
    assert {fault.code for fault in of(DiagnosticRecord, records)} == {
        "http-message-cut",
        "http-resynchronised",
        "packet-cut",
    }


def test_a_cut_handshake_switches_as_its_answer_says() -> None:
    talk = Talk().open()
    talk.client(UPGRADE[:-30])
    talk.lose("client", 30)
    talk.server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConn")
    talk.lose("server", 60)
    talk.server(frame(1, b"Hello"))
    records = talk.tape.records()
    assert [one.data for one in of(WebSocketFrameRecord, records)] == ["Hello"]
    codes = [fault.code for fault in of(DiagnosticRecord, records)]
    assert codes == ["http-message-cut", "http-message-cut"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 503 Service Unava", [503]),
        (b"HTTP/1.1 503 Service Unavailable\r", [503]),
        (b"HTTP/1.1 503", [503]),
        (b"HTTP/1.1 50", []),
        (b"HTTP/1.1 5034", []),
        (b"HTTP/2.0 503 ", []),
    ],
)
def test_of_a_cut_status_line_the_status_is_shown(line: bytes, status: list[int]) -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(line)
    talk.lose("server", 100)
    talk.server(b"x")
    records = talk.tape.records()
    assert [one.status for one in of(ResponseRecord, records)] == status
    assert [one.reason for one in of(ResponseRecord, records)] == [""] * len(status)
    assert [fault.code for fault in of(DiagnosticRecord, records)] == ["http-message-cut"]


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"GET /a HTTP/1.1", ["/a"]),
        (b"GET /a HTTP/1.1\r", ["/a"]),
        (b"GET /a HTTP/1.", []),
        (b"GET /a", []),
    ],
)
def test_a_cut_request_line_is_shown_if_it_is_whole(line: bytes, target: list[str]) -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    cut = talk.frame("client", line + b"?rest of the head")
    talk.tape.add(cut, captured=len(cut) - 17)
    talk.client(GET)
    assert [one.target for one in of(RequestRecord, talk.tape.records())] == ["/", *target, "/"]


def test_no_chunks_for_a_server_that_answers_in_http_1_0() -> None:
    talk = Talk().open()
    chunked = GET[:-2].replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = b" 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
    talk.client(GET)
    talk.server(b"HTTP/1.0" + answer)
    talk.client(chunked)
    (fault,) = of(DiagnosticRecord, talk.tape.records())
    assert (fault.code, fault.exchange) == ("http-transfer-encoding-forbidden", 1)
    assert fault.summary.endswith("in a request to a server that answers in HTTP/1.0")
    talk = Talk().open()
    talk.client(GET)
    talk.server(b"HTTP/1.1" + answer)
    talk.client(chunked)
    assert of(DiagnosticRecord, talk.tape.records()) == []


def test_no_chunks_for_a_client_that_asks_in_http_1_0() -> None:
    for version, framing, is_said in (
        (b"1.0", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True),
        (b"1.1", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        (b"1.0", b"Content-Length: 0\r\n\r\n", False),
    ):
        talk = Talk().open()
        talk.client(b"GET / HTTP/%s\r\nHost: a\r\n\r\n" % version)
        talk.server(b"HTTP/1.1 200 OK\r\n" + framing)
        faults = of(DiagnosticRecord, talk.tape.records())
        said = "in a response to an HTTP/1.0 request"
        assert [fault.summary.endswith(said) for fault in faults] == [True] * is_said
