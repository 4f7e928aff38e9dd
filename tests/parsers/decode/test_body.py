"""Bodies above their framing: codings, digests, server-sent events, each with its packets."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

import brotli
import pytest
import zstandard
from support.http1 import of
from support.talk import Talk, decoded, kinds

from parsers.decode.body import FORGET_EVERY, HASH_STEP
from parsers.records import BodyRecord, ChunkRecord, DiagnosticRecord, Record, SseEventRecord

GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
SSE = b"Content-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GZIP = b"Content-Encoding: gzip\r\n"
LAST = b"0\r\n\r\n"


def head(*fields: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"".join(fields) + b"\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answered(*pieces: bytes, close: bool = True) -> Talk:
    """A response in segments: the first is packet 5."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(*pieces)
    if close:
        talk.close()
    return talk


def body(records: Sequence[Record]) -> BodyRecord:
    (found,) = of(BodyRecord, records)
    return found


def events(records: Sequence[Record]) -> list[SseEventRecord]:
    return of(SseEventRecord, records)


def codes(records: Sequence[Record]) -> list[str]:
    return [fault.code for fault in of(DiagnosticRecord, records)]


def flushed(*messages: bytes) -> list[bytes]:
    """Each message as gzip content that ends with a flush, then the end of the content."""
    stream = zlib.compressobj(wbits=31)
    found = [stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH) for message in messages]
    return [*found, stream.flush()]


# --- how long, and what ---


def test_sizes_digest_and_chunks() -> None:
    records = answered(head(CHUNKED), chunk(b"Hello, "), chunk(b"world"), LAST).tape.records()
    found = body(records)
    assert (found.size, found.decoded_size, found.chunks) == (12, 12, 3)
    assert found.sha256 == sha256(b"Hello, world").hexdigest()
    assert (found.complete, found.ended_by, found.content_encoding) == (True, "last-chunk", None)
    assert (found.first_packet, found.last_packet) == (6, 8)
    assert found.offset == len(head(CHUNKED))
    assert found.length == len(chunk(b"Hello, ") + chunk(b"world") + LAST)


def test_a_sized_body() -> None:
    found = body(answered(head(b"Content-Length: 12\r\n") + b"Hello,", b" world").tape.records())
    assert (found.size, found.chunks, found.ended_by) == (12, None, "content-length")
    assert (found.first_packet, found.last_packet) == (5, 6)


def test_an_empty_body() -> None:
    found = body(answered(head(b"Content-Length: 0\r\n")).tape.records())
    assert (found.size, found.length, found.complete) == (0, 0, True)
    assert found.sha256 == sha256().hexdigest()
    assert (found.first_packet, found.last_packet) == (5, 5)


def test_an_empty_body_that_should_have_had_parts() -> None:
    """What is missing is missing where the body would have begun."""
    answer = head(b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Length: 0\r\n")
    records = answered(answer).tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.offset, fault.first_packet) == (
        "multipart-part-missing",
        len(answer),
        5,
    )
    assert body(records).complete


def test_a_body_that_closing_ends() -> None:
    found = body(answered(head(), b"Hello,", b" world").tape.records())
    assert (found.size, found.complete, found.ended_by) == (12, True, "close")
    assert (found.first_packet, found.last_packet) == (6, 7)


def test_a_body_begins_with_its_framing() -> None:
    """The first packet is the one that carried the chunk's size, not its data."""
    found = body(answered(head(CHUNKED), b"5", b"\r\n", b"Hello\r\n", LAST).tape.records())
    assert (found.first_packet, found.last_packet) == (6, 9)


def test_the_body_of_a_request() -> None:
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: example\r\nContent-Length: 5\r\n" + SSE + b"\r\n")
    talk.client(b"Hello")
    records = talk.tape.records()
    assert (body(records).sender, body(records).size) == ("client", 5)
    assert events(records) == []  # only responses are event streams


