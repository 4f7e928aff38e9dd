"""Bytes after a complete message that begin no other one: count, beginning, cause, and what not."""

from __future__ import annotations

import pytest
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import codes, of

from parsers.diagnostics import Diagnostic
from parsers.http1.decoder import Request, RequestDecoder, Response, ResponseDecoder
from parsers.limits import MAX_LINE, MAX_SURPLUS

SPLITS = [whole, byte_by_byte, at([5, 17, 40, 45])]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"


def surplus(found) -> list[tuple[int, int, str]]:
    """Where surplus bytes lie, and what is said of them."""
    said = [fault for fault in of(Diagnostic, found) if fault.code == "http-surplus"]
    return [(fault.start, fault.end, fault.summary.partition(": ")[2]) for fault in said]


def answers(*methods: bytes) -> ResponseDecoder:
    decoder = ResponseDecoder()
    for method in methods:
        decoder.expect(method, False)
    return decoder


CASES = [
    (b"GET", NO_CONTENT, b"0\r\n\r\n",
     r"5 bytes '0\r\n\r\n': a last chunk, but a 204 response has no body"),
    (b"GET", NO_CONTENT, b"3\r\nabc\r\n0\r\n\r\n",
     r"13 bytes '3\r\nabc\r\n0\r\n\r\n': chunks, but a 204 response has no body"),
    (b"GET", NO_CONTENT, b'{"a":1}', "7 bytes '{\"a\":1}': a 204 response has no body"),
    (b"GET", NOT_MODIFIED, b"content", "7 bytes 'content': a 304 response has no body"),
    (b"HEAD", HEAD, b"content", "7 bytes 'content': a response to HEAD has no body"),
    (b"GET", EMPTY, b"data: 1\n\ndata: 2\n\n",
     r"18 bytes 'data: 1\n\ndata: 2\n\n': Content-Length: 0 is too small"),
    (b"GET", OK, b"!", "1 byte '!': Content-Length: 2 is too small"),
    (b"GET", CHUNKED, b"0\r\n\r\n",
     r"5 bytes '0\r\n\r\n': a last chunk, but the last chunk ended the body"),
    (b"GET", b"HTTP/1.1 100 Continue\r\n\r\n", b"0\r\n\r\n",
     r"5 bytes '0\r\n\r\n': a last chunk, but a 100 response has no body"),
]  # fmt: skip


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("method", "message", "bytes_after", "said"), CASES)
def test_surplus_of_a_response(split, method, message, bytes_after, said):
    end = len(message) + len(bytes_after)
    expected = [(len(message), end, said)]
    # At the end of the stream, and before the next message, which is decoded.
    assert surplus(events(answers(method, b"GET"), message + bytes_after, split)) == expected
    found = events(answers(method, b"GET"), message + bytes_after + OK, split)
    assert surplus(found) == expected
    assert [one.start for one in of(Response, found)] == [0, end]
    assert codes(found) == ["http-surplus"]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (GET, "the request has neither length nor transfer coding"),
        (GET[:-2] + b"Content-Length: 1\r\n\r\n{", "Content-Length: 1 is too small"),
        (
            GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "the last chunk ended the body",
        ),
    ],
)
def test_surplus_of_a_request(split, request_, cause):
    found = events(RequestDecoder(), request_ + b'{"a": 2}\r\n' + GET, split)
    expected = (len(request_), len(request_) + 10, rf"""10 bytes '{{"a": 2}}\r\n': {cause}""")
    assert surplus(found) == [expected]
    assert len(of(Request, found)) == 2


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "data",
    [
        OK + OK,  # pipelined
        OK + CHUNKED + NO_CONTENT + OK,
        OK + b"HTTP/1.1 2",  # the beginning of a message
        OK + b"HTTP/1.1 200 OK\r\nConte",
        OK + b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",  # a fault of its own
    ],
)
def test_a_message_after_a_message_is_no_surplus(split, data):
    assert surplus(events(answers(*[b"GET"] * 4), data, split)) == []


@pytest.mark.parametrize("split", SPLITS)
def test_empty_lines_between_messages_are_no_surplus(split):
    # RFC 9112 section 2.2
    assert surplus(events(RequestDecoder(), GET + b"\r\n" + GET + b"\r\n\r\n", split)) == []
    assert surplus(events(answers(b"GET", b"GET"), OK + b"\r\n" + OK + b"\r\n", split)) == []


@pytest.mark.parametrize("split", SPLITS)
def test_garbage_before_the_first_message_is_no_surplus(split):
    assert codes(events(answers(b"GET"), b"what?\r\n" + OK, split))[0] == "http-start-line-invalid"


@pytest.mark.parametrize("split", SPLITS)
def test_what_closes_is_said_with_its_amount(split):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    (fault,) = of(Diagnostic, events(answers(b"GET"), head + b"data: 1\n\n", split))
    assert (fault.code, fault.start, fault.end) == (
        "http-data-after-close",
        len(head),
        len(head) + 9,
    )
    assert fault.summary.endswith(r": 9 bytes 'data: 1\n\n': Content-Length: 0 is too small")


@pytest.mark.parametrize("piece", [b"data: 1\n\n", b"x", b"HTTP/1.1 "])
@pytest.mark.parametrize("size", [MAX_SURPLUS - 9, 3 * MAX_SURPLUS, MAX_LINE])
def test_it_is_counted_up_to_a_limit(piece, size):
    data = piece * (size // len(piece))
    results = []
    for step in (len(data), 1000):
        decoder = answers(b"GET", b"GET")
        found = decoder.receive_data(EMPTY)
        for start in range(0, len(data), step):
            found += decoder.receive_data(data[start : start + step])
            assert all(offset >= len(EMPTY) for offset in decoder.open_offsets)
        found += decoder.receive_data(b"\r\n" + OK)
        results.append([(fault.code, fault.start, fault.end) for fault in of(Diagnostic, found)])
        assert of(Response, found)[-1].start == len(EMPTY) + len(data) + 2
    assert results[0] == results[1]
    assert results[0][0][2] - len(EMPTY) <= MAX_SURPLUS


def test_a_gap_ends_the_count():
    decoder = answers(b"GET", b"GET")
    found = decoder.receive_data(EMPTY + b"data: 1\n\n") + decoder.receive_gap(10)
    found += decoder.receive_data(b"1\n\n" + OK)
    assert surplus(found) == [
        (
            len(EMPTY),
            len(EMPTY) + 9,
            r"9 bytes 'data: 1\n\n': Content-Length: 0 is too small",
        )
    ]
    assert len(of(Response, found)) == 2
    decoder = answers(b"GET")
    found = decoder.receive_data(EMPTY + b"data:") + decoder.receive_gap(10)
    assert [said[:2] for said in surplus(found)] == [(len(EMPTY), len(EMPTY) + 5)]


def test_many_of_them_in_one_piece():
    # Each search hands over to the decoder where it found a message: nothing is nested.
    data = (NO_CONTENT + b"x\r\n") * 5_000
    decoder = answers(*[b"GET"] * 100)
    found = events(decoder, data, whole)
    assert len(surplus(found)) == 5_000
    assert len(of(Response, found)) == 5_000


@pytest.mark.parametrize("split", SPLITS)
def test_a_response_after_the_last_one_is_a_fault_where_it_begins(split):
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    found = events(answers(b"GET", b"GET"), last + OK, split)
    assert [(one.start, one.end, one.code) for one in of(Diagnostic, found)] == [
        (len(last), len(last) + 1, "http-data-after-close"),
        (len(last), len(last), "http-resynchronised"),
    ]
    assert len(of(Response, found)) == 2
