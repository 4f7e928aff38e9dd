"""How long a body is: RFC 9112 section 6.3, rule by rule."""

from __future__ import annotations

import time

import pytest

from parsers.http1.framing import (
    asks_upgrade,
    by_name,
    host_faults,
    keeps_alive,
    options,
    request_framing,
    response_framing,
)
from parsers.limits import MAX_CONTENT_LENGTH

V10, V11 = b"HTTP/1.0", b"HTTP/1.1"
HOST = [(b"Host", b"a")]


def lines(name: bytes, values: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for value in values]


def length(*values: bytes):
    return lines(b"Content-Length", values)


def transfer(*values: bytes):
    return lines(b"Transfer-Encoding", values)


def content(*values: bytes):
    return lines(b"Content-Encoding", values)


def request(fields, version=V11, method=b"POST"):
    found = request_framing(method, version, by_name(HOST + fields))
    return found.framing, found.length, found.lost, [code for code, _, _ in found.faults]


def response(fields, version=V11, status=200, method=b"GET", upgrade=False):
    found = response_framing(version, status, by_name(fields), method, upgrade)
    return found.framing, found.length, found.lost, [code for code, _, _ in found.faults]


LENGTH_AND_TRANSFER = "http-transfer-encoding-and-content-length"
NOT_LAST, UNTIL_CLOSE = "http-transfer-encoding-not-last", "http-transfer-encoding-until-close"
UNKNOWN, INVALID = "http-transfer-encoding-unknown", "http-transfer-encoding-invalid"
EMPTY = "http-transfer-encoding-empty-element"
FORBIDDEN = "http-transfer-encoding-forbidden"
LENGTH_INVALID = "http-content-length-invalid"
CONFLICT, REPEATED = "http-content-length-conflict", "http-content-length-repeated"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], ("none", None, False, [])),
        (length(b"5"), ("content-length", 5, False, [])),
        (length(b"0"), ("content-length", 0, False, [])),
        (length(b"007"), ("content-length", 7, False, [])),
        (length(b"5", b"5"), ("content-length", 5, False, [REPEATED])),
        (length(b"5, 05"), ("content-length", 5, False, [REPEATED])),
        (length(b"5", b"6"), ("none", None, True, [CONFLICT])),
        (length(b"5, 6"), ("none", None, True, [CONFLICT])),
        (length(b""), ("none", None, True, [LENGTH_INVALID])),
        (length(b"+5"), ("none", None, True, [LENGTH_INVALID])),
        (length(b"5,"), ("none", None, True, [LENGTH_INVALID])),
        (length(b"5 5"), ("none", None, True, [LENGTH_INVALID])),
        (length(b"\xb2"), ("none", None, True, [LENGTH_INVALID])),
        (length(b"%d" % MAX_CONTENT_LENGTH), ("content-length", MAX_CONTENT_LENGTH, False, [])),
        (length(b"%d" % (MAX_CONTENT_LENGTH + 1)), ("none", None, True, [LENGTH_INVALID])),
        (length(b"1" * 5000), ("none", None, True, [LENGTH_INVALID])),
        (length(b"0" * 5000 + b"1"), ("content-length", 1, False, [])),
        (transfer(b"chunked"), ("chunked", None, False, [])),
        (transfer(b"ChUnKeD"), ("chunked", None, False, [])),
        (transfer(b"gzip, chunked"), ("chunked", None, False, [])),
        (transfer(b"gzip", b"chunked"), ("chunked", None, False, [])),
        (transfer(b"gzip", b" , chunked"), ("chunked", None, False, [EMPTY])),
        (transfer(b"chunked,"), ("chunked", None, False, [EMPTY])),
        (transfer(b"", b"chunked"), ("chunked", None, False, [EMPTY])),
        (transfer(b'gzip;a="b,c", chunked'), ("chunked", None, False, [])),
        (transfer(b"chunked") + length(b"5"), ("chunked", None, False, [LENGTH_AND_TRANSFER])),
        (transfer(b"chunked") + length(b"x"), ("chunked", None, False, [LENGTH_AND_TRANSFER])),
        (transfer(b"chunked;q=1"), ("chunked", None, False, [INVALID])),
        (
            transfer(b"chunked, chunked"),
            ("chunked", None, False, ["http-transfer-encoding-repeated"]),
        ),
        (transfer(b"pigeons, chunked"), ("chunked", None, False, [UNKNOWN])),
        (transfer(b"gzip"), ("none", None, True, [NOT_LAST])),
        (transfer(b"chunked, gzip"), ("none", None, True, [NOT_LAST])),
        (transfer(b"identity"), ("none", None, True, [UNKNOWN, NOT_LAST])),
        (transfer(b'"chunked"'), ("none", None, True, [INVALID, NOT_LAST])),
        (transfer(b'"chunked'), ("none", None, True, [INVALID, NOT_LAST])),
        (transfer(b"\xa0chunked"), ("none", None, True, [INVALID, NOT_LAST])),
        (transfer(b""), ("none", None, True, [INVALID])),
        (transfer(b"", b",") + length(b"5"), ("none", None, True, [LENGTH_AND_TRANSFER, INVALID])),
    ],
)
def test_requests(fields, expected):
    assert request(fields) == expected


def test_a_request_with_transfer_encoding_in_http_1_0_is_lost():
    assert request(transfer(b"chunked"), V10) == ("none", None, True, [FORBIDDEN])