@pytest.mark.parametrize("size", [HASH_STEP, HASH_STEP + 1, 5 * HASH_STEP + 3])
def test_digests_of_long_bodies(size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    pieces = [data[start : start + 1_400] for start in range(0, size, 1_400)]
    talk = answered(head(b"Content-Length: %d\r\n" % size), *pieces)
    for batch in (1, 1 << 30):
        found = body(decoded(talk.tape.packets, batch=batch))
        assert (found.size, found.sha256) == (size, sha256(data).hexdigest())


@pytest.mark.parametrize("keep_data", [True, False])
def test_payloads_left_out(keep_data: bool) -> None:
    talk = answered(head(SSE, CHUNKED), chunk(b"event: a\ndata: b\n\n"), LAST)
    records = talk.tape.records(keep_data=keep_data)
    (event,) = events(records)
    first, last = of(ChunkRecord, records)
    if keep_data:
        assert (event.data, event.fields) == ("b", [("event", "a"), ("data", "b")])
        assert (first.data, last.data) == ("event: a\ndata: b\n\n", "")
    else:
        assert (event.data, event.fields, first.data, last.data) == (None, None, None, None)
        assert (first.encoding, last.encoding) == (None, None)
    assert (event.event, event.dispatched, first.size) == ("a", True, 18)
    assert body(records).sha256 == sha256(b"event: a\ndata: b\n\n").hexdigest()


def test_a_long_body_in_many_packets() -> None:
    size = 2 * FORGET_EVERY
    talk = answered(head(b"Content-Length: %d\r\n" % size), *[b"x"] * size)
    for batch in (1, 1 << 30):
        found = body(decoded(talk.tape.packets, batch=batch))
        assert (found.first_packet, found.last_packet) == (6, 5 + size)


# --- content codings ---


@pytest.mark.parametrize(
    ("coding", "encode"),
    [(b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"br", brotli.compress)],
)
def test_codings(coding: bytes, encode) -> None:
    data = b"the same words again and again, " * 50
    coded = encode(data)
    field = b"Content-Encoding: " + coding + b"\r\n"
    found = body(answered(head(field, CHUNKED), chunk(coded), LAST).tape.records())
    assert (found.size, found.decoded_size) == (len(coded), len(data))
    assert found.sha256 == sha256(data).hexdigest()
    assert found.content_encoding == coding.decode()


def test_two_codings() -> None:
    coded = brotli.compress(gzip.compress(b"Hello"))
    field = b"Content-Encoding: gzip, br\r\nContent-Length: %d\r\n" % len(coded)
    found = body(answered(head(field), coded).tape.records())
    assert (found.content_encoding, found.decoded_size) == ("gzip, br", 5)


def test_a_coding_that_is_not_known() -> None:
    field = b"Content-Encoding: mystery\r\nContent-Length: 5\r\n"
    records = answered(head(field), b"Hello").tape.records()
    assert codes(records) == ["content-coding-unknown"]
    assert body(records).decoded_size == 5


@pytest.mark.parametrize("framing", [CHUNKED, b""])
def test_coded_events_are_complete_with_their_packets(framing: bytes) -> None:
    """However many packets are decoded at once, and however the body is framed."""
    pieces = flushed(*(b"data: %d\n\n" % number for number in range(4)))
    if framing:
        pieces = [*map(chunk, pieces), LAST]
    talk = answered(head(SSE, GZIP, framing), *pieces)
    for batch in (1, 1 << 30):
        found = events(decoded(talk.tape.packets, batch=batch))
        assert [event.data for event in found] == ["0", "1", "2", "3"]
        assert [(event.first_packet, event.last_packet) for event in found] == [
            (number, number) for number in (6, 7, 8, 9)
        ]
        assert [event.first_chunk for event in found] == ([0, 1, 2, 3] if framing else [None] * 4)


def test_a_coded_event_over_several_chunks() -> None:
    """Its place is all of the input that it came out of: a compressor tells no more."""
    pieces = flushed(b"data: first\n", b"data: second\n", b"\n")
    talk = answered(head(SSE, GZIP, CHUNKED), *map(chunk, pieces), LAST)
    (event,) = events(talk.tape.records())
    assert event.data == "first\nsecond"
    assert (event.first_chunk, event.last_chunk) == (0, 2)
    assert (event.first_packet, event.last_packet) == (6, 8)
    begin = len(head(SSE, GZIP, CHUNKED))
    assert event.offset == begin + len(b"%x\r\n" % len(pieces[0]))
    assert event.offset + event.length == begin + sum(len(chunk(piece)) for piece in pieces[:3]) - 2


def test_a_gzip_member_an_event_is_said_once_with_who_reads_them_all() -> None:
    """RFC 1952 section 2.2: members stand one after another; many clients read the first."""
    members = [chunk(gzip.compress(b"data: %d\n\n" % number)) for number in range(3)]
    records = answered(head(SSE, GZIP, CHUNKED), *members, LAST).tape.records()
    assert [event.data for event in events(records)] == ["0", "1", "2"]
    assert codes(records) == ["content-coding-members"]
    (fault,) = of(DiagnosticRecord, records)
    assert fault.first_packet == 7, "the second member"


def test_one_gzip_member_with_flushes_is_nothing_to_speak_of() -> None:
    pieces = map(chunk, flushed(b"data: 0\n\n", b"data: 1\n\n"))
    assert codes(answered(head(SSE, GZIP, CHUNKED), *pieces, LAST).tape.records()) == []


def test_coded_content_that_ends_early() -> None:
    coded = gzip.compress(b"data: x\n\n" * 3)[:-4]
    records = answered(head(SSE, GZIP, CHUNKED), chunk(coded), LAST).tape.records()
    assert len(events(records)) == 3
    assert codes(records) == ["content-coding-cut"]
    assert kinds(records)[-3:] == ["content-coding-cut", "body", "connection"]


def test_coded_content_whose_end_the_capture_lacks() -> None:
    """Nobody's fault: the capture stopped."""
    coded = gzip.compress(b"data: x\n\n" * 3)[:-4]
    talk = answered(head(SSE, GZIP, CHUNKED), chunk(coded), close=False)
    records = talk.tape.records()
    assert codes(records) == []
    assert (body(records).ended_by, body(records).complete) == ("capture-end", False)


def test_coded_content_that_is_damaged() -> None:
    """What was decoded before stays, and the fault lies where the damage arrived."""
    first, second, end = flushed(b"data: 0\n\n", b"data: 1\n\n")
    damaged = b"\x07" + second[1:]
    talk = answered(head(SSE, GZIP, CHUNKED), *map(chunk, (first, damaged, end)), LAST)
    records = talk.tape.records()
    assert [event.data for event in events(records)] == ["0"]
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.first_packet, fault.last_packet) == ("content-coding-damaged", 7, 7)
    assert body(records).decoded_size == len(b"data: 0\n\n")


