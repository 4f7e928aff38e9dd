"""Every fast path, over every capture at hand and mixtures of them: it changes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.corpus import captures_at_hand, captures_folder
from support.fast_paths import mixture, with_and_without
from support.http2 import EVENTS, GET, Http2Talk, data
from support.stored import STORED, name, packets
from support.talk import Talk
from support.websocket_frames import frame

from parsers.decode.fast_paths import FAST_PATHS
from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from parsers.http1.field_lines import forget

MESSAGES = ("requests", "responses")
"""Paths of whole messages; the others are of elements."""


def usual(path: str) -> list[Packet]:
    """A connection of what a fast path is made for: 200 elements, some in a segment together."""
    if path in MESSAGES:
        return usual_exchanges()
    talk = Talk().open()
    if path == "http2":
        return usual_http2()
    if path == "sse":
        talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        talk.server(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        events = [b"id: %d\ndata: event %d\n\n" % (number, number) for number in range(200)]
        elements = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    else:
        talk.client(
            b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        talk.server(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        elements = [frame(1, f"message {number}".encode()) for number in range(200)]
    for start in range(0, 200, 4):
        talk.server(elements[start], b"".join(elements[start + 1 : start + 4]))
    return talk.tape.packets


def usual_http2() -> list[Packet]:
    """Events of four streams in turn."""
    talk = Http2Talk().begin()
    streams = (1, 3, 5, 7)
    for stream_id in streams:
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS))
        talk.say("server", data(stream_id, b": hello\n\n"))
    for number in range(0, 200, 4):
        event = b"id: %d\ndata: event %d\n\n" % (number, number)
        frames = [data(stream_id, event) for stream_id in streams]
        talk.say("server", frames[0], b"".join(frames[1:]))
    return talk.packets()


def usual_exchanges() -> list[Packet]:
    """Requests and answers with JSON, some of them pipelined."""
    talk = Talk().open()
    asked, said = b'{"query": "all"}', b'{"items": [1, 2]}'
    fields = b"Host: example\r\nContent-Type: application/json\r\n"
    request = b"POST /%d HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b"
    response = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    for number in range(0, 200, 4):
        for size in (1, 3):
            talk.client(
                b"".join(request % (number, fields, len(asked), asked) for _ in range(size))
            )
            talk.server(*[response % (len(said), said)] * size)
    talk.close()
    return talk.tape.packets


@pytest.mark.parametrize("path", MESSAGES)
def test_usual_messages_go_by_it(path: str) -> None:
    """All but those whose fields are new, and those that come with them."""
    forget()
    records, taken = with_and_without(FAST_PATHS[path], usual(path), keep_data=True, batch=10)
    kind = path.removesuffix("s")
    heads = [one.length for one in records if one.record == kind]
    sent = [one.length for one in records if one.record == "body" and one.exchange is not None]
    assert len(heads) == 200
    assert 0.9 * (sum(heads) + sum(sent) / 2) < taken < sum(heads) + sum(sent) / 2 + 2 * len(heads)


@pytest.mark.parametrize("path", [name for name in FAST_PATHS if name not in MESSAGES])
def test_usual_elements_go_by_it(path: str) -> None:
    """All but those that come in one piece with the head before them."""
    given = usual(path)
    records, taken = with_and_without(FAST_PATHS[path], given, keep_data=True, batch=10)
    kinds = ("chunk", "websocket_frame", "http2_data")
    elements = [one.length for one in records if one.record in kinds]
    assert len(elements) - 4 * (path == "http2") == 200
    assert 0.9 * sum(elements) < taken <= sum(elements)
    other = next(kind for name, kind in FAST_PATHS.items() if name not in (path, *MESSAGES))
    assert with_and_without(other, given, keep_data=True, batch=10)[1] == 0


@pytest.mark.parametrize("path", FAST_PATHS)
@pytest.mark.parametrize("stored", STORED, ids=name)
def test_the_stored_captures(stored: Path, path: str) -> None:
    for keep_data in (True, False):
        given = packets(stored)
        _, taken = with_and_without(FAST_PATHS[path], given, keep_data=keep_data, batch=1 << 30)
        assert not taken or stored.parent.name == path or path in MESSAGES


@pytest.mark.parametrize("path", FAST_PATHS)
@pytest.mark.parametrize("capture", captures_at_hand())
def test_the_public_captures(capture: str, path: str) -> None:
    with (captures_folder() / capture).open("rb") as stream:
        given = list(CaptureReader(stream))
    with_and_without(FAST_PATHS[path], given, keep_data=True, batch=1 << 30)


@pytest.mark.parametrize("path", FAST_PATHS)
@pytest.mark.parametrize("seed", range(20))
def test_mixtures(path: str, seed: int) -> None:
    """Packets of several captures in turn, some of them lost, sent twice, late or damaged."""
    chosen = random.Random(seed)
    mixed = mixture(chosen, [usual(path), *map(packets, chosen.sample(STORED, 3))])
    batch = chosen.choice([1, 13, 200, 1 << 30])
    with_and_without(FAST_PATHS[path], mixed, keep_data=chosen.random() < 0.5, batch=batch)
