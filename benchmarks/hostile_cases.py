"""Small captures that are made to do harm: each fills the memory, or takes time, where it can."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple

import brotli

from .packets import ACK, ETHERNET, IPV4, PSH, Conversation, Endpoint
from .workloads import chunk, interleaved

KiB, MiB = 1024, 1024 * 1024
SEGMENT = 1_400
LARGE_SEGMENT = 60_000
"""Of a sender that leaves it to its network card to cut segments."""
GET = b"GET /stream HTTP/1.1\r\nHost: example\r\n\r\n"
SSE = b"content-type: text/event-stream\r\n"
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Case(NamedTuple):
    """A capture that does harm, as big as it is by default, or by a number of connections."""

    make: Callable[[int], Iterator[bytes]]
    connections: int
    what: str


def ok(fields: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + fields + b"transfer-encoding: chunked\r\n\r\n"


def pieces(data: bytes, size: int = SEGMENT) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def sent(talk: Conversation, sender: Endpoint, data: bytes, size: int = SEGMENT) -> Iterator[bytes]:
    """Data in segments that are acknowledged together."""
    for piece in pieces(data, size):
        yield talk.segment(sender, piece, PSH | ACK)
    yield talk.segment(talk.server if sender is talk.client else talk.client)


def asked(number: int, fields: bytes) -> tuple[Conversation, Iterator[bytes]]:
    """A connection with a request, and the head of a response that is chunked."""
    talk = Conversation(number)

    def begin() -> Iterator[bytes]:
        yield from talk.open()
        yield from talk.send(talk.client, GET)
        yield from talk.send(talk.server, ok(fields))

    return talk, begin()


def answered(number: int, fields: bytes, content: bytes, size: int = SEGMENT) -> Iterator[bytes]:
    """A response whose content never ends."""
    talk, begun = asked(number, fields)
    yield from begun
    for piece in pieces(content, 16 * KiB):
        yield from sent(talk, talk.server, chunk(piece), size)


def together(one: Callable[[int], Iterator[bytes]], connections: int) -> Iterator[bytes]:
    """All connections at the same time."""
    return interleaved([one(number) for number in range(connections)])


# --- content codings ---


@cache
def noise(size: int) -> bytes:
    return Random(size).randbytes(size)


@cache
def wide_brotli() -> bytes:
    """What declares a window of 16 MiB and fills 2 MiB of it, as its own bytes allow."""
    return bytes(brotli.compress(noise(6 * KiB) + bytes(2 * MiB), quality=5, lgwin=24)[:-1])


@cache
def wide_bomb() -> bytes:
    """What fills a window of 16 MiB with one meta-block."""
    return bytes(brotli.compress(bytes(16 * MiB), quality=9, lgwin=24)[:-1])


def brotli_bombs(connections: int) -> Iterator[bytes]:
    fields = b"content-type: application/octet-stream\r\ncontent-encoding: br\r\n"
    return together(lambda number: answered(number, fields, wide_bomb()), connections)


def brotli_streams(connections: int) -> Iterator[bytes]:
    fields = b"content-type: application/octet-stream\r\ncontent-encoding: br\r\n"
    return together(lambda number: answered(number, fields, wide_brotli()), connections)


@cache
def small_bomb() -> bytes:
    return gzip.compress(bytes(MiB), mtime=0)


def small_bombs(connections: int) -> Iterator[bytes]:
    for number in range(connections):
        fields = b"content-type: text/plain\r\ncontent-encoding: gzip\r\n"
        yield from answered(number, fields, small_bomb())


def gzip_members(connections: int) -> Iterator[bytes]:
    content = gzip.compress(b"x", mtime=0) * 20_000
    fields = b"content-type: text/plain\r\ncontent-encoding: gzip\r\n"
    for number in range(connections):
        yield from answered(number, fields, content)


# --- elements that do not end ---


@cache
def long_event() -> bytes:
    """An event of 15 MiB in lines of 1 MiB, with as many coded bytes as its ratio asks for."""
    line = b"data: " + noise(4 * KiB).hex().encode() + b"a" * MiB + b"\n"
    return zlib.compress(line * 15, 9)


def long_events(connections: int) -> Iterator[bytes]:
    fields = SSE + b"content-encoding: deflate\r\n"
    return together(lambda number: answered(number, fields, long_event()), connections)


@cache
def long_message(is_whole: bool) -> bytes:
    """A text message of 15 MiB, deflated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    coded = deflate.compress(b"a" * (15 * MiB)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    coded = coded.removesuffix(b"\0\0\xff\xff")
    return (b"\xc1" if is_whole else b"\x41") + b"\x7f" + len(coded).to_bytes(8, "big") + coded


def websocket(number: int, frames: bytes) -> Iterator[bytes]:
    talk = Conversation(number)
    yield from talk.open()
    yield from talk.send(talk.client, UPGRADE)
    yield from talk.send(talk.server, SWITCHED)
    yield from sent(talk, talk.server, frames)


def open_messages(connections: int) -> Iterator[bytes]:
    return together(lambda number: websocket(number, long_message(False)), connections)


def whole_messages(connections: int) -> Iterator[bytes]:
    return together(lambda number: websocket(number, long_message(True)), connections)


# --- TCP ---


def open_connections(connections: int) -> Iterator[bytes]:
    for number in range(connections):
        yield from answered(number, SSE, b"data: 1\n\n")


def holes(connections: int) -> Iterator[bytes]:
    """Four MiB behind a hole, on each connection."""

    def one(number: int) -> Iterator[bytes]:
        talk, begun = asked(number, b"content-type: text/plain\r\n")
        yield from begun
        talk.server.seq += 1
        for _ in range(4 * MiB // LARGE_SEGMENT):
            yield talk.segment(talk.server, noise(LARGE_SEGMENT), PSH | ACK)

    return together(one, connections)


def small_holes(connections: int) -> Iterator[bytes]:
    """Ten thousand segments of one byte behind holes, on each connection."""

    def one(number: int) -> Iterator[bytes]:
        talk, begun = asked(number, b"content-type: text/plain\r\n")
        yield from begun
        for _ in range(10_000):
            talk.server.seq += 1
            yield talk.segment(talk.server, b"x", PSH | ACK)

    return together(one, connections)


def fragments(connections: int) -> Iterator[bytes]:
    """The last eight bytes of packets of 64 KiB whose other fragments never come."""
    for number in range(connections):
        at = 65_512 // 8
        ip = IPV4.pack(
            0x45, 0, 28, number & 0xFFFF, at, 64, 17, 0, number.to_bytes(4), bytes([10, 1, 0, 1])
        )
        yield ETHERNET + ip + bytes(8)


# --- what is framed, and does not end ---


def open_chunks(connections: int) -> Iterator[bytes]:
    """Six of the eight MiB of a chunk."""

    def one(number: int) -> Iterator[bytes]:
        talk, begun = asked(number, b"content-type: application/octet-stream\r\n")
        yield from begun
        yield from sent(talk, talk.server, b"800000\r\n" + noise(6 * MiB), LARGE_SEGMENT)

    return together(one, connections)


def open_heads(connections: int) -> Iterator[bytes]:
    """A head of 200 KiB that does not end."""

    def one(number: int) -> Iterator[bytes]:
        talk = Conversation(number)
        yield from talk.open()
        yield from sent(talk, talk.client, GET[:-2] + b"X: " + b"x" * 200 * KiB, LARGE_SEGMENT)

    return together(one, connections)


# --- HTTP/2 and TLS ---


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


def streams(connections: int) -> Iterator[bytes]:
    """4,096 requests on each connection, each answered by an event stream that never ends."""
    # :method GET, :path /, :scheme https; and :status 200, content-type: text/event-stream
    request, response = b"\x82\x84\x87", b"\x88\x0f\x10\x11text/event-stream"

    def one(number: int) -> Iterator[bytes]:
        talk = Conversation(number)
        yield from talk.open()
        ids = [2 * index + 1 for index in range(4_096)]
        asks = b"".join(frame(1, 5, each, request) for each in ids)
        yield from sent(talk, talk.client, PREFACE + frame(4, 0, 0, b"") + asks)
        answers = b"".join(frame(1, 4, each, response) for each in ids)
        begun = b"".join(frame(0, 0, each, b"data: 1") for each in ids)
        yield from sent(talk, talk.server, frame(4, 0, 0, b"") + answers + begun)

    return together(one, connections)


def settings(connections: int) -> Iterator[bytes]:
    """4,096 open streams on each connection, and 2,000 changes of all their windows at once."""

    def one(number: int) -> Iterator[bytes]:
        talk = Conversation(number)
        yield from talk.open()
        ids = [2 * index + 1 for index in range(4_096)]
        asks = b"".join(frame(1, 5, each, b"\x82\x84\x87") for each in ids)
        yield from sent(talk, talk.client, PREFACE + frame(4, 0, 0, b"") + asks)
        answers = b"".join(frame(1, 4, each, b"\x88") for each in ids)
        yield from sent(talk, talk.server, frame(4, 0, 0, b"") + answers)
        sizes = (b"\0\4" + (65_535 + index % 7).to_bytes(4, "big") for index in range(2_000))
        yield from sent(talk, talk.client, b"".join(frame(4, 0, 0, size) for size in sizes))

    return together(one, connections)


def tls_records(connections: int) -> Iterator[bytes]:
    """200 KiB of records on each connection, which no key opens."""
    record = b"\x17\x03\x03\x40\x00" + noise(16 * KiB)
    hello = (
        b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"
        + noise(32)
        + bytes.fromhex("00000213010100")
    )

    def one(number: int) -> Iterator[bytes]:
        talk = Conversation(number)
        yield from talk.open()
        yield from talk.send(talk.client, hello)
        yield from sent(talk, talk.server, record * 12)

    return together(one, connections)


CASES = {
    "brotli-streams": Case(brotli_streams, 1_000, "1,000 open br streams"),
    "brotli-bombs": Case(brotli_bombs, 500, "500 br bombs of 16 MiB"),
    "open-messages": Case(open_messages, 64, "64 open WebSocket messages of 15 MiB"),
    "whole-messages": Case(whole_messages, 64, "64 whole WebSocket messages of 15 MiB"),
    "long-events": Case(long_events, 64, "64 open events of 15 MiB"),
    "small-bombs": Case(small_bombs, 2_000, "2,000 gzip bodies of 1 MiB"),
    "gzip-members": Case(gzip_members, 10, "20,000 gzip members, 10 times"),
    "connections": Case(open_connections, 65_000, "65,000 open connections"),
    "holes": Case(holes, 100, "100 holes with 4 MiB waiting"),
    "small-holes": Case(small_holes, 50, "50 connections, 10,000 holes each"),
    "fragments": Case(fragments, 20_000, "20,000 fragments at the end of 64 KiB"),
    "open-chunks": Case(open_chunks, 40, "40 open chunks of 6 MiB"),
    "open-heads": Case(open_heads, 1_200, "1,200 open heads of 200 KiB"),
    "streams": Case(streams, 32, "32 times 4,096 open streams of HTTP/2"),
    "settings": Case(settings, 4, "4 times 4,096 open streams, 2,000 SETTINGS"),
    "tls-records": Case(tls_records, 500, "500 connections of TLS without keys"),
}
