"""What never ends, through the whole chain: one diagnostic, flat memory, linear time, and on.

Every shape here is fed until it is past its limit, and then much further. What comes
after it on the same connection is decoded wherever a border is certain, and another connection in
any case.
"""

from __future__ import annotations

import gc
import gzip
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

import brotli
import pytest
import zstandard
from support.flood import LINEAR, SEGMENT, CaptureStream, Flood, cut, decoding, growth_of_time
from support.frames import ACK, PSH, SYN, URG
from support.websocket_frames import Compressor, frame

from parsers import limits
from parsers.decode.capture import decode
from parsers.files.packets import UnreadableCapture
from parsers.limits import KiB, MiB
from parsers.records import ConnectionRecord, RequestRecord, ResponseRecord, SseEventRecord

pytestmark = pytest.mark.slow

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
END = b"\r\n"

AHEAD = 5 * limits.MAX_LATE_BYTES
"""What is read ahead for the order of times: the smallest packets, of 54 bytes, take five times
their size."""
SLACK = 4 * MiB + AHEAD
"""What the chain takes with nothing kept: two windows of the file, a batch of packets, and what
comes of them; and the packets after it."""
COPIES = 5
"""How often what is kept may stand in memory at once: in pieces, joined, as text, in a record."""
PER_BYTE = 350
"""Memory for one byte of a batch: the smallest frame has two bytes, and makes two records."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def field(line: bytes) -> bytes:
    """A segment full of this line."""
    return line * (SEGMENT // len(line))


class Endless(NamedTuple):
    """A shape that goes on: what the server says, but for ``asked``, which the client says."""

    before: bytes
    again: bytes
    """A segment's payload, more or less."""
    after: bytes
    codes: list[str]
    """Every diagnostic that it makes."""
    kept: int = 0
    """What may be kept of it."""
    asked: bytes = GET
    by_client: bool = False
    goes_on: bool = True
    """Whether a next exchange of the connection is read."""
    size: int = 1_000

    def capture(self, count: int, segment: int = SEGMENT) -> Iterator[bytes]:
        """``again`` comes ``count`` times; then come the next exchange and another connection."""
        flood = Flood()
        yield from flood.open()
        said = cut(self._said(count), segment)
        if self.by_client:
            yield from flood.client(said)
            yield from flood.server([OK + b"Content-Length: 0\r\n\r\n"])
        else:
            yield from flood.client([self.asked])
            yield from flood.server(said)
        if self.goes_on:
            yield from flood.client([NEXT])
            yield from flood.server([ANSWER])
        yield from flood.close()
        yield from other()

    def _said(self, count: int) -> Iterator[bytes]:
        yield self.before
        for _ in range(count):
            yield self.again
        yield self.after


def other(port: int = 50_000) -> Iterator[bytes]:
    """Another connection, on which all is well."""
    flood = Flood(port)
    yield from flood.open()
    yield from flood.client([b"GET /other HTTP/1.1\r\nHost: example\r\n\r\n"])
    yield from flood.server([OK + b"Content-Length: 5\r\n\r\nother"])
    yield from flood.close()


