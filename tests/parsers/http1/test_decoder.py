"""HTTP/1.1 messages: their framing, faults, and those that another has read."""

from __future__ import annotations

import pytest
from support.cuts import at, events, whole
from support.http1 import (
    CHUNKED,
    GET,
    OK,
    SPLITS,
    UPGRADE,
    codes,
    content,
    ends,
    joined,
    of,
    responses,
)

from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Chunk, Data
from parsers.http1.decoder import (
    EndOfMessage,
    Request,
    RequestDecoder,
    Response,
    ResponseDecoder,
    known_request,
    known_response,
)
from parsers.http1.field_lines import FieldLines
from parsers.limits import CHARGE_STEP, MAX_FIELDS, MAX_HEAD, MAX_LINE
from parsers.memory import Account, Memory

# --- messages ---


@pytest.mark.parametrize("split", SPLITS)
def test_a_request_and_its_body(split):
    head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:  3\r\n\r\n"
    fields = [(b"Host", b"a"), (b"Content-Length", b"3")]
    end = 10 + len(head)
    assert joined(events(RequestDecoder(10), head + b"abc" + GET, split)) == [
        Request(10, end, b"POST", b"/a", b"HTTP/1.1", fields, "content-length", (), False),
        Data(end, end + 3, b"abc", None),
        EndOfMessage(end, end + 3, "content-length", True),
        Request(
            end + 3,
            end + 3 + len(GET),
            b"GET",
            b"/",
            b"HTTP/1.1",
            [(b"Host", b"a")],
            "none",
            (),
            False,
        ),
        EndOfMessage(end + 3 + len(GET), end + 3 + len(GET), None, True),
    ]


@pytest.mark.parametrize("split", SPLITS)
def test_a_chunked_response(split):
    head = b"HTTP/1.1 200 \r\nTransfer-Encoding: gzip, chunked\r\nContent-Encoding: br\r\n\r\n"
    data = head + b"2\r\nab\r\n0\r\nX: y\r\n\r\n" + OK
    found = joined(events(responses(b"GET", b"GET"), data, split))
    response, piece, chunk, last, end, second = found[:6]
    assert isinstance(response, Response)
    assert (response.status, response.reason, response.framing) == (200, b"", "chunked")
    assert response.codings == ("gzip", "br")
    assert isinstance(piece, Data) and piece.chunk == 0
    assert isinstance(chunk, Chunk) and chunk.data == b"ab"
    assert isinstance(last, Chunk) and last.trailers == [(b"X", b"y")]
    assert end == EndOfMessage(len(head), len(data) - len(OK), "last-chunk", True)
    assert isinstance(second, Response)
    assert codes(found) == []


def test_a_request_has_a_body_by_its_framing():
    first, second = of(Request, events(RequestDecoder(), GET + GET.replace(b"Host", b"host")))
    assert not first.has_body
    found = events(RequestDecoder(), GET[:-2] + b"Content-Length: 0\r\n\r\n")
    assert of(Request, found)[0].has_body
    assert ends(found) == [("content-length", True)]
    assert second.headers == [(b"host", b"a")]


@pytest.mark.parametrize("split", SPLITS)
def test_interim_responses_leave_the_request_open(split):
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    )
    found = events(responses(b"HEAD", b"GET"), data + OK, split)
    assert [response.status for response in of(Response, found)] == [100, 103, 200, 200]
    assert ends(found) == [(None, True), (None, True), (None, True), ("content-length", True)]
    assert codes(found) == []


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("ending", "end", "fault"),
    [
        ("close", ("close", True), []),
        ("reset", ("reset", False), ["http-body-cut"]),
        ("capture-end", ("capture-end", False), []),
    ],
)
def test_a_body_that_closing_ends(split, ending, end, fault):
    decoder = responses(b"GET")
    found = events(decoder, b"HTTP/1.0 200 OK\r\n\r\nabc\r\n\r\nHTTP/1.1 200 OK\r\n", split, False)
    found += decoder.receive_eof(ending)
    assert content(found) == b"abc\r\n\r\nHTTP/1.1 200 OK\r\n"
    assert ends(found) == [end]
    assert codes(found) == fault


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"Content-Length: 5\r\n\r\nabc", "http-body-cut"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "chunk-last-missing"),
    ],
)
def test_a_body_that_is_cut(body, fault):
    for ending in ("close", "reset", "capture-end"):
        decoder = responses(b"GET")
        found = decoder.receive_data(b"HTTP/1.1 200 OK\r\n" + body) + decoder.receive_eof(ending)
        assert ends(found) == [(ending, False)]
        assert content(found) == b"abc"
        assert codes(found) == ([] if ending == "capture-end" else [fault])


