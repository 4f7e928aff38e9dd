"""Streams whose beginning is not in the capture: decoded from what proves itself on."""

from __future__ import annotations

import json
from gzip import compress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http1 import of
from support.http2 import data as http2_frame
from support.talk import Talk, kinds
from support.tls import record, sealed
from support.websocket_frames import KEY, frame

from parsers.decode.joining import CERTAIN, ContentSearch, FrameSearch, frame_end
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(number: int) -> bytes:
    return b"id: %d\ndata: token %d\n\n" % (number, number)


EVENTS = [event(number) for number in range(6)]


def joined(
    *pieces: bytes, rest: int = 0, sender: str = "server", close: bool = True
) -> list[Record]:
    """The records of one side's pieces; of the first, ``rest`` bytes are not there."""
    talk = Talk().midstream()
    for index, piece in enumerate(pieces):
        talk.segment("client" if sender == "client" else "server", piece[0 if index else rest :])
        talk.ack("server" if sender == "client" else "client")
    if close:
        talk.close()
    return talk.tape.records()


def joins(records: list[Record]) -> list[DiagnosticRecord]:
    return [found for found in of(DiagnosticRecord, records) if found.code == "stream-joined"]


# --- chunked bodies ---


@pytest.mark.parametrize("rest", [0, 1, 3, 5, 9, len(chunk(EVENTS[0])) - 2])
def test_a_chunked_body(rest: int) -> None:
    """From the first chunk on that is whole, with the second's size as its proof."""
    contents = [b"some text %d" % number for number in range(4)]
    records = joined(*map(chunk, contents), b"0\r\n\r\n", rest=rest)
    chunks = of(ChunkRecord, records)
    expected = contents if not rest else contents[1:]
    assert [found.data for found in chunks] == [*(text.decode() for text in expected), ""]
    assert [found.exchange for found in chunks] == [0] * len(chunks)
    (body,) = of(BodyRecord, records)
    assert (body.complete, body.ended_by, body.sender) == (False, "last-chunk", "server")
    (note,) = joins(records)
    assert note.offset == chunks[0].offset
    assert note.summary.endswith("a chunked body, certain by two chunks, one after another")
    assert of(ConnectionRecord, records)[0].protocol == "http/1.1"


