"""Where lines and field sections end, however the input is cut."""

from __future__ import annotations

import pytest
from support.cuts import at, byte_by_byte, whole

from parsers.http1.collectors import LineCollector, SectionCollector

SPLITS = [whole, byte_by_byte, at([2, 3, 7])]


def collect(collector, data, split):
    """Return what a collector gave, in order, and where it stopped the last time."""
    found = []
    place = 0
    for piece in split(data):
        pos = 0
        while pos < len(piece):
            pos, taken = collector.take(piece, pos)
            if taken is not None:
                found.append((place + pos, taken))
        place += len(piece)
    return found


@pytest.mark.parametrize("split", SPLITS)
def test_lines(split):
    assert collect(LineCollector(8), b"a\nbcd\r\n\nrest", split) == [
        (2, b"a\n"),
        (7, b"bcd\r\n"),
        (8, b"\n"),
    ]


@pytest.mark.parametrize("split", SPLITS)
def test_a_line_past_its_limit_is_given_up_where_the_limit_is(split):
    assert collect(LineCollector(4), b"abc\nabcd\nab\n", split) == [
        (4, b"abc\n"),
        (8, b""),
        (9, b"\n"),
        (12, b"ab\n"),
    ]


def test_an_unfinished_line_is_pending():
    collector = LineCollector(10)
    collector.take(b"xab", 1)
    collector.take(b"c", 0)
    assert collector.pending == b"abc"
    collector.clear()
    assert collector.pending == b""


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "section", [b"\r\n", b"\n", b"A: b\r\n\r\n", b"A: b\nC: d\n\r\n", b"A: b\r\n\n"]
)
def test_sections(section, split):
    ((place, found),) = collect(SectionCollector(20), section + b"rest", split)[:1]
    assert (place, found) == (len(section), section)


def test_a_section_after_its_first_line_in_one_piece():
    assert SectionCollector(20).take(b"GET\r\nA: b\r\n\r\nrest", 5) == (13, b"A: b\r\n\r\n")
    assert SectionCollector(20).take(b"GET\r\n\r\nrest", 5) == (7, b"\r\n")
    assert SectionCollector(3).take(b"GET\r\nA: b\r\n\r\n", 5) == (8, b"")


@pytest.mark.parametrize("split", SPLITS)
def test_a_section_past_its_limit_is_given_up_and_its_end_still_found(split):
    found = collect(SectionCollector(8), b"A: 56789\r\nB: c\r\n\r\n", split)
    assert found[0] == (8, b"")
    assert found[-1][0] == 18
    assert found[-1][1].endswith(b"\r\n\r\n")


def test_an_unfinished_section_is_pending():
    collector = SectionCollector(20)
    collector.take(b"A: b\r\nC", 0)
    assert collector.pending == b"A: b\r\nC"
    assert len(collector) == 7


@pytest.mark.parametrize("split", [whole, byte_by_byte, at([20_000, 39_998, 39_999, 45_000])])
def test_a_long_section_is_laid_aside_in_parts_and_comes_back_whole(split):
    section = b"a: " + b"x" * 40_000 + b"\r\nb: y\r\n\r\n"
    collector = SectionCollector(50_000)
    pieces = list(split(section))
    for piece in pieces[:-1]:
        assert collector.take(piece, 0) == (len(piece), None)
    assert collector.pending == b"".join(pieces[:-1])
    assert len(collector) == len(collector.pending)
    assert collector.take(pieces[-1] + b"rest", 0) == (len(pieces[-1]), section)


@pytest.mark.parametrize("size", [1, 700, 20_000])
def test_a_section_past_its_limit_is_given_up_with_what_was_laid_aside(size):
    data = b"x" * 41_000 + b"\n\n"
    found = collect(SectionCollector(40_000), data, at(list(range(size, len(data), size))))
    assert [place for place, _ in found] == [40_000, 41_002]
    assert not found[0][1] and found[1][1].endswith(b"x\n\n")
