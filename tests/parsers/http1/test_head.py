"""Start lines and field sections: the grammar, what is read over, and what is refused."""

from __future__ import annotations

import pytest

from parsers.http1.head import (
    REQUEST_LINE_BEGINS,
    STATUS_LINE_BEGINS,
    FieldSection,
    cut_section,
    parse_request_line,
    parse_status_line,
)
from parsers.limits import MAX_FIELDS, MAX_KNOWN_LINE, MAX_LINE

# --- start lines ---


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", (b"GET", b"/", b"HTTP/1.1", [])),
        (b"GET /a?b=%20 HTTP/1.0\r\n", (b"GET", b"/a?b=%20", b"HTTP/1.0", [])),
        (b"M-SEARCH /:@!$ HTTP/1.1\r\n", (b"M-SEARCH", b"/:@!$", b"HTTP/1.1", [])),
        (b"GET http://[::1]:80/ HTTP/1.1\r\n", (b"GET", b"http://[::1]:80/", b"HTTP/1.1", [])),
        (b"OPTIONS * HTTP/1.1\r\n", (b"OPTIONS", b"*", b"HTTP/1.1", [])),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n", (b"CONNECT", b"[::1]:443", b"HTTP/1.1", [])),
        (b"GET / HTTP/1.1\n", (b"GET", b"/", b"HTTP/1.1", ["http-bare-lf"])),
        (b"GET * HTTP/1.1\r\n", (b"GET", b"*", b"HTTP/1.1", ["http-target-invalid"])),
        (b"GET a HTTP/1.1\r\n", (b"GET", b"a", b"HTTP/1.1", ["http-target-invalid"])),
        (b"GET /#f HTTP/1.1\r\n", (b"GET", b"/#f", b"HTTP/1.1", ["http-target-invalid"])),
        (b"GET /%2 HTTP/1.1\r\n", (b"GET", b"/%2", b"HTTP/1.1", ["http-target-invalid"])),
        (b"GET /\xff HTTP/1.1\r\n", (b"GET", b"/\xff", b"HTTP/1.1", ["http-target-invalid"])),
        (b"CONNECT / HTTP/1.1\r\n", (b"CONNECT", b"/", b"HTTP/1.1", ["http-target-invalid"])),
        (b"GET / HTTP/5.6\r\n", (b"GET", b"/", b"HTTP/5.6", ["http-version-unsupported"])),
        (b"GET / ICE/1.0\r\n", (b"GET", b"/", b"ICE/1.0", ["http-version-unsupported"])),
        (b"GET /  HTTP/1.1\r\n", (b"GET", b"/", b"HTTP/1.1", ["http-start-line-invalid"])),
        (b" GET\t/ HTTP/1.1 \r\n", (b"GET", b"/", b"HTTP/1.1", ["http-start-line-invalid"])),
        (
            b"GET /a b HTTP/1.1\r\n",
            (b"GET", b"/a b", b"HTTP/1.1", ["http-start-line-invalid", "http-target-invalid"]),
        ),
        (
            b"GET / HTTP/1.1\r\r\n",
            (b"GET", b"/", b"HTTP/1.1", ["http-bare-cr", "http-start-line-invalid"]),
        ),
    ],
)
def test_request_lines(line, expected):
    parsed = parse_request_line(line)
    assert parsed is not None
    codes = [code for code, _ in parsed.faults]
    assert (parsed.method, parsed.target, parsed.version, codes) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"GET /\r\n",
        b"GET\r\n",
        b" \r\n",
        b"GET / http/1.1\r\n",
        b"GET / HTTP/1.32\r\n",
        b"GET / HTTP/\r\r1.1\r\n",
        b"GET / ICY/1.0\r\n",
        b"G=T / HTTP/1.1\r\n",
        b"G\xc9T / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\x16\x03\x01\x02\n",
    ],
)
def test_no_request_lines(line):
    assert parse_request_line(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", (b"HTTP/1.1", 200, b"OK", [])),
        (b"HTTP/1.0 404 \r\n", (b"HTTP/1.0", 404, b"", [])),
        (b"HTTP/1.1 500  caf\xe9\tx\r\n", (b"HTTP/1.1", 500, b" caf\xe9\tx", [])),
        (b"HTTP/1.1 200 OK\n", (b"HTTP/1.1", 200, b"OK", ["http-bare-lf"])),
        (b"HTTP/1.1 200\r\n", (b"HTTP/1.1", 200, b"", ["http-start-line-invalid"])),
        (b"HTTP/1.1\t200 OK\r\n", (b"HTTP/1.1", 200, b"OK", ["http-start-line-invalid"])),
        (b"HTTP/1.1 200 O\x00\r\n", (b"HTTP/1.1", 200, b"O\x00", ["http-start-line-invalid"])),
        (b"HTTP/1.1 099 \r\n", (b"HTTP/1.1", 99, b"", ["http-status-invalid"])),
        (b"HTTP/1.1 600 \r\n", (b"HTTP/1.1", 600, b"", ["http-status-invalid"])),
        (b"HTTP/2.0 200 OK\r\n", (b"HTTP/2.0", 200, b"OK", ["http-version-unsupported"])),
        (
            b"HTTP/1.1 200 O\rK\r\n",
            (b"HTTP/1.1", 200, b"O\rK", ["http-bare-cr", "http-start-line-invalid"]),
        ),
    ],
)
def test_status_lines(line, expected):
    parsed = parse_status_line(line)
    assert parsed is not None
    codes = [code for code, _ in parsed.faults]
    assert (parsed.version, parsed.status, parsed.reason, codes) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"http/1.1 200 OK\r\n",
        b"HTTP/1.1\r\n",
        b"HTTP/1.1 20 OK\r\n",
        b"HTTP/1.1 2000 OK\r\n",
        b"HTTP/1.01 200 OK\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\n",
    ],
)
def test_no_status_lines(line):
    assert parse_status_line(line) is None


