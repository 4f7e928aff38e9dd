"""Chunked transfer coding: every case whole, byte by byte and with trailing bytes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors_at_hand
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import codes, content, errors, joined, of

from parsers.diagnostics import Diagnostic
from parsers.http1 import chunked
from parsers.http1.chunk_line import parse_extensions
from parsers.http1.chunked import Chunk, ChunkedDecoder, Data, MissingData
from parsers.limits import (
    CHARGE_STEP,
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_SIZE,
    MAX_FIELDS,
    MAX_LINE,
    MAX_TRAILERS,
)
from parsers.memory import Account, Memory
from parsers.provenance import Event

HELLO = b"5\r\nhello\r\n"
LAST = b"0\r\n\r\n"


def verdict(decoder: ChunkedDecoder, found: list[Event]) -> str:
    """What the strict reading is; a body that is cut is not invalid for it."""
    if [code for code in errors(found) if code != "chunk-last-missing"]:
        return "invalid"
    return "complete" if decoder.done else "incomplete"


def before_first_fault(found: list[Event]) -> list[Event]:
    faults = [
        number
        for number, event in enumerate(found)
        if isinstance(event, Diagnostic) and event.severity == "error"
    ]
    return found[: faults[0]] if faults else found


# --- whole chunks ---


def test_a_chunk_is_delivered_with_its_place():
    assert ChunkedDecoder(100).receive_data(HELLO) == [
        Data(103, 108, b"hello", 0),
        Chunk(100, 110, 0, 5, b"", b"hello", None, 103),
    ]


def test_chunks_that_another_has_read_are_passed_over():
    decoder = ChunkedDecoder(100)
    assert decoder.next_index == 0
    decoder.advance(2, 20)
    assert decoder.next_index == 2
    assert decoder.receive_data(HELLO) == [
        Data(123, 128, b"hello", 2),
        Chunk(120, 130, 2, 5, b"", b"hello", None, 123),
    ]
    decoder.receive_data(HELLO[:4])
    assert decoder.next_index is None
    decoder.receive_data(HELLO[4:] + LAST)
    assert decoder.next_index is None


def test_what_is_kept_of_a_chunk_is_charged_until_it_is_whole():
    account = Account(Memory())
    decoder = ChunkedDecoder(account=account)
    for _ in range(3):
        decoder.receive_data(b"%x\r\n" % (CHARGE_STEP + 9) + bytes(CHARGE_STEP))
        decoder.receive_data(bytes(9))
        assert account.held == CHARGE_STEP
        decoder.receive_data(b"\r\n")
        assert account.held == 0


def test_the_last_chunk_carries_the_trailers():
    decoder = ChunkedDecoder()
    found = decoder.receive_data(b"0;a=b\r\nSome: header \r\nX:\r\n\r\n")
    assert found == [
        Chunk(0, 28, 0, 0, b";a=b", b"", [(b"Some", b"header"), (b"X", b"")], 7),
    ]
    assert decoder.done
    assert decoder.open_offsets == ()


def test_bytes_after_the_body_are_handed_back():
    decoder = ChunkedDecoder(7)
    decoder.receive_data(HELLO + LAST + b"HTTP")
    assert decoder.receive_data(b"/1.1") == []
    assert decoder.release() == (7 + len(HELLO + LAST), b"HTTP/1.1")
    assert decoder.receive_gap(3) == []
    assert decoder.receive_eof() == []


def test_content_comes_with_the_piece_that_carried_it():
    decoder = ChunkedDecoder()
    assert decoder.receive_data(b"a\r\n01234") == [Data(3, 8, b"01234", 0)]
    assert decoder.receive_data(b"5678") == [Data(8, 12, b"5678", 0)]
    assert decoder.receive_data(b"9") == [Data(12, 13, b"9", 0)]
    assert decoder.receive_data(b"\r") == []
    assert decoder.receive_data(b"\n") == [Chunk(0, 15, 0, 10, b"", b"0123456789", None, 3)]


def test_open_offsets_follow_the_chunk():
    decoder = ChunkedDecoder()
    assert decoder.open_offsets == (0,)
    decoder.receive_data(HELLO + b"7\r\nab")
    assert decoder.open_offsets == (len(HELLO), len(HELLO) + 2)  # and the end of its line
    assert "chunk_data" in repr(decoder)


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_data_is_not_kept_when_not_asked_for(split):
    found = events(ChunkedDecoder(keep_data=False), HELLO + LAST, split)
    assert [chunk.data for chunk in of(Chunk, found)] == [None, None]
    assert content(found) == b"hello"


# --- the conformance vectors ---

# Strict recipients give up at the first fault. Where the vectors allow a tolerant one to go on,
# only what came before the fault is compared.
BODIES = [vector for vector in vectors_at_hand("chunked") if vector["kind"] == "body"]


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]):
    data = bytes.fromhex(vector["input_hex"])
    expected = vector["expect"]
    random_cuts = at(range(1, len(data), 3))
    seen = []
    for split in (whole, byte_by_byte, random_cuts):
        decoder = ChunkedDecoder()
        found = events(decoder, data, split)
        seen.append(joined(found))
        assert verdict(decoder, found) == expected["verdict"]
        certain = before_first_fault(found)
        assert content(certain).hex() == expected["body_hex"]
        if expected["verdict"] == "complete":
            check_complete(decoder, found, expected)
    assert seen[0] == seen[1] == seen[2]


def check_complete(decoder: ChunkedDecoder, found: list[Event], expected: dict[str, Any]) -> None:
    chunks = of(Chunk, found)
    assert decoder.release()[0] == expected["consumed"]
    assert [chunk.size for chunk in chunks[:-1]] == expected["chunks"]
    assert [
        [name.decode("latin-1"), value.decode("latin-1")]
        for name, value in chunks[-1].trailers or []
    ] == expected["trailers"]
    assert [
        [
            chunk.index,
            [
                [name.decode(), value if value is None else value.decode()]
                for name, value in parse_extensions(chunk.extension)
            ],
        ]
        for chunk in chunks
        if chunk.extension
    ] == expected["extensions"]


# --- faults ---

FAULTS = {
    # input: (code, [start, end), content before)
    b"x\r\n": ("chunk-size-invalid", 0, 3, b""),
    b"\r\n": ("chunk-size-invalid", 0, 2, b""),
    b"0x5\r\nhello\r\n": ("chunk-size-invalid", 0, 5, b""),
    b"5\xb2\r\nhello\r\n": ("chunk-size-invalid", 0, 4, b""),
    b"5\nhello\r\n": ("chunk-line-bare-lf", 0, 2, b""),
    b"5;a\rb\r\nhello\r\n": ("http-bare-cr", 0, 7, b""),
    b"5;\r\nhello\r\n": ("chunk-extension-invalid", 0, 4, b""),
    b'5;a="b\r\nhello\r\n': ("chunk-extension-invalid", 0, 8, b""),
    b"8000000000000000\r\nabc": ("chunk-size-overflow", 0, 18, b""),
    b"5\r\nhelloX": ("chunk-data-unterminated", 8, 9, b"hello"),
    b"5\r\nhello\n": ("chunk-data-unterminated", 8, 9, b"hello"),
    b"5\r\nhello\rX": ("chunk-data-unterminated", 9, 10, b"hello"),
    b"1" * (MAX_LINE + 5): ("http-line-limit", 0, MAX_LINE, b""),
}


@pytest.mark.parametrize("data", FAULTS, ids=lambda data: repr(data[:20]))
@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_fault_that_loses_the_framing(data, split):
    code, start, end, before = FAULTS[data]
    found = events(ChunkedDecoder(), data + b"\r\n5\r\nhello\r\n0\r\n\r\n", split)
    faults = of(Diagnostic, found)
    assert [fault.code for fault in faults] == [code, "chunk-framing-lost"]
    assert (faults[0].start, faults[0].end) == (start, end)
    assert faults[1].start == faults[1].end == end
    assert content(found) == before
    assert not of(Chunk, found)


def test_white_space_after_a_size_is_read_over_with_a_fault():
    found = events(ChunkedDecoder(), b"5 \t\r\nhello\r\n" + b"0;a \r\n\r\n")
    assert codes(found) == ["chunk-size-invalid", "chunk-size-invalid"]
    assert [chunk.extension for chunk in of(Chunk, found)] == [b" \t", b";a "]


def test_the_largest_size_is_taken():
    found = events(ChunkedDecoder(), b"%x\r\nabc" % MAX_CHUNK_SIZE)
    assert codes(found) == ["chunk-data-limit", "chunk-last-missing"]
    assert content(found) == b"abc"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"zz", "chunk-size-invalid"),
        (b"5\rh", "http-bare-cr"),
        (b'5;a="b\x00', "chunk-extension-invalid"),
        (b"5;;", "chunk-extension-invalid"),
        (b"5\x00", "chunk-size-invalid"),
        (b"0\r\nA\x00", "chunk-trailer-invalid"),
        (b"0\r\nA: b\r\n c", "chunk-trailer-invalid"),
        (b"0\r\nA b\r\nC", "chunk-trailer-invalid"),
        (b"0\r\n\rX", "chunk-trailer-invalid"),
    ],
)
def test_what_cannot_become_valid_is_said_at_the_end(data, code):
    assert codes(events(ChunkedDecoder(), data, byte_by_byte)) == [code, "chunk-last-missing"]
    decoder = ChunkedDecoder()
    found = decoder.receive_data(data) + decoder.receive_eof("capture-end")
    assert codes(found) == [code]


@pytest.mark.parametrize(
    "data",
    [
        b"5",
        b"5\r",
        b"5;",
        b"5; a",
        b"5;a =",
        b'5;a="',
        b'5;a="b\\',
        b'5;a="b";c=d',
        b"5 ",
        b"0\r\n",
    ],
)
def test_what_can_become_valid_is_only_cut(data):
    assert codes(events(ChunkedDecoder(), data)) == ["chunk-last-missing"]
    decoder = ChunkedDecoder()
    assert decoder.receive_data(data) + decoder.receive_eof("capture-end") == []


def test_a_cut_says_both_numbers():
    (fault,) = of(Diagnostic, events(ChunkedDecoder(10), b"5\r\nhel"))
    assert (fault.start, fault.end) == (10, 16)
    assert "3 of 5 bytes of chunk 0" in fault.summary
    (fault,) = of(Diagnostic, events(ChunkedDecoder(), HELLO))
    assert "after 1 chunk" in fault.summary


def test_extensions_have_a_limit_together_and_one_diagnostic():
    chunk = b"1;" + b"a" * (MAX_CHUNK_EXTENSIONS // 2) + b"\r\nx\r\n"
    found = events(ChunkedDecoder(), chunk * 5 + LAST)
    assert codes(found) == ["chunk-extension-limit"]
    assert content(found) == b"xxxxx"


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_trailers_have_a_limit(split):
    decoder = ChunkedDecoder()
    trailers = b"A: " + b"b" * (MAX_TRAILERS * 2) + b"\r\n\r\n"
    found = events(decoder, b"0\r\n" + trailers + b"next", split)
    assert codes(found) == ["chunk-trailer-limit"]
    assert of(Chunk, found)[0].trailers == []
    assert decoder.release() == (len(trailers) + 3, b"next")


def test_trailers_past_the_limit_are_not_judged_where_they_are_cut():
    found = events(ChunkedDecoder(), b"0\r\n" + b"A: b\r\n" * MAX_TRAILERS)
    assert codes(found) == ["chunk-trailer-limit", "chunk-last-missing"]


def test_trailer_fields_have_a_limit():
    found = events(ChunkedDecoder(), b"0\r\n" + b"A:\r\n" * (MAX_FIELDS + 1) + b"\r\n")
    assert codes(found) == ["chunk-trailer-limit"]
    trailers = of(Chunk, found)[0].trailers
    assert trailers is not None
    assert len(trailers) == MAX_FIELDS


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_long_chunk_is_kept_in_part(split, monkeypatch):
    monkeypatch.setattr(chunked, "MAX_KEPT_CHUNK", 4)
    found = events(ChunkedDecoder(), HELLO + LAST, split)
    assert codes(found) == ["chunk-data-limit"]
    assert content(found) == b"hello"
    assert of(Chunk, found)[0].data == b"hell"


# --- missing bytes ---

BODY = HELLO + b"a;x\r\n0123456789\r\n" + HELLO + LAST


def missing(data: bytes, start: int, length: int, split=whole) -> list[Event]:
    decoder = ChunkedDecoder()
    found = []
    for piece in split(data[:start]):
        found += decoder.receive_data(piece)
    found += decoder.receive_gap(length)
    for piece in split(data[start + length :]):
        found += decoder.receive_data(piece)
    return joined(found + decoder.receive_eof())


def test_a_gap_inside_chunk_data_is_exact():
    found = missing(BODY, 17, 3)
    assert codes(found) == []
    assert of(MissingData, found) == [MissingData(17, 20, 1)]
    assert [chunk.data for chunk in of(Chunk, found)] == [b"hello", None, b"hello", b""]
    assert content(found) == b"hello" + b"0156789" + b"" + b"hello"


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_gap_up_to_the_end_of_a_chunk_is_exact(length):
    end = 27  # of the second chunk
    found = missing(BODY, end - length, length)
    assert codes(found) == []
    assert [chunk.end for chunk in of(Chunk, found)] == [10, 27, 37, 42]
    lost = max(length - 2, 0)
    assert len(content(found)) == 20 - lost
    assert of(Chunk, found)[1].data == (None if lost else b"0123456789")


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize(("start", "length"), [(6, 8), (10, 3), (12, 2), (16, 14)])
def test_a_gap_in_framing_goes_on_at_a_certain_chunk(start, length, split):
    found = missing(BODY, start, length, split)
    assert errors(found) == []
    assert codes(found) == ["http-resynchronised"]
    assert of(MissingData, found)[-1].chunk is None
    assert of(Chunk, found)[-1].size == 0
    assert of(Chunk, found)[-1].end == len(BODY)


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_gap_may_hold_the_end_of_the_body(split):
    data = BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    decoder = ChunkedDecoder()
    found = decoder.receive_data(data[:20])
    found += decoder.receive_gap(len(BODY) - 20)
    for piece in split(data[len(BODY) :]):
        found += decoder.receive_data(piece)
    assert decoder.done
    assert decoder.interrupted
    assert codes(found) == ["http-resynchronised"]
    assert decoder.release() == (len(BODY), data[len(BODY) :])


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_behind_a_gap_the_end_may_be_found_late(split):
    # "5" is a chunk's size until the second byte after the last chunk says that it is none.
    decoder = ChunkedDecoder()
    decoder.receive_gap(3)
    found = [
        event
        for piece in split(b"\r\n5\r\n" + LAST + b"GET")
        for event in decoder.receive_data(piece)
    ]
    assert of(Chunk, found) == [Chunk(8, 13, 0, 0, b"", b"", [], 11)]
    assert decoder.release() == (13, b"GET")


def test_a_gap_in_the_trailers_misses_no_content():
    decoder = ChunkedDecoder()
    found = decoder.receive_data(b"0\r\nA: b") + decoder.receive_gap(3)
    assert of(MissingData, found) == []
    assert codes(decoder.receive_eof()) == [], "the missing bytes may hold the end"


def test_a_gap_may_hold_the_last_chunk():
    decoder = ChunkedDecoder()
    decoder.receive_data(HELLO)
    decoder.receive_gap(5)
    assert codes(decoder.receive_eof()) == []
    counted = ChunkedDecoder()
    counted.receive_data(HELLO + b"5\r\nhe")
    counted.receive_gap(3)
    assert codes(counted.receive_eof()) == ["chunk-last-missing"], "those are of the chunk"


def test_lost_framing_is_found_again_after_a_gap():
    decoder = ChunkedDecoder()
    found = decoder.receive_data(b"5\r\nhelloXX")
    found += decoder.receive_gap(10)
    found += decoder.receive_data(b"x\r\n" + HELLO + LAST)
    assert codes(found) == [
        "chunk-data-unterminated",
        "chunk-framing-lost",
        "http-resynchronised",
    ]
    assert content(found) == b"hellohello"
    assert decoder.done


def test_a_body_that_goes_on_after_a_gap_may_be_lost_again():
    decoder = ChunkedDecoder()
    decoder.receive_gap(5)
    found = decoder.receive_data(b"\r\n" + HELLO + b"3\r\nabcX")
    assert codes(found) == [
        "http-resynchronised",
        "chunk-data-unterminated",
        "chunk-framing-lost",
    ]


# --- properties ---

chunk_data = st.binary(max_size=40)
extensions = st.sampled_from([b"", b";a", b"; a=b", b';a="\\"b;c"'])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A valid body and its content."""
    pieces = draw(st.lists(st.tuples(chunk_data.filter(bool), extensions), max_size=6))
    framed = b"".join(
        b"%x%b\r\n%b\r\n" % (len(data), extension, data) for data, extension in pieces
    )
    trailers = draw(st.sampled_from([b"", b"A: b\r\n", b"A:\r\nB: \xff\r\n"]))
    return framed + b"0\r\n" + trailers + b"\r\n", b"".join(data for data, _ in pieces)


