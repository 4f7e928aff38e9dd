"""The workloads: what streaming servers put on the wire, made up, seeded, the same on every run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

from .encrypted import key_log, sse_in_tls, streams_in_tls
from .packets import EPOCH_NS, Conversation, Packet, write

STEP_NS = 20_000
"""Between two packets of a capture: 20 µs."""
WORDS = ("This is", " a large", " response", " being", " streamed", " here's the final", " chunk!")


def timed(frames: Iterator[bytes]) -> Iterator[Packet]:
    for index, frame in enumerate(frames):
        yield Packet(EPOCH_NS + index * STEP_NS, frame)


def interleaved(parts: list[Iterator[bytes]]) -> Iterator[bytes]:
    """One step of each connection in turn, until all are at their end."""
    waiting = parts
    while waiting:
        going = []
        for part in waiting:
            frame = next(part, None)
            if frame is not None:
                yield frame
                going.append(part)
        waiting = going


def overlapping(parts: Iterator[Iterator[bytes]], at_once: int) -> Iterator[bytes]:
    """One step of each connection in turn, of which so many are open at a time."""
    going = list(islice(parts, at_once))
    while going:
        left = []
        for part in going:
            frame = next(part, None)
            if frame is not None:
                yield frame
                left.append(part)
            else:
                left += islice(parts, 1)
        going = left


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def sse_event(index: int) -> bytes:
    word = WORDS[index % len(WORDS)]
    data = f'{{"index": {index}, "text": "{word}"}}'
    return f"id: {index}\r\nevent: token\r\ndata: {data}\r\n\r\n".encode()


SSE_REQUEST = b"GET /sse HTTP/1.1\r\nHost: example\r\nAccept: text/event-stream\r\n\r\n"
SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-store\r\ntransfer-encoding: chunked\r\n\r\n"
)


def sse_connection(number: int, events: int) -> Iterator[bytes]:
    """One SSE response over chunked; one event a chunk, one chunk a segment, each acknowledged."""
    talk = Conversation(number)
    yield from talk.open()
    yield from talk.send(talk.client, SSE_REQUEST)
    yield from talk.send(talk.server, SSE_HEAD)
    for index in range(events):
        yield from talk.send(talk.server, chunk(sse_event(index)))
    yield from talk.send(talk.server, b"0\r\n\r\n")
    yield from talk.close()


def sse_said(events: int) -> list[tuple[str, bytes]]:
    """What both sides of an SSE response over chunked say, a write a time."""
    content = [("server", chunk(sse_event(index))) for index in range(events)]
    return [("client", SSE_REQUEST), ("server", SSE_HEAD), *content, ("server", b"0\r\n\r\n")]


def chat_event(index: int) -> bytes:
    return (
        b'data: {"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1764000000,'
        b'"model":"a-model","choices":[{"index":0,"delta":{"content":"%b"},"logprobs":null,'
        b'"finish_reason":null}]}\n\n' % WORDS[index % len(WORDS)].encode()
    )


def chat_connection(number: int, events: int) -> Iterator[bytes]:
    """A model's answer as chat completions stream it; one event a chunk, one chunk a segment."""
    talk = Conversation(number)
    body = b'{"model": "a-model", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'
    yield from talk.open()
    yield from talk.send(
        talk.client,
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: example\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body),
    )
    yield from talk.send(
        talk.server,
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        b"transfer-encoding: chunked\r\n\r\n",
    )
    for index in range(events):
        yield from talk.send(talk.server, chunk(chat_event(index)))
    yield from talk.send(talk.server, chunk(b"data: [DONE]\n\n"))
    yield from talk.send(talk.server, b"0\r\n\r\n")
    yield from talk.close()


def frame(payload: bytes, key: bytes | None = None) -> bytes:
    """A WebSocket text frame of at most 125 bytes."""
    if key is None:
        return bytes([0x81, len(payload)]) + payload
    masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return bytes([0x81, 0x80 | len(payload)]) + key + masked


def websocket_connection(number: int, frames: int) -> Iterator[bytes]:
    """Server frames, one a segment; every tenth is answered by a masked one."""
    talk = Conversation(number)
    seeded = random.Random(number)
    yield from talk.open()
    yield from talk.send(
        talk.client,
        b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    yield from talk.send(
        talk.server,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    )
    for index in range(frames):
        yield from talk.send(talk.server, frame(WORDS[index % len(WORDS)].encode()))
        if index % 10 == 9:
            yield from talk.send(talk.client, frame(b"seen", seeded.randbytes(4)))
    yield from talk.close()


def bulk_connection(number: int, chunks: int) -> Iterator[bytes]:
    """16 KiB chunks, cut to segments of 1,448 bytes without regard to their borders."""
    talk = Conversation(number)
    seeded = random.Random(number)
    data = chunk(seeded.randbytes(12_288).hex().encode()[: 16 * 1024])
    yield from talk.open()
    yield from talk.send(talk.client, b"GET /large HTTP/1.1\r\nHost: example\r\n\r\n")
    rest = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    for _ in range(chunks):
        rest += data
        while len(rest) >= 1_448:
            yield talk.segment(talk.server, rest[:1_448])
            rest = rest[1_448:]
        yield talk.segment(talk.client)
    yield from talk.send(talk.server, rest + b"0\r\n\r\n")
    yield from talk.close()


def short_exchanges(number: int, exchanges: int) -> Iterator[bytes]:
    """Small requests and responses on one connection that is kept alive."""
    talk = Conversation(number)
    yield from talk.open()
    for index in range(exchanges):
        yield from talk.send(
            talk.client, b"GET /item/%d HTTP/1.1\r\nHost: example\r\nAccept: */*\r\n\r\n" % index
        )
        body = b'{"item": %d}' % index
        yield from talk.send(
            talk.server,
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body),
        )
    yield from talk.close()