@pytest.mark.parametrize("cut", [1, 7, 1 << 30])
def test_chunked_events(cut: int) -> None:
    """They are decoded as events, and what follows on the connection has the next number."""
    stream = b"".join(map(chunk, EVENTS)) + b"0\r\n\r\n"
    stream = stream[4:]
    talk = Talk().midstream()
    for start in range(0, len(stream), cut):
        talk.server(stream[start : start + cut])
    talk.client(GET)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert [found.data for found in of(SseEventRecord, records)] == [
        f"token {number}" for number in range(1, 6)
    ]
    assert [found.exchange for found in of(RequestRecord, records)] == [1]
    assert [found.exchange for found in of(ResponseRecord, records)] == [1]
    assert "whose content is server-sent events" in joins(records)[0].summary
    first = of(ChunkRecord, records)[0]
    packet = 1 + (first.offset // cut)
    assert (first.index, first.first_packet) == (0, packet)


def test_a_chunked_request() -> None:
    records = joined(*map(chunk, [b"one", b"two", b"three"]), b"0\r\n\r\n", sender="client", rest=1)
    assert [found.sender for found in of(ChunkRecord, records)] == ["client"] * 3


@pytest.mark.parametrize(
    "text",
    [
        b"a list\r\n10\r\n20\r\n30\r\n",
        b"\r\n0\r\n\r\n0\r\n\r\n",
        b"first\r\n5\r\nnot five\r\n3\r\n",
        chunk(b"only one"),
        chunk(b"one") + b"0",
        b"\r\n" * 50,
    ],
)
def test_no_chunked_bodies(text: bytes) -> None:
    for cut in (1, 1 << 30):
        pieces = [text[start : start + cut] for start in range(0, len(text), cut)]
        assert kinds(joined(*pieces)) == ["connection"]


# --- server-sent events that nothing frames ---


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("rest", [0, 1, 8])
@pytest.mark.parametrize("cut", [1, 11, 1 << 30])
def test_events_until_the_connection_closes(cut: int, rest: int, newline: bytes) -> None:
    """What the first ones meant is not known: an event type may have come before them."""
    stream = b"".join(EVENTS).replace(b"\n", newline)[rest:]
    records = joined(*[stream[start : start + cut] for start in range(0, len(stream), cut)])
    found = of(SseEventRecord, records)
    assert [one.data for one in found] == [f"token {number}" for number in range(1, 6)]
    (body,) = of(BodyRecord, records)
    assert (body.complete, body.ended_by) == (False, "close")
    (note,) = joins(records)
    assert note.offset == found[0].offset
    assert note.summary.endswith("server-sent events, certain by two blocks, one after another")


@pytest.mark.parametrize(
    "text",
    [
        b"x\n\ndata: one\n\nname: two\n\n",
        b"x\n\n: comment\n\n: comment\n\n",
        b"x\n\ndata: one\n\n",
        b"data: one\n\ndata: two\n",
        b"Subject: x\n\nid: one\ntext\n\ndata: two\n\n",
        b"\n\n\n\n\n\n\n\n",
    ],
)
def test_no_events(text: bytes) -> None:
    assert kinds(joined(text)) == ["connection"]


# --- WebSocket ---


def texts(count: int, *, masked: bool) -> list[bytes]:
    key = b"\x1f\x9c\x33\x7a" if masked else None
    return [frame(1, b'{"n":%d}' % number, key=key) for number in range(count)]


@pytest.mark.parametrize("rest", [0, 1, 4])
@pytest.mark.parametrize("sender", ["client", "server"])
def test_frames(sender: str, rest: int) -> None:
    """After what the first frame left, two frames are enough."""
    frames = texts(4, masked=sender == "client")
    records = joined(*frames, rest=rest, sender=sender, close=False)
    found = of(WebSocketFrameRecord, records)
    assert [one.data for one in found] == [f'{{"n":{n}}}' for n in range(1 if rest else 0, 4)]
    assert {one.sender for one in found} == {sender}
    assert of(ConnectionRecord, records)[0].protocol == "websocket"
    (note,) = joins(records)
    assert note.sender == sender
    assert "WebSocket frames, certain by 2: " in note.summary
    assert of(WebSocketMessageRecord, records)


def test_who_masks_is_the_client() -> None:
    """Whatever the ports say."""
    talk = Talk(client_port=80, server_port=40_000).midstream()
    talk.client(*texts(2, masked=True))
    talk.server(*texts(2, masked=False))
    records = talk.tape.records()
    assert of(ConnectionRecord, records)[0].client == "127.0.0.1:80"
    assert [found.sender for found in of(WebSocketFrameRecord, records)] == ["client"] * 2 + [
        "server"
    ] * 2


def test_one_frame_of_each_side() -> None:
    talk = Talk().midstream()
    talk.server(texts(1, masked=False)[0][3:])
    talk.client(texts(1, masked=True)[0])
    talk.server(texts(1, masked=False)[0])
    talk.client(frame(2, b"\x00\x01", key=b"abcd"))
    records = talk.tape.records()
    assert [found.sender for found in of(WebSocketFrameRecord, records)] == [
        "client", "server", "client",
    ]  # fmt: skip


def test_a_gap_among_what_waits() -> None:
    talk = Talk().midstream()
    talk.client(texts(1, masked=True)[0][:5])
    talk.lose("client", 20)
    talk.client(*texts(3, masked=True))
    talk.ack("server", 20)
    records = talk.tape.records()
    assert [found.data for found in of(WebSocketFrameRecord, records)] == [
        '{"n":0}', '{"n":1}', '{"n":2}',
    ]  # fmt: skip
    assert [found.offset for found in of(GapRecord, records)] == [5]


MQTT_SUBSCRIBE = bytes((0x82, 8, 0, 1, 0, 3)) + b"a/b\0"


@pytest.mark.parametrize(
    "pieces",
    [
        [MQTT_SUBSCRIBE] * 20,
        [sealed(32)[1:]] * 20,
        texts(1, masked=True),
        [frame(1, b"\xff\xfe", key=b"abcd")] * 5,
        [frame(3, b"reserved", key=b"abcd")] * 5,
        [frame(9, b"p" * 126, key=b"abcd")] * 5,
        [texts(1, masked=True)[0], texts(1, masked=False)[0]] * 3,
        [bytes(40)] * 20,
        [json.dumps({"n": n}).encode() for n in range(20)],
    ],
)
def test_no_frames(pieces: list[bytes]) -> None:
    assert kinds(joined(*pieces)) == ["connection"]


CLOSES = [b"", b"\x03\xe8", b"\x03\xe8bye"]
NO_CLOSES = [b"\x03", b"\x00\x01", b"\x13\x88", b"\x03\xe8\xff"]


@pytest.mark.parametrize("payload", [*CLOSES, *NO_CLOSES])
def test_what_a_close_frame_holds(payload: bytes) -> None:
    """RFC 6455 section 7.4: nothing, or a code and a text; anything else is no frame."""
    search = FrameSearch(0)
    search.receive_data(frame(8, payload, key=KEY) + frame(1, b"text that nobody doubts", key=KEY))
    assert (search.frames == 2) == (payload in CLOSES)


def test_a_chain_that_breaks_begins_anew_with_the_segment_that_broke_it() -> None:
    search = FrameSearch(0)
    search.receive_data(frame(1, b"a", key=KEY) + b"\x81")
    assert search.is_pending
    broken = b"\x05" * 4
    search.receive_data(broken)
    assert (search.is_pending, search.frames) == (False, 0)
    search.receive_data(frame(1, b"b", key=KEY))
    assert (search.frames, search.start) == (1, len(frame(1, b"a", key=KEY)) + 1 + len(broken))


def test_a_few_frames_of_http2_are_certain_where_the_stream_ends_with_them() -> None:
    talk = Talk().midstream()
    sent = b"".join(http2_frame(1, b"data: %d\n\n" % number) for number in range(3))
    talk.server(b"abc" + sent)
    talk.close()
    records = talk.tape.records()
    found = of(ConnectionRecord, records)
    assert [one.protocol for one in found] == ["http/2"]
    (said,) = [one for one in of(DiagnosticRecord, records) if one.code == "stream-joined"]
    assert "HTTP/2 frames, certain by" in said.summary


@settings(max_examples=200)
@given(st.integers(0, 1 << 64), st.lists(st.integers(1, 300), min_size=1, max_size=60))
def test_random_bytes_are_nothing(seed: int, sizes: list[int]) -> None:
    random = Random(seed)
    assert kinds(joined(*[random.randbytes(size) for size in sizes])) == ["connection"]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_pieces(pieces: list[bytes]) -> None:
    """Whatever comes, a search says where it is, and keeps to what it was given."""
    frames, content, size = FrameSearch(0), ContentSearch(0), 0
    for piece in pieces:
        frames.receive_data(piece)
        place = content.receive_data(piece)
        size += len(piece)
        assert 0 <= frames.start <= size
        assert place is None or 0 <= place.offset < size
        if place is not None:
            break
    assert frames.bits < CERTAIN or frames.frames >= 2


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", None),
        (b"\x81", None),
        (b"\x81\x05", 7),
        (b"\x81\x85", 11),
        (b"\x81\x7e\x00", None),
        (b"\x81\x7e\x00\x7d", -1),
        (b"\x81\x7e\x00\x7e", 130),
        (b"\x81\x7f" + (65_535).to_bytes(8), -1),
        (b"\x81\x7f" + (1 << 62).to_bytes(8), -1),
        (b"\x89\x7e\x00\x7e", -1),
        (b"\x01\x05", -1),
        (b"\xc9\x05", -1),
        (b"H", -1),
    ],
)
def test_where_a_frame_ends(data: bytes, end: int | None) -> None:
    assert frame_end(data, 0) == end


