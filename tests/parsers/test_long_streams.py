"""What is kept does not grow with what has passed: each stream, and one four times as long.

Records are looked at and let go. The memory is what was allocated at one time at most, compared
between the two lengths; the records must be as many more.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest
from support.flood import SEGMENT, Flood, Outcome, cut, decoding
from support.websocket_frames import Compressor, frame

from parsers.limits import MAX_KEPT_CHUNK, MAX_KEPT_FRAME, MiB

pytestmark = pytest.mark.slow

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
SMALL = OK + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
WEBSOCKET = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
EXTENSION = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\n" + WEBSOCKET + b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\n" + WEBSOCKET + b"Sec-WebSocket-Accept: "
    b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)

FLAT = MiB
"""How much more a stream of four times the length may take: what varies, not what grows."""

BATCH = 32
"""Packets that are decoded at once: few, so that the shorter stream has many batches too."""

AHEAD = 64
"""Packets that are read ahead, few for the same reason."""

Capture = Callable[[int], Iterator[bytes]]
KEEP_DATA = pytest.mark.parametrize("keep_data", [True, False])


@pytest.fixture(autouse=True)
def few_are_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.decode.time_order.MAX_LATE_PACKETS", AHEAD)


def both(capture: Capture, size: int, *, keep_data: bool = True) -> tuple[Outcome, Outcome]:
    """Decode a stream and one four times as long, which must not take more memory."""
    short, long = (
        decoding(capture(length), keep_data=keep_data, batch=BATCH) for length in (size, 4 * size)
    )
    assert long.peak - short.peak < FLAT, (short.peak, long.peak)
    return short, long


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answered(said: Iterator[bytes], asked: bytes = GET, segment: int = SEGMENT) -> Iterator[bytes]:
    """One connection, on which the server says this in full segments."""
    flood = Flood()
    yield from flood.open()
    yield from flood.client([asked])
    yield from flood.server(cut(said, segment))
    yield from flood.close()


def event_stream(count: int) -> Iterator[bytes]:
    """Each event a chunk, each chunk a segment."""
    flood = Flood()
    yield from flood.open()
    yield from flood.client([GET])
    yield from flood.server([EVENTS])
    yield from flood.server(
        chunk(b'id: %d\ndata: {"n": %d}\n\n' % (number, number)) for number in range(count)
    )
    yield from flood.server([b"0\r\n\r\n"])
    yield from flood.close()


def coded_event_stream(count: int) -> Iterator[bytes]:
    """As a server sends it that flushes gzip after each event."""
    coder = zlib.compressobj(wbits=31)
    flood = Flood()
    yield from flood.open()
    yield from flood.client([GET])
    yield from flood.server([EVENTS.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")])
    for number in range(count):
        coded = coder.compress(b"data: %d\n\n" % number) + coder.flush(zlib.Z_SYNC_FLUSH)
        yield from flood.server([chunk(coded)])
    yield from flood.server([chunk(coder.flush()), b"0\r\n\r\n"])
    yield from flood.close()


def chunks(count: int) -> Iterator[bytes]:
    """A download in chunks of 16 KiB that begin and end anywhere in a segment."""

    def said() -> Iterator[bytes]:
        yield CHUNKED
        yield from repeat(chunk(bytes(16 * 1_024)), count)
        yield b"0\r\n\r\n"

    return answered(said())


def frames(count: int) -> Iterator[bytes]:
    """Messages of one byte from both sides, each a segment, with a ping now and then."""
    flood = Flood()
    yield from flood.open()
    yield from flood.client([UPGRADE + b"\r\n"])
    yield from flood.server([SWITCHING + b"\r\n"])
    for number in range(count):
        yield flood.segment("server", frame(1, b"s"))
        yield flood.segment("client", frame(1, b"c", key=b"\1\2\3\4"))
        if number % 100 == 0:
            yield flood.segment("server", frame(9))
            yield flood.segment("client", frame(10, key=b"\1\2\3\4"))
    yield from flood.close()


def deflated_messages(count: int) -> Iterator[bytes]:
    compress = Compressor()
    flood = Flood()
    yield from flood.open()
    yield from flood.client([UPGRADE + EXTENSION + b"\r\n"])
    yield from flood.server([SWITCHING + EXTENSION + b"\r\n"])
    yield from flood.server(
        frame(1, compress(b'{"n": %d}' % number), rsv=4) for number in range(count)
    )
    yield from flood.close()


def exchanges(count: int) -> Iterator[bytes]:
    """One connection that is kept alive."""
    flood = Flood()
    yield from flood.open()
    for _ in range(count):
        yield flood.segment("client", GET)
        yield flood.segment("server", SMALL)
    yield from flood.close()


def connections(count: int) -> Iterator[bytes]:
    """Short connections, two of them at once; the collector comes now and then, at a known time."""
    before: Iterator[bytes] = iter(())
    for number in range(count):
        flood = Flood(10_000 + number % 50_000, address=1 + number // 50_000)
        yield from flood.open()
        yield flood.segment("client", GET)
        yield from before
        yield flood.segment("server", SMALL)
        before = flood.close()
        if number % 200 == 0:
            gc.collect()
    yield from before


def lossy(count: int) -> Iterator[bytes]:
    """Every twentieth segment of an event stream is missing, and acknowledged."""
    flood = Flood()
    yield from flood.open()
    yield from flood.client([GET])
    yield from flood.server([EVENTS])
    for number in range(count):
        piece = chunk(b"data: %d\n\n" % number)
        if number % 20 == 19:
            flood.lose("server", len(piece))
        else:
            yield flood.segment("server", piece)
            yield flood.segment("client")
    yield from flood.close()


STREAMS: dict[str, tuple[Capture, int, str]] = {
    "event stream": (event_stream, 3_000, "sse_event"),
    # As many until batches have grown: they do while little comes out of them.
    "event stream in gzip": (coded_event_stream, 5_000, "sse_event"),
    "chunks": (chunks, 100, "chunk"),
    "frames": (frames, 2_000, "websocket_frame"),
    "deflated messages": (deflated_messages, 2_000, "websocket_message"),
    "exchanges": (exchanges, 1_500, "response"),
    "lossy event stream": (lossy, 1_500, "gap"),
}


@KEEP_DATA
@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_kept_does_not_grow(stream: str, keep_data: bool) -> None:
    capture, count, kind = STREAMS[stream]
    short, long = both(capture, count, keep_data=keep_data)
    assert 3.9 * short.kinds[kind] <= long.kinds[kind] <= 4.1 * short.kinds[kind]
    assert long.kinds[kind] >= 4 * count // 20
    if stream != "lossy event stream":
        assert not long.codes


def test_connections_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of those that are over has a limit, which both lengths pass."""
    monkeypatch.setattr("parsers.limits.MAX_CLOSED_CONNECTIONS", 100)
    short, long = both(connections, 300)
    assert (short.kinds["connection"], long.kinds["connection"]) == (300, 1_200)
    assert (short.kinds["response"], long.kinds["response"]) == (300, 1_200)
    assert not long.codes


