"""Pairing and rows, on elements made by hand."""

from __future__ import annotations

from io import BytesIO

import pytest
from support.beside import CHUNKED, CHUNKS, answered

from parsers.decode.capture import decode
from wireproof.wireshark.compare import Comparison, Row
from wireproof.wireshark.decoded import Decoded
from wireproof.wireshark.elements import Element, Kind, Value
from wireproof.wireshark.segments import TsharkSegment, Witness

V4_0 = (4, 0, 17)


def rows(*theirs: Element, packets: tuple[TsharkSegment, ...] = ()) -> list[Row]:
    """Rows of one exchange beside what Wireshark is said to show."""
    decoded = Decoded(enumerate(decode(BytesIO(answered(CHUNKED + CHUNKS)))))
    return list(Comparison(decoded, theirs, Witness(packets), V4_0).rows())


def response(offset: int, other: int | None = None, **values: Value) -> Element:
    return Element("response", 0, "server", offset, 5, dict(values), other_offset=other)


def of(found: list[Row], kind: str, field: str) -> list[tuple[str, Value, Value]]:
    return [
        (row.verdict, row.wireproof, row.wireshark)
        for row in found
        if (row.element, row.field) == (kind, field)
    ]


def test_a_pair_gives_a_row_for_each_value_of_either_side() -> None:
    found = rows(response(0, status=200, reason="No", more="x"))
    assert of(found, "response", "status") == [("equal", 200, 200)]
    assert of(found, "response", "reason") == [("differs", "OK", "No")]
    assert of(found, "response", "version") == [("only wireproof", "HTTP/1.1", None)]
    assert of(found, "response", "more") == [("only Wireshark", None, "x")]


def test_the_second_place_of_an_element_counts_if_the_first_is_none() -> None:
    assert of(rows(response(30, 0, status=200)), "response", "status") == [("equal", 200, 200)]
    assert of(rows(response(30, 31)), "response", "all") == [
        ("only wireproof", "200 OK", None),
        ("only Wireshark", None, "? ?"),
    ]


def test_what_wireshark_shows_twice_is_paired_once() -> None:
    found = rows(response(0, status=200), response(0, status=200, reason="OK"))
    assert of(found, "response", "all") == [("only Wireshark", None, "200 OK")]


@pytest.mark.parametrize(
    ("kind", "summary"),
    [
        ("connection", "? packets"),
        ("request", "? ?"),
        ("chunk", "size ?"),
        ("websocket_frame", "opcode ?, length ?"),
    ],
)
def test_what_is_shown_of_it_may_be_nothing(kind: Kind, summary: str) -> None:
    found = rows(Element(kind, 3, "server", 7, 5))
    assert of(found, kind, "all")[-1] == ("only Wireshark", None, summary)


def test_arrival_without_segments_is_only_ours() -> None:
    assert of(rows(), "chunk", "last_packet") == [("only wireproof", 5, None)] * 2


def test_arrival_is_held_against_segments() -> None:
    packets = tuple(
        TsharkSegment(frame, f"{1_790_000_000 + frame / 1000:.6f}", 0, 8_000, start, 30)
        for frame, start in ((5, 0), (6, 30))
    )
    found = rows(packets=packets)
    assert of(found, "response", "first_packet") == [("equal", 5, 5)]
    assert of(found, "response", "first_time") == [("equal", *["1790000000.005000"] * 2)]
    assert of(found, "response", "last_packet") == [("differs", 5, 6)]
    assert of(found, "response", "stream") == [("equal", 0, 0)]
