"""Places at which decoding may go on: what proves itself, and what only looks like it."""

from __future__ import annotations

import pytest
from support.cuts import at, byte_by_byte, whole

from parsers.http1.head import CERTAIN_REQUEST, CERTAIN_RESPONSE
from parsers.http1.resynchronise import LONGEST_MATCH, Resynchroniser
from parsers.limits import MAX_RESYNCHRONISE

STATUS = b"HTTP/1.1 200 OK\r\n"


def search(data, split=whole, *, chunks=True, at_line_start=True, line=CERTAIN_RESPONSE):
    """Return what was found, where, and the bytes from there on; None for nothing."""
    searcher = Resynchroniser(0, line, chunks=chunks, at_line_start=at_line_start)
    for piece in split(data):
        if (found := searcher.receive_data(b"##" + piece, 2)) is not None:
            return searcher.found, found[0], found[1]
    return None


@pytest.mark.parametrize("split", [whole, byte_by_byte, at([3, 4, 9, 17])])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (STATUS, ("message", 0)),
        (b"junk\r\n" + STATUS, ("message", 6)),
        (b"junk\n" + STATUS, ("message", 5)),
        (b"junk\nHTTP/1.1 200 OK\n" + STATUS, ("message", 21)),
        (b"junk" + STATUS, None),
        (b"junk" + STATUS + b"A: b\r\n", ("message", 4)),
        (b"junk\r\njunk" + STATUS + b"A: b\r\n", ("message", 10)),
        (b"junk" + STATUS + b"\r\n", None),
        (b"junk" + STATUS + b"not a field\r\n", None),
        (b"xx\r\n5\r\nhello\r\n0\r\n", ("chunk", 4)),
        (b"xx\r\n5\r\nhello\r\n3;a\r\n", None),
        (b"\r\n5\r\nhelloXXyy\r\n3\r\nabc\r\n0\r\n", ("chunk", 16)),
        (b"\r\n0\r\n\r\n", ("chunk", 2)),
        (b"\r\n0\r\nX: y\r\n\r\n", None),
        (b"\r\n5\r\n\r\n3\r\nabc\r\n0\r\n", ("chunk", 7)),
        (b"\r\n5\r\nhello\r\n" + STATUS, ("message", 12)),
        (b"\r\nFFFFFFFFFFFFFFFF\r\n2\r\nab\r\n0\r\n", ("chunk", 20)),
        (b"5\r\nhello\r\n0\r\n\r\n", ("chunk", 0)),  # what is missing ended with a chunk
        (b"no line ends here", None),
    ],
)
def test_search(data, expected, split):
    found = search(data, split)
    assert (found and found[:2]) == expected
    if found:
        assert data[found[1] :].startswith(found[2])


@pytest.mark.parametrize(
    ("line", "certain"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"OPTIONS * HTTP/1.0\r\n", True),
        (b"GET https://a/b?c HTTP/1.1\r\n", True),
        (b"CONNECT a:443 HTTP/1.1\r\n", True),
        (b"GET a HTTP/1.1\r\n", False),
        (b"get / HTTP/1.1\r\n", False),
        (b"GET / HTTP/2.0\r\n", False),
        (b"GET / HTTP/1.1\n", False),
        (b"{}GET / HTTP/1.1\r\nHost: a\r\n", True),
        (b"FORGET / HTTP/1.1\r\n", True),
        (b"{}FORGET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"{}GET / HTTP/1.1\r\n", False),
    ],
)
def test_certain_request_lines(line, certain):
    found = search(b"x\n" + line, chunks=False, line=CERTAIN_REQUEST)
    assert (found is not None) == certain


def test_the_first_byte_need_not_begin_a_line():
    assert search(STATUS, at_line_start=False) is None
    assert search(STATUS + STATUS, at_line_start=False) == ("message", 17, STATUS)


def test_a_last_chunk_proves_nothing_where_the_beginning_is_missing():
    searcher = Resynchroniser(0, CERTAIN_RESPONSE, chunks=True, joins=True)
    data = b"\r\n0\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert searcher.receive_data(data, 0) == (7, data[7:])


def test_a_chunk_that_is_too_long_to_prove_itself_is_passed_over():
    size = MAX_RESYNCHRONISE
    data = b"\r\n%x\r\n" % size + b"x" * size + b"\r\n5\r\nhello\r\n0\r\n"
    found = search(data, byte_by_byte)
    assert found is not None
    assert found[:2] == ("chunk", size + 11)


def test_of_a_line_without_end_little_is_kept():
    searcher = Resynchroniser(0, CERTAIN_RESPONSE)
    for _ in range(300):
        assert searcher.receive_data(b"x" * 1000, 0) is None
        assert len(searcher._kept) <= 5 * LONGEST_MATCH
    assert searcher.receive_data(b"\n" + STATUS, 0) == (300_001, STATUS)


def test_of_many_lines_two_are_kept():
    searcher = Resynchroniser(0, CERTAIN_RESPONSE, chunks=True)
    for _ in range(300):
        assert searcher.receive_data(b"x" * 9 + b"\n", 0) is None
        assert len(searcher._kept) <= 22


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize(("before", "longest"), [(b"x", 200), (b"\n", 8_000)])
def test_the_longest_start_line_is_found_after_many_bytes(before, longest, split):
    """Where a line begins, a longer one is certain than where any byte may begin one."""
    for length, found in ((longest, ("message", 80_001)), (longest + 1, None)):
        line = b"HTTP/1.1 200 " + b"y" * length + b"\r\nA: b\r\n"
        place = search(b"x" * 80_000 + before + line, split)
        assert (place and place[:2]) == found