@pytest.mark.parametrize("shape", ["chunk", "frame", "content-length"])
def test_without_data_one_long_element_takes_no_memory(shape: str) -> None:
    def capture(size: int) -> Iterator[bytes]:
        said, asked = long_element(shape, size)
        return answered(said, asked)

    _, long = both(capture, 4 * MiB, keep_data=False)
    assert not long.codes
    assert long.last[{"chunk": "body", "content-length": "body"}.get(shape, "websocket_frame")]


@pytest.mark.parametrize("shape", ["chunk", "frame"])
def test_of_one_long_element_a_bounded_part_is_kept(shape: str) -> None:
    """In pieces, joined, in its record: as text or in base64."""
    limit = MAX_KEPT_CHUNK if shape == "chunk" else MAX_KEPT_FRAME
    outcome = decoding(answered(*long_element(shape, 2 * limit)))
    assert sorted(outcome.codes) == sorted(
        {"chunk": ["chunk-data-limit"], "frame": ["websocket-frame-limit"]}[shape]
    )
    # Of a frame its message is kept too.
    assert outcome.peak < {"chunk": 4, "frame": 10}[shape] * limit


@pytest.mark.parametrize("fragment", [1, 1_400, 60_000])
def test_a_long_message_in_fragments(fragment: int) -> None:
    """Without data nothing of it is kept; with them its bytes, and what its record makes of it."""

    def capture(count: int) -> Iterator[bytes]:
        def said() -> Iterator[bytes]:
            yield SWITCHING + b"\r\n" + frame(2, fin=False)
            yield from repeat(frame(0, b"a" * fragment, fin=False), count)
            yield frame(0, b"")

        return answered(said(), UPGRADE + b"\r\n", min(SEGMENT, 100 * fragment))

    count = {1: 2_500, 1_400: 700, 60_000: 40}[fragment]
    short, long = both(capture, count, keep_data=False)
    message = long.last["websocket_message"]
    assert (message.size, message.frames) == (4 * count * fragment, 4 * count + 2)
    assert not long.codes
    kept = decoding(capture(count), batch=BATCH)
    assert kept.peak - short.peak < 4 * count * fragment + FLAT


def long_element(shape: str, size: int) -> tuple[Iterator[bytes], bytes]:
    """What the server says in one element of this size, and what it was asked."""
    pieces = repeat(b"a" * 64_000, size // 64_000)
    rest = b"a" * (size % 64_000)
    head = {
        "chunk": CHUNKED + b"%x\r\n" % size,
        "content-length": OK + b"Content-Length: %d\r\n\r\n" % size,
        "frame": SWITCHING + b"\r\n\x82\x7f" + size.to_bytes(8),
    }[shape]
    end = b"\r\n0\r\n\r\n" if shape == "chunk" else b""

    def said() -> Iterator[bytes]:
        yield head
        yield from pieces
        yield rest + end

    return said(), UPGRADE + b"\r\n" if shape == "frame" else GET