def test_open_offsets():
    decoder = responses(b"GET", b"GET", offset=5)
    assert decoder.open_offsets == (5,)
    decoder.receive_data(OK[:20])
    assert decoder.open_offsets == (5,)
    assert "header_section" in repr(decoder)
    decoder.receive_data(OK[20:-1])
    assert decoder.open_offsets == (5 + len(OK) - 2,)
    decoder.receive_data(OK[-1:])
    assert decoder.open_offsets == (5 + len(OK),)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    decoder.receive_data(head + b"1\r\na\r\n5\r\n")
    body = 5 + len(OK) + len(head)
    assert decoder.open_offsets == (body, body + 6, body + 8)  # the end of the chunk's line
    skipping = RequestDecoder()
    skipping.receive_data(b"\x16\n")
    assert skipping.open_offsets == ()
    upgrading = RequestDecoder()
    upgrading.receive_data(UPGRADE + b"abc")
    assert upgrading.open_offsets == (len(UPGRADE),)


# --- connections that close, empty lines ---


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("head", [b"HTTP/1.1 204 \r\nConnection: close", b"HTTP/1.0 204 "])
def test_data_after_the_last_message(split, head):
    decoder = responses(b"GET", b"GET")
    data = head + b"\r\n\r\n\r\n\r\n"
    found = events(decoder, data + b"junk\r\n" + OK, split)
    assert codes(found) == ["http-data-after-close", "http-resynchronised"]
    assert of(Diagnostic, found)[0].start == len(data)
    assert [response.status for response in of(Response, found)] == [204, 200]
    assert codes(events(responses(b"GET"), data, split)) == []


@pytest.mark.parametrize("split", SPLITS)
def test_empty_lines_before_a_start_line(split):
    found = events(RequestDecoder(), b"\r\n\r\n" + GET + b"\n" + GET + b"\r\n", split)
    assert codes(found) == ["http-leading-empty-line"] * 3
    assert [request.start for request in of(Request, found)] == [4, 5 + len(GET)]
    found = events(responses(b"GET"), b"\r\n" + OK, split)
    assert codes(found) == ["http-response-leading-empty-line"]


# --- faults ---


@pytest.mark.parametrize("split", SPLITS)
def test_bytes_that_are_no_http(split):
    tls = b"\x16\x03\x01\x02\x00\x01\n\x00\nGET / HTTP/1.1\n"
    found = events(RequestDecoder(), tls + GET, split)
    assert codes(found) == ["http-start-line-invalid", "http-resynchronised"]
    assert [(fault.start, fault.end) for fault in of(Diagnostic, found)] == [(0, 7), (7, len(tls))]
    assert of(Request, found)[0].start == len(tls)
    assert codes(events(RequestDecoder(), tls, split)) == ["http-start-line-invalid"]


@pytest.mark.parametrize("split", [whole, at([100, 70_000])])
def test_a_first_line_without_end(split):
    found = events(RequestDecoder(), b"\x17" * (MAX_LINE + 9) + b"\n" + GET, split)
    assert codes(found) == ["http-line-limit", "http-resynchronised"]
    assert of(Request, found)[0].start == MAX_LINE + 10


