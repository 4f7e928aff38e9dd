"""What is put aside of many connections comes back by its part, in order, as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.spool import MAX_PIECE, Spool
from wireproof.wireshark.elements import Element, Facts, Value
from wireproof.wireshark.parts import PARTS, Parts, Segments, TheirElements
from wireproof.wireshark.segments import TsharkSegment


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as made:
        yield made


def test_things_of_any_size_come_back_by_their_part_in_order(spool: Spool) -> None:
    parts: Parts[tuple[int, bytes]] = Parts(tuple[int, bytes], spool)
    sizes = [0, 1, MAX_PIECE - 1, 10 * MAX_PIECE, 3, 300, MAX_PIECE]
    for number, size in enumerate(sizes):
        for part in (0, 5, 5 + PARTS):
            parts.put(part, (number, bytes([part]) * size))
    assert list(parts.all_of(0)) == [(n, bytes(size)) for n, size in enumerate(sizes)]
    assert [number for number, _ in parts.all_of(5)] == sorted(2 * list(range(len(sizes))))
    assert list(parts.all_of(1)) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=40)), max_size=30))
def test_what_is_put_aside_is_what_comes_back(things: list[tuple[int, bytes]]) -> None:
    with closing(Spool()) as spool:
        parts: Parts[bytes] = Parts(bytes, spool)
        for part, thing in things:
            parts.put(part, thing)
            spool.put_aside()
        for part in range(4):
            assert list(parts.all_of(part)) == [thing for at, thing in things if at == part]


def test_elements_keep_their_values_their_numbers_and_whose_facts_they_share(spool: Spool) -> None:
    values: dict[str, Value] = {"a": "text", "b": b"\xff", "c": 2**63, "d": None}
    facts = Facts()
    elements = [
        Element("response", 1, "server", 0, 4, values, facts, end=9, other_offset=3),
        Element("chunk", 1, "server", 5, 4, facts=facts),
        Element("http2_frame", 1 + PARTS, "client", 0, 5, facts=Facts(in_tls=True)),
        Element("chunk", 2, "server", 5, 6),
    ]
    theirs = TheirElements(elements, spool)
    first, second, third = theirs.all_of(1)
    assert (first.values, first.end, first.other_offset) == (values, 9, 3)
    assert first.facts is second.facts
    assert third.facts.in_tls and not second.facts.in_tls
    assert [one.number for one in (first, second, third)] == [0, 1, 2]
    assert [one.number for one in theirs.all_of(2)] == [3]


def test_segments_are_found_by_their_frame_and_by_their_part() -> None:
    packets = [
        TsharkSegment(2, "1700000000.123457", 0, 80, -1, 0),
        TsharkSegment(3, "-0.500000", PARTS, 65_535, 4_294_967_294, 5),
        TsharkSegment(7, "99999999999999.000000", 1, 443, 0, 1),
    ]
    segments = Segments(packets)
    assert [segments.get(packet.frame) for packet in packets] == packets
    assert [segments.get(frame) for frame in (0, 1, 4, 8)] == [None] * 4
    assert list(segments.all_of(0)) == packets[:2]
    assert list(segments.all_of(1)) == packets[2:]
