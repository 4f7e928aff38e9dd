"""Where records begin on a connection whose start is missing, and what only looks like one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tls import record, sealed

from parsers.limits import MAX_TLS_RECORD
from parsers.tls.joining import RecordPlace, RecordsSearch

REST = Random(5).randbytes(77)
"""Of a record whose header is not there."""


def found(*segments: bytes | int) -> list[RecordPlace]:
    search, places = RecordsSearch(100), []
    for segment in segments:
        if isinstance(segment, int):
            search.receive_gap(segment)
        elif (place := search.receive_data(segment)) is not None:
            places.append(place)
    return places[:1]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([sealed(30)], [(100, 30)]),
        ([sealed(300)[:120], sealed(300)[120:]], [(100, 30)]),
        ([REST, sealed(30)], [(177, 30)]),
        ([REST + sealed(30) + sealed(40)], [(177, 43)]),
        ([REST + sealed(300)[:120], sealed(300)[120:] + sealed(40)], [(177, 43)]),
        ([sealed(300)[:120], 185, sealed(30)], [(405, 30)]),
        ([record(21, b"\1\0")], [(100, 30)]),
        ([record(23, b"x" * MAX_TLS_RECORD)], [(100, 30)]),
        ([record(22, b"old", 0x0301)], [(100, 30)]),
    ],
)
def test_places(segments: list[bytes | int], expected: list[tuple[int, int]]) -> None:
    assert found(*segments) == expected


@pytest.mark.parametrize(
    "segments",
    [
        [REST],
        [REST + sealed(30)],  # it ends with a segment, but does not begin with one
        [sealed(30) + b"more"],
        [sealed(30)[:-1]],
        [sealed(30)[:20], sealed(30)[20:] + b"more"],
        [sealed(30)[:20], 5, sealed(30)[25:]],
        [record(19, bytes(30))],
        [record(25, bytes(30))],
        [record(23, b"")],
        [record(23, bytes(30), 0x0300)],
        [record(23, bytes(30), 0x0203)],
        [record(23, b"x" * (MAX_TLS_RECORD + 1))],
        [b""],
        [b"\x17"],
        [b"\x17\3\3"],
    ],
)
def test_near_misses(segments: list[bytes | int]) -> None:
    assert found(*segments) == []


@settings(max_examples=200)
@given(st.integers(0, 1 << 64), st.lists(st.integers(1, 300), min_size=1, max_size=60))
def test_random_bytes_are_nothing(seed: int, sizes: list[int]) -> None:
    random = Random(seed)
    assert found(*[random.randbytes(size) for size in sizes]) == []


@given(st.lists(st.integers(1, 400), min_size=2, max_size=6), st.data())
def test_two_records_are_found_however_they_are_cut(sizes: list[int], data: st.DataObject) -> None:
    stream = REST + b"".join(sealed(size, size) for size in sizes)
    cuts = sorted({0, len(stream), *data.draw(st.sets(st.integers(0, len(stream)), max_size=9))})
    (place,) = found(*[stream[a:b] for a, b in zip(cuts, cuts[1:], strict=False)])
    borders = {177}
    for size in sizes:
        borders.add(max(borders) + size + 5)
    assert place.offset in borders