@pytest.mark.parametrize("split", [whole, at([100, 70_000])])
def test_a_head_without_end(split):
    head = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEAD // 6) + b"\r\n"
    found = events(RequestDecoder(), head + GET, split)
    assert codes(found) == ["http-head-limit", "http-resynchronised"]
    assert [request.start for request in of(Request, found)] == [len(head)]


def test_fields_have_a_limit_but_all_of_them_frame():
    fields = b"A: b\r\n" * MAX_FIELDS + b"Content-Length: 2\r\n\r\nok"
    found = events(responses(b"GET"), b"HTTP/1.1 200 OK\r\n" + fields)
    assert codes(found) == ["http-field-limit"]
    assert len(of(Response, found)[0].headers) == MAX_FIELDS
    assert content(found) == b"ok"


@pytest.mark.parametrize("split", SPLITS)
def test_a_message_whose_framing_is_invalid(split):
    data = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: x\r\n\r\nabc\r\n" + OK
    decoder = responses(b"GET", b"GET")
    found = events(decoder, data, split)
    assert codes(found) == ["http-content-length-invalid"]
    (fault,) = of(Diagnostic, found)
    assert data[fault.start : fault.end] == b"Content-Length: x\r\n"
    assert ends(found) == [(None, False)]
    assert content(found) == b""
    # After missing bytes there is no body any more that a start line could be part of.
    found = decoder.receive_gap(7) + decoder.receive_data(OK)
    assert codes(found) == ["http-resynchronised"]
    assert content(found) == b"ok"


def test_invalid_framing_refuses_a_switch():
    decoder = responses((b"GET", True), (b"GET", False))
    decoder.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
    assert not decoder.paused
    decoder.receive_gap(1)
    assert ends(decoder.receive_data(OK + b"\r")) == [("content-length", True)]
    assert not decoder.paused


def test_a_fault_about_a_missing_field_has_the_place_of_the_head():
    found = events(RequestDecoder(5), b"GET / HTTP/1.1\r\n\r\n")
    (fault,) = of(Diagnostic, found)
    assert (fault.code, fault.start, fault.end) == ("http-host-invalid", 5, 23)


@pytest.mark.parametrize(
    ("data", "at_close", "at_capture_end"),
    [
        (b"", [], []),
        (b"\r", ["http-message-cut"], []),
        (b"GE", ["http-message-cut"], []),
        (b"GET / HTTP/1.1\r", ["http-message-cut"], []),
        (b"\x16\x03", ["http-start-line-invalid"], ["http-start-line-invalid"]),
        (b"GET / HTTP/1.1\r\nHo", ["http-message-cut"], []),
        (
            b"GET / HTTP/1.1\r\n x: y",
            ["http-field-invalid", "http-message-cut"],
            ["http-field-invalid"],
        ),
        (
            b"GET / HTTP/5.6",
            ["http-version-unsupported", "http-message-cut"],
            ["http-version-unsupported"],
        ),
        (b"GET / HTTP/5.", ["http-message-cut"], []),
        (
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
            ["http-content-length-conflict", "http-message-cut"],
            ["http-content-length-conflict"],
        ),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", ["http-message-cut"], []),
    ],
)
def test_a_head_that_is_cut(data, at_close, at_capture_end):
    decoder = RequestDecoder()
    assert codes(decoder.receive_data(data) + decoder.receive_eof()) == at_close
    decoder = RequestDecoder()
    assert codes(decoder.receive_data(data) + decoder.receive_eof("capture-end")) == at_capture_end


def test_an_answer_to_nothing():
    assert codes(events(ResponseDecoder(), OK)) == ["http-response-unasked"]


# --- whole messages that another has read ---


def lines(*found: tuple[bytes, bytes]) -> FieldLines:
    return FieldLines(list(found))


LENGTH = lines((b"Content-Length", b"2"))