def test_an_empty_coded_body() -> None:
    """It holds no events, but a body there is."""
    records = answered(head(SSE, GZIP, b"Content-Length: 0\r\n")).tape.records()
    assert (body(records).size, body(records).decoded_size) == (0, 0)


# --- events and their chunks ---


def test_events_and_the_chunks_they_lay_in() -> None:
    pieces = [b"data: one\n\nda", b"ta: two", b"\n\ndata: three\n\n"]
    records = answered(head(SSE, CHUNKED), *map(chunk, pieces), LAST).tape.records()
    assert [
        (event.data, event.first_chunk, event.last_chunk, event.first_packet, event.last_packet)
        for event in events(records)
    ] == [("one", 0, 0, 6, 6), ("two", 0, 2, 6, 8), ("three", 2, 2, 8, 8)]
    begin = len(head(SSE, CHUNKED))
    one, two, three = events(records)
    assert (one.offset, one.length) == (begin + 3, 11)
    # It takes the bytes of the chunks' borders too.
    assert two.offset == begin + 3 + 11
    assert two.offset + two.length == begin + sum(len(chunk(piece)) for piece in pieces[:2]) + 5
    assert (three.offset, three.length) == (two.offset + two.length, 13)


def test_several_events_in_one_chunk() -> None:
    records = answered(head(SSE, CHUNKED), chunk(b"data: a\n\n" * 3) + LAST).tape.records()
    assert kinds(records) == [
        *("request", "response", "chunk"),
        *("sse_event", "sse_event", "sse_event"),
        *("chunk", "body", "connection"),
    ]
    assert {(event.first_chunk, event.last_chunk) for event in events(records)} == {(0, 0)}


