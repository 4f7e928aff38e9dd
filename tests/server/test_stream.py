"""Chunked responses as they are on the wire."""

from __future__ import annotations

import time
import zlib

import pytest
from support.demo import Wire, connect, get, receive, request

from server import content
from server.address import Address


def fetch(address: Address, target: str, *fields: str) -> Wire:
    return get(address.host, address.port, target, *fields)


def chunks(body: bytes) -> list[bytes]:
    """Return the chunks of a whole body, and check its framing to the byte."""
    found = []
    while not body.startswith(b"0\r\n"):
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        assert size == b"%x" % length
        assert rest[length : length + 2] == b"\r\n"
        found.append(rest[:length])
        body = rest[length + 2 :]
    assert body == b"0\r\n\r\n"
    return found


def test_the_bytes_of_the_stream(address: Address) -> None:
    wire = fetch(address, "/stream")
    assert wire.body == (
        b"7\r\nThis is\r\n"
        b"8\r\n a large\r\n"
        b"9\r\n response\r\n"
        b"6\r\n being\r\n"
        b"9\r\n streamed\r\n"
        b"23\r\n through FastAPI StreamingResponse.\r\n"
        b"11\r\n Here's the final\r\n"
        b"7\r\n chunk!\r\n"
        b"0\r\n\r\n"
    )
    assert wire.ending == "fin"


def test_one_message_is_one_segment(address: Address) -> None:
    head, last_chunk = 1, 1
    assert fetch(address, "/stream").segments == head + len(content.STREAM) + last_chunk


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/stream", content.STREAM),
        ("/stream/unicode", content.UNICODE_STREAM),
        ("/stream/slow?stall=0", content.STREAM),
        ("/stream/large", content.LARGE_STREAM),
        ("/stream/ndjson", content.NDJSON_STREAM),
        ("/stream/multipart", content.MULTIPART_STREAM),
    ],
)
def test_chunks(address: Address, target: str, expected: tuple[bytes, ...]) -> None:
    assert chunks(fetch(address, target).body) == list(expected)


def test_the_connection_serves_the_next_request(address: Address) -> None:
    with connect(address.host, address.port) as client:
        client.sendall(request("/stream"))
        whole = receive(client, 300)
        while not whole.data.endswith(b"\r\n0\r\n\r\n"):
            whole = Wire(whole.data + receive(client, 1).data, "open", 0)
        client.sendall(request("/nowhere", "Connection: close"))
        assert receive(client).data.startswith(b"HTTP/1.1 404 ")


def test_gzip_lets_each_message_out(address: Address) -> None:
    wire = fetch(address, "/stream/gzip", "Accept-Encoding: gzip")
    assert b"\r\ncontent-encoding: gzip\r\n" in wire.data
    reader = zlib.decompressobj(wbits=31)
    read = [reader.decompress(piece) for piece in chunks(wire.body)]
    assert read == [*content.STREAM, b""]
    assert reader.eof


def test_gzip_is_not_forced_on_a_client(address: Address) -> None:
    wire = fetch(address, "/stream/gzip")
    assert b"content-encoding" not in wire.data
    assert chunks(wire.body) == list(content.STREAM)


def test_the_delay_is_between_the_messages(address: Address) -> None:
    start = time.monotonic()
    fetch(address, "/stream?delay=0.02")
    assert time.monotonic() - start >= 0.15


def test_the_stall_comes_on_top(address: Address) -> None:
    start = time.monotonic()
    assert chunks(fetch(address, "/stream/slow?stall=0.1").body) == list(content.STREAM)
    assert time.monotonic() - start >= 0.099