@pytest.mark.parametrize(
    ("line", "fields", "framing"),
    [
        (b"GET / HTTP/1.1\r\n", lines((b"Host", b"a")), "none"),
        (b"POST / HTTP/1.1\r\n", lines((b"Host", b"a"), *LENGTH), "content-length"),
        (b"no request line\r\n", lines((b"Host", b"a")), None),
        (b"GET / HTTP/5.6\r\n", lines((b"Host", b"a")), None),
        (b"GET / HTTP/1.1\r\n", lines(), None),
        (b"CONNECT a:443 HTTP/1.1\r\n", lines((b"Host", b"a:443")), None),
    ],
)
def test_a_request_whose_fields_are_known(line, fields, framing):
    found = known_request(line, fields)
    assert (found and found[1].framing) == framing


@pytest.mark.parametrize(
    ("asked", "line", "framing"),
    [
        ((b"GET", False), b"HTTP/1.1 200 OK\r\n", "content-length"),
        ((b"HEAD", False), b"HTTP/1.1 200 OK\r\n", "none"),
        ((b"GET", True), b"HTTP/1.1 200 OK\r\n", None),
        (None, b"HTTP/1.1 200 OK\r\n", None),
        ((b"GET", False), b"no status line\r\n", None),
        ((b"GET", False), b"HTTP/1.1 100 Continue\r\n", None),
        ((b"CONNECT", False), b"HTTP/1.1 200 OK\r\n", None),
    ],
)
def test_a_response_whose_fields_are_known(asked, line, framing):
    decoder = responses(*([] if asked is None else [asked]))
    found = known_response(line, LENGTH, decoder.asked)
    assert (found and found[1].framing) == framing


def test_whole_messages_are_passed_over_by_the_sizes_of_their_parts():
    decoder = responses(b"GET", b"GET", offset=5)
    known = known_response(b"HTTP/1.1 200 OK\r\n", LENGTH, decoder.asked)
    assert known is not None and decoder.awaits_message
    decoder.pass_response(known, len(OK) - 2, 2)
    assert decoder.offset == 5 + len(OK)
    assert decoder.awaits_message
    found = decoder.receive_data(b"!" + OK)
    assert codes(found) == ["http-surplus"]
    assert of(Response, found)[0].start == 6 + len(OK)
    requests = RequestDecoder()
    asked = known_request(b"GET / HTTP/1.1\r\n", lines((b"Host", b"a")))
    assert asked is not None
    requests.pass_request(asked, len(GET), 0)
    assert of(Request, requests.receive_data(GET))[0].start == len(GET)


def test_chunks_that_another_has_read():
    decoder = responses(b"GET")
    assert decoder.next_chunk is None
    head, rest = CHUNKED[:-15], CHUNKED[-15:]
    decoder.receive_data(head)
    assert decoder.next_chunk == 0
    decoder.advance(1, 10)
    assert decoder.next_chunk == 1
    assert ends(decoder.receive_data(rest[10:])) == [("last-chunk", True)]
    assert decoder.offset == len(CHUNKED)


def test_inside_a_body_whose_head_is_not_in_the_capture():
    decoder = ResponseDecoder(7)
    decoder.join("chunked")
    found = decoder.receive_data(b"5\r\nhello\r\n0\r\n\r\n")
    assert content(found) == b"hello"
    assert of(EndOfMessage, found) == [EndOfMessage(7, 22, "last-chunk", False)]


def test_a_head_that_is_read_in_pieces_is_charged_until_it_is_whole():
    account = Account(Memory())
    decoder = RequestDecoder(account=account)
    decoder.receive_data(GET[:-2] + b"A: " + b"a" * CHARGE_STEP)
    assert account.held > CHARGE_STEP
    assert len(of(Request, decoder.receive_data(b"\r\n\r\n"))) == 1
    assert account.held == 0


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (RequestDecoder(), b"GET / HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n"),
        (responses(b"HEAD"), b"HTTP/1.2 200 OK\r\nConnection: close\r\n\r\n"),
    ],
)
def test_of_another_version_nothing_says_where_a_message_ends(decoder, message):
    found = decoder.receive_data(message + b"xyz") + decoder.receive_eof()
    fault = of(Diagnostic, found)[-1]
    assert fault.code == "http-data-after-close"
    assert "has no body" not in fault.summary