LOST = "http-resynchronised"
ENDLESS = {
    "status line": Endless(OK[:-2], b"a" * SEGMENT, END * 2, ["http-line-limit", LOST]),
    "request line": Endless(
        GET + b"GET /", b"a" * SEGMENT, b" HTTP/1.1\r\n\r\n", ["http-line-limit", LOST],
        by_client=True,
    ),
    "field": Endless(OK + b"A: ", b"a" * SEGMENT, END * 2, ["http-head-limit", LOST]),
    "fields": Endless(OK, field(b"a: b\r\n"), END, ["http-head-limit", LOST]),
    "chunk-size": Endless(
        CHUNKED, b"0" * SEGMENT, END, ["http-line-limit", "chunk-framing-lost"], goes_on=False
    ),
    "chunk extension": Endless(
        CHUNKED + b"5;a=", b"b" * SEGMENT, END, ["http-line-limit", "chunk-framing-lost"],
        goes_on=False,
    ),
    "chunk extensions": Endless(
        CHUNKED, field(b"5;a=bcdefg\r\nhello\r\n"), b"0\r\n\r\n", ["chunk-extension-limit"],
        kept=limits.MAX_BATCH * 10, size=100,
    ),
    "trailers": Endless(
        CHUNKED + b"0\r\n", field(b"a: b\r\n"), END, ["chunk-trailer-limit"],
        kept=limits.MAX_TRAILERS,
    ),
    "line of an event stream": Endless(
        EVENTS + chunk(b"data: "), chunk(b"a" * SEGMENT),
        chunk(b"\n\nretry: 7\ndata: on\n\n") + b"0\r\n\r\n", ["sse-line-limit"],
        kept=limits.MAX_SSE_LINE, size=3_000,
    ),
    "event": Endless(
        EVENTS, chunk(field(b"data: a\n")),
        chunk(b"\nretry: 7\ndata: on\n\n") + b"0\r\n\r\n", ["sse-event-limit"],
        kept=limits.MAX_SSE_FIELDS * 30, size=370,
    ),
    "interim responses": Endless(
        b"", field(b"HTTP/1.1 100 Continue\r\n\r\n"), ANSWER, [], kept=limits.MAX_BATCH * 8,
        size=60,
    ),
    "pipelined requests": Endless(
        GET, field(GET), b"", ["http-pipelining-limit"], kept=limits.MAX_BATCH * 10,
        by_client=True, size=60,
    ),
    "bytes after the last message": Endless(
        OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n", b"x" * SEGMENT, END,
        ["http-data-after-close", LOST],
    ),
    "chunks that are none": Endless(
        b"what?\r\n", field(b"\r\n1\r\nFF00\r\n"), END, ["http-start-line-invalid", LOST], size=100,
    ),
    "empty lines": Endless(
        GET, field(END), b"", ["http-leading-empty-line"], by_client=True, size=100,
    ),
    "bytes of an unknown protocol": Endless(
        b"", b"x" * SEGMENT, b"", [], asked=b"what?\0", goes_on=False, kept=limits.MAX_UNDECIDED,
    ),
    "frame": Endless(
        SWITCHING + END + b"\x82\x7f" + (1 << 62).to_bytes(8), b"a" * SEGMENT, b"",
        ["websocket-frame-cut", "websocket-message-cut"], asked=UPGRADE + END, goes_on=False,
        kept=limits.MAX_KEPT_FRAME * 2, size=3_000,
    ),
}  # fmt: skip
NAMES = pytest.mark.parametrize("name", ENDLESS)


@NAMES
def test_what_never_ends(name: str) -> None:
    shape = ENDLESS[name]
    short, long = (decoding(shape.capture(times * shape.size)) for times in (1, 2))
    assert sorted(short.codes.elements()) == sorted(shape.codes)
    assert long.codes == short.codes
    assert long.peak < SLACK + COPIES * shape.kept
    assert long.kinds["connection"] == 2
    request, response = long.last["request"], long.last["response"]
    assert isinstance(request, RequestRecord)
    assert isinstance(response, ResponseRecord)
    assert (request.connection, request.target) == (1, "/other")
    assert (response.connection, response.headers) == (1, [("Content-Length", "5")])


@NAMES
def test_what_comes_after_it(name: str) -> None:
    """The next exchange, and the next event, where a border is certain."""
    shape = ENDLESS[name]
    found = list(decode(CaptureStream(shape.capture(shape.size))))
    targets = [one.target for one in found if isinstance(one, RequestRecord)]
    statuses = [one.status for one in found if isinstance(one, ResponseRecord)]
    if shape.goes_on:
        assert targets[-2:] == ["/next", "/other"]
        assert statuses[-2:] == [204, 200]
    if (events := [one for one in found if isinstance(one, SseEventRecord)]) and shape.goes_on:
        assert (events[-1].retry, events[-1].data, events[-1].dispatched) == (7, "on", True)
        assert len(events) == 2


@NAMES
def test_it_takes_linear_time(name: str) -> None:
    shape = ENDLESS[name]
    assert growth_of_time(shape.capture, shape.size) < LINEAR


