"""HTTP/1.1 messages: framing, switches of protocol, faults, gaps; and what others read."""

from __future__ import annotations

from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors_at_hand
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import codes, content, errors, joined, of

from parsers.diagnostics import Diagnostic
from parsers.http1 import states as http1_states
from parsers.http1.chunked import Chunk, Data, MissingData
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
from parsers.limits import CHARGE_STEP, MAX_FIELDS, MAX_HEAD, MAX_LINE, MAX_PIPELINED
from parsers.memory import Account, Memory

SPLITS = [whole, byte_by_byte, at([5, 17, 18, 19, 40])]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def responses(*asked: bytes | tuple[bytes, bool], offset: int = 0) -> ResponseDecoder:
    decoder = ResponseDecoder(offset)
    for request in asked:
        method, upgrade = request if isinstance(request, tuple) else (request, False)
        decoder.expect(method, upgrade)
    return decoder


def ends(found) -> list[tuple[str | None, bool]]:
    return [(end.ended_by, end.complete) for end in of(EndOfMessage, found)]


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


# --- switches of protocol ---

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (UPGRADE, "upgrade"),
        (UPGRADE.replace(b"websocket", b"h2c"), "upgrade"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "connect"),
    ],
)
def test_behind_a_request_to_switch_bytes_are_held(split, request_, why):
    decoder = RequestDecoder(3)
    found = events(decoder, request_ + b"\x81\x00" + GET, split)
    assert ends(found) == [(None, True)]
    assert of(Request, found)[0].asks_upgrade
    assert (decoder.paused, decoder.paused_for) == (True, why)
    assert decoder.release() == (3 + len(request_), b"\x81\x00" + GET)
    assert not decoder.paused
    assert decoder.receive_data(b"more") == []
    assert decoder.receive_gap(2) == []


def test_a_request_to_switch_has_its_body_first():
    decoder = RequestDecoder()
    data = UPGRADE[:-2] + b"Content-Length: 3\r\n\r\nabc"
    found = events(decoder, data + b"\x81\x00")
    assert content(found) == b"abc"
    assert decoder.release() == (len(data), b"\x81\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_a_switch_that_is_refused(split):
    decoder = RequestDecoder()
    found = events(decoder, UPGRADE + GET + UPGRADE + GET, split, eof=False)
    found += decoder.resume()
    assert decoder.paused
    found += decoder.resume()
    assert not decoder.paused
    assert joined(found) == joined(
        event
        for start, data in (
            (0, UPGRADE),
            (len(UPGRADE), GET),
            (len(UPGRADE + GET), UPGRADE),
            (len(UPGRADE + GET + UPGRADE), GET),
        )
        for event in RequestDecoder(start).receive_data(data)
    )


def test_the_end_of_the_stream_waits_too():
    decoder = RequestDecoder()
    assert codes(events(decoder, UPGRADE + b"GET /")) == []
    assert codes(decoder.resume()) == ["http-message-cut"]


def test_gaps_among_held_bytes():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE + b"abc")
    decoder.receive_gap(4)
    decoder.receive_data(b"def")
    decoder.receive_gap(1)
    start = len(UPGRADE)
    assert decoder.release() == (start, b"abc")
    assert decoder.release() == (start + 7, b"def")
    assert decoder.paused
    assert decoder.release() == (start + 11, b"")
    assert not decoder.paused


def test_gaps_among_held_bytes_of_a_switch_that_is_refused():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE + GET[:5])
    decoder.receive_gap(4)
    decoder.receive_data(b"\r\n" + GET)
    decoder.receive_gap(1)
    found = decoder.resume()
    assert codes(found) == ["http-message-cut", "http-resynchronised"]
    assert of(Request, found)[0].start == len(UPGRADE) + 11


def test_a_gap_over_the_end_of_a_body_before_a_switch():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE[:-2] + b"Content-Length: 3\r\n\r\na")
    found = decoder.receive_gap(5)
    assert ends(found) == [("content-length", False)]
    end = of(EndOfMessage, found)[0].end
    decoder.receive_data(b"xyz")
    assert decoder.release() == (end + 3, b"xyz")


