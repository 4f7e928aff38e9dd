"""What the fields of messages must be (RFC 9113 section 8)."""

from __future__ import annotations

import pytest

from parsers.http2.fields import request_faults, response_faults, trailer_faults, value_of
from parsers.http2.hpack import Field

GET = [(":method", "GET"), (":scheme", "https"), (":path", "/")]
CONNECT = [(":method", "CONNECT"), (":authority", "a:1")]
EXTENDED = [*CONNECT, (":protocol", "websocket"), (":scheme", "https"), (":path", "/")]


def fields(*found: tuple[str | None, str | None]) -> list[Field]:
    return [
        Field(None if name is None else name.encode(), None if value is None else value.encode())
        for name, value in found
    ]


REQUESTS: dict[str, tuple[list[tuple[str | None, str | None]], list[str]]] = {
    "right": ([*GET, ("te", "trailers")], []),
    "connect": ([*CONNECT], []),
    "extended connect": ([*EXTENDED], []),
    "connect with a path": ([*CONNECT, (":path", "/")], ["http2-connect-invalid"]),
    "connect to nowhere": ([*CONNECT[:1]], ["http2-connect-invalid"]),
    "no method": ([*GET[1:]], ["http2-request-incomplete"]),
    "an empty path": ([*GET[:2], (":path", "")], ["http2-request-incomplete"]),
    "a pseudo-field twice": ([*GET, GET[2]], ["http2-pseudo-field-invalid"]),
    "a pseudo-field late": ([*GET[:2], ("a", "b"), GET[2]], ["http2-pseudo-field-invalid"]),
    "one of responses": ([*GET, (":status", "200")], ["http2-pseudo-field-invalid"]),
    "upper case": ([*GET, ("Accept", "*/*")], ["http2-field-invalid"]),
    "a line feed": ([*GET, ("a", "b\nc")], ["http2-field-invalid"]),
    "white space around": ([*GET, ("a", " b")], ["http2-field-invalid"]),
    "of the connection": ([*GET, ("upgrade", "h2c")], ["http2-connection-field"]),
    "te gzip": ([*GET, ("te", "gzip")], ["http2-connection-field"]),
    "unknown": ([*GET[:2], (None, None)], []),
    "an unknown value": ([*GET[:2], (":path", None)], []),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str) -> None:
    given, codes = REQUESTS[name]
    assert [code for code, _ in request_faults(fields(*given))] == codes


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ([(":status", "200"), ("a", "b")], []),
        ([("a", "b")], ["http2-response-incomplete"]),
        ([(":status", "20")], ["http2-response-incomplete"]),
        ([(":status", "101")], ["http2-switch-forbidden"]),
        ([(":status", "200"), (":path", "/")], ["http2-pseudo-field-invalid"]),
        ([(None, None)], []),
    ],
)
def test_responses(given: list[tuple[str | None, str | None]], codes: list[str]) -> None:
    assert [code for code, _ in response_faults(fields(*given))] == codes


def test_trailers_have_no_pseudo_fields() -> None:
    assert trailer_faults(fields(("grpc-status", "0"))) == []
    assert [code for code, _ in trailer_faults(fields((":status", "200")))] == [
        "http2-trailers-invalid"
    ]


def test_the_first_value_counts() -> None:
    assert value_of(fields(("a", "1"), ("a", "2")), b"a") == b"1"
    assert value_of(fields(("a", None)), b"a") is None