def test_events_without_chunks() -> None:
    records = answered(head(SSE), b"data: a\n\n", b"data: b\n\n").tape.records()
    assert [(event.first_chunk, event.last_chunk) for event in events(records)] == [
        (None, None)
    ] * 2
    assert [event.last_packet for event in events(records)] == [6, 7]


def test_other_media_types_hold_no_events() -> None:
    field = b"Content-Type: text/event-stream-but-not-quite\r\n"
    assert events(answered(head(field), b"data: a\n\n").tape.records()) == []


@pytest.mark.parametrize("media_type", [b"Text/Event-Stream", b"text/event-stream ; x=y"])
def test_spellings_of_the_media_type(media_type: bytes) -> None:
    field = b"content-type: " + media_type + b"\r\n"
    assert len(events(answered(head(field), b"data: a\n\n").tape.records())) == 1


def test_an_event_that_the_stream_does_not_finish() -> None:
    records = answered(head(SSE, CHUNKED), chunk(b"data: a\n\ndata: b\n"), LAST).tape.records()
    assert [event.dispatched for event in events(records)] == [True, False]
    (fault,) = of(DiagnosticRecord, records)
    begin = len(head(SSE, CHUNKED)) + len("10\r\n")
    assert (fault.code, fault.first_packet) == ("sse-event-unfinished", 6)
    assert (fault.offset, fault.length) == (begin + 9, 8)
    assert kinds(records)[-2:] == ["body", "connection"]


def test_faults_of_events_have_their_place() -> None:
    records = answered(
        head(SSE, CHUNKED), chunk(b"data: a\n"), chunk(b"retry: x\n\n")
    ).tape.records()
    fault = next(fault for fault in of(DiagnosticRecord, records) if "retry" in fault.code)
    assert (fault.first_packet, fault.last_packet) == (7, 7)
    assert fault.offset == len(head(SSE, CHUNKED)) + len(chunk(b"data: a\n")) + 3


# --- holes ---


def holed(*fields: bytes, pieces: tuple[bytes, bytes], missing: int) -> list[Record]:
    talk = Talk().open()
    talk.client(GET)
    talk.server(head(*fields), pieces[0])
    talk.lose("server", missing)
    talk.server(pieces[1])
    talk.close()
    return talk.tape.records()


def test_a_hole_in_plain_content() -> None:
    records = holed(b"Content-Length: 30\r\n", pieces=(b"a" * 10, b"c" * 12), missing=8)
    found = body(records)
    assert (found.size, found.decoded_size, found.complete) == (30, 22, False)
    assert found.sha256 == sha256(b"a" * 10 + b"c" * 12).hexdigest()


def test_a_hole_in_an_event_stream() -> None:
    """Events before it and after it are whole; the one that it lies in is not."""
    stream = b"".join(b"data: %d\n\n" % number for number in range(6))
    records = holed(
        SSE,
        b"Content-Length: %d\r\n" % len(stream),
        pieces=(stream[:22], stream[31:]),
        missing=9,
    )
    assert [event.data for event in events(records) if event.dispatched] == ["0", "1", "4", "5"]
    assert "sse-resynchronised" in codes(records)
    assert not body(records).complete
    last = events(records)[-1]
    assert (last.first_packet, last.last_packet) == (7, 7)