def test_what_is_held_has_a_limit(monkeypatch):
    monkeypatch.setattr(http1_states, "MAX_HELD_UPGRADE", 4)
    decoder = RequestDecoder()
    found = events(decoder, UPGRADE + b"abcdefgh", byte_by_byte)
    assert codes(found) == ["http-upgrade-limit"]
    assert decoder.release() == (len(UPGRADE), b"abcd")
    assert decoder.release() == (len(UPGRADE) + 8, b"")


@pytest.mark.parametrize("split", SPLITS)
def test_the_preface_of_http_2(split):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    decoder = RequestDecoder(2)
    assert events(decoder, preface + b"\x00", split) == []
    assert decoder.paused_for == "http2"
    refused = RequestDecoder(2)
    events(refused, preface, split, eof=False)
    assert codes(refused.resume()) == [
        "http-version-unsupported",
        "http-host-invalid",
        "http-start-line-invalid",
    ]
    assert not refused.paused
    assert decoder.release() == (2, preface + b"\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_responses_that_switch(split):
    for asked, head, why in (
        ((b"GET", True), SWITCHING, "upgrade"),
        (b"CONNECT", b"HTTP/1.1 200 OK\r\n\r\n", "connect"),
    ):
        decoder = responses(asked)
        found = events(decoder, head + b"\x81\x00", split)
        assert of(Response, found)[0].framing == "upgrade"
        assert ends(found) == [(None, True)]
        assert decoder.paused_for == why
        assert codes(found) == []
        assert decoder.release() == (len(head), b"\x81\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_behind_a_refusal_the_next_request_is_awaited(split):
    decoder = responses((b"GET", True))
    found = events(decoder, OK + OK, split, eof=False)
    assert len(of(Response, found)) == 1
    assert (decoder.paused, decoder.paused_for) == (True, "refusal")
    decoder.expect(b"HEAD", False)
    found = decoder.resume()
    assert codes(found) == []
    assert ends(found) == [(None, True)]
    assert of(Response, found)[0].start == len(OK)


def test_a_refusal_that_closes_the_connection():
    decoder = responses((b"GET", True))
    head = b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    events(decoder, head + b"x", eof=False)
    # It is said when it is known how much it is.
    assert codes(decoder.resume() + decoder.receive_eof()) == ["http-data-after-close"]


def test_a_switch_that_nobody_asked_for():
    decoder = responses((b"GET", False), (b"GET", False))
    found = events(decoder, SWITCHING + OK)
    assert codes(found) == ["http-upgrade-unasked"]
    assert not decoder.paused
    assert of(Response, found)[0].framing == "none"
    # Where the request was not captured, it is believed.
    decoder = responses()
    assert codes(events(decoder, SWITCHING + b"\x81\x00")) == ["http-response-unasked"]
    assert decoder.paused


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
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


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


# --- the conformance vectors ---

MESSAGES = [vector for vector in vectors_at_hand("chunked") if vector["kind"] != "body"]


def decoder_for(vector: dict[str, Any]) -> RequestDecoder | ResponseDecoder:
    if vector["kind"] == "request":
        return RequestDecoder()
    context = vector.get("context", {})
    method = context.get("request_method", "GET").encode()
    return responses((method, "upgrade" in context or method == b"CONNECT"))


@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]):
    data = bytes.fromhex(vector["input_hex"])
    expected = vector["expect"]
    seen = []
    for split in (whole, byte_by_byte, at(range(1, len(data), 3))):
        decoder = decoder_for(vector)
        found = events(decoder, data, split)
        seen.append(joined(found))
        if expected["verdict"] == "invalid":
            assert errors(found)
        elif expected["framing"] == "h2-preface":
            assert found == []
            assert decoder.paused_for == "http2"
        elif expected["framing"] == "tunnel":
            assert decoder.paused_for == "connect"
        else:
            check_message(data, found, expected)
    assert seen[0] == seen[1] == seen[2]


def check_message(data: bytes, found: list[Any], expected: dict[str, Any]) -> None:
    message = next(event for event in found if isinstance(event, Request | Response))
    end = of(EndOfMessage, found)[0]
    assert message.framing == expected["framing"]
    assert content(found[: found.index(end)]).hex() == expected["body_hex"]
    assert data[end.end :].hex() == expected["rest_hex"]
    assert end.complete


