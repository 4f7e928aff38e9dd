"""The fast path of WebSocket messages: it says what the layers it passes over say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fast_paths import with_and_without
from support.talk import Side, Talk
from support.websocket_frames import KEY, Compressor, deflated, frame

from parsers.decode.fast_websocket import FastWebSocket
from parsers.records import Record
from parsers.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def both(
    sender: Side,
    pieces: list[bytes],
    *,
    keep_data: bool = True,
    batch: int = 1,
    deflate: bool = True,
) -> tuple[list[Record], int]:
    """The records, the same without the fast path, and how many bytes went by it."""
    talk = Talk().open()
    talk.client(REQUEST)
    talk.server(SWITCHING + (DEFLATE if deflate else b"") + b"\r\n")
    for piece in pieces:
        talk.segment(sender, piece)
    talk.close()
    return with_and_without(FastWebSocket, talk.tape.packets, keep_data=keep_data, batch=batch)


def usual(key: bytes | None) -> list[bytes]:
    return [
        frame(TEXT, b"hello", key=key),
        frame(TEXT, b"", key=key),
        frame(TEXT, "größer".encode(), key=key),
        frame(BINARY, b"\xff\x00\x01", key=key),
        frame(BINARY, b"plain", key=key),
        frame(TEXT, b"x" * 125, key=key),
    ]


def unusual(key: bytes | None) -> dict[str, list[bytes]]:
    other = KEY if key is None else None
    long = frame(BINARY, b"z" * 70_000, key=key)
    return {
        "a ping between": [frame(PING, b"now", key=key)],
        "a pong": [frame(PONG, b"", key=key)],
        "fragments": [
            frame(TEXT, b"a", fin=False, key=key),
            frame(PING, b"", key=key),
            frame(CONTINUATION, b"b", key=key),
        ],
        "fragments around a message": [
            frame(TEXT, b"a", fin=False, key=key),
            frame(TEXT, b"between", key=key),
            frame(CONTINUATION, b"b", key=key),
        ],
        "a longer one": [frame(TEXT, b"y" * 126, key=key)],
        "a much longer one": [frame(BINARY, b"z" * 40_000, key=key)],
        "one that is not short enough": [frame(BINARY, b"z" * 20_000, key=key)],
        "one in the longest form": [long[:40_000], long[40_000:]],
        "a length in more bytes than it takes": [frame(TEXT, b"abc", key=key, form=126)],
        "a long fragment": [
            frame(TEXT, b"a" * 300, fin=False, key=key),
            frame(CONTINUATION, b"b" * 300, key=key),
        ],
        "compressed": [frame(TEXT, deflated(b"again and again"), rsv=4, key=key)],
        "text that is not UTF-8": [frame(TEXT, b"\xff", key=key)],
        "text cut in a character": [frame(TEXT, "ä".encode()[:1], key=key)],
        "a reserved opcode": [frame(3, b"", key=key)],
        "a reserved bit": [frame(TEXT, b"a", rsv=2, key=key)],
        "the wrong mask bit": [frame(TEXT, b"abc", key=other)],
        "a continuation of nothing": [frame(CONTINUATION, b"a", key=key)],
        "messages after close": [frame(CLOSE, b"\x03\xe8", key=key), frame(TEXT, b"a", key=key)],
    }


SENDERS: list[tuple[Side, bytes | None]] = [("client", KEY), ("server", None)]


@pytest.mark.parametrize("keep_data", [True, False])
@pytest.mark.parametrize(("sender", "key"), SENDERS)
def test_usual_frames_go_by_the_fast_path(sender: Side, key: bytes | None, keep_data: bool) -> None:
    frames = usual(key)
    data = b"".join(frames)
    for pieces in (frames, [data], [data[:9], data[9:]]):
        records, taken = both(sender, pieces, keep_data=keep_data, batch=1000)
        assert taken == len(data)
        assert [record.record for record in records].count("websocket_message") == len(frames)


def test_a_ping_between_messages_costs_only_itself() -> None:
    frames = usual(None)
    _, taken = both("server", [b"".join([*frames, frame(PING, b"now"), *frames])])
    assert taken == 2 * len(b"".join(frames))


@pytest.mark.parametrize("kept", [1, 2, 3, 5])
@pytest.mark.parametrize(("sender", "key"), SENDERS)
def test_a_frame_that_is_cut_costs_only_the_piece_with_its_rest(
    sender: Side, key: bytes | None, kept: int
) -> None:
    """In its header, or after it."""
    frames = b"".join(usual(key))
    cut = frame(TEXT, b"in two segments", key=key)
    _, taken = both(sender, [frames + cut[:kept], cut[kept:], frames])
    assert taken == 2 * len(frames)


@pytest.mark.parametrize("keep_data", [True, False])
@pytest.mark.parametrize("name", unusual(None))
@pytest.mark.parametrize(("sender", "key"), SENDERS)
def test_what_is_unusual_is_left_to_the_layers(
    sender: Side, key: bytes | None, name: str, keep_data: bool
) -> None:
    frames = [*usual(key), *unusual(key)[name], *usual(key)]
    for deflate in (True, False):
        for batch in (1, 1000):
            both(sender, frames, keep_data=keep_data, batch=batch, deflate=deflate)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(SENDERS))
def test_any_cut_of_any_mixture(chosen: random.Random, which: tuple[Side, bytes | None]) -> None:
    sender, key = which
    frames = usual(key) * 2 + [part for parts in unusual(key).values() for part in parts]
    data = b"".join(part for part in chosen.choices(frames, k=12) if len(part) < 1000)
    cuts = sorted(chosen.choices(range(len(data) + 1), k=chosen.choice((0, 3, 30))))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    both(sender, [*filter(None, pieces)], batch=chosen.choice((1, 7, 1000)))


def test_compressed_messages_around_it_keep_their_context() -> None:
    compressor = Compressor()
    frames = [frame(TEXT, compressor(b"the same words"), rsv=4) for _ in range(2)]
    frames.insert(1, frame(TEXT, b"plain"))
    records, taken = both("server", frames)
    assert taken == len(frames[1])
    messages = [record.data for record in records if record.record == "websocket_message"]
    assert messages == ["the same words", "plain", "the same words"]
