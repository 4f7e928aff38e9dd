"""Source maps: looking back is exact, also after runs were dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.provenance import Element, SourceMap, seconds


def make(lengths: list[int], offset: int = 0) -> SourceMap[int]:
    """A map whose runs have the values 0, 1, 2, ..."""
    source: SourceMap[int] = SourceMap(offset)
    for value, length in enumerate(lengths):
        source.extend(length, value)
    return source


def test_an_empty_map_knows_nothing() -> None:
    source: SourceMap[int] = SourceMap(5)
    assert (source.size, len(source)) == (5, 0)
    with pytest.raises(LookupError):
        source.at(5)
    source.retain([5])
    assert source.between(0, 10) == []


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(0, 100))
def test_every_byte_is_found(lengths: list[int], offset: int) -> None:
    source = make(lengths, offset)
    truth = [value for value, length in enumerate(lengths) for _ in range(length)]
    assert source.size == offset + len(truth)
    for position, value in enumerate(truth):
        end, found = source.at(offset + position)
        assert found == value
        assert end == offset + sum(lengths[: value + 1])
    assert source.at(source.size + 10)[1] == truth[-1]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
    st.lists(st.integers(0, 300), max_size=5),
    st.data(),
)
def test_what_is_retained_is_found_unchanged(
    lengths: list[int], offsets: list[int], data: st.DataObject
) -> None:
    source, whole = make(lengths), make(lengths)
    offsets = [offset % whole.size for offset in offsets]
    source.retain(offsets)
    assert len(source) <= len(set(offsets)) + 1
    for offset in [*offsets, whole.size - 1]:
        assert source.at(offset) == whole.at(offset)
    source.extend(3, 99)
    assert source.at(whole.size) == (whole.size + 3, 99)


def test_an_empty_range_is_where_the_byte_before_it_is() -> None:
    """What comes after it may be there already, or not: that must make no difference."""
    source = make([3, 4])
    assert [source.span(offset, offset) for offset in (0, 3, 7)] == [(0, 0), (0, 0), (1, 1)]


def test_what_is_not_mapped_yet_is_of_the_last_run() -> None:
    source = make([3, 4])
    assert [source.span(6, 8), source.span(9, 12)] == [(1, 1), (1, 1)]


def test_runs_that_nobody_needs_are_dropped() -> None:
    source = make([3, 4, 2, 5])
    source.retain([4, 30])
    assert (len(source), source.at(4), source.at(9)) == (2, (7, 1), (14, 3))


def test_the_runs_of_a_range() -> None:
    source = make([3, 4, 2])
    assert list(source.pieces(1, 8)) == [(3, 0), (7, 1), (8, 2)]
    assert list(source.pieces(1, 7)) == [(3, 0), (7, 1)]
    assert list(source.pieces(4, 4)) == []
    assert source.runs_from(4)[:2] == (1, 2)
    with pytest.raises(LookupError):
        make([]).runs_from(0)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.data())
def test_between_gives_the_runs_of_a_range(lengths: list[int], data: st.DataObject) -> None:
    source = make(lengths)
    truth = [value for value, length in enumerate(lengths) for _ in range(length)]
    start = data.draw(st.integers(0, source.size - 1))
    end = data.draw(st.integers(start + 1, source.size))
    assert source.between(start, end) == list(dict.fromkeys(truth[start:end]))


class Found(Element, frozen=True):
    start: int
    end: int


def test_an_element_is_read_only_and_small() -> None:
    found = Found(1, 2)
    assert found == Found(1, 2)
    assert repr(found).endswith("Found(start=1, end=2)")
    assert not hasattr(found, "__dict__")
    with pytest.raises(AttributeError):
        found.start = 3  # type: ignore[misc]


@pytest.mark.parametrize("microseconds", [0, 1, 123_456, 999_999])
def test_times_print_exactly_to_the_microsecond(microseconds: int) -> None:
    time_ns = 1_790_000_000 * 10**9 + microseconds * 1_000
    assert f"{seconds(time_ns):.6f}" == f"1790000000.{microseconds:06d}"
