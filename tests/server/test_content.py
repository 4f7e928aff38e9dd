from __future__ import annotations

import asyncio
import base64
import hashlib
import time

import pytest

from server import content


def test_the_messages_and_their_sizes() -> None:
    assert content.STREAM_MESSAGES == (
        "This is",
        " a large",
        " response",
        " being",
        " streamed",
        " through FastAPI StreamingResponse.",
        " Here's the final",
        " chunk!",
    )
    assert [len(piece) for piece in content.STREAM] == [7, 8, 9, 6, 9, 35, 17, 7]
    assert content.SSE_MESSAGES[5] == " through FastAPI SSE."
    assert content.WEBSOCKET_MESSAGES[5] == " through FastAPI WebSocket."


def test_generate_yields_the_pieces_with_the_delay_and_the_stall() -> None:
    async def collect() -> list[tuple[str, float]]:
        start = time.monotonic()
        pieces = content.generate("abc", 0.02, stall_before=1, stall=0.05)
        return [(piece, time.monotonic() - start) async for piece in pieces]

    (a, first), (b, second), (c, third) = asyncio.run(collect())
    assert (a, b, c) == ("a", "b", "c")
    assert first >= 0.02
    assert second - first >= 0.069  # the clock of the loop ends a sleep up to 1 ms early
    assert third - second >= 0.019


def _is_cut_inside_a_character(before: bytes, after: bytes) -> bool:
    del before
    return after[0] & 0xC0 == 0x80  # a continuation byte, RFC 3629 section 3


def test_every_border_of_the_unicode_stream_is_inside_a_character() -> None:
    stream = content.UNICODE_STREAM
    assert len(stream) == 6
    for before, after in zip(stream, stream[1:], strict=False):
        assert _is_cut_inside_a_character(before, after)
    assert any(all(byte & 0xC0 == 0x80 for byte in piece) for piece in stream)
    assert b"".join(stream).decode() == "Grüße an 世界 🚀 – naïve café\n"


def test_every_border_between_fragments_is_inside_a_character() -> None:
    first, second, third = content.FRAGMENTS
    assert _is_cut_inside_a_character(first, second)
    assert _is_cut_inside_a_character(second, third)


def test_the_unicode_events_are_cut_in_every_unlucky_place() -> None:
    stream = content.UNICODE_EVENT_STREAM
    borders = [(a[-4:], b[:4]) for a, b in zip(stream, stream[1:], strict=False)]
    assert (b"\neve", b"nt: ") in borders  # a field name
    assert sum(a.endswith(b"\r") and b.startswith(b"\n") for a, b in borders) == 2  # CR LF
    assert (b"id: ", b"3\r\ne") in borders
    assert sum(_is_cut_inside_a_character(a, b) for a, b in borders) == 3
    assert b"".join(stream) == b"".join(map(content.crlf_block, content.UNICODE_EVENTS))


def test_large_chunks_number_their_lines_through() -> None:
    assert [len(piece) for piece in content.LARGE_STREAM] == [content.LARGE_CHUNK] * 4
    lines = b"".join(content.LARGE_STREAM).splitlines()
    assert [int(line[:8]) for line in lines] == list(range(4_000))


def test_the_trailers_tell_the_body() -> None:
    (digest, value), (count, number) = content.TRAILERS
    assert (digest, count, number) == ("Content-Digest", "X-Message-Count", "8")
    name, _, coded = value.partition("=")
    assert name == "sha-256"
    expected = hashlib.sha256(b"".join(content.STREAM)).digest()
    assert base64.b64decode(coded.strip(":")) == expected


def test_events_have_ids_and_the_first_a_retry() -> None:
    assert [event.id for event in content.EVENTS] == [str(n) for n in range(1, 10)]
    assert [event.retry for event in content.EVENTS] == [content.RETRY] + [None] * 8
    assert [event.event for event in content.EVENTS] == ["message"] * 8 + ["done"]
    assert content.EVENTS[-1].data == "8 messages\n84 characters"


EVENT = content.SseEvent("word", "a\nb", "7")


@pytest.mark.parametrize(
    ("event", "crlf", "lf"),
    [
        (
            EVENT,
            b"id: 7\r\nevent: word\r\ndata: a\r\ndata: b\r\n\r\n",
            b"event: word\ndata: a\ndata: b\nid: 7\n\n",
        ),
        (
            EVENT._replace(retry=5),
            b"id: 7\r\nevent: word\r\ndata: a\r\ndata: b\r\nretry: 5\r\n\r\n",
            b"event: word\ndata: a\ndata: b\nid: 7\nretry: 5\n\n",
        ),
    ],
)
def test_blocks(event: content.SseEvent, crlf: bytes, lf: bytes) -> None:
    assert content.crlf_block(event) == crlf
    assert content.lf_block(event) == lf


def test_streams_that_end_inside_an_event() -> None:
    assert content.TRUNCATED_EVENT_STREAM[-1].endswith(b"\r\n")
    assert not content.TRUNCATED_EVENT_STREAM[-1].endswith(b"\r\n\r\n")
    assert content.EVENT_STREAM[3].startswith(content.RESET_EVENT_STREAM[-1])


def test_large_messages_need_64_bits_for_their_length() -> None:
    for data in (content.LARGE_TEXT, content.LARGE_BINARY, content.LARGE_CLIENT_TEXT):
        assert len(data) > 0xFFFF


def test_the_reply() -> None:
    assert content.reply_to("Hello") == "Response: Hello"