def test_beginnings_of_start_lines():
    for line, begins in (
        (b"GET / HTTP/1.1\r", REQUEST_LINE_BEGINS),
        (b"HTTP/1.1 200 OK\r", STATUS_LINE_BEGINS),
    ):
        assert all(begins.fullmatch(line[:length]) for length in range(len(line) + 1))
    for data in (b"\x16", b"\x80\x05", b"G\x00", b"(", b"GET /\x00"):
        assert not REQUEST_LINE_BEGINS.fullmatch(data)
    for data in (b"\x16", b"SSH", b"HTTP/x", b"HTTPS", b"HTTP/1.1x"):
        assert not STATUS_LINE_BEGINS.fullmatch(data)


# --- field sections ---


def read(section: bytes, *, trailers: bool = False):
    found = FieldSection(section, 100, trailers=trailers)
    return found.fields, [
        (fault.code, fault.start - 100, fault.end - 100) for fault in found.faults
    ]


@pytest.mark.parametrize(
    ("section", "fields", "faults"),
    [
        (b"\r\n", [], []),
        (b"A: b\r\nC:\t d \r\n\r\n", [(b"A", b"b"), (b"C", b"d")], []),
        (b"a:\r\nA:  \r\n\r\n", [(b"a", b""), (b"A", b"")], []),
        (b"A: caf\xc3\xa9: x\r\n\r\n", [(b"A", b"caf\xc3\xa9: x")], []),
        (b"A: b\nC: d\n\n", [(b"A", b"b"), (b"C", b"d")], [("http-bare-lf", 0, 5)]),
        (b"A: b\r\n\n", [(b"A", b"b")], [("http-bare-lf", 6, 7)]),
        (b"A: b\rc\r\n\r\n", [(b"A", b"b\rc")], [("http-bare-cr", 0, 8)]),
        (b"A: b\x00\r\n\r\n", [(b"A", b"b\x00")], [("http-field-invalid", 0, 7)]),
        (b"A: \x0bb\r\n\r\n", [(b"A", b"\x0bb")], [("http-field-invalid", 0, 7)]),
        (b"A : b\r\n\r\n", [(b"A", b"b")], [("http-space-before-colon", 0, 7)]),
        (b"A b: c\r\n\r\n", [(b"A b", b"c")], [("http-field-invalid", 0, 8)]),
        (b"A\r\nB: c\r\n\r\n", [(b"B", b"c")], [("http-field-invalid", 0, 3)]),
        (b": c\r\n\r\n", [], [("http-field-invalid", 0, 5)]),
        (b"A: b\r\n\t c \r\n\r\n", [(b"A", b"b c")], [("http-obs-fold", 6, 12)]),
        (b"A:\r\n b\r\n \r\n\r\n", [(b"A", b"b")], [("http-obs-fold", 4, 8)]),
        (
            b"A: b\r\n c\r\n\td\r\nE: f\r\n g\r\nH : i\r\n\r\n",
            [(b"A", b"b c d"), (b"E", b"f g"), (b"H", b"i")],
            [
                ("http-obs-fold", 6, 10),
                ("http-obs-fold", 20, 24),
                ("http-space-before-colon", 24, 31),
            ],
        ),
        (b" A: b\r\nC: d\r\n\r\n", [(b"C", b"d")], [("http-field-invalid", 0, 7)]),
        (
            b"A\r\n b\r\n\r\n",
            [],
            [("http-field-invalid", 0, 3), ("http-field-invalid", 3, 7)],
        ),
        (
            b"Content-Length: 1\r\n 2\r\n\r\n",
            [(b"Content-Length", b"1 2")],
            [("http-obs-fold", 19, 23), ("http-content-length-invalid", 19, 23)],
        ),
        (
            b"Transfer-Encoding:\r\n chunked\r\n\r\n",
            [(b"Transfer-Encoding", b"chunked")],
            [("http-obs-fold", 20, 30), ("http-transfer-encoding-invalid", 20, 30)],
        ),
    ],
)
def test_field_sections(section, fields, faults):
    assert read(section) == (fields, faults)


