"""WebSockets over HTTP/2 of which a head is missing, or comes late."""

from __future__ import annotations

from typing import Any

import pytest
from support.http2 import GET, OK, Fields, Http2Talk, data, framed
from support.talk import Side
from support.websocket_frames import KEY, frame

from parsers.http2.elements import PING, RST_STREAM
from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketMessageRecord,
)

ASKED: Fields = [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws"),
    (":authority", "a"), ("sec-websocket-version", "13"),
]  # fmt: skip
MESSAGES: list[tuple[Side, str]] = [
    ("server", "This is"), ("server", " a stream"), ("client", "are you there?"),
    ("server", "you said: are you there?"),
]  # fmt: skip


def spoken(talk: Http2Talk, messages: list[tuple[Side, str]]) -> Http2Talk:
    for sender, text in messages:
        key = KEY if sender == "client" else None
        talk.say(sender, data(1, frame(1, text.encode(), key=key)))
    return talk


def pings(talk: Http2Talk) -> None:
    """So many that a hole before them is given up."""
    for number in range(20):
        talk.say("client", framed(PING, 0, 0, number.to_bytes(8)))
        talk.say("server", framed(PING, 1, 0, number.to_bytes(8)))


def dialogue(*lost: str) -> Http2Talk:
    """A WebSocket; ``lost`` are the sides whose head is not in the capture."""
    talk = Http2Talk().begin()
    heads: list[tuple[Side, bytes]] = [
        ("client", talk.client.head(1, ASKED)), ("server", talk.server.head(1, OK)),
    ]  # fmt: skip
    for sender, head in heads:
        if sender in lost:
            talk.talk.lose(sender, len(head))
        else:
            talk.say(sender, head)
    spoken(talk, MESSAGES)
    talk.say("client", data(1, frame(8, b"\x03\xe8", key=KEY), ends=True))
    talk.say("server", data(1, frame(8, b"\x03\xe8"), ends=True))
    return talk


def messages(records: list[Record]) -> list[tuple[str, str | None]]:
    found = [one for one in records if isinstance(one, WebSocketMessageRecord)]
    return [(one.sender, one.data) for one in sorted(found, key=lambda one: one.first_packet)]


def of(kind: type[Any], records: list[Record]) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


def codes(records: list[Record]) -> list[str]:
    return [one.code for one in of(DiagnosticRecord, records)]


@pytest.mark.parametrize("lost", [("client",), ("server",), ("client", "server")])
def test_frames_are_read_although_a_head_is_missing(lost: tuple[str, ...]) -> None:
    records = dialogue(*lost).records()
    assert messages(records) == [*MESSAGES]
    assert not of(BodyRecord, records)
    (found,) = [one for one in of(DiagnosticRecord, records) if one.code == "http2-websocket-found"]
    assert (found.sender, found.stream_id) == ("server", 1)
    assert "WebSocket frames, certain by 2: by chance less than once in 2^" in found.summary
    answers = [(one.framing, one.transport) for one in of(ResponseRecord, records)]
    assert answers == ([] if "server" in lost else [("upgrade", "websocket")])
    assert not [one for one in of(DiagnosticRecord, records) if one.severity == "error"]


def test_a_request_that_comes_late_tells_before_the_frames_do() -> None:
    """One short message would not: it waits until the hole before the request is given up."""
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, ASKED))
    talk.say("server", talk.server.head(1, OK))
    spoken(talk, [("server", "hi")])
    pings(talk)
    spoken(talk, [("client", "yo")])
    records = talk.records()
    assert messages(records) == [("server", "hi"), ("client", "yo")]
    assert "http2-websocket-found" not in codes(records)
    (answer,) = of(ResponseRecord, records)
    assert (answer.framing, answer.transport) == ("upgrade", "websocket")
    assert [one.exchange for one in of(RequestRecord, records)] == [0]


def test_a_late_request_that_asks_for_something_else_is_answered_by_content() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK))
    talk.say("server", data(1, frame(1, b"hi")))  # content that looks like a frame
    pings(talk)
    talk.say("server", data(1, b"", ends=True))
    records = talk.records()
    assert not messages(records)
    (body,) = of(BodyRecord, records)
    assert (body.size, body.ended_by) == (4, "end-stream")
    (answer,) = of(ResponseRecord, records)
    assert (answer.framing, answer.transport) == ("http/2", "http")


def test_frames_that_tell_before_a_request_that_comes_late() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, ASKED))
    talk.say("server", talk.server.head(1, OK))
    spoken(talk, [("server", text) for _, text in MESSAGES])
    pings(talk)
    spoken(talk, [("client", "yo")])
    records = talk.records()
    assert messages(records) == [*[("server", text) for _, text in MESSAGES], ("client", "yo")]
    assert codes(records).count("http2-websocket-found") == 1
    assert [one.exchange for one in of(RequestRecord, records)] == [0]


def test_the_clients_frames_tell_where_the_server_says_nothing() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", len(talk.client.head(1, ASKED)))
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.say("server", talk.server.head(1, OK))
    texts: list[tuple[Side, str]] = [("client", f"are you there? {one}") for one in range(5)]
    spoken(talk, texts)
    records = talk.records()
    assert messages(records) == texts
    (answer,) = of(ResponseRecord, records)
    assert answer.transport == "websocket"


