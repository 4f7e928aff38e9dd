"""What comes to stand on TCP fits without a change to what writes records: proved with toys."""

from __future__ import annotations

import gzip
from hashlib import sha256
from itertools import pairwise

import pytest
from support.http1 import of
from support.talk import Talk, decoded
from support.toy_layers import (
    DATA,
    HEADERS,
    OpenStreams,
    SealedHttp1,
    SealedStreams,
    ToyConnection,
    cut,
    framed,
    head,
    sealed,
)
from support.websocket_frames import frame

from parsers.decode import connection as module
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
)

PIECES = [(1_000,), (1,), (7, 64, 3), (40, 11)]
"""How a stream is cut into records or frames, and those into segments."""

GET = b"GET /events HTTP/1.1\r\nHost: example\r\n\r\n"
EVENTS = [f"id: {number}\ndata: {'x' * number} {number}\n\n".encode() for number in range(40)]
SSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in EVENTS)
    + b"0\r\n\r\n"
)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
FRAMES = b"".join(frame(1, f"frame {number}".encode()) for number in range(20))


class Packets:
    """Which packets carried which bytes of a side's TCP stream."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, int]] = []
        self.size = 0

    def add(self, number: int, length: int) -> None:
        self.size += length
        self._ends.append((self.size, number))

    def at(self, offset: int) -> int:
        return next(number for end, number in self._ends if offset < end)


def decode_as(
    monkeypatch: pytest.MonkeyPatch, kind: type[ToyConnection], talk: Talk
) -> list[Record]:
    with monkeypatch.context() as patch:
        patch.setattr(module, "ConnectionDecoder", kind)
        return decoded(talk.tape.packets)


def unplaced(record: Record) -> str:
    """All of a record but its packets, and the layer that it is in."""
    left_out = ("first_packet", "last_packet", "first_time", "last_time", "layer")
    return repr(
        {name: getattr(record, name) for name in record.__struct_fields__ if name not in left_out}
    )


@pytest.mark.parametrize("segments", PIECES)
@pytest.mark.parametrize("pieces", PIECES)
def test_http_in_a_record_layer_is_the_same_in_its_own_byte_space(
    monkeypatch: pytest.MonkeyPatch, pieces: tuple[int, ...], segments: tuple[int, ...]
) -> None:
    lines = [("client", GET), ("server", SSE), ("client", UPGRADE), ("server", SWITCHING + FRAMES)]
    plain, talk = Talk().open(), Talk().open()
    packets = {"client": Packets(), "server": Packets()}
    records_at: dict[str, list[tuple[int, int, int]]] = {"client": [], "server": []}
    size = {"client": 0, "server": 0}
    for sender, data in lines:
        plain.segment(sender, data)
        sent = [(piece, sealed(piece)) for piece in cut(data, pieces)]
        begin = packets[sender].size
        for piece in cut(b"".join(one for _, one in sent), segments):
            packets[sender].add(talk.segment(sender, piece), len(piece))
        for piece, one in sent:
            size[sender] += len(piece)
            first, last = packets[sender].at(begin), packets[sender].at(begin + len(one) - 1)
            records_at[sender].append((size[sender], first, last))
            begin += len(one)
    found = decode_as(monkeypatch, SealedHttp1, talk)
    elements = [record for record in found if not isinstance(record, ConnectionRecord)]
    expected = [one for one in plain.tape.records() if not isinstance(one, ConnectionRecord)]
    assert sorted(map(unplaced, elements)) == sorted(map(unplaced, expected))
    assert not of(DiagnosticRecord, elements)
    for record in elements:
        assert record.layer == "tls"
        assert record.sender is not None and record.offset is not None and record.length
        ends = records_at[record.sender]
        first = next(one for one in ends if record.offset < one[0])
        last = next(one for one in ends if record.offset + record.length <= one[0])
        assert (record.first_packet, record.last_packet) == (first[1], last[2]), record


STREAMS = {
    1: (b"".join(EVENTS), None),
    3: (b"".join(EVENTS[::-1]), None),
    5: (gzip.compress(b"".join(EVENTS)), "gzip"),
}
"""By stream: the content as sent, and its coding."""


def interleaved(pieces: tuple[int, ...]) -> bytes:
    """The server's frames: three event streams at once, a piece of each in turn."""
    sent = bytearray()
    for stream_id, (_, coding) in STREAMS.items():
        fields = [(":status", "200"), ("content-type", "text/event-stream")]
        coded = [] if coding is None else [("content-encoding", coding)]
        sent += framed(HEADERS, stream_id, head(*fields, *coded))
    waiting = {stream_id: cut(content, pieces) for stream_id, (content, _) in STREAMS.items()}
    while any(waiting.values()):
        for stream_id, left in waiting.items():
            if left:
                sent += framed(DATA, stream_id, left.pop(0), ends=not left)
    return bytes(sent)