def test_a_connect_request_has_no_content():
    found = request(length(b"5"), method=b"CONNECT")
    assert found == ("none", None, False, ["http-content-length-forbidden"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], ("close", None, False, [])),
        (length(b"5"), ("content-length", 5, False, [])),
        (length(b"5x"), ("none", None, True, [LENGTH_INVALID])),
        (transfer(b"chunked"), ("chunked", None, False, [])),
        (transfer(b"gzip"), ("close", None, False, [UNTIL_CLOSE])),
        (transfer(b"chunked, gzip"), ("close", None, False, [UNTIL_CLOSE])),
        (transfer(b"xchunked"), ("close", None, False, [UNKNOWN, UNTIL_CLOSE])),
        (transfer(b""), ("close", None, False, [INVALID])),
    ],
)
def test_responses(fields, expected):
    assert response(fields) == expected


BOTH = length(b"5") + transfer(b"chunked")
BOTH_FORBIDDEN = ["http-content-length-forbidden", FORBIDDEN]


@pytest.mark.parametrize(
    ("asked", "framing", "faults"),
    [
        ({"method": b"HEAD"}, "none", []),
        ({"status": 304}, "none", []),
        ({"status": 204}, "none", BOTH_FORBIDDEN),
        ({"status": 103}, "none", BOTH_FORBIDDEN),
        ({"status": 101, "upgrade": True}, "upgrade", BOTH_FORBIDDEN),
        ({"status": 101}, "none", [*BOTH_FORBIDDEN, "http-upgrade-unasked"]),
        ({"status": 200, "method": b"CONNECT"}, "upgrade", BOTH_FORBIDDEN),
        ({"status": 299, "method": b"CONNECT"}, "upgrade", BOTH_FORBIDDEN),
        ({"status": 403, "method": b"CONNECT"}, "chunked", [LENGTH_AND_TRANSFER]),
        ({"status": 99}, "chunked", [LENGTH_AND_TRANSFER]),
    ],
)
def test_responses_whose_body_depends_on_more_than_fields(asked, framing, faults):
    assert response(BOTH, **asked) == (framing, None, False, faults)


def test_a_response_with_transfer_encoding_in_http_1_0_is_shown_as_it_is():
    found = response_framing(V10, 200, by_name(transfer(b"gzip, chunked")), b"GET", False)
    assert (found.framing, found.codings) == ("close", ())
    assert [code for code, _, _ in found.faults] == [FORBIDDEN]


@pytest.mark.parametrize(
    ("fields", "codings"),
    [
        ([], ()),
        (content(b"gzip"), ("gzip",)),
        (content(b"X-GZIP"), ("gzip",)),
        (content(b"identity"), ()),
        (content(b"a, b", b"c"), ("c", "b", "a")),
        (transfer(b"gzip, chunked") + content(b"br"), ("gzip", "br")),
        (transfer(b"deflate", b"x-gzip", b"chunked"), ("gzip", "deflate")),
        (transfer(b"chunked, gzip") + content(b"br"), ("gzip", "chunked", "br")),
    ],
)
def test_codings_in_the_order_of_undoing(fields, codings):
    assert response_framing(V11, 200, by_name(fields), b"GET", False).codings == codings


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (V11, [], True),
        (V11, [b"close"], False),
        (V11, [b"Upgrade, Close"], False),
        (V11, [b"closed"], True),
        (V10, [], False),
        (V10, [b"keep-alive"], True),
        (V10, [b"keep-alive", b"close"], False),
        (b"HTTP/1.2", [], True),
    ],
)
def test_keeps_alive(version, connection, kept):
    assert keeps_alive(version, by_name(lines(b"Connection", tuple(connection)))) == kept


@pytest.mark.parametrize(
    ("method", "version", "fields", "asks"),
    [
        (b"GET", V11, [], False),
        (b"CONNECT", V10, [], True),
        (b"GET", V11, [(b"Upgrade", b"websocket"), (b"Connection", b"a, UPGRADE")], True),
        (b"GET", V11, [(b"Upgrade", b"websocket")], False),
        (b"GET", V11, [(b"Upgrade", b" ,"), (b"Connection", b"upgrade")], False),
        (b"GET", V11, [(b"Connection", b"upgrade")], False),
        (b"GET", V10, [(b"Upgrade", b"websocket"), (b"Connection", b"upgrade")], False),
    ],
)
def test_asks_upgrade(method, version, fields, asks):
    assert asks_upgrade(method, version, by_name(fields)) == asks


@pytest.mark.parametrize(
    ("version", "hosts", "faults"),
    [
        (V11, [b"a"], 0),
        (V11, [b"a.b:80"], 0),
        (V11, [b"[::1]:80"], 0),
        (V11, [b""], 0),
        (V11, [], 1),
        (V10, [], 0),
        (V11, [b"a", b"a"], 1),
        (V11, [b"a/b"], 1),
        (V11, [b"a b"], 1),
        (V11, [b"a:b"], 1),
        (V11, [b"u@a"], 1),
    ],
)
def test_host(version, hosts, faults):
    assert len(host_faults(version, by_name(lines(b"Host", tuple(hosts))))) == faults


def test_options_are_the_elements_of_every_line():
    fields = [(b"Connection", b'a, "b,c" ,'), (b"X", b"y"), (b"connection", b"D")]
    assert options(by_name(fields)) == {b"a", b'"b,c"', b"d"}


@pytest.mark.parametrize("value", [b'"\\' * 30_000, b'"' * 60_001, b'",' * 30_000, b", " * 30_000])
def test_lists_are_read_in_linear_time(value):
    started = time.perf_counter()
    response_framing(V11, 200, by_name(transfer(value)), b"GET", False)
    assert time.perf_counter() - started < 2