# --- the other end ---


@pytest.mark.parametrize("closes", [True, False])
def test_a_fin_inside_gzip(closes: bool) -> None:
    """It is said beside the chunk that is missing; not where only the capture ends."""
    content = compress(b"data: one\n\n" * 50, mtime=0)[:-12]
    talk = Talk().open()
    talk.client(GET)
    talk.server(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunk(content)
    )
    if closes:
        talk.close()
    codes = {found.code for found in of(DiagnosticRecord, talk.tape.records())}
    assert ({"chunk-last-missing", "content-coding-cut"} <= codes) is closes
    assert ("content-coding-cut" in codes) is closes


# --- TLS ---


def test_tls() -> None:
    """Both sides' records are counted, from the first one on that is whole."""
    talk = Talk().midstream()
    talk.server(sealed(40)[7:])
    talk.client(sealed(60, 2))
    talk.server(sealed(50, 3), sealed(51, 4))
    talk.close()
    records = talk.tape.records()
    (note,) = joins(records)
    assert (note.sender, note.offset, note.exchange) == ("client", 0, None)
    assert note.summary.endswith("TLS records: by chance less than once in 2^30")
    (tls,) = of(TlsConnectionRecord, records)
    assert (tls.client_records, tls.server_records, tls.version) == (1, 2, None)
    (lost,) = [one for one in of(DiagnosticRecord, records) if one.code == "tls-resynchronised"]
    assert lost.summary.endswith("after 38 bytes")
    (connection,) = of(ConnectionRecord, records)
    assert (connection.protocol, connection.midstream) == ("tls", True)


def test_tls_after_a_lost_packet() -> None:
    """A border that is lost is found again, also where nothing was captured of the start."""
    talk = Talk().midstream()
    talk.server(sealed(40))
    talk.lose("server", 71)
    talk.server(sealed(60, 2)[9:], sealed(41, 3), sealed(42, 4))
    talk.close()
    (tls,) = of(TlsConnectionRecord, talk.tape.records())
    assert tls.server_records == 3


def test_content_before_tls() -> None:
    """A chunk that holds what looks like a record is a chunk."""
    looks = record(23, b"x" * 20)
    records = joined(chunk(looks), chunk(looks), chunk(looks), b"0\r\n\r\n")
    assert of(ConnectionRecord, records)[0].protocol == "http/1.1"