@pytest.mark.parametrize("kind", [OpenStreams, SealedStreams])
@pytest.mark.parametrize("segments", [(1_000,), (40, 11)])
@pytest.mark.parametrize("pieces", [(10_000,), (300,), (7, 64, 3)])
def test_streams_that_share_a_connection(
    monkeypatch: pytest.MonkeyPatch,
    pieces: tuple[int, ...],
    segments: tuple[int, ...],
    kind: type[ToyConnection],
) -> None:
    sent = interleaved(pieces)
    asked = b"".join(
        framed(HEADERS, stream_id, head((":method", "GET"), (":path", f"/{stream_id}")), ends=True)
        for stream_id in STREAMS
    )
    talk = Talk().open()
    packets = Packets()
    for sender, data in (("client", asked), ("server", sent)):
        wire = b"".join(cut(data, (50,), sealed)) if kind.is_sealed else data
        for piece in cut(wire, segments):
            number = talk.segment(sender, piece)
            if sender == "server":
                packets.add(number, len(piece))
    found = decode_as(monkeypatch, kind, talk)
    assert not of(DiagnosticRecord, found)
    assert [(one.target, one.stream_id, one.exchange) for one in of(RequestRecord, found)] == [
        ("/1", 1, 0), ("/3", 3, 1), ("/5", 5, 2),
    ]  # fmt: skip
    assert {one.transport for one in of(ResponseRecord, found)} == {"sse"}
    for record in found:
        if not isinstance(record, ConnectionRecord):
            assert record.layer == ("tls" if kind.is_sealed else "tcp")
    for exchange, (stream_id, (content, coding)) in enumerate(STREAMS.items()):
        events = [one for one in of(SseEventRecord, found) if one.stream_id == stream_id]
        order = EVENTS[::-1] if stream_id == 3 else EVENTS
        assert [one.fields for one in events] == [
            [tuple(line.split(": ", 1)) for line in event.decode().split("\n") if line]
            for event in order
        ]
        (body,) = (one for one in of(BodyRecord, found) if one.stream_id == stream_id)
        assert (body.exchange, body.complete, body.size) == (exchange, True, len(content))
        assert body.sha256 == sha256(b"".join(order)).hexdigest()
        assert joined(sent, body.extents or [], body) == content
        for event, expected in zip(events, order, strict=True):
            extents = event.extents or [(event.offset, event.offset + event.length)]
            if coding is None:
                assert joined(sent, extents, event) == expected
            if not kind.is_sealed:
                assert event.first_packet == packets.at(event.offset)
                assert event.last_packet == packets.at(event.offset + event.length - 1)


def joined(
    sent: bytes, extents: list[tuple[int, int]], record: SseEventRecord | BodyRecord
) -> bytes:
    """The bytes of an element, whose extents lie apart, in order, within its place."""
    assert all(end < start for (_, end), (start, _) in pairwise(extents))
    begin, end = record.offset, record.offset + record.length
    if isinstance(record, SseEventRecord):
        assert (extents[0][0], extents[-1][1]) == (begin, end), "its place is their hull"
    elif not extents:  # in one run, after the header of its frame
        extents = [(end - record.size, end)]
    return b"".join(sent[start:end] for start, end in extents)