@settings(deadline=None, max_examples=80)
@given(bodies(), st.binary(max_size=8), st.sets(st.integers(0, 300)))
def test_valid_bodies(body, after, cuts):
    data, expected = body
    seen = []
    for split in (whole, byte_by_byte, at(cuts)):
        decoder = ChunkedDecoder()
        found = events(decoder, data + after, split)
        assert errors(found) == []
        assert content(found) == expected
        assert decoder.release() == (len(data), after)
        assert b"".join(chunk.data or b"" for chunk in of(Chunk, found)) == expected
        starts = [chunk.start for chunk in of(Chunk, found)] + [len(data)]
        assert [chunk.end for chunk in of(Chunk, found)] == starts[1:]
        assert all(data[piece.start : piece.end] == piece.data for piece in of(Data, found))
        seen.append(joined(found))
    assert seen[0] == seen[1] == seen[2]


@settings(deadline=None, max_examples=100)
@given(bodies(), st.data())
def test_damage_is_the_same_however_it_is_cut(body, data):
    damaged = bytearray(body[0])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"0", b"f", b";", b" ", b'"', b"\x00"])
        )
        damaged = damaged or bytearray(b"0")
    cuts = data.draw(st.sets(st.integers(0, len(damaged))))
    seen = [
        joined(events(ChunkedDecoder(), bytes(damaged), split))
        for split in (whole, byte_by_byte, at(cuts))
    ]
    assert seen[0] == seen[1] == seen[2]


@settings(deadline=None, max_examples=100)
@given(bodies(), st.data())
def test_gaps_are_the_same_however_the_rest_is_cut(body, data):
    whole_body = body[0] * 2
    start = data.draw(st.integers(0, len(whole_body) - 1))
    length = data.draw(st.integers(1, 30))
    cuts = data.draw(st.sets(st.integers(0, len(whole_body))))
    seen = [missing(whole_body, start, length, split) for split in (whole, byte_by_byte, at(cuts))]
    assert seen[0] == seen[1] == seen[2]
    places = [event.start for event in seen[0] if not isinstance(event, Diagnostic | Chunk)]
    assert all(first <= second for first, second in pairwise(places))
