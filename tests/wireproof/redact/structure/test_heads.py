"""Heads without what they say."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.heads import (
    SAMPLE_ACCEPT,
    SAMPLE_KEY,
    WRONG_ACCEPT,
    Heads,
    masked_target,
)
from wireproof.redact.structure.masking import Veil

HEADS = Heads(Veil(b"key"))
LINES = [
    (b"GET /a/bc?d=e&f HTTP/1.1\r\n", b"GET /*/**?*=*&* HTTP/1.1\r\n"),
    (b"BREW / HTTP/1.1\r\n", b"**** / HTTP/1.1\r\n"),
    (b"CONNECT db.local:5432 HTTP/1.1\r\n", b"CONNECT ********:5432 HTTP/1.1\r\n"),
    (b"GET https://a.b/c HTTP/1.1\r\n", b"GET https://***/* HTTP/1.1\r\n"),
    (b"OPTIONS * HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n"),
    (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n"),
    (b"HTTP/1.1 200 Fine by me\r\n", b"HTTP/1.1 200 **********\r\n"),
    (b"nonsense\r\n", b"********\r\n"),
]
FIELDS = [
    (b"Content-Length: 12\r\n", b"Content-Length: 12\r\n"),
    (b"Content-Length: 4294967295\r\n", b"Content-Length: 4294967295\r\n"),
    (b"Content-Length: 12345678901\r\n", b"Content-Length: 99999999999\r\n"),
    (b"Content-Length: twelve\r\n", b"Content-Length: ******\r\n"),
    (b"content-type: text/html; charset=utf-8; x=y\n",
     b"content-type: text/html; charset=utf-8; *=*\n"),
    (b"Content-Type: application/x.acme+json\r\n", b"Content-Type: application/******+json\r\n"),
    (b"Authorization: Bearer abc\r\n", b"Authorization: **********\r\n"),
    (b"X-Acme: y\r\n", b"******: *\r\n"),
    (b"Cache-Control: max-age=60, mine\r\n", b"Cache-Control: max-age=60, ****\r\n"),
    (b"Server: nginx/1.25\r\n", b"Server: nginx/****\r\n"),
    (b" folded\r\n", b" ******\r\n"),
    (b"no colon\r\n", b"********\r\n"),
    (b"Sec-WebSocket-Protocol: mqtt, acme\r\n", b"Sec-WebSocket-Protocol: mqtt, ****\r\n"),
    (b"Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n",
     b"Sec-WebSocket-Key: " + SAMPLE_KEY + b"\r\n"),
    (b"Sec-WebSocket-Key: mine\r\n", b"Sec-WebSocket-Key: ****\r\n"),
    (b"HTTP2-Settings: AAMAAABkAAQAoAAA\r\n", b"HTTP2-Settings: AAMAAABkAAQAoAAA\r\n"),
    (b"HTTP2-Settings: c2VjcmV0\r\n", b"HTTP2-Settings: ********\r\n"),
    (b"X: " + b"y" * 999 + b"\r\n", b"*: " + b"*" * 999 + b"\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("line, masked", LINES)
def test_a_start_line(line: bytes, masked: bytes) -> None:
    assert HEADS.masked(line) == masked
    assert HEADS.masked(b"\r\n" + line) == b"\r\n" + masked


@pytest.mark.parametrize("line, masked", FIELDS)
def test_a_field(line: bytes, masked: bytes) -> None:
    assert HEADS.fields(line) == masked
    head = b"GET / HTTP/1.1\r\n"
    assert HEADS.masked(head + line + b"\r\n") == head + masked + b"\r\n"


def test_what_answers_a_key_is_as_right_as_it_was() -> None:
    line = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    head = b"HTTP/1.1 101 Switching Protocols\r\n" + line
    assert SAMPLE_ACCEPT in HEADS.masked(head)
    assert WRONG_ACCEPT in HEADS.masked(head, is_accepted=False)


def test_an_id_gets_the_same_veil_in_a_field_as_in_an_event() -> None:
    masked = HEADS.value(b"Last-Event-ID", b"event-1")
    assert masked == Veil(b"key").over(b"event-1")


def test_a_target_of_http2() -> None:
    assert HEADS.value(b":path", b"/a?b=c") == masked_target(b"/a?b=c") == b"/*?*=*"
