"""Which frames begin with a line, and which amid one."""

from __future__ import annotations

import pytest

from parsers.json_lines.lines import JsonLinesDecoder
from parsers.json_lines.resume import LineSearch, count_lines


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        ([b'{"a": 1}\n'], 0),
        ([b'{"a": 1}\n{"b"'], 0),
        ([b"[1, 2]\r\n"], 0),
        ([b'{"a": ', b"1}\n"], 0),
        ([b'"1}', b'{"a": 1}\n'], 3),
        ([b'"b": 2}\n{"a": 1}\n'], None),
        ([b"5\n"], None),
        ([b'"a"\n'], None),
        ([b"\n"], None),
    ],
)
def test_a_line_begins_with_a_frame(frames: list[bytes], found: int | None) -> None:
    search = LineSearch()
    for frame in frames[:-1]:
        assert search.receive_frame(frame, is_last=False) is None
        assert search.waits
    assert search.receive_frame(frames[-1], is_last=False) == found
    assert not search.waits


def test_the_last_line_needs_no_lf() -> None:
    assert LineSearch().receive_frame(b'{"a": 1}', is_last=True) == 0
    assert LineSearch().receive_frame(b'{"a": 1}', is_last=False) is None


def test_the_decoder_goes_on_with_the_next_byte() -> None:
    decoder = JsonLinesDecoder()
    decoder.receive_data(b'{"a": 1}\n{"b"')
    assert not (decoder.is_between or decoder.is_lost)
    decoder.receive_gap(20)
    assert decoder.is_lost
    assert decoder.resume() == []
    assert decoder.is_between
    (value,) = decoder.receive_data(b'{"c": 3}\n')
    assert (value.start, value.end) == (33, 42)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b'{"a":1}\n', 1),
        (b'{"a":1}\r\n[2]\n', 2),
        (b"", 0),
        (b'{"a":1}', 0),
        (b'{"a":1}\n{"b"', 0),
        (b'{"a":1}\n\n', 0),
        (b"1\n2\n", 0),
    ],
)
def test_of_how_many_lines_content_is_made(content: bytes, lines: int) -> None:
    assert count_lines(content) == lines


def test_what_looks_for_a_line_waits_for_the_next_frame_after_an_empty_one() -> None:
    assert isinstance(JsonLinesDecoder().search(), LineSearch)
    search = LineSearch()
    assert search.receive_frame(b"", is_last=False) is None
    assert search.receive_frame(b'{"a": 1}\n', is_last=False) == 0
