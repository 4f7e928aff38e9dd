"""What the server has to say: the same on every run, so that a capture can be checked to the byte.

Strategy: a scenario's content stands here once, as plain values. The handlers send it, and
:mod:`.scenarios` names it as what a client must have received in the end. Nothing in it depends
on the time, the machine or the libraries that carry it.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple, TypeVar

T = TypeVar("T")


async def generate(
    pieces: Iterable[T], delay: float, *, stall_before: int = -1, stall: float = 0.0
) -> AsyncIterator[T]:
    """Yield ``pieces`` as a language model would: one by one, each after ``delay`` seconds.

    Before the piece numbered ``stall_before`` (from 0) comes a stall of ``stall`` seconds more.
    """
    for number, piece in enumerate(pieces):
        await asyncio.sleep(delay + (stall if number == stall_before else 0.0))
        yield piece


def _messages(carrier: str) -> tuple[str, ...]:
    return (
        "This is",
        " a large",
        " response",
        " being",
        " streamed",
        f" through FastAPI {carrier}.",
        " Here's the final",
        " chunk!",
    )


STREAM_MESSAGES = _messages("StreamingResponse")
SSE_MESSAGES = _messages("SSE")
WEBSOCKET_MESSAGES = _messages("WebSocket")
STALL_BEFORE = 4
STALL = 0.4
"""The ``slow`` scenarios keep this message back, from 0, for so many seconds."""


def _utf8(pieces: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(piece.encode() for piece in pieces)


def _cut(data: bytes, *offsets: int) -> tuple[bytes, ...]:
    return tuple(data[start:end] for start, end in pairwise([0, *offsets, len(data)]))


# --- chunked: each tuple is one body, an element one chunk of it ---

STREAM = _utf8(STREAM_MESSAGES)
TRUNCATED_STREAM = STREAM[:5]
RESET_STREAM = STREAM[:4]

_UNICODE = "Grüße an 世界 🚀 – naïve café\n".encode()
UNICODE_STREAM = _cut(
    _UNICODE,
    _UNICODE.index("ü".encode()) + 1,  # 1 of 2 bytes
    _UNICODE.index("世".encode()) + 2,  # 2 of 3
    _UNICODE.index("🚀".encode()) + 1,  # 1 of 4
    _UNICODE.index("🚀".encode()) + 3,  # 3 of 4: this chunk holds no character at all
    _UNICODE.index("é".encode()) + 1,
)

LARGE_CHUNK = 100_000
_LINE = 100


def _numbered_lines(first: int, count: int) -> bytes:
    """Return lines of 100 bytes that each tell their number: a lost or moved one shows."""
    return b"".join(b"%08d %s\n" % (first + n, b"." * (_LINE - 10)) for n in range(count))


_LINES = [json.dumps({"index": n, "text": text}) for n, text in enumerate(STREAM_MESSAGES)]
_NDJSON = "\n".join(_LINES).encode()
_LINE_ENDS = [number + 1 for number, byte in enumerate(_NDJSON) if byte == 0x0A]
NDJSON_STREAM = _cut(
    _NDJSON,
    *(_LINE_ENDS[0], _LINE_ENDS[1]),  # a line each
    _LINE_ENDS[3],  # two lines in one chunk
    _LINE_ENDS[3] + 20,  # a line over two chunks
    *_LINE_ENDS[4:],
)
"""JSON lines, the last one without its LF, in chunks that are not the lines."""

BOUNDARY = "wireproof-part"
MULTIPART_STREAM = (
    *(
        f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{line}\r\n".encode()
        for line in _LINES
    ),
    f"--{BOUNDARY}--\r\n".encode(),
)
"""A part a message, as GraphQL sends what it defers (RFC 2046 section 5.1)."""

LARGE_STREAM = tuple(
    _numbered_lines(number * LARGE_CHUNK // _LINE, LARGE_CHUNK // _LINE) for number in range(4)
)

TRAILERS = (
    (
        "Content-Digest",  # RFC 9530 section 2
        f"sha-256=:{b64encode(sha256(b''.join(STREAM)).digest()).decode()}:",
    ),
    ("X-Message-Count", str(len(STREAM))),
)


# --- server-sent events ---


class SseEvent(NamedTuple):
    """One event as a client dispatches it, and the ``retry`` that came in its block."""

    event: str
    data: str
    id: str
    retry: int | None = None


def crlf_block(event: SseEvent) -> bytes:
    """Return ``event`` on the wire as sse-starlette writes it: CRLF, ``id`` first."""
    head = [("id", event.id), ("event", event.event)]
    return _block([*head, *_data(event), *_retry(event)], "\r\n")


def lf_block(event: SseEvent) -> bytes:
    """Return ``event`` on the wire as FastAPI writes it: LF, ``event`` first."""
    head = [("event", event.event)]
    return _block([*head, *_data(event), ("id", event.id), *_retry(event)], "\n")


def _data(event: SseEvent) -> list[tuple[str, str]]:
    return [("data", line) for line in event.data.split("\n")]


def _retry(event: SseEvent) -> list[tuple[str, str]]:
    return [] if event.retry is None else [("retry", str(event.retry))]


def _block(fields: Iterable[tuple[str, str]], end: str) -> bytes:
    return (end.join(f"{name}: {value}" for name, value in fields) + end + end).encode()


RETRY = 3_000
"""Milliseconds after which a browser may reconnect."""
EVENTS = tuple(
    SseEvent("message", message, str(number), RETRY if number == 1 else None)
    for number, message in enumerate(SSE_MESSAGES, start=1)
) + (
    SseEvent(
        "done",
        f"{len(SSE_MESSAGES)} messages\n{len(''.join(SSE_MESSAGES))} characters",
        str(len(SSE_MESSAGES) + 1),
    ),
)
"""The messages, and one event more that says so: its data has two lines."""

EVENT_STREAM = tuple(map(crlf_block, EVENTS))
FASTAPI_STREAM = tuple(map(lf_block, EVENTS))
BURST_EVENT_STREAM = tuple(b"".join(EVENT_STREAM[n : n + 3]) for n in range(0, len(EVENTS), 3))
TRUNCATED_EVENT_STREAM = (*EVENT_STREAM[:4], EVENT_STREAM[4][:-2])
"""The fifth event lacks its empty line: it must not be dispatched."""
RESET_EVENT_STREAM = (*EVENT_STREAM[:3], EVENT_STREAM[3][:10])

UNICODE_EVENTS = (
    SseEvent("message", "Grüße an 世界", "1", RETRY),
    SseEvent("message", "🚀\n– naïve café", "2"),
    SseEvent("message", "one\u2028line, not two", "3"),  # LINE SEPARATOR does not end a line
    SseEvent("done", "3 events", "4"),
)
_UNICODE_BLOCKS = b"".join(map(crlf_block, UNICODE_EVENTS))
UNICODE_EVENT_STREAM = _cut(
    _UNICODE_BLOCKS,
    _UNICODE_BLOCKS.index(b"event") + 3,  # inside a field name
    _UNICODE_BLOCKS.index("世".encode()) + 1,  # inside a character
    _UNICODE_BLOCKS.index(b"\r\n\r\n") + 1,  # between the CR and the LF of a line
    _UNICODE_BLOCKS.index(b"\r\n\r\n") + 3,  # inside the empty line
    _UNICODE_BLOCKS.index("🚀".encode()) + 2,
    _UNICODE_BLOCKS.index(b"id: 3") + 4,  # before a value
    _UNICODE_BLOCKS.index("\u2028".encode()) + 1,
)


# --- WebSocket ---

CLIENT_TEXT = "Hello"


def reply_to(text: str) -> str:
    """Return what the server answers to a text message."""
    return f"Response: {text}"


FRAGMENTS = _cut(_UNICODE, _UNICODE.index("世".encode()) + 1, _UNICODE.index("🚀".encode()) + 2)
"""One text message in three frames, each border inside a character."""
PING_BETWEEN = b"still there?"

LARGE_TEXT = _numbered_lines(0, 700).decode()
LARGE_BINARY = bytes(range(256)) * 400
LARGE_CLIENT_TEXT = _numbered_lines(700, 660).decode()
"""All three pass 65,535 bytes, so that their lengths take 64 bits (RFC 6455 section 5.2)."""

CLOSE_CODE = 4_008
CLOSE_REASON = "the demo ends here – goodbye"
