"""Multipart bodies: RFC 2046's cases, what servers make of them, cuts, holes, limits, damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import events
from support.decoders import check_cuts, check_damage, codes

from parsers.multipart import stream
from parsers.multipart.stream import MultipartDecoder, Part
from parsers.provenance import Event


def parts(found: list[Event]) -> list[tuple[int, int, list[tuple[bytes, bytes]], bytes]]:
    return [
        (item.start, item.end, item.headers, item.data) for item in found if isinstance(item, Part)
    ]


def make(boundary: bytes) -> Callable[[], MultipartDecoder]:
    return lambda: MultipartDecoder(boundary)


JSON = (b"Content-Type", b"application/json")
# RFC 2046 section 5.1.1's example: the part without a header, and the one with.
EXAMPLE = (
    b"This is the preamble.  It is to be ignored.\r\n\r\n--simple boundary\r\n\r\n"
    b"This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak."
    b"\r\n--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
    b"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n"
    b"\r\n--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n"
)
Expected = list[tuple[int, int, list[tuple[bytes, bytes]], bytes]]
CASES: list[tuple[bytes, bytes, Expected, list[str]]] = [
    (
        b"simple boundary",
        EXAMPLE,
        [
            (47, 148, [], EXAMPLE[68:148]),
            (150, 293, [(b"Content-type", b"text/plain; charset=us-ascii")], EXAMPLE[215:293]),
        ],
        [],
    ),
    (b"b", b"--b--", [], []),
    (b"b", b"\r\n--b\r\n\r\n\r\n--b--\r\n", [(2, 9, [], b"")], []),
    (b"b", b"--b\r\nA: 1\r\n\r\n--b--", [(0, 13, [(b"A", b"1")], b"")], []),
    (b"b", b"--b \t\r\n\r\nx\r\r\n--b--", [(0, 11, [], b"x\r")], []),
    # What only looks like a delimiter is content; so is a boundary that begins another.
    (b"b", b"--b\r\n\r\n--c\r\n--bb\r\nx--b\r\n--b--", [(0, 22, [], b"--c\r\n--bb\r\nx--b")], []),
    (b"b", b"--b\nA: 1\n\nx\n--b--", [(0, 11, [(b"A", b"1")], b"x")], ["multipart-header-invalid"]),
    (b"b", b"--b\r\nA: 1\r\n 2\r\n\r\nx\r\n--b--", [(0, 18, [(b"A", b"1 2")], b"x")], []),
    (b"b", b"--b\r\nA 1\r\n\r\nx\r\n--b--", [(0, 13, [], b"x")], ["multipart-header-invalid"]),
    # GraphQL @defer: the boundary between two parts is missing.
    (
        b"graphql",
        b"--graphql\r\nContent-Type: application/json\r\n\r\n{}"
        b"Content-Type: application/json\r\n\r\n[]\r\n--graphql--\r\n",
        [(0, 83, [JSON], b"{}Content-Type: application/json\r\n\r\n[]")],
        ["multipart-boundary-missing"],
    ),
    # Another field in the content is no part's header.
    (
        b"b",
        b"--b\r\nContent-Type: text/plain\r\n\r\nContent-Type: application/json\r\n\r\n1\r\n--b--",
        [(0, 68, [(b"Content-Type", b"text/plain")], b"Content-Type: application/json\r\n\r\n1")],
        [],
    ),
    # Cameras: the parameter holds the hyphens, lengths are given, nothing is ever closed.
    (b"--f", b"--f\r\n\r\nx\r\n--f--", [(0, 8, [], b"x")], ["multipart-boundary-other"]),
    (b"f", b"--g\r\n\r\nx\r\n--g--", [(0, 8, [], b"x")], ["multipart-boundary-other"]),
    (
        b"f",
        b"--f\r\nContent-Length: 2\r\n\r\nx\r\n--f\r\nContent-Length: 01\r\n\r\ny\r\n--f--",
        [(0, 27, [(b"Content-Length", b"2")], b"x"), (29, 57, [(b"Content-Length", b"01")], b"y")],
        ["multipart-length-wrong"],
    ),
    (
        b"f",
        b"--f\r\n\r\nx\r\n--f\r\n\r\nhal",
        [(0, 8, [], b"x"), (10, 20, [], b"hal")],
        ["multipart-close-missing"],
    ),
    (b"f", b"--f\r\n\r\nx\r\n--f\r\nA: ", [(0, 8, [], b"x")], ["multipart-close-missing"]),
    (b"f", b"--f\r\n\r\nx\r\n-", [(0, 11, [], b"x\r\n-")], ["multipart-close-missing"]),
    (b"f", b"no parts\r\nat all", [], ["multipart-part-missing"]),
    (b"f", b"", [], ["multipart-part-missing"]),
    (b"", b"--\r\n\r\nx", [], ["multipart-boundary-invalid"]),
]  # fmt: skip


@pytest.mark.parametrize(("boundary", "data", "expected", "faults"), CASES)
def test_case(boundary: bytes, data: bytes, expected: Expected, faults: list[str]) -> None:
    found = check_cuts(make(boundary), data)
    assert parts(found) == expected
    assert codes(found) == faults


def test_it_is_said_where_a_boundary_is_missing() -> None:
    _, data, _, _ = next(case for case in CASES if case[3] == ["multipart-boundary-missing"])
    fault = events(MultipartDecoder(b"graphql"), data)[0]
    assert (fault.start, fault.end) == (0, 83)
    assert "at byte 2 of its content" in str(fault)


def test_parts_go_on_after_a_hole() -> None:
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(b"--b\r\n\r\nx")
    assert decoder.receive_gap(10) == []
    found = decoder.receive_data(b"y\r\n--b\r\n\r\nz\r\n--b--")
    assert codes(found) == ["multipart-resynchronised"]
    assert parts(found) == [(21, 29, [], b"z")]


def test_at_the_end_of_the_capture_nothing_is_held_against_the_last_part() -> None:
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(b"--b\r\n\r\nx")
    assert codes(decoder.receive_eof("capture-end")) == []


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_KEPT_PART", 4)
    monkeypatch.setattr(stream, "MAX_PART_HEAD", 12)
    found = check_cuts(
        make(b"b"), b"--b\r\n\r\n0123456\r\n--b\r\nA: 0123456789\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--"
    )
    assert codes(found) == [
        "multipart-part-limit",
        "multipart-header-limit",
        "multipart-part-limit",
    ]
    assert [data for *_, data in parts(found)][::2] == [b"0123", b"y"]


def test_a_line_that_might_be_a_delimiter_is_not_waited_for_without_end() -> None:
    data = b"--b\r\n\r\n\r\n--b" + b" " * stream.MAX_BOUNDARY_LINE + b"\r\n--b--"
    (part,) = parts(check_cuts(make(b"b"), data))
    assert part[3] == data[7:-7]


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    data = b"--b\r\nContent-Type: x/y\r\nContent-Length: 3\r\n\r\na\r\n\r\n--b\r\n\r\n\r\n--b\r\n"
    check_damage(make(b"b"), b"pre\r\n" + data * 2 + b"\r\n--b--", seed)


def test_what_may_be_needed_of_an_open_part() -> None:
    decoder = MultipartDecoder(b"b")
    assert decoder.open_offsets == (0,)
    decoder.receive_data(b"--b\r\n\r\n12345\r\n--")
    assert decoder.open_offsets == (0, 7, 11, 14)
    decoder.receive_data(b"b--\r\n")
    assert decoder.open_offsets == ()
    assert decoder.receive_gap(5) == []
    assert decoder.receive_eof() == []


def test_a_close_delimiter_alone_is_no_part() -> None:
    decoder = MultipartDecoder(b"b")
    assert decoder.receive_data(b"--b--\r\n") == []
    assert decoder.receive_eof() == []


def test_a_delimiter_after_a_hole_may_come_in_pieces() -> None:
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(b"--b\r\n\r\n12345")
    decoder.receive_gap(5)
    assert decoder.receive_data(b"67\r\n--b") == []
    assert codes(decoder.receive_data(b"\r\n\r\n1")) == ["multipart-resynchronised"]
