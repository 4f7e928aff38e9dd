"""Heads of which bytes are missing: what of them is shown, and where their body goes on."""

from __future__ import annotations

import pytest
from support.cuts import at, byte_by_byte, whole
from support.http1 import codes, content, joined, of

from parsers.diagnostics import Diagnostic
from parsers.http1.decoder import EndOfMessage, Request, RequestDecoder, Response, ResponseDecoder
from parsers.http1.messages import BodyFound
from parsers.provenance import Event

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSer"
CHUNKS = b"\r\n5\r\nhello\r\n3\r\nabc\r\n"
LAST = b"0\r\n\r\n"
SPLITS = [whole, byte_by_byte, at([5, 17, 40])]


def answers(*methods: bytes, upgrade: bool = False) -> ResponseDecoder:
    decoder = ResponseDecoder()
    for method in methods or (b"GET", b"GET"):
        decoder.expect(method, upgrade)
    return decoder


def after_gap(
    decoder: RequestDecoder | ResponseDecoder, head: bytes, rest: bytes, split=whole
) -> list[Event]:
    """What comes of a head of which all after ``head`` is missing, ten bytes, and of the rest."""
    found = list(decoder.receive_data(head)) + decoder.receive_gap(10)
    for piece in split(rest):
        found += decoder.receive_data(piece)
    return joined(found)


def ends(found: list[Event]) -> list[tuple[int, str | None, bool]]:
    return [(one.start, one.ended_by, one.complete) for one in of(EndOfMessage, found)]


@pytest.mark.parametrize("split", SPLITS)
def test_a_body_goes_on_at_a_chunk_that_proves_itself(split):
    found = after_gap(answers(), CHUNKED, CHUNKS + LAST + OK, split)
    first = len(CHUNKED) + 12
    assert [one.is_cut for one in of(Response, found)] == [True, False]
    assert [(one.start, one.content) for one in of(BodyFound, found)] == [(first, b"hello")]
    assert codes(found) == ["http-message-cut", "http-resynchronised"]
    assert content(found).endswith(b"abcok")
    assert ends(found)[0] == (first, "last-chunk", False)
    assert ends(found)[1][1:] == ("content-length", True)


@pytest.mark.parametrize("split", SPLITS)
def test_a_message_that_comes_first_ends_it(split):
    found = after_gap(answers(), CHUNKED, b"junk\r\n" + OK, split)
    assert of(BodyFound, found) == []
    assert ends(found)[0] == (len(CHUNKED) + 10, None, False)
    assert of(Response, found)[1].start == len(CHUNKED) + 16
    assert codes(found) == ["http-message-cut", "http-resynchronised"]


def test_while_it_is_looked_for():
    decoder = answers()
    found = after_gap(decoder, CHUNKED, b"junk")
    assert len(decoder.open_offsets) > 0
    assert decoder.receive_gap(5) == []
    found += decoder.receive_eof()
    assert ends(found) == [(len(CHUNKED) + 10, None, False)]


@pytest.mark.parametrize(
    ("head", "shown", "is_body"),
    [
        (b"POST /a HTTP/1.1", b"/a", True),
        (b"POST /a HTTP/1.1\r", b"/a", True),
        (b"GET /a HTTP/1.1\r\nHo", b"/a", False),
        (b"GET /a HTTP/1.", None, False),
    ],
)
def test_a_request_whose_line_is_whole_is_shown(head, shown, is_body):
    decoder = RequestDecoder()
    found = list(decoder.receive_data(head)) + decoder.receive_gap(10)
    assert [one.target for one in of(Request, found)] == ([shown] if shown else [])
    assert codes(found) == ["http-message-cut"]
    assert bool(ends(found)) is (shown is not None and not is_body)
    found = decoder.receive_data(CHUNKS + LAST)
    assert (content(found) == b"helloabc") is is_body


@pytest.mark.parametrize(
    ("decoder", "head", "why"),
    [
        (answers(b"GET", upgrade=True), b"HTTP/1.1 101 Switching Pro", "upgrade"),
        (answers(b"CONNECT"), b"HTTP/1.1 200 OK\r\nDa", "connect"),
    ],
)
def test_a_switch_is_known_by_the_status_line(decoder, head, why):
    found = after_gap(decoder, head, b"\x81\0")
    assert (decoder.paused, decoder.paused_for) == (True, why)
    assert decoder.release() == (len(head) + 10, b"\x81\0")
    assert ends(found) == [(len(head) + 10, None, True)]


def test_after_a_refusal_that_is_cut_no_chunk_is_looked_for():
    """It is not known whether another protocol was agreed on."""
    decoder = answers(b"GET", b"GET", upgrade=True)
    found = after_gap(decoder, b"HTTP/1.1 200 OK\r\nDa", CHUNKS + LAST + OK)
    assert of(BodyFound, found) == []
    assert [one.is_cut for one in of(Response, found)] == [True, False]


def test_a_fault_of_framing_in_a_head_that_is_closed_has_the_place_of_its_field():
    decoder = RequestDecoder()
    lines = b"Content-Length: 1\r\nContent-Length: 2\r\n"
    found = decoder.receive_data(b"GET / HTTP/1.1\r\n" + lines) + decoder.receive_eof("reset")
    assert codes(found) == ["http-content-length-conflict", "http-message-cut"]
    fault = of(Diagnostic, found)[0]
    assert (fault.start, fault.end) == (16, 35)
    assert "reset in its header section" in of(Diagnostic, found)[1].summary
