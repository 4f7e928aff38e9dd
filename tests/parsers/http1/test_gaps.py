"""Missing bytes: where a gap may lie, what goes on after it, and answers that are lost in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cuts import at, byte_by_byte, whole
from support.http1 import CHUNKED, OK, SPLITS, codes, content, ends, joined, of, responses

from parsers.http1.chunked import MissingData
from parsers.http1.decoder import EndOfMessage, Response, ResponseDecoder
from parsers.limits import MAX_PIPELINED

# --- missing bytes ---


def missing(data: bytes, start: int, length: int, split=whole) -> list[Any]:
    decoder = responses(b"GET", b"GET", b"GET")
    found: list[Any] = []
    for piece in split(data[:start]):
        found += decoder.receive_data(piece)
    found += decoder.receive_gap(length)
    for piece in split(data[start + length :]):
        found += decoder.receive_data(piece)
    return joined(found + decoder.receive_eof())


SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"


@pytest.mark.parametrize("split", SPLITS)
def test_a_gap_inside_a_sized_body_is_exact(split):
    found = missing(SIZED + OK, len(SIZED) - 6, 4, split)
    assert codes(found) == []
    assert content(found) == b"012389ok"
    assert of(MissingData, found) == [MissingData(len(SIZED) - 6, len(SIZED) - 2, None)]
    assert ends(found) == [("content-length", False), ("content-length", True)]


@pytest.mark.parametrize("split", SPLITS)
def test_a_gap_up_to_the_end_of_a_sized_body_is_exact(split):
    found = missing(SIZED + OK, len(SIZED) - 6, 6, split)
    assert codes(found) == []
    assert ends(found) == [("content-length", False), ("content-length", True)]


@pytest.mark.parametrize("split", SPLITS)
def test_a_gap_past_the_end_of_a_sized_body(split):
    found = missing(SIZED + OK + OK, len(SIZED) - 6, 8, split)
    assert codes(found) == ["http-resynchronised"]
    assert ends(found) == [("content-length", False), ("content-length", True)]
    assert len(of(Response, found)) == 2


@pytest.mark.parametrize("split", SPLITS)
def test_a_gap_inside_chunk_data(split):
    found = missing(CHUNKED + OK, len(CHUNKED) - 10, 2, split)
    assert codes(found) == []
    assert ends(found) == [("last-chunk", False), ("content-length", True)]


@pytest.mark.parametrize("split", SPLITS)
def test_a_gap_over_the_end_of_a_chunked_body(split):
    found = missing(CHUNKED + CHUNKED, len(CHUNKED) - 10, 10, split)
    assert codes(found) == ["http-resynchronised"]
    assert ends(found) == [("capture-end", False), ("last-chunk", True)]
    assert of(EndOfMessage, found)[0].end == len(CHUNKED)


def test_a_gap_in_a_body_that_closing_ends():
    data = b"HTTP/1.1 200 OK\r\n\r\nabcdef"
    found = missing(data, len(data) - 3, 2)
    assert content(found) == b"abcf"
    assert ends(found) == [("close", False)]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("start", "codes_"), [(0, []), (3, ["http-message-cut"]), (20, ["http-message-cut"])]
)
def test_a_gap_in_a_head(split, start, codes_):
    found = missing(SIZED + OK, start, 5, split)
    assert codes(found) == [*codes_, "http-resynchronised"]
    assert content(found) == b"ok"


def test_a_gap_between_messages():
    found = missing(OK + OK + OK, len(OK), len(OK))
    assert codes(found) == ["http-resynchronised"]
    assert len(of(Response, found)) == 2


# --- beside h11 ---


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_gaps_are_the_same_however_the_rest_is_cut(data):
    stream = OK + CHUNKED + SIZED
    start = data.draw(st.integers(0, len(stream) - 1))
    length = data.draw(st.integers(1, 80))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    seen = [missing(stream, start, length, split) for split in (whole, byte_by_byte, at(cuts))]
    assert seen[0] == seen[1] == seen[2]


# --- answers that are lost ---


@pytest.mark.parametrize(
    ("received", "lost", "code"),
    [
        ((None, None), 0, []),
        ((0, len(OK)), 1, ["http-response-lost"]),
        ((0, 0), 0, ["http-response-unsure"]),
        ((0, len(OK), len(OK)), 1, ["http-response-lost", "http-response-unsure"]),
        ((0, 1_000), 0, []),
    ],
    ids=["nobody knows", "asked after it", "asked at once", "two at once", "asked later"],
)
def test_a_request_after_missing_bytes_says_that_the_answer_lies_there(received, lost, code):
    decoder = ResponseDecoder()
    for one in received:
        decoder.expect(b"GET", False, received=one)
    found = [*decoder.receive_gap(len(OK)), *decoder.receive_data(OK)]
    assert [one.lost for one in of(Response, found)] == [lost]
    assert codes(found) == ["http-resynchronised", *code]


def test_missing_bytes_in_a_head_lose_no_answer_before_it():
    decoder = ResponseDecoder()
    for received in (0, len(OK)):
        decoder.expect(b"GET", False, received=received)
    found = [*decoder.receive_data(OK[:20]), *decoder.receive_gap(5), *decoder.receive_data(OK)]
    assert [one.lost for one in of(Response, found)] == [0, 0]


def test_of_requests_that_are_never_answered_the_oldest_go():
    decoder = responses(b"HEAD", *[b"GET"] * MAX_PIPELINED)
    found = decoder.receive_data(OK)
    assert ends(found) == [("content-length", True)]
    assert len(decoder._expected) == len(decoder._received) == MAX_PIPELINED - 1