def json_connection(number: int, exchanges: int) -> Iterator[bytes]:
    """A few requests of an API and their answers, both JSON, on one connection."""
    talk = Conversation(number)
    yield from talk.open()
    for index in range(exchanges):
        body = b'{"id": %d, "query": "%b"}' % (index, WORDS[number % len(WORDS)].encode())
        yield from talk.send(
            talk.client,
            b"POST /api/items HTTP/1.1\r\nHost: api.example\r\nUser-Agent: client/1.0\r\n"
            b"Accept: application/json\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (len(body), body),
        )
        body = b'{"id": %d, "items": [%d, %d], "next": null}' % (index, number, number + 1)
        yield from talk.send(
            talk.server,
            b"HTTP/1.1 200 OK\r\nServer: example\r\nDate: Tue, 22 Sep 2026 08:00:00 GMT\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n"
            b"Connection: keep-alive\r\n\r\n%b" % (len(body), body),
        )
    yield from talk.close()


def mixture() -> Iterator[bytes]:
    """A gigabyte of all kinds: a tenth of its packets short exchanges, a third of them bulk."""
    kinds = (
        lambda number: sse_connection(number, 300),
        lambda number: json_connection(number, 4),
        lambda number: websocket_connection(number, 200),
        lambda number: bulk_connection(number, 50),
        lambda number: json_connection(number, 2),
    )
    return overlapping((kinds[number % 5](number) for number in range(5_600)), 50)


def damaged(frames: Iterator[bytes], seed: int = 1) -> Iterator[bytes]:
    """2 % of the frames lost, 2 % sent twice, 2 % late by up to five places."""
    seeded = random.Random(seed)
    late: list[tuple[int, bytes]] = []
    for index, item in enumerate(frames):
        draw = seeded.random()
        if draw < 0.02:
            continue
        if draw < 0.04:
            late.append((index + seeded.randint(1, 5), item))
        else:
            yield item
            if draw < 0.06:
                yield item
        while late and late[0][0] <= index:
            yield late.pop(0)[1]
    yield from (item for _, item in late)


def sse(connections: int, events: int) -> Iterator[bytes]:
    return interleaved([sse_connection(number, events) for number in range(connections)])


WORKLOADS: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "small": ("2 connections x 500 SSE events: what pyshark can be asked for", lambda: sse(2, 500)),
    "a": ("100 connections x 500 SSE events, each acknowledged", lambda: sse(100, 500)),
    "b": ("one connection with 20,000 SSE events", lambda: sse_connection(0, 20_000)),
    "b10": ("one connection with 200,000 SSE events", lambda: sse_connection(0, 200_000)),
    "c": (
        "100 connections x 500 WebSocket frames, every tenth answered",
        lambda: interleaved([websocket_connection(number, 500) for number in range(100)]),
    ),
    "d": (
        "82 MB in 16 KiB chunks over 10 connections",
        lambda: interleaved([bulk_connection(number, 500) for number in range(10)]),
    ),
    "e": (
        "5,000 short keep-alive exchanges over 10 connections",
        lambda: chain.from_iterable(short_exchanges(number, 500) for number in range(10)),
    ),
    "i": (
        "20,000 short keep-alive connections with JSON, 50 at a time",
        lambda: overlapping((json_connection(number, 2) for number in range(20_000)), 50),
    ),
    "j": ("1,000 connections x 50 SSE events", lambda: sse(1_000, 50)),
    "j1": (
        "one connection with 50,000 SSE events: what (j) is measured by",
        lambda: sse(1, 50_000),
    ),
    "k": ("1 GB of SSE, JSON, WebSocket and bulk, 50 connections at a time", mixture),
    "chat": (
        "one connection with 200,000 chat completion events",
        lambda: chat_connection(0, 200_000),
    ),
    "f": ("(a) with loss, reordering and duplication", lambda: damaged(sse(100, 500))),
    "g": (
        "(a) over TLS 1.3, decrypted",
        lambda: interleaved([sse_in_tls(number, sse_said(500)) for number in range(100)]),
    ),
    "h": (
        "10 connections of HTTP/2 over TLS 1.3 x 10 streams x 500 SSE events, decrypted",
        lambda: interleaved(
            [streams_in_tls(one, 10, list(map(sse_event, range(500)))) for one in range(10)]
        ),
    ),
}
KEYS = {"g": 100, "h": 10}
"""Of how many connections a workload's capture has the secrets."""


def make(name: str, folder: Path) -> Path:
    """Write the capture of a workload into ``folder``, unless it is there; return its path."""
    path = folder / f"{name}.pcapng"
    if not path.exists():
        _, frames = WORKLOADS[name]
        unfinished = path.with_suffix(".part")
        write(unfinished, timed(frames()), key_log(KEYS.get(name, 0)))
        unfinished.rename(path)
    return path