@pytest.mark.parametrize("is_proven", [False, True])
@pytest.mark.parametrize("ends", [False, True])
def test_an_answer_whose_head_is_missing_to_a_request_that_is_known(
    is_proven: bool, ends: bool
) -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, ASKED, ends=ends))
    talk.talk.lose("server", len(talk.server.head(1, OK)))
    talk.say("server", framed(PING, 0, 0, bytes(8)))
    if is_proven:
        spoken(talk, [("server", text) for _, text in MESSAGES])
    else:
        talk.say("server", data(1, b"<html>"), data(1, b"</html>"))
    records = talk.records()
    found = messages(records)
    assert found == ([("server", text) for _, text in MESSAGES] if is_proven else [])
    sizes = [one.size for one in of(BodyRecord, records) if one.sender == "server"]
    assert sizes == ([] if is_proven else [13])


def test_frames_tell_although_the_answers_head_is_missing_and_the_request_comes_late() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("server", len(talk.server.head(1, OK)))
    pings(talk)
    spoken(talk, MESSAGES[:1])
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, ASKED))
    pings(talk)
    spoken(talk, MESSAGES[1:])
    records = talk.records()
    assert messages(records) == MESSAGES
    assert codes(records).count("http2-websocket-found") == 1


def test_what_a_client_sends_after_an_answer_is_over_is_content() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 50)
    pings(talk)
    talk.say("server", talk.server.head(1, OK, ends=True))
    talk.say("client", data(1, frame(1, b"late", key=KEY), ends=True))
    records = talk.records()
    assert not messages(records)
    sizes = [one.size for one in of(BodyRecord, records) if one.sender == "client"]
    assert sizes == [10]


@pytest.mark.parametrize(
    ("status", "ends"), [("200", True), ("404", False), ("404", True), ("103", False)]
)
def test_an_answer_that_grants_nothing_is_never_held(status: str, ends: bool) -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 50)
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    head = talk.say("server", talk.server.head(1, [(":status", status)], ends=ends))
    talk.say("server", framed(PING, 0, 0, bytes(8)))
    answers = [(one.status, one.last_packet) for one in of(ResponseRecord, talk.records())]
    assert answers == [(int(status), head)]


def test_the_answer_to_a_push_is_never_held() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 50)
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.talk.lose("server", 50)
    head = talk.say("server", framed(PING, 0, 0, bytes(8)), talk.server.head(2, OK))
    talk.say("server", data(2, b"<html>", ends=True))
    (answer,) = of(ResponseRecord, talk.records())
    assert (answer.stream_id, answer.last_packet, answer.transport) == (2, head, "http")


def test_a_second_head_after_content_that_may_be_frames_is_one_of_trailers() -> None:
    """Of the first one the head is missing: it begins with content."""
    talk = Http2Talk().begin()
    talk.talk.lose("client", 50)
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.talk.lose("server", 50)
    talk.say("server", framed(PING, 0, 0, bytes(8)), data(1, frame(1, b"hi")))
    talk.say("server", talk.server.head(1, [("x-end", "1")], ends=True))
    records = talk.records()
    (body,) = of(BodyRecord, records)
    assert (body.size, body.trailers) == (4, [("x-end", "1")])


def unrequested(*contents: bytes, fields: Fields = OK) -> Http2Talk:
    talk = Http2Talk().begin()
    talk.talk.lose("client", len(talk.client.head(1, GET, ends=True)))
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.say("server", talk.server.head(1, fields))
    for content in contents:
        talk.say("server", data(1, content))
    return talk


@pytest.mark.parametrize(
    "contents", [(b"<html>",), (b"", b"<html>"), (frame(1, b"hi"), b"<html>"), (b"x" * 40_000,)]
)
@pytest.mark.parametrize("end", ["stream", "reset", "trailers", "capture"])
def test_content_that_is_no_frame_stays_content(contents: tuple[bytes, ...], end: str) -> None:
    talk = unrequested(*contents)
    if end == "stream":
        talk.say("server", data(1, b"", ends=True))
    elif end == "reset":
        talk.say("server", framed(RST_STREAM, 0, 1, (2).to_bytes(4)))
    elif end == "trailers":
        talk.say("server", talk.server.head(1, [("x-end", "1")], ends=True))
    records = talk.records()
    (body,) = of(BodyRecord, records)
    assert body.size == sum(map(len, contents))
    assert len(of(ResponseRecord, records)) == 1
    assert "http2-websocket-found" not in codes(records)


def test_a_head_alone_comes_out_in_the_end() -> None:
    records = unrequested().records()
    (answer,) = of(ResponseRecord, records)
    assert (answer.status, answer.transport) == (200, "http")


def test_too_few_frames_are_content_and_it_is_said_what_they_may_be() -> None:
    records = unrequested(frame(1, b"hi")).records()
    assert not messages(records)
    (body,) = of(BodyRecord, records)
    assert body.size == 4
    (said,) = [one for one in of(DiagnosticRecord, records) if "WebSocket" in one.summary]
    assert (said.code, said.sender) == ("http2-frames-missing", "server")
    assert said.summary.endswith("its request: it may be a WebSocket, which too few bytes tell")


def test_a_type_of_content_is_never_held() -> None:
    fields: Fields = [*OK, ("content-type", "text/event-stream")]
    records = unrequested(b"data: 1\n\n", b"data: 2\n\n", fields=fields).records()
    assert [one.data for one in of(SseEventRecord, records)] == ["1", "2"]
    packets = [one.last_packet for one in of(ResponseRecord, records)]
    assert packets and packets[0] < of(SseEventRecord, records)[0].last_packet
