"""PROXY protocol headers, by themselves and before what a connection speaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http1 import of
from support.talk import Talk, kinds

from parsers import limits
from parsers.proxy_protocol.header import may_begin, read_header
from parsers.records import DiagnosticRecord, Record, RequestRecord

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def v2(command: int, family: int, content: bytes) -> bytes:
    return SIGNATURE + bytes((0x20 | command, family)) + len(content).to_bytes(2) + content


def tlv(kind: int, value: bytes) -> bytes:
    return bytes((kind,)) + len(value).to_bytes(2) + value


TCP4 = bytes((192, 0, 2, 1, 198, 51, 100, 2)) + (56324).to_bytes(2) + (443).to_bytes(2)
TCP6 = bytes.fromhex("20010db8" + "00" * 11 + "01" + "20010db8" + "00" * 11 + "02") + TCP4[8:]
UNIX = b"/run/a.sock".ljust(108, b"\0") + b"/run/b.sock".ljust(108, b"\0")
VALID = [
    (V1, "v1, TCP4 192.0.2.1:56324 → 198.51.100.2:443"),
    (b"PROXY TCP6 ::1 2001:db8::2 1 65535\r\n", "v1, TCP6 [::1]:1 → [2001:db8::2]:65535"),
    (b"PROXY UNKNOWN\r\n", "v1, UNKNOWN"),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "v1, UNKNOWN"),
    (v2(1, 0x11, TCP4), "v2, TCP4 192.0.2.1:56324 → 198.51.100.2:443"),
    (v2(1, 0x12, TCP4), "v2, UDP4 192.0.2.1:56324 → 198.51.100.2:443"),
    (v2(1, 0x21, TCP6), "v2, TCP6 [2001:db8::1]:56324 → [2001:db8::2]:443"),
    (v2(1, 0x31, UNIX), "v2, UNIX stream '/run/a.sock' → '/run/b.sock'"),
    (v2(0, 0x00, b""), "v2, LOCAL"),
    (v2(0, 0x00, b"\xff" * 7), "v2, LOCAL"),  # to be skipped, whatever it is
    (v2(0, 0x11, TCP4), "v2, LOCAL"),
    (v2(1, 0x00, b""), "v2, unspecified"),
    (
        v2(1, 0x11, TCP4 + tlv(1, b"h2") + tlv(2, b"a.example") + tlv(4, b"\0") + tlv(0xEA, b"v")),
        "v2, TCP4 192.0.2.1:56324 → 198.51.100.2:443, ALPN 'h2', authority 'a.example', AWS",
    ),
    (v2(1, 0x11, TCP4 + tlv(0x99, b"")), "v2, TCP4 192.0.2.1:56324 → 198.51.100.2:443, TLV 0x99"),
]  # fmt: skip
INVALID = [
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 65536\r\n",
    b"PROXY TCP4 192.0.2.300 198.51.100.2 56324 443\r\n",
    b"PROXY TCP4 ::1 ::2 56324 443\r\n",
    b"PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n",
    v2(2, 0x11, TCP4),
    SIGNATURE + b"\x11\x11\x00\x0c" + TCP4,
    v2(1, 0x11, TCP4[:-1]),
    v2(1, 0x41, TCP4),
    v2(1, 0x11, TCP4 + tlv(1, b"h2")[:-1]),
]


@pytest.mark.parametrize(("data", "text"), VALID)
def test_headers(data: bytes, text: str) -> None:
    """Whole, with anything after it, and not before its last byte is there."""
    for after in (b"", GET, V1):
        header = read_header(data + after)
        assert header == (len(data), text, True)
    for end in range(len(data)):
        assert may_begin(data[:end])
        assert end == 0 or read_header(data[:end]) is None


@pytest.mark.parametrize("data", INVALID)
def test_headers_that_are_malformed(data: bytes) -> None:
    header = read_header(data + GET)
    assert header is not None
    assert (header.length, header.is_valid) == (len(data), False)


def test_a_line_that_does_not_end() -> None:
    assert read_header(b"PROXY " + b"x" * 100) is None
    header = read_header(b"PROXY " + b"x" * 101)
    assert header == (0, "v1, more than 107 bytes", False)


@pytest.mark.parametrize("step", [1 << 30, 1])
def test_a_request_whose_method_is_proxy(step: int) -> None:
    records = said(b"PROXY /it HTTP/1.1\r\nHost: example\r\n\r\n", step)
    (request,) = of(RequestRecord, records)
    assert (request.method, request.offset) == ("PROXY", 0)
    assert not of(DiagnosticRecord, records)


@given(st.binary(max_size=300))
def test_anything_after_a_signature(data: bytes) -> None:
    header = read_header(SIGNATURE + data)
    assert header is None or header.length == 16 + int.from_bytes(data[2:4])


# --- before what a connection speaks ---


def said(data: bytes, step: int) -> list[Record]:
    talk = Talk().open()
    for start in range(0, len(data), step):
        talk.client(data[start : start + step])
    talk.server(OK)
    talk.close()
    return talk.tape.records()


@pytest.mark.parametrize(("data", "text"), VALID)
@pytest.mark.parametrize("step", [1 << 30, 1])
def test_a_request_after_a_header(data: bytes, text: str, step: int) -> None:
    records = said(data + GET, step)
    (note,) = of(DiagnosticRecord, records)
    assert (note.code, note.severity, note.sender) == ("proxy-protocol", "note", "client")
    assert note.summary == f"a PROXY protocol header comes first: {text}"
    assert (note.offset, note.length, note.first_packet) == (0, len(data), 4)
    assert note.last_packet == (4 if step > 1 else 3 + len(data))
    (request,) = of(RequestRecord, records)
    assert (request.offset, request.exchange) == (len(data), 0)


def test_headers_of_two_balancers() -> None:
    records = said(V1 + v2(1, 0x21, TCP6) + GET, 7)
    assert kinds(records)[:3] == ["proxy-protocol", "proxy-protocol", "request"]


def test_headers_without_end() -> None:
    records = said(V1 * 12 + GET, 1 << 30)
    assert kinds(records).count("proxy-protocol") == limits.MAX_PROXY_HEADERS


@pytest.mark.parametrize("data", INVALID)
def test_a_request_after_a_malformed_header(data: bytes) -> None:
    records = said(data + GET, 1 << 30)
    assert kinds(records)[:2] == ["proxy-protocol-invalid", "request"]


@pytest.mark.parametrize(
    "data",
    [
        b"PROPFIND /it HTTP/1.1\r\nHost: example\r\n\r\n",
        b"PROXY /it HTTP/1.1\r\nHost: example\r\n\r\n"[:1] + b"UT /it HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\n" + GET,
        GET + V1,
    ],
)
def test_near_misses(data: bytes) -> None:
    for step in (1 << 30, 1):
        records = said(data, step)
        assert "proxy-protocol" not in kinds(records)
        assert of(RequestRecord, records)