@pytest.mark.parametrize("name", ["status line", "trailers", "event"])
def test_in_tiny_segments(name: str) -> None:
    """And each of them by itself: nothing puts them together before they are decoded."""
    shape = ENDLESS[name]
    outcome = decoding(shape.capture(70 * KiB // SEGMENT, segment=3), batch=1)
    assert outcome.codes.total() == len(shape.codes) - (name == "event")
    assert outcome.peak < SLACK


def test_a_line_of_status_lines_takes_linear_time() -> None:
    """Where decoding may go on is looked for: each of them may begin a very long line."""

    def capture(count: int) -> Iterator[bytes]:
        line = b"HTTP/1.1 200 " * 600 + b"\r\nA:" + b"a" * 7_000 + b"\r"
        flood = Flood()
        yield from flood.open()
        yield from flood.client([GET])
        yield from flood.server(cut([b"what?\r\n", *[line] * count]))

    assert growth_of_time(capture, 40) < LINEAR


# --- what has limits of its own ---


@pytest.mark.parametrize("segment", [SEGMENT, 60_000])
def test_the_smallest_frames(monkeypatch: pytest.MonkeyPatch, segment: int) -> None:
    """What comes of a batch stands in memory together, however long its segments are."""
    monkeypatch.setattr("parsers.decode.packets.MAX_BATCH", 64 * KiB)
    said = (SWITCHING + END, *[b"\x81\x01a\x81\x00" * 400] * 60)
    flood = Flood()
    outcome = decoding((
        *flood.open(), *flood.client([UPGRADE + END]), *flood.server(cut(said, segment)),
    ))  # fmt: skip
    assert outcome.kinds["websocket_message"] == 2 * 400 * 60
    assert outcome.peak < SLACK + PER_BYTE * 64 * KiB
    assert not outcome.codes


@pytest.mark.parametrize("keep_data", [True, False])
def test_a_message_without_end(monkeypatch: pytest.MonkeyPatch, keep_data: bool) -> None:
    monkeypatch.setattr("parsers.websocket.messages.MAX_MESSAGE", MiB)
    monkeypatch.setattr("parsers.websocket.messages.MAX_FRAGMENTS", 1_000)
    fragments = [frame(2, b"a", fin=False), *[frame(0, b"b" * 1_400, fin=False)] * 4_000]
    said = [SWITCHING + END, *fragments, frame(0, b"c"), frame(1, b"next")]
    flood = Flood()
    outcome = decoding(
        (*flood.open(), *flood.client([UPGRADE + END]), *flood.server(said)), keep_data=keep_data
    )
    assert outcome.codes == {"websocket-message-limit": 1, "websocket-fragment-limit": 1}
    assert (outcome.kinds["websocket_frame"], outcome.kinds["websocket_message"]) == (4_003, 2)
    assert outcome.last["websocket_message"].size == 4
    assert outcome.peak - sum(map(len, said)) < SLACK + COPIES * MiB


def test_bytes_after_a_request_to_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit none is kept; what they were is not known when the switch is made."""
    limit = 100 * KiB
    monkeypatch.setattr("parsers.http1.states.MAX_HELD_UPGRADE", limit)
    flood = Flood()
    frames = (
        *flood.open(), *flood.client([UPGRADE + END, *[b"\x89\x80aaaa" * 200] * 400]),
        *flood.server([SWITCHING + END, frame(1, b"hi")]), *flood.close(), *other(),
    )  # fmt: skip
    held = sum(map(len, frames))
    outcome = decoding(frames)
    assert outcome.codes == {
        "http-upgrade-limit": 1,
        "websocket-frame-early": 1,
        "websocket-framing-lost": 1,
    }
    assert outcome.last["websocket_message"].data == "hi"
    assert outcome.last["request"].target == "/other"
    assert held > 4 * limit
    assert outcome.peak < SLACK + PER_BYTE * limit


@pytest.mark.parametrize("size", [1, 1_000])
def test_segments_behind_holes(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The limit is said once; every hole is a gap."""
    monkeypatch.setattr(limits, "MAX_OUT_OF_ORDER_SEGMENTS", 1_000)
    monkeypatch.setattr(limits, "MAX_OUT_OF_ORDER", MiB // 2)

    def capture(count: int) -> Iterator[bytes]:
        flood = Flood()
        yield from flood.open()
        yield from flood.client([GET])
        for _ in range(count):
            flood.lose("server", 1)
            yield flood.segment("server", b"x" * size)
        yield from flood.close()
        yield from other()

    outcome = decoding(capture(3_000))
    assert outcome.codes == {"tcp-reassembly-limit": 1}
    assert outcome.kinds["gap"] == 3_000
    assert outcome.last["request"].target == "/other"
    assert outcome.peak < SLACK + MiB
    assert growth_of_time(capture, 2_000) < LINEAR


@pytest.mark.parametrize("order", ["backwards", "twice"])
def test_many_segments_out_of_order(order: str) -> None:
    def capture(count: int) -> Iterator[bytes]:
        flood = Flood()
        yield from flood.open()
        yield from flood.client([GET])
        first = flood.segment("server", OK)
        late = [flood.segment("server", b"a: b\r\n") for _ in range(count)]
        yield from reversed(late) if order == "backwards" else late * 2
        yield first
        yield flood.segment("server", b"Content-Length: 0\r\n\r\n")

    count = 2_000
    outcome = decoding(capture(count))
    assert outcome.codes == {"http-field-limit": 1}
    connection = outcome.last["connection"]
    assert isinstance(connection, ConnectionRecord)
    assert connection.server_bytes == len(OK) + 6 * count + len(b"Content-Length: 0\r\n\r\n")
    assert growth_of_time(capture, count) < LINEAR


def test_more_connections_than_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that is given up says so, with its own record; what is kept does not grow."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 200)
    monkeypatch.setattr(limits, "MAX_CLOSED_CONNECTIONS", 200)

    def capture(count: int) -> Iterator[bytes]:
        for index in range(count):
            port, address = index % 50_000, index // 50_000
            yield Flood(10_000 + port, address=1 + address).segment("client", flags=SYN)
        yield from other(9_000)

    gc.set_threshold(700, 5, 2)  # else thousands of those given up wait for a full look for cycles
    outcome = decoding(capture(2_500))
    assert outcome.codes == {"tcp-connection-limit": 2_301}
    assert outcome.kinds["connection"] == 2_501
    assert outcome.last["request"].target == "/other"
    # 3 KiB for each that is followed or remembered, and as much that waits for the collector.
    assert outcome.peak < SLACK + 2 * 400 * 3 * KiB
    assert growth_of_time(capture, 500) < LINEAR


@pytest.mark.parametrize("sides", ["one side", "both sides"])
def test_a_connection_that_never_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, sides: str
) -> None:
    """Without its start: any segment may begin a message, so all of them are looked at."""
    monkeypatch.setattr(limits, "MAX_UNDECIDED", 1_500)

    def capture(count: int) -> Iterator[bytes]:
        flood = Flood()
        for _ in range(count):
            yield flood.segment("client", b"x", PSH | ACK)
            if sides == "both sides":
                yield flood.segment("server", b"y", PSH | ACK)
        yield flood.segment("server", OK + b"Content-Length: 0\r\n\r\n")

    outcome = decoding(capture(2_500))
    assert outcome.kinds["response"] == 1
    assert outcome.peak < SLACK
    assert growth_of_time(capture, 700) < LINEAR


def test_segments_that_only_have_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """They carry nothing that says what the connection speaks, and are not kept for ever."""
    monkeypatch.setattr(limits, "MAX_UNDECIDED", 500)

    def capture(count: int) -> Iterator[bytes]:
        flood = Flood()
        yield from flood.open()
        for _ in range(count):
            yield flood.segment("client", flags=ACK | URG)

    short, long = decoding(capture(6_000)), decoding(capture(12_000))  # more than is read ahead
    assert long.codes == {"tcp-urgent-data": 12_000}
    assert long.peak - short.peak < MiB // 2


# --- bombs ---

BOMB = 64 * MiB
BOMB_OF_EVENTS = 4 * MiB


def compressed(coding: str, content: Iterable[bytes]) -> bytes:
    """Content as this coding makes it small."""
    if coding == "br":
        brotli_coder = brotli.Compressor(quality=4)
        return b"".join(brotli_coder.process(one) for one in content) + brotli_coder.finish()
    if coding == "zstd":
        zstd_coder = zstandard.ZstdCompressor(level=3).compressobj()
        return b"".join(zstd_coder.compress(one) for one in content) + zstd_coder.flush()
    coder = zlib.compressobj(wbits={"gzip": 31, "deflate": 15}[coding])
    return b"".join(coder.compress(one) for one in content) + coder.flush()


def answered(coded: bytes, *fields: bytes, segment: int = SEGMENT) -> Iterator[bytes]:
    """A response with this content, then another exchange on the same connection."""
    flood = Flood()
    head = OK + b"".join(one + END for one in fields) + b"Content-Length: %d\r\n\r\n" % len(coded)
    yield from flood.open()
    yield from flood.client([GET])
    yield from flood.server(cut([head, coded], segment))
    yield from flood.client([NEXT])
    yield from flood.server([ANSWER])
    yield from flood.close()


@pytest.mark.parametrize("kind", [b"text/plain", b"text/event-stream"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "br, gzip"])
def test_a_bomb_in_content(monkeypatch: pytest.MonkeyPatch, coding: str, kind: bytes) -> None:
    """Cut at the limit, and the next exchange is read."""
    is_plain = kind == b"text/plain"
    line = b"x" * MiB if is_plain else b"data\n\n" * (MiB // 6)
    coded = b""
    content: Iterable[bytes] = [line] * ((BOMB if is_plain else BOMB_OF_EVENTS) // MiB)
    for one in coding.split(", "):
        coded = compressed(one, content)
        content = [coded]
    fields = b"Content-Encoding: " + coding.encode(), b"Content-Type: " + kind
    monkeypatch.setattr("parsers.decode.body.MAX_EVENTS_FREE", 5_000)
    outcome = decoding(answered(coded, *fields, segment=60_000))
    assert outcome.codes["content-coding-limit"] == 1
    assert outcome.codes.total() <= 2  # the event stream is cut too
    body = outcome.last["body"]
    assert (body.size, body.complete) == (len(coded), True)
    assert body.decoded_size < 2 * MiB + len(coded) * limits.MAX_DECODED_RATIO
    assert outcome.last["request"].target == "/next"
    assert outcome.last["response"].status == 204
    # An event and its record take 450 bytes; a step of the decoder may be full of them.
    events = 0 if is_plain else 5_000 + len(coded) + limits.MAX_DECODED_STEP // 6
    assert outcome.peak < 3 * SLACK + 450 * events


@pytest.mark.parametrize("keep_data", [True, False])
def test_a_bomb_in_a_message(keep_data: bool) -> None:
    """The next message is inflated with an empty window, and read."""
    coded = Compressor()(bytes(BOMB))
    flood = Flood()
    said = [
        SWITCHING + DEFLATE + END,
        frame(2, coded, rsv=4),
        frame(1, Compressor()(b"next"), rsv=4),
    ]
    outcome = decoding(
        (*flood.open(), *flood.client([UPGRADE + DEFLATE + END]), *flood.server(cut(said))),
        keep_data=keep_data,
    )
    assert outcome.codes == {"websocket-deflate-limit": 1}
    assert outcome.kinds["websocket_message"] == 2
    assert outcome.last["websocket_message"].size == len(b"next")
    assert outcome.peak < SLACK + (COPIES * limits.MAX_INFLATED_FREE if keep_data else 0)


def test_capture_files_in_one_another() -> None:
    """Two compressions are undone, three are an attack."""
    stream = CaptureStream(other())
    file = b"".join(iter(lambda: stream.read(1 << 16), b""))
    for layers in (1, 2):
        file = gzip.compress(file)
        assert sum(isinstance(one, RequestRecord) for one in decode(BytesIO(file))) == 1, layers
    with pytest.raises(UnreadableCapture):
        list(decode(BytesIO(gzip.compress(file))))


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_in_a_capture_file(layers: int) -> None:
    """A section header, and then a block that claims its 64 MiB: none of it is kept."""
    head = bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
    block = b"\x99\x00\x00\x00" + BOMB.to_bytes(4, "little")
    file = compressed("gzip", [head + block, *[bytes(MiB)] * (BOMB // MiB)])
    if layers == 2:
        file = gzip.compress(file)

    tracemalloc.start()
    try:
        found = list(decode(BytesIO(file)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [one.code for one in found] == ["capture-damaged"]
    assert peak < SLACK + limits.MAX_BLOCK
