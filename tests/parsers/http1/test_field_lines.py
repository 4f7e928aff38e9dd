"""A head that has come before costs a look-up, and says what it said when it was read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parsers.http1 import field_lines
from parsers.http1.field_lines import (
    KNOWN_LINES,
    KNOWN_SECTIONS,
    FieldLines,
    know_section,
)
from parsers.http1.framing import (
    asks_upgrade,
    by_name,
    keeps_alive,
    request_framing,
    request_says,
    response_framing,
    response_says,
)
from parsers.http1.head import FieldSection, WholeHead, read_section, whole_head
from parsers.limits import (
    MAX_KNOWN_FRAMINGS,
    MAX_KNOWN_LINE,
    MAX_KNOWN_LINES,
    MAX_KNOWN_SECTION,
    MAX_KNOWN_SECTIONS,
)

SECTIONS = [
    b"\r\n",
    b"Host: a\r\n\r\n",
    b"host:a\r\nAccept: \t*/* \r\nX:\r\n\r\n",
    b"Content-Length: 5\r\nConnection: close\r\n\r\n",
    b"Transfer-Encoding: gzip, chunked\r\nContent-Encoding: br\r\n\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\nHost: a\r\n\r\n",
    # what is wrong somewhere: a bare LF, a bare CR, a fold, a space, no colon, no end
    b"Host: a\n\r\n",
    b"Host: a\rb\r\n\r\n",
    b"Host: a\r\n b\r\n\r\n",
    b"Host : a\r\n\r\n",
    b"nothing\r\n\r\n",
    b"Host: a\r\n\n",
    b"A: \xff\r\n\r\n",
]


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    field_lines.forget()
    yield
    field_lines.forget()


@pytest.mark.parametrize("section", SECTIONS)
def test_it_is_read_the_same_again(section: bytes) -> None:
    read = FieldSection(section, 7)
    for _ in range(3):
        assert read_section(section, 7) == (read.fields, read.faults)
    assert (section in KNOWN_SECTIONS) == (not read.faults)


@given(st.lists(st.sampled_from([b"A: b", b"c:d", b"", b" e", b"f", b"A: b\r", b"g: \xe9"])))
def test_lines_in_any_order(lines: list[bytes]) -> None:
    section = b"".join(line + b"\r\n" for line in lines if line) + b"\r\n"
    read = FieldSection(section, 0)
    assert read_section(section, 0) == (read.fields, read.faults)


@pytest.mark.parametrize("section", SECTIONS)
def test_it_says_the_same_again(section: bytes) -> None:
    for _ in range(2):
        fields, _ = read_section(section, 0)
        lines = by_name(list(fields))
        for method, version in (
            (b"GET", b"HTTP/1.1"),
            (b"CONNECT", b"HTTP/1.1"),
            (b"GET", b"HTTP/1.0"),
        ):
            framing, upgrade, keep = request_says(method, version, fields)
            assert framing == request_framing(method, version, lines)
            assert upgrade == asks_upgrade(method, version, lines)
            assert keep == keeps_alive(version, lines)
        for method in (b"GET", b"HEAD", b"CONNECT", b"POST"):
            for status in (101, 200, 204, 304):
                for asked in ((method, False, b"HTTP/1.1"), (method, True, b"HTTP/1.0")):
                    framing, _, keep = response_says(b"HTTP/1.1", status, fields, *asked)
                    assert framing == response_framing(b"HTTP/1.1", status, lines, *asked)
                    assert keep == keeps_alive(b"HTTP/1.1", lines)


def test_what_is_known_has_limits() -> None:
    for number in range(2 * MAX_KNOWN_SECTIONS + MAX_KNOWN_LINES):
        read_section(b"N: %d\r\n\r\n" % number, 0)
        assert len(KNOWN_SECTIONS) <= MAX_KNOWN_SECTIONS
        assert len(KNOWN_LINES) <= MAX_KNOWN_LINES
    field_lines.forget()
    long = b"A: " + MAX_KNOWN_SECTION * b"b"
    assert read_section(long + b"\r\n\r\n", 0)[0] == [(b"A", long[3:])]
    line = b"A: " + MAX_KNOWN_LINE * b"b"
    assert read_section(line + b"\r\n\r\n", 0)[0] == [(b"A", line[3:])]
    assert not KNOWN_LINES
    assert list(KNOWN_SECTIONS) == [line + b"\r\n\r\n"]


def test_answers_have_a_limit() -> None:
    known = know_section(b"\r\n", [])
    assert isinstance(known, FieldLines)
    for number in range(2 * MAX_KNOWN_FRAMINGS):
        request_says(b"GET", b"HTTP/1.%d" % number, known)
    assert len(known.framings) == MAX_KNOWN_FRAMINGS


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"xyGET / HTTP/1.1\r\nHost: a\r\n\r\nmore", WholeHead(29, b"GET / HTTP/1.1\r\n", None)),
        (b"xyanything\r\nHost: a\r\n\r\n", WholeHead(23, b"anything\r\n", None)),
        (b"xyGET / HTTP/1.1\r\nHost b\r\n\r\n", None),
        (b"xyGET / HTTP/1.1\r\nHost: a\r\n", None),
    ],
)
def test_a_head_is_known_by_its_fields(data: bytes, found: WholeHead | None) -> None:
    lines, _ = read_section(b"Host: a\r\n\r\n", 0)
    head = whole_head(data, 2)
    assert (head and replace(head, fields=None)) == found
    assert head is None or head.fields is lines


def test_fields_of_a_head_are_known_from_then_on() -> None:
    field_lines.forget()
    head = whole_head(b"GET / HTTP/1.1\r\nHost: new\r\n\r\n", 0)
    assert head is not None and list(head.fields) == [(b"Host", b"new")]
    lines, _ = read_section(b"Host: new\r\n\r\n", 0)
    assert lines is head.fields
