"""Missing bytes on a connection: in bodies, between held frames, and heads that are cut."""

from __future__ import annotations

import pytest
from support.http1 import of
from support.http1_talk import GET, OK, SWITCHING, UPGRADE, get, pairs, said
from support.talk import Talk, kinds
from support.websocket_frames import KEY, frame

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

# --- switching protocols ---


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
