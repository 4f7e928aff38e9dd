"""Records that nobody asked for are left out by every path, and the others are the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.framed import aws_message, grpc_frame
from support.http2 import EVENTS, GET, OK, Http2Talk
from support.http2 import data as data_frame
from support.talk import Talk
from support.websocket_frames import KEY, frame

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.records import (
    AwsEventRecord,
    BodyRecord,
    ChunkRecord,
    DataRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    Record,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from parsers.wants import EVERYTHING, Wants

ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def chunked(kind: bytes, *contents: bytes) -> list[Packet]:
    """An answer in chunks, a segment each."""
    talk = Talk().open()
    talk.client(ASKED)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind)
    talk.server(*[b"%x\r\n%s\r\n" % (len(one), one) for one in contents], b"0\r\n\r\n")
    return talk.tape.packets


def events() -> list[Packet]:
    usual = [b"data: %d\n\n" % number for number in range(4)]
    return chunked(b"text/event-stream", *usual, b"data: in", b" two\n\n", *usual)


def whole() -> list[Packet]:
    talk = Talk().open()
    for _ in range(3):
        talk.client(ASKED)
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    return talk.tape.packets


def websocket() -> list[Packet]:
    talk = Talk().open()
    talk.client(UPGRADE)
    talk.server(SWITCHED)
    for payload in (b"a", b"\xff" * 300, b"c" * 70_000):
        talk.client(frame(2, payload[:60_000], key=KEY))
        talk.server(frame(1, b"x"), frame(1, b"y", fin=False), frame(0, b"z"))
    return talk.tape.packets


def http2() -> list[Packet]:
    talk = Http2Talk().begin()
    for stream_id, head in ((1, EVENTS), (3, OK)):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, head))
        talk.say("server", *[data_frame(stream_id, b"data: %d\n\n" % one) for one in range(4)])
        talk.say("server", data_frame(stream_id, b""), data_frame(stream_id, b"", ends=True))
    return talk.packets()


DIALOGUES: dict[str, Callable[[], list[Packet]]] = {
    "whole": whole,
    "events": events,
    "websocket": websocket,
    "http2": http2,
    "grpc": lambda: chunked(b"application/grpc-web", grpc_frame(0, b"ab"), grpc_frame(0x80, b"")),
    "aws": lambda: chunked(b"application/vnd.amazon.eventstream", aws_message([], b"ab")),
    "text": lambda: chunked(b"text/plain", b"abc", b"def"),
}
KINDS: list[type[Record]] = [
    *(AwsEventRecord, BodyRecord, ChunkRecord, DataRecord, GrpcMessageRecord, Http2DataRecord),
    *(SseEventRecord, WebSocketFrameRecord, WebSocketMessageRecord),
]


def decoded(packets: list[Packet], wants: Wants = EVERYTHING) -> list[Record]:
    """In one batch and packet by packet, which are other paths, and come to the same."""
    found = []
    for step in (1, len(packets)):
        decoder = PacketDecoder(wants=wants)
        batches = [packets[start : start + step] for start in range(0, len(packets), step)]
        records = [record for batch in batches for record in decoder.receive(batch)]
        found.append(records + decoder.finish())
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DIALOGUES)
def test_what_is_asked_for_is_all_that_is_made(name: str, kind: type[Record]) -> None:
    packets = DIALOGUES[name]()
    everything = decoded(packets)
    asked = decoded(packets, Wants(frozenset({kind})))
    assert asked == [one for one in everything if type(one) is kind]
    others = frozenset(KINDS) - {kind}
    rest = decoded(packets, Wants(others))
    assert rest == [one for one in everything if type(one) in others]


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_digest_that_is_not_asked_for_is_not_made(name: str) -> None:
    packets = DIALOGUES[name]()
    bodies = [one for one in decoded(packets, Wants(digests=False)) if isinstance(one, BodyRecord)]
    sizes = [one.size for one in decoded(packets) if isinstance(one, BodyRecord)]
    assert [one.size for one in bodies] == sizes
    assert all(one.sha256 == "" for one in bodies)


def test_each_dialogue_has_what_it_is_for() -> None:
    made = {name: {type(one) for one in decoded(make())} for name, make in DIALOGUES.items()}
    assert all(any(kind in kinds for kinds in made.values()) for kind in KINDS)
