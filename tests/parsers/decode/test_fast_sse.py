"""The fast path of event streams in chunks: it says what the layers it passes over say."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fast_paths import with_and_without
from support.talk import Talk

from parsers.decode import fast_sse as fast_sse
from parsers.decode.fast_sse import FastSse
from parsers.decode.packets import completion
from parsers.records import BodyRecord, ChunkRecord, Record, SseEventRecord

GET = b"GET /sse HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunk(data: bytes, size: bytes | None = None) -> bytes:
    return (b"%x" % len(data) if size is None else size) + b"\r\n" + data + b"\r\n"


def event(number: int, newline: bytes = b"\r\n") -> bytes:
    lines = [b"id: %d" % number, b"event: token", b'data: {"token": "n\xc3\xa4chst"}', b"", b""]
    return newline.join(lines)


def both(
    pieces: list[bytes], *, keep_data: bool = True, batch: int = 1
) -> tuple[list[Record], int]:
    """The records, the same without the fast path, and how many bytes went by it."""
    talk = Talk().open()
    talk.client(GET)
    for piece in pieces:
        talk.server(piece)
        talk.ack("client")
    talk.close()
    return with_and_without(FastSse, talk.tape.packets, keep_data=keep_data, batch=batch)


EVENTS = [chunk(event(number)) for number in range(6)]
USUAL = {
    "an event a segment": EVENTS,
    "LF": [chunk(event(number, b"\n")) for number in range(6)],
    "all in one segment": [b"".join(EVENTS)],
    "data alone": [chunk(b"data: a\n\n")] * 3,
    "no id": [chunk(b"event: a\ndata: b\n\n")] * 3,
    "empty values": [chunk(b"id: \r\nevent: \r\ndata: \r\n\r\n")] * 3,
    "sizes in capitals, with zeros": [chunk(b"data: " + bytes([120]) * 36 + b"\r\n\r\n", b"002E")]
    * 3,
}


@pytest.mark.parametrize("keep_data", [True, False])
@pytest.mark.parametrize("name", USUAL)
def test_usual_streams_go_by_the_fast_path(name: str, keep_data: bool) -> None:
    """All but the first event, before which there may be a BOM."""
    pieces = USUAL[name]
    records, taken = both([OK, EVENTS[0], *pieces, LAST], keep_data=keep_data)
    body = b"".join(pieces)
    assert taken == len(body)
    assert [record.record for record in records].count("sse_event") == 1 + body.count(b"data: ")


def test_a_long_stream_is_hashed_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its content is not kept until the end for its digest."""
    settled: list[int] = []
    settle = FastSse.settle

    def noted(self: FastSse) -> None:
        settled.append(len(self._content))
        settle(self)

    monkeypatch.setattr(fast_sse, "HASH_STEP", 3 * len(event(0)))
    monkeypatch.setattr(FastSse, "settle", noted)
    records, _ = both([OK, EVENTS[0], *EVENTS * 3, LAST])
    (found,) = [record for record in records if isinstance(record, BodyRecord)]
    events = b"".join(event(number) for number in (0, *[*range(6)] * 3))
    assert found.sha256 == sha256(events).hexdigest()
    assert max(settled) == 4 * len(event(0))


def test_a_ping_between_events_costs_only_its_own_chunk() -> None:
    ping = chunk(b": ping\r\n\r\n")
    _, taken = both([OK, EVENTS[0], b"".join([*EVENTS, ping, *EVENTS])])
    assert taken == 2 * len(b"".join(EVENTS))


UNUSUAL = {
    "a comment between": [*EVENTS[:2], chunk(b": ping\r\n\r\n"), *EVENTS[2:]],
    "two lines of data": [*EVENTS[:2], chunk(b"data: a\ndata: b\n\n"), *EVENTS[2:]],
    "retry": [*EVENTS[:2], chunk(b"data: a\nretry: 10\n\n"), *EVENTS[2:]],
    "two events in a chunk": [*EVENTS[:2], chunk(event(8) + event(9)), *EVENTS[2:]],
    "an event in two chunks": [
        *EVENTS[:2], chunk(event(8)[:20]), chunk(event(8)[20:]), *EVENTS[2:]
    ],
    "a chunk with half of the next event": [
        *EVENTS[:2], chunk(event(8) + b"data: a"), chunk(b"b\r\n\r\n"), *EVENTS[2:]
    ],
    "a CR at the end of an event": [EVENTS[0], chunk(b"data: a\r\n\r"), *EVENTS[1:]],
    "an LF from the event before": [EVENTS[0], chunk(b"data: a\r\r"), chunk(b"\ndata: b\n\n")],
    "line ends of both kinds": [EVENTS[0], chunk(b"data: a\r\n\n"), chunk(b"data: a\n\r\n")],
    "NUL in an id": [EVENTS[0], chunk(b"id: a\0b\ndata: x\n\n"), EVENTS[1]],
    "what is not UTF-8": [EVENTS[0], chunk(b"data: \xff\r\n\r\n"), *EVENTS[1:]],
    "an extension": [EVENTS[0], chunk(event(1), b"33;a=b"), *EVENTS[2:]],
    "a size too small": [EVENTS[0], chunk(event(1), b"32"), *EVENTS[2:]],
    "a size too large": [EVENTS[0], chunk(event(1), b"34"), *EVENTS[2:]],
    "a size that is none": [EVENTS[0], chunk(event(1), b"0x33"), *EVENTS[2:]],
    "no CRLF after the data": [EVENTS[0], chunk(event(1))[:-2], *EVENTS[2:]],
    "the last chunk at once": [b"".join([*EVENTS, LAST])],
    "another response after it": [b"".join([*EVENTS, LAST]), OK, *EVENTS],
    "no last chunk": EVENTS[:3],
}  # fmt: skip


@pytest.mark.parametrize("keep_data", [True, False])
@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_the_layers(name: str, keep_data: bool) -> None:
    both([OK, *UNUSUAL[name]], keep_data=keep_data)
    both([OK, *UNUSUAL[name]], keep_data=keep_data, batch=1000)
    both([OK, EVENTS[0], b"".join(UNUSUAL[name])], keep_data=keep_data)


def test_an_event_above_the_limit_is_left_to_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert both([OK, *EVENTS])[1] > 0
    monkeypatch.setattr(fast_sse, "MAX_SSE_LINE", len(event(1)) - 1)
    assert both([OK, *EVENTS])[1] == 0


def test_an_event_that_ends_in_an_earlier_packet_than_its_chunk_comes_before_it() -> None:
    """Both are whole when the piece is decoded, for its segments are put aside."""
    data = chunk(event(1))
    records, taken = both([OK, EVENTS[0], data[:-1], data[-1:], EVENTS[2]], batch=8)
    assert taken >= len(data)
    assert records == sorted(records, key=completion)
    chunks = [record for record in records if isinstance(record, ChunkRecord)]
    events = [record for record in records if isinstance(record, SseEventRecord)]
    assert events[1].last_packet < chunks[1].last_packet
    assert records.index(events[1]) < records.index(chunks[1])


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_cut_of_any_mixture(chosen: random.Random) -> None:
    parts = [part for stream in (*USUAL.values(), *UNUSUAL.values()) for part in stream]
    parts = [part for part in parts if len(part) < 200]
    data = b"".join(chosen.choices(parts, k=12))
    cuts = sorted(chosen.choices(range(len(data)), k=chosen.choice((0, 3, 30))))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    both([OK, EVENTS[0], *filter(None, pieces)], batch=chosen.choice((1, 7)))
