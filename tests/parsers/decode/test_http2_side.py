"""HTTP/2 beside HTTP/1.1, beside the h2 library, and cut and lost in every way."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http2 import (
    EVENTS,
    GET,
    OK,
    SETTINGS,
    SETTINGS_ACK,
    Fields,
    Http2Talk,
    data,
    framed,
)
from support.talk import Talk, without_packets

from parsers.decode import http2_link
from parsers.http2 import streams
from parsers.http2.elements import PREFACE
from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    Http2DataRecord,
    Http2FrameRecord,
    JsonLineRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    WebSocketFrameRecord,
)

CONTENTS = st.lists(
    st.sampled_from([b"data: a\n\n", b"data: b", b"\n\n", b": c\n\n", b"id: 7\n", b"\r\n\r\n"]),
    min_size=1,
    max_size=12,
)


def meaning(records: list[Record]) -> list[Any]:
    """What a dialogue says, however it was framed."""
    found: list[Any] = []
    for one in records:
        if isinstance(one, SseEventRecord):
            found.append((one.exchange, one.event, one.data, one.id, one.dispatched, one.fields))
        elif isinstance(one, BodyRecord):
            found.append((one.exchange, one.size, one.sha256, one.complete))
    return found


@given(CONTENTS)
def test_a_dialogue_says_the_same_over_http_1_and_2(contents: list[bytes]) -> None:
    old = Talk().open()
    old.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    old.server(head, *[b"%x\r\n%s\r\n" % (len(one), one) for one in contents], b"0\r\n\r\n")
    new = Http2Talk().begin()
    new.say("client", new.client.head(1, GET, ends=True))
    new.say("server", new.server.head(1, EVENTS), *[data(1, one) for one in contents])
    new.say("server", data(1, b"", ends=True))
    assert meaning(old.tape.records()) == meaning(new.records())


LINES = st.lists(st.sampled_from([b'{"a":1}\n', b'{"b"', b":2}\n", b"[]\n", b"\n"]), min_size=1)
DIALOGUES = st.lists(
    st.one_of(
        st.tuples(st.just(b"text/event-stream"), st.booleans(), CONTENTS),
        st.tuples(st.just(b"application/x-ndjson"), st.booleans(), LINES),
        st.tuples(st.just(b"text/plain"), st.booleans(), CONTENTS),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
"""Of each exchange: what its content is, whether it is compressed, and its pieces."""


def everything(records: list[Record]) -> list[Any]:
    """What dialogues say, however they were framed: each exchange's in its order."""
    found: list[Any] = []
    for one in records:
        match one:
            case RequestRecord(sender="client"):
                found.append((one.exchange, "request", one.method, one.target))
            case ResponseRecord():
                found.append((one.exchange, "response", one.status, one.codings))
            case SseEventRecord():
                said = one.event, one.data, one.id, one.dispatched, one.fields
                found.append((one.exchange, "event", *said))
            case JsonLineRecord():
                found.append((one.exchange, "line", one.index, one.data))
            case BodyRecord():
                found.append((one.exchange, "body", one.size, one.sha256, one.complete))
            case DiagnosticRecord():
                found.append((one.exchange, "fault", one.code))
    return sorted(found, key=lambda one: one[0])


@settings(deadline=None)
@given(DIALOGUES, st.randoms(use_true_random=False), st.integers(1, 60))
def test_dialogues_say_the_same_however_they_are_carried(
    dialogues: list[tuple[bytes, bool, list[bytes]]], order: Any, step: int
) -> None:
    """One after another over HTTP/1.1; over HTTP/2 all together, in segments of any size."""
    old, new = Talk().open(), Http2Talk().begin()
    waiting: dict[int, list[bytes]] = {}
    sent = b""
    for number, (kind, is_coded, pieces) in enumerate(dialogues):
        content = [gzip.compress(b"".join(pieces), mtime=0)] if is_coded else pieces
        coding = [(b"Content-Encoding", b"gzip")] if is_coded else []
        target = f"/{number}"
        old.client(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target.encode())
        fields = [(b"Content-Type", kind), *coding, (b"Transfer-Encoding", b"chunked")]
        lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        old.server(b"HTTP/1.1 200 OK\r\n%b\r\n" % lines)
        old.server(*[b"%x\r\n%b\r\n" % (len(one), one) for one in content], b"0\r\n\r\n")
        stream_id = 2 * number + 1
        new.say("client", new.client.head(stream_id, [*GET[:3], (":path", target)], ends=True))
        shown = [(name.decode().lower(), value.decode()) for name, value in fields[:-1]]
        sent += new.server.head(stream_id, [*OK, *shown])
        waiting[stream_id] = [*content, b""]
    while waiting:
        stream_id = order.choice(sorted(waiting))
        piece = waiting[stream_id].pop(0)
        sent += data(stream_id, piece, ends=not waiting[stream_id])
        if not waiting[stream_id]:
            del waiting[stream_id]
    new.say("server", *[sent[pos : pos + step] for pos in range(0, len(sent), step)])
    assert everything(new.records()) == everything(old.tape.records())


