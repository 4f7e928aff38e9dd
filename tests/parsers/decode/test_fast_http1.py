"""Whole messages by the fast path: what it leaves to the decoder, and that it changes nothing."""

from __future__ import annotations

import pytest
from support.fast_paths import with_and_without
from support.talk import Talk

from parsers.decode.fast_paths import FAST_PATHS

GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\n\r\n[12]"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def head(fields: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\n%b\r\n" % (status, fields)


def sized(content: bytes, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return head(b"%bContent-Length: %d\r\n" % (more, len(content)), status) + content


UNUSUAL = {
    "no length": (GET, head(b"") + b"hello"),
    "an empty body": (GET, sized(b"")),
    "no content": (GET, head(b"", b"204 No Content")),
    "not modified": (GET, head(b"Content-Length: 9\r\n", b"304 Not Modified")),
    "an answer to HEAD": (GET.replace(b"GET", b"HEAD"), head(b"Content-Length: 9\r\n")),
    "an interim answer": (POST, head(b"", b"100 Continue") + ANSWER),
    "an answer to HTTP/1.0": (GET.replace(b"1.1", b"1.0"), ANSWER),
    "the last message": (GET, sized(b"{}", more=b"Connection: close\r\n")),
    "bytes after a message": (GET + b"xyz", ANSWER + b"xyz"),
    "an empty line before it": (b"\r\n" + GET, b"\r\n" + ANSWER),
    "two at once": (GET + POST, ANSWER + ANSWER),
    "a fault in a line": (GET.replace(b"/ ", b"/\xff "), ANSWER.replace(b"200", b"600")),
    "a fault in a field": (GET.replace(b"Host", b"Host "), ANSWER),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", ANSWER),
    "lines with LF alone": (GET.replace(b"\r\n", b"\n"), ANSWER.replace(b"\r\n", b"\n")),
    "two lengths": (GET, sized(b"{}", more=b"Content-Length: 3\r\n")),
    "content with a digit first": (GET, sized(b"5\r\nhello\r\n0\r\n\r\n")),
    "content that is coded": (GET, sized(b"\x1f\x8b\x08", more=b"Content-Encoding: gzip\r\n")),
    "content that is an image": (GET, sized(b"\x89PNG", more=b"Content-Type: image/png\r\n")),
    "events with a length": (
        GET, sized(b"data: 1\n\n", more=b"Content-Type: text/event-stream\r\n"),
    ),
    "lines with a length": (
        GET, sized(b"{}\n{}\n", more=b"Content-Type: application/x-ndjson\r\n"),
    ),
    "a port that wants TLS": (
        GET, sized(b"The plain HTTP request was sent to HTTPS port", b"400 Bad Request"),
    ),
    "a refused upgrade": (UPGRADE, sized(b"no", b"403 Forbidden")),
    "an upgrade that is not asked for": (GET, head(b"Upgrade: x\r\n", b"101 Switching")),
    "a preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ANSWER),
}  # fmt: skip


@pytest.mark.parametrize("path", ["requests", "responses"])
@pytest.mark.parametrize("what", UNUSUAL)
def test_unusual_messages(what: str, path: str) -> None:
    """Beside usual ones, once their fields are known: whole, and cut in two places."""
    asked, answered = UNUSUAL[what]
    for cut in (0, 3, len(answered) - 1):
        talk = Talk().open()
        for _ in range(2):
            talk.client(GET)
            talk.server(ANSWER)
            talk.client(POST)
            talk.server(ANSWER)
        for _ in range(2):
            talk.client(asked[:-1], asked[-1:]) if cut else talk.client(asked)
            talk.server(*filter(None, (answered[:cut], answered[cut:])))
        talk.client(POST)
        talk.server(ANSWER)
        talk.close()
        for keep_data in (True, False):
            given = talk.tape.packets
            _, taken = with_and_without(
                FAST_PATHS[path], given, keep_data=keep_data, batch=3 if cut else 1000
            )
            assert taken


@pytest.mark.parametrize("path", ["requests", "responses"])
def test_bytes_that_are_missing(path: str) -> None:
    """A packet less, whichever: what comes after it is out of step, or not."""
    talk = Talk().open()
    for number in range(4):
        talk.client(POST, GET)
        talk.server(ANSWER, sized(b'{"number": %d}' % number))
    talk.close()
    packets = talk.tape.packets
    for missing in range(len(packets)):
        given = packets[:missing] + packets[missing + 1 :]
        with_and_without(FAST_PATHS[path], given, keep_data=True, batch=5)