# What llhttp refuses must be a warning here at least, and what it takes must come out the same,
# without an error but those that the RFCs ask for:
EMPTY_LINE = "http-response-leading-empty-line"  # RFC 9112 section 2.2: a server may skip one
NOT_HTTP_1 = "http-version-unsupported"  # RFC 9112 section 2.3: this grammar is that of HTTP/1.x
LLHTTP_FLAGGED = {
    "request/method#12": NOT_HTTP_1,
    "request/method#13": NOT_HTTP_1,
    "request/method#14": NOT_HTTP_1,
    "response/connection#11": "http-transfer-encoding-forbidden",  # RFC 9112 section 6.1: in a 1xx
    "response/connection#15": EMPTY_LINE,
    "response/connection#17": EMPTY_LINE,
    "response/pipelining#1": EMPTY_LINE,
    "response/sample#2": NOT_HTTP_1,
    "response/sample#3": NOT_HTTP_1,
    "response/sample#8": "http-start-line-invalid",  # RFC 9112 section 4: SP after the status code
    "response/sample#17": NOT_HTTP_1,
    "response/sample#19": EMPTY_LINE,
}
# And these come out otherwise:
LLHTTP_DIFFERS = {
    "request/content-length#16": "llhttp was told by its user that requests have no body",
    "request/invalid#4": "RFC 9110 section 9.1: any token is a method",
    "request/method#15": "RFC 9113 section 3.4: the preface says HTTP/2.0, not 1.1",
    "request/sample#10": "RFC 9112 section 3: HTTP/0.9's request line has no version",
}
LLHTTP = vectors_at_hand("http1_llhttp")
PAUSED = (22, 23)  # llhttp's codes for a switch of protocols


def llhttp_input(vector: dict[str, Any]) -> bytes:
    """A vector's bytes; where several of the suite's examples ran together, those of the last."""
    return bytes.fromhex(vector["input_hex"]).rpartition(b"```http\r\n")[2]


def llhttp_events(vector: dict[str, Any], data: bytes, split) -> tuple[Any, list[Any]]:
    if vector["type"].startswith("request"):
        decoder: RequestDecoder | ResponseDecoder = RequestDecoder()
    else:
        method = b"HEAD" if vector["meta"].get("skipBody") else b"GET"
        decoder = responses(*[(method, b" 101 " in data)] * 5)
    found = events(decoder, data, split, eof=False)
    return decoder, joined(found + decoder.receive_eof("capture-end"))


def disagreement(vector: dict[str, Any], decoder: Any, found: list[Any]) -> str:
    expected = vector["expect"]
    error = expected["error"]
    is_lenient = "lenient" in vector["type"]  # llhttp was told so: this decoder stays strict
    if error and error["code"] in PAUSED:
        if not decoder.paused:
            return "not paused"
    elif error:
        flagged = [fault for fault in of(Diagnostic, found) if fault.severity != "note"]
        return "" if flagged or is_lenient else f"not flagged: {error['reason']}"
    if is_lenient and errors(found):
        return ""
    wrong = set(errors(found)) ^ {LLHTTP_FLAGGED.get(vector["id"])} - {None}
    complete = len([end for end in of(EndOfMessage, found) if end.complete])
    if wrong or complete != expected["messages_complete"]:
        return f"errors: {wrong}; complete: {complete}"
    body = content(found).decode("latin-1")
    return "" if body == expected["body"] else f"body: {body!r}"


@pytest.mark.parametrize("vector", LLHTTP, ids=lambda vector: vector["id"])
def test_llhttp_vector(vector: dict[str, Any]):
    data = llhttp_input(vector)
    splits = (whole, byte_by_byte, at(range(1, len(data), 7)))
    seen = [llhttp_events(vector, data, split) for split in splits]
    assert seen[0][1] == seen[1][1] == seen[2][1]
    found = disagreement(vector, *seen[0])
    assert bool(found) == (vector["id"] in LLHTTP_DIFFERS), found