@settings(deadline=None)
@given(st.lists(CONTENTS, min_size=2, max_size=3), st.randoms(use_true_random=False), st.data())
def test_neither_cuts_nor_other_streams_change_what_comes(
    streams: list[list[bytes]], order: Any, draw: st.DataObject
) -> None:
    """Every stream's body is what was sent in it; records do not depend on segments."""
    talk = Http2Talk().begin()
    numbers = [2 * index + 1 for index in range(len(streams))]
    talk.say("client", b"".join(talk.client.head(one, GET, ends=True) for one in numbers))
    sent = b"".join(talk.server.head(one, EVENTS) for one in numbers)
    waiting = {number: list(contents) for number, contents in zip(numbers, streams, strict=True)}
    while waiting:
        number = order.choice(sorted(waiting))
        sent += data(number, waiting[number].pop(0), ends=not waiting[number])
        if not waiting[number]:
            del waiting[number]
    cut = draw.draw(st.integers(0, len(sent)))
    talk.say("server", *[piece for piece in (sent[:cut], sent[cut:]) if piece])
    records = talk.records()
    for number, contents in zip(numbers, streams, strict=True):
        frames = [
            one.data for one in records
            if isinstance(one, Http2DataRecord) and one.stream_id == number
        ]  # fmt: skip
        assert frames == [one.decode() for one in contents]
    whole = Http2Talk().begin()
    whole.say("client", b"".join(whole.client.head(one, GET, ends=True) for one in numbers))
    whole.say("server", *[sent[pos : pos + 1] for pos in range(len(sent))])

    def said(found: list[Record]) -> list[Any]:
        shown = [one for one in found if isinstance(one, SseEventRecord | Http2DataRecord)]
        return sorted((without_packets(one) for one in shown), key=repr)

    assert said(whole.records()) == said(records)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
def test_what_the_h2_library_sends(contents: list[bytes]) -> None:
    client = H2Connection(H2Configuration(client_side=True))
    server = H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    client.send_headers(1, [(":authority", "a"), *GET[:2], GET[3]], end_stream=True)
    asked = client.data_to_send()
    server.receive_data(asked)
    server.send_headers(1, [(":status", "200"), ("x-trace", "7")])
    for content in contents:
        server.send_data(1, content, pad_length=3)
    server.send_headers(1, [("x-checksum", "8")], end_stream=True)
    talk = Http2Talk()
    talk.say("client", asked)
    talk.say("server", server.data_to_send())
    (body,) = [one for one in talk.records() if isinstance(one, BodyRecord)]
    assert (body.size, body.trailers, body.ended_by) == (
        len(b"".join(contents)), [("x-checksum", "8")], "end-stream",
    )  # fmt: skip


def test_the_headers_of_trailers_are_a_frame_of_their_own() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK), data(1, b"a"))
    packet = talk.say("server", talk.server.head(1, [("x-check", "1")], ends=True))
    records = talk.records()
    (found,) = [
        one for one in records if isinstance(one, Http2FrameRecord) if one.type == "HEADERS"
    ]
    assert (found.sender, found.stream_id, found.exchange) == ("server", 1, 0)
    assert (found.first_packet, found.last_packet) == (packet, packet)
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert body.trailers == [("x-check", "1")]
    assert found.offset + found.length == body.offset + body.length


# --- what both sides say of streams ---


