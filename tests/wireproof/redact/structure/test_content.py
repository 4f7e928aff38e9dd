"""What masks content, by what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.framed import grpc_frame

from parsers.records import RequestRecord
from wireproof.redact.structure.content import (
    Prefixed,
    Undeclared,
    Unknown,
    content_of,
    media_type,
)
from wireproof.redact.structure.heads import Heads
from wireproof.redact.structure.masking import Veil

VEIL = Veil(b"key")
HEADS = Heads(VEIL)
CASES = [
    (b'  {"content": "x"}', b'  {"content": "*"}'),
    (b"data: secret\n\n", b"data: ******\n\n"),
    (b'0:"secret"\n', b'0:"******"\n'),
    (b"Hello {world}", b"*************"),
    (b"<p>x</p>", b"********"),
    (b"{", b"{"),
    (b"", b""),
]


@pytest.mark.parametrize("text, masked", CASES)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_nothing_declares(text: bytes, masked: bytes, size: int) -> None:
    content = Undeclared(VEIL)
    done = b"".join(content.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert done + content.end() == masked
    assert content.waiting == b""


@pytest.mark.parametrize("size", [1, 4, 100])
def test_messages_of_grpc(size: int) -> None:
    trailers = b"grpc-status: 0\r\ngrpc-message: secret\r\n"
    text = grpc_frame(0, b"secret") + grpc_frame(1, b"") + grpc_frame(0x80, trailers)
    masked = grpc_frame(0, b"******") + grpc_frame(1, b"")
    masked += grpc_frame(0x80, b"grpc-status: 0\r\ngrpc-message: ******\r\n")
    content = Prefixed(HEADS)
    done = b"".join(content.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert done + content.end() == masked


def test_what_has_no_length_is_masked() -> None:
    content = Prefixed(HEADS)
    assert content.feed(b"secret secret") + content.end() == b"*" * 13


@given(st.binary(max_size=100), st.integers(0, 100))
def test_whatever_comes_is_given(data: bytes, cut: int) -> None:
    for content in (Prefixed(HEADS), Undeclared(VEIL), Unknown()):
        done = content.feed(data[:cut]) + content.feed(data[cut:]) + content.end()
        assert len(done) == len(data)


def head(kind: str, *codings: str) -> RequestRecord:
    return RequestRecord(
        *(0, 0, "client", 1, 1, 0.0, 0.0, 0, 0, "POST", "/", "HTTP/1.1"),
        headers=[("content-type", kind)],
        framing="content-length",
        codings=list(codings),
    )


def test_by_its_head() -> None:
    assert isinstance(content_of(head("application/grpc"), HEADS, VEIL), Prefixed)
    assert isinstance(content_of(head("application/json", "gzip"), HEADS, VEIL), Unknown)
    assert isinstance(content_of(head("application/json", "identity"), HEADS, VEIL), Undeclared)
    assert isinstance(content_of(head("application/grpc-web-text"), HEADS, VEIL), Undeclared)
    assert media_type([("Content-Type", "Text/Plain ; x=y")]) == "text/plain"
    assert media_type([]) == ""