def test_a_hole_in_coded_content() -> None:
    """After it nothing can be decoded: said once, however many holes there are."""
    first, second, third, end = flushed(b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n")
    talk = Talk().open()
    talk.client(GET)
    size = sum(map(len, (first, second, third, end)))
    talk.server(head(SSE, GZIP, b"Content-Length: %d\r\n" % size), first)
    for piece in (second, third):
        talk.lose("server", 4)
        talk.server(piece[4:])
    talk.server(end)
    talk.close()
    records = talk.tape.records()
    assert [event.data for event in events(records)] == ["0"]
    assert codes(records).count("content-coding-damaged") == 1
    fault = next(fault for fault in of(DiagnosticRecord, records) if "damaged" in fault.code)
    assert "4 bytes are missing" in fault.summary
    assert (body(records).size, body(records).decoded_size) == (size, 9)
    assert not body(records).complete


# --- memory ---


def test_the_source_map_forgets_and_still_knows() -> None:
    """An event of many more runs than are kept: where it began is still known."""
    pieces = [chunk(b"data: %d\n" % number) for number in range(3 * FORGET_EVERY)]
    talk = answered(head(SSE, CHUNKED), *pieces, chunk(b"\n"), LAST)
    for batch in (1, 100, 1 << 30):
        (event,) = events(decoded(talk.tape.packets, batch=batch))
        assert (event.first_packet, event.last_packet) == (6, 6 + len(pieces))
        assert (event.first_chunk, event.last_chunk) == (0, len(pieces))
        assert event.data is not None
        assert event.data.count("\n") == len(pieces) - 1


def test_a_bomb_of_small_events_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events take far more memory than their bytes: they have a ratio of their own."""
    monkeypatch.setattr("parsers.decode.body.MAX_EVENTS_FREE", 100)
    content = gzip.compress(b"data\n\n" * 4_000)
    length = b"Content-Length: %d\r\n" % (2 * len(content))
    records = answered(head(SSE, GZIP, length), content, content).tape.records()
    (fault,) = [found for found in of(DiagnosticRecord, records) if "coding" in found.code]
    assert (fault.code, fault.first_packet) == ("content-coding-limit", 6)
    assert f"{len(content)} bytes" in fault.summary
    assert 100 < len(events(records)) <= 4_000
    found = body(records)
    assert (found.size, found.decoded_size, found.complete) == (2 * len(content), 24_000, True)


def test_many_small_events_that_are_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.decode.body.MAX_EVENTS_FREE", 10)
    pieces = flushed(*[b"data: %d\n\n" % number for number in range(2_000)])
    records = answered(head(SSE, GZIP), *pieces).tape.records()
    assert codes(records) == []
    assert len(events(records)) == 2_000


@pytest.mark.parametrize("coding", [b"", b"Content-Encoding: unheard-of\r\n"])
def test_offsets_over_a_coding_that_is_not_decoded_are_exact(coding: bytes) -> None:
    first, second = b"data: 1\n\n", b"data: two\n\n"
    begun = head(SSE, CHUNKED, coding)
    records = answered(begun, chunk(first + second[:4]), chunk(second[4:])).tape.records()
    one, other = events(records)
    place = len(begun) + len(b"d\r\n")
    assert (one.offset, one.length) == (place, len(first))
    assert other.offset == place + len(first)
    assert other.length == len(second) + len(b"\r\n7\r\n")


@pytest.mark.parametrize("size", [5, 1 << 32])
def test_without_data_the_same_is_said(size: int) -> None:
    begun = head(CHUNKED)
    talk = answered(begun, b"%x\r\n" % size + b"hello", close=False)
    full, bare = talk.tape.records(), talk.tape.records(keep_data=False)
    assert codes(full) == codes(bare) == (["chunk-data-limit"] if size > 5 else [])


CODERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"br": brotli.compress,
    b"deflate": zlib.compress,
    b"gzip": gzip.compress,
    b"zstd": zstandard.compress,
}


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("at", [40, 3_000, 9_000])
def test_a_damaged_body_is_the_same_however_it_was_cut(coding: bytes, at: int) -> None:
    """By packets and by chunks alike: what was decoded of it, its digest, and the fault."""
    whole = Random(1).randbytes(6_000) + b"words and words " * 2_000
    coded = bytearray(CODERS[coding](whole))
    at = min(at, len(coded) - 9)
    coded[at : at + 8] = b"\xff" * 8
    begun = head(b"Content-Encoding: %b\r\nContent-Length: %d\r\n" % (coding, len(coded)))
    found = set()
    for size in (7, 100, 1_400, len(coded)):
        pieces = [bytes(coded[start : start + size]) for start in range(0, len(coded), size)]
        said = answered(begun, *pieces).tape.records()
        faults = [fault.summary for fault in of(DiagnosticRecord, said)]
        found.add((body(said).decoded_size, body(said).sha256, *faults))
    ((_, digest, *faults),) = found
    assert digest != sha256(whole).hexdigest() or faults