# --- beside h11 ---

tokens = st.text("abcXYZ019-_.!", min_size=1, max_size=8).map(str.encode)
values = st.binary(max_size=12).map(
    lambda data: bytes(byte for byte in data if byte in b"\t" or 0x20 <= byte != 0x7F).strip(b" \t")
)
RESERVED = {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade"}
fields_ = st.lists(
    st.tuples(tokens.filter(lambda name: name.lower() not in RESERVED), values), max_size=4
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A body with the fields that frame it, as bytes after a head, and its content."""
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4))
    if draw(st.booleans()):
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n", b"".join(pieces)
    data = b"".join(pieces)
    return b"Content-Length: %d\r\n\r\n" % len(data) + data, data


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    head = draw(st.sampled_from([b"POST / HTTP/1.1\r\n", b"PUT /a?b HTTP/1.1\r\n"]))
    lines = b"".join(b"%b: %b\r\n" % field for field in draw(fields_))
    return head + b"Host: a\r\n" + lines + draw(bodies())[0]


def by_h11(data: bytes) -> list[tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]] | None:
    """The whole requests that h11 reads, or None if it refuses them."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    connection.receive_data(b"")
    found: list[Any] = []
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                found.append((event.method, event.target, fields, b""))
            elif isinstance(event, h11.Data):
                found[-1] = (*found[-1][:3], found[-1][3] + event.data)
            elif isinstance(event, h11.EndOfMessage):
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:  # after HTTP/1.0
                    return found
                connection.start_next_cycle()
            else:
                return found
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return None


def by_us(found: list[Any]) -> list[tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]]:
    read: list[Any] = []
    for event in found:
        if isinstance(event, Request):
            fields = [(name.lower(), value) for name, value in event.headers]
            read.append((event.method, event.target, fields, b""))
        elif isinstance(event, Data):
            read[-1] = (*read[-1][:3], read[-1][3] + event.data)
    return read


@settings(deadline=None, max_examples=150)
@given(st.lists(requests(), min_size=1, max_size=3), st.sets(st.integers(0, 400)))
def test_h11_reads_the_same(messages, cuts):
    data = b"".join(messages)
    seen = [
        joined(events(RequestDecoder(), data, split)) for split in (whole, byte_by_byte, at(cuts))
    ]
    assert seen[0] == seen[1] == seen[2]
    assert codes(seen[0]) == []
    assert by_us(seen[0]) == by_h11(data)
    assert len(ends(seen[0])) == len(messages)


@settings(deadline=None, max_examples=150)
@given(requests(), st.data())
def test_what_h11_refuses_is_flagged(message, data):
    damaged = bytearray(message)
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(damaged)))
        damaged[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b":", b"0", b"\x00", b"\x7f", b","])
        )
    cuts = data.draw(st.sets(st.integers(0, len(damaged))))
    seen = [
        joined(events(RequestDecoder(), bytes(damaged), split))
        for split in (whole, byte_by_byte, at(cuts))
    ]
    assert seen[0] == seen[1] == seen[2]
    if not codes(seen[0]):
        assert by_us(seen[0]) == by_h11(bytes(damaged))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_gaps_are_the_same_however_the_rest_is_cut(data):
    stream = OK + CHUNKED + SIZED
    start = data.draw(st.integers(0, len(stream) - 1))
    length = data.draw(st.integers(1, 80))
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    seen = [missing(stream, start, length, split) for split in (whole, byte_by_byte, at(cuts))]
    assert seen[0] == seen[1] == seen[2]


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


def test_what_is_held_before_a_switch():
    decoder = RequestDecoder()
    assert (decoder.held, decoder.switch_offset) == ((0, 0), 0)
    size = len(UPGRADE)
    decoder.receive_data(UPGRADE)
    assert (decoder.held, decoder.switch_offset) == ((size, 0), size)
    decoder.receive_gap(2)
    decoder.receive_data(b"abc")
    assert (decoder.held, decoder.switch_offset) == ((size, 5), size + 2)
    assert decoder.open_offsets == (size,)
    decoder.release()
    assert decoder.held == (0, 0)
    assert decoder.open_offsets == ()


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
