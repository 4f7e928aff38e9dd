"""HTTP/2 beside HTTP/1.1, beside the h2 library, and cut and lost in every way."""

from __future__ import annotations

import gzip
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http2 import EVENTS, GET, OK, Http2Talk, data
from support.talk import Talk, without_packets

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
