"""HTTP/1.1 as others read it: the conformance vectors, llhttp's, and h11."""

from __future__ import annotations

from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors_at_hand
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import codes, content, ends, errors, joined, of, responses

from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data
from parsers.http1.decoder import EndOfMessage, Request, RequestDecoder, Response, ResponseDecoder

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