def test_a_field_line_past_its_limit_is_left_out():
    long = b"A: " + b"\x01" * MAX_LINE + b"\r\n"
    fields, faults = read(long + b" folded\r\nB: c\r\n\r\n")
    assert fields == [(b"B", b"c")]
    assert [code for code, _, _ in faults] == ["http-line-limit", "http-field-invalid"]


def test_faults_have_a_limit():
    found = FieldSection(b"A\r\n" * (MAX_FIELDS + 5) + b"\r\n", 0).faults
    assert len(found) == MAX_FIELDS + 1
    assert found[-1].code == "http-field-limit"
    assert "5 faults more" in found[-1].summary


def test_in_trailers_every_fault_is_an_error():
    fields, faults = read(b"A: b\n c\r\nD : e\r\n\r\n", trailers=True)
    assert fields == [(b"A", b"b c"), (b"D", b"e")]
    assert [code for code, _, _ in faults] == ["chunk-trailer-invalid"] * 3
    (fault,) = FieldSection(b"A: b\n\r\n", 0, trailers=True).faults
    assert "a line ends with LF alone" in fault.summary


@pytest.mark.parametrize(
    ("section", "codes", "trailer_codes"),
    [
        (b"", [], []),
        (b"Na", [], []),
        (b"Name: val\r", [], []),
        (b"A: b\r\n", [], []),
        (b"A: b\r\n c", [], ["chunk-trailer-invalid"]),
        (b" c", ["http-field-invalid"], ["chunk-trailer-invalid"]),
        (b"A: b\r\n c\x00", ["http-field-invalid"], ["chunk-trailer-invalid"]),
        (b"A\x00", ["http-field-invalid"], ["chunk-trailer-invalid"]),
        (b"A: b\nC", ["http-bare-lf"], ["chunk-trailer-invalid"]),
    ],
)
def test_sections_that_are_cut(section, codes, trailer_codes):
    assert [fault.code for fault in cut_section(section, 0).faults] == codes
    found = cut_section(section, 0, trailers=True).faults
    assert [fault.code for fault in found] == trailer_codes


def test_a_line_that_is_too_long_to_be_known_is_read():
    target, reason = b"/" + b"a" * MAX_KNOWN_LINE, b"b" * MAX_KNOWN_LINE
    request = parse_request_line(b"GET %b HTTP/1.1\r\n" % target)
    status = parse_status_line(b"HTTP/1.1 200 %b\r\n" % reason)
    assert request is not None and status is not None
    assert (request.target, status.reason) == (target, reason)