def asked(*fields: tuple[str, str], status: str = "200") -> Http2Talk:
    """A request that is answered with ``fields``."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, [(":status", status), *fields]))
    return talk


def of(kind: type[Any], records: list[Record]) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


def codes(records: list[Record]) -> list[str]:
    return [one.code for one in of(DiagnosticRecord, records)]


@pytest.mark.parametrize("step", [1, 5, 1 << 20])
def test_a_content_length_that_is_right(step: int) -> None:
    talk = asked(("content-length", "6"))
    sent = data(1, b"abc") + data(1, b"def", ends=True)
    talk.say("server", *[sent[at : at + step] for at in range(0, len(sent), step)])
    records = talk.records()
    assert codes(records) == []
    (body,) = [one for one in of(BodyRecord, records) if one.sender == "server"]
    assert (body.size, body.complete, body.ended_by) == (6, True, "end-stream")


PROMISED = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/style")]


def promise(talk: Http2Talk, stream_id: int, fields: Fields = PROMISED) -> bytes:
    block = talk.server.head(1, fields)[9:]
    return framed(5, 0x4, 1, stream_id.to_bytes(4) + block)


def test_a_push_is_a_request_of_the_servers_and_its_answer() -> None:
    """RFC 9113 section 8.4."""
    talk = asked()
    talk.say("server", promise(talk, 2))
    talk.say("server", talk.server.head(2, OK), data(2, b"body {}", ends=True))
    talk.say("server", data(1, b"page", ends=True))
    records = talk.records()
    assert codes(records) == []
    requests = [(one.exchange, one.stream_id, one.sender, one.target)
                for one in of(RequestRecord, records)]  # fmt: skip
    assert requests == [(0, 1, "client", "/"), (1, 2, "server", "/style")]
    assert [(one.exchange, one.stream_id) for one in of(ResponseRecord, records)] == [
        (0, 1), (1, 2),
    ]  # fmt: skip
    bodies = [(one.exchange, one.size) for one in of(BodyRecord, records) if one.size]
    assert bodies == [(1, 7), (0, 4)]
    (frame,) = [one for one in of(Http2FrameRecord, records) if one.type == "PUSH_PROMISE"]
    assert frame.promised_stream_id == 2


@pytest.mark.parametrize("stream_id", [0, 1, 3])
def test_a_push_of_a_stream_that_is_no_servers(stream_id: int) -> None:
    talk = asked()
    talk.say("server", promise(talk, stream_id))
    records = talk.records()
    assert codes(records) == ["http2-stream-id-invalid"]
    assert [one.sender for one in of(RequestRecord, records)] == ["client"]


def test_a_push_that_the_client_does_not_allow() -> None:
    talk = Http2Talk()
    talk.say("client", PREFACE + framed(4, 0, 0, bytes.fromhex("000200000000")))
    talk.say("server", SETTINGS + SETTINGS_ACK)
    talk.say("client", SETTINGS_ACK, talk.client.head(1, GET, ends=True))
    talk.say("server", promise(talk, 2))
    records = talk.records()
    assert codes(records) == ["http2-push-promise-invalid"]
    assert [one.sender for one in of(RequestRecord, records)] == ["client"]


def test_a_push_of_a_tunnel_opens_none() -> None:
    talk = asked()
    talk.say("server", promise(talk, 2, [(":method", "CONNECT"), (":authority", "db:1")]))
    talk.say("server", talk.server.head(2, OK), data(2, b"\x81\x02hi"), data(1, b"", ends=True))
    records = talk.records()
    assert [one.method for one in of(RequestRecord, records)] == ["GET", "CONNECT"]
    assert not of(WebSocketFrameRecord, records)


def test_a_window_that_nobody_opens() -> None:
    talk = Http2Talk()
    small = framed(4, 0, 0, bytes.fromhex("00040000000a"))
    talk.say("client", PREFACE + small)
    talk.say("server", SETTINGS + SETTINGS_ACK)
    talk.say("client", SETTINGS_ACK, talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK))
    full = talk.say("server", data(1, bytes(10)))
    talk.talk.fin("server")
    talk.talk.fin("client")
    (stall,) = of(StallRecord, talk.records())
    assert (stall.window, stall.stream_id, stall.first_packet) == ("stream", 1, full)
    assert (stall.exchange, stall.sender, stall.opened_by) == (0, "server", None)


def test_data_after_the_end_of_a_stream_ends_it_no_second_time() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET))
    talk.say("client", data(1, b"all", ends=True), data(1, b"more", ends=True))
    records = talk.records()
    assert codes(records) == ["http2-stream-closed"]
    assert [(one.size, one.ended_by) for one in of(BodyRecord, records)] == [(3, "end-stream")]


def test_frames_of_control_in_a_stream_that_is_idle_hold_for_nothing() -> None:
    talk = Http2Talk().begin()
    talk.say("client", framed(8, 0, 7, (1).to_bytes(4)), framed(2, 0, 9, bytes(5)))
    records = talk.records()
    assert codes(records) == ["http2-stream-idle"]
    shown = [(one.type, one.stream_id) for one in of(Http2FrameRecord, records)]
    assert shown[-2:] == [("WINDOW_UPDATE", 7), ("PRIORITY", 9)]


def test_only_so_many_pings_wait_for_answers() -> None:
    talk = Http2Talk().begin()
    count = http2_link.MAX_PINGS + 1
    pings = [framed(6, 0, 0, number.to_bytes(8)) for number in range(count)]
    talk.say("client", b"".join(pings))
    talk.say("server", b"".join(framed(6, 1, 0, ping[9:]) for ping in pings))
    found = [one for one in of(Http2FrameRecord, talk.records()) if one.type == "PING"]
    times = [one.rtt for one in found if one.ack]
    assert [time is None for time in times] == [False] * (count - 1) + [True]


def lacking() -> Http2Talk:
    """A connection that lacks frames of both sides."""
    talk = Http2Talk().begin()
    for sender in ("client", "server"):
        talk.talk.lose(sender, 50)
        talk.say(sender, framed(6, 0, 0, bytes(8)))
    return talk


def test_streams_that_are_too_many_are_not_followed_in_the_middle_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MAX_OPEN_STREAMS", 2)
    talk = lacking()
    for number in (1, 3, 5):
        talk.say("server", data(number, b"content %d" % number))
    assert [one.stream_id for one in of(BodyRecord, talk.records())] == [1, 3]


def test_an_end_of_a_stream_of_which_nothing_more_is_known() -> None:
    """The client gave it up; what the server had sent before that came after it."""
    talk = asked()
    talk.say("client", framed(3, 0, 1, (8).to_bytes(4)))
    talk.say("server", data(1, b"on its way", ends=True))
    records = talk.records()
    assert codes(records) == ["http2-cancelled"]
    ends = [(one.size, one.ended_by) for one in of(BodyRecord, records) if one.sender == "server"]
    assert ends == [(0, "rst-stream")]
    assert [one.size for one in of(Http2DataRecord, records)] == [10]


@pytest.mark.parametrize(("error", "code"), [(8, "http2-reset"), (0, "http2-truncated")])
def test_a_reset_by_the_server_of_a_request_that_waits_behind_a_hole(error: int, code: str) -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", framed(3, 0, 1, error.to_bytes(4)))
    for number in range(20):
        talk.say("client", framed(6, 0, 0, number.to_bytes(8)))
        talk.say("server", framed(6, 1, 0, number.to_bytes(8)))
    assert code in codes(talk.records())


def test_only_so_many_early_resets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_link, "MAX_CLOSED_STREAMS", 2)
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    heads = [talk.client.head(number, GET, ends=True) for number in (1, 3, 5)]
    talk.say("client", *heads)
    for number in (1, 3, 5):
        talk.say("server", framed(3, 0, number, (2).to_bytes(4)))
    for number in range(20):
        talk.say("client", framed(6, 0, 0, number.to_bytes(8)))
        talk.say("server", framed(6, 1, 0, number.to_bytes(8)))
    records = talk.records()
    resets = [one for one in of(DiagnosticRecord, records) if one.code == "http2-reset"]
    assert [one.stream_id for one in resets] == [3, 5]


def test_content_that_is_missing_in_a_stream_that_was_given_up() -> None:
    talk = asked()
    talk.say("client", framed(3, 0, 1, (8).to_bytes(4)))
    whole = data(1, b"on its way")
    talk.say("server", whole[:11])
    talk.talk.lose("server", 4)
    talk.say("server", whole[15:], framed(6, 0, 0, b"straight"))
    records = talk.records()
    assert codes(records) == ["http2-cancelled"]
    assert [one.ping for one in of(Http2FrameRecord, records) if one.type == "PING"] == [
        b"straight".hex()
    ]
