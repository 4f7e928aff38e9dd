"""The out-of-order queue: Linux's rules, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import limits
from parsers.out_of_order import OutOfOrderQueue
from parsers.reassembly import History, Piece, find_conflict


def piece(start: int, data: bytes, packet: int = 1) -> Piece:
    return Piece(start, data, packet, 0, 0)


def taken(*pieces: Piece, offset: int = 0) -> bytes:
    """What comes out when the hole before ``offset`` has been filled."""
    queue = OutOfOrderQueue()
    for item in pieces:
        queue.insert(item)
    return b"".join(item.data for item in queue.take(offset))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([(0, b"abc"), (3, b"def")], b"abcdef", id="neighbours"),
        pytest.param([(3, b"def"), (0, b"abc")], b"abcdef", id="neighbours-reversed"),
        pytest.param([(0, b"abc"), (5, b"xyz")], b"abc", id="a-second-hole-stays"),
        pytest.param([(0, b"abcd"), (1, b"XX")], b"abcd", id="inside-is-dropped"),
        pytest.param([(0, b"abcd"), (0, b"XXXX")], b"abcd", id="same-is-dropped"),
        pytest.param([(0, b"ab"), (0, b"XXXX")], b"XXXX", id="same-start-longer-replaces"),
        pytest.param([(1, b"bc"), (0, b"XXXX")], b"XXXX", id="covering-removes"),
        pytest.param([(2, b"cd"), (0, b"XXX")], b"XXXd", id="earlier-start-wins"),
        pytest.param([(0, b"abcd"), (2, b"XXXX")], b"abcdXX", id="tail-overlap-keeps-first"),
        pytest.param(
            [(0, b"ab"), (2, b"cd"), (2, b"XXXX")], b"abcdXX", id="inside-a-merged-block-loses"
        ),
        pytest.param([(0, b"a"), (2, b"c"), (0, b"xyz")], b"xyz", id="spans-two"),
    ],
)
def test_overlaps_are_resolved_as_linux_does(
    pieces: list[tuple[int, bytes]], expected: bytes
) -> None:
    assert taken(*(piece(start, data) for start, data in pieces)) == expected


def test_taking_trims_what_is_in_order_already() -> None:
    assert taken(piece(0, b"abcdef"), offset=4) == b"ef"
    assert taken(piece(0, b"abc"), offset=3) == b""


def test_a_piece_that_adds_nothing_is_refused() -> None:
    queue = OutOfOrderQueue()
    assert queue.insert(piece(5, b"abc"))
    assert not queue.insert(piece(6, b"b"))
    assert (queue.size, queue.segments, queue.start) == (3, 1, 5)


def test_the_count_follows_what_waits() -> None:
    queue = OutOfOrderQueue()
    assert not queue
    queue.insert(piece(5, b"abc"))
    queue.insert(piece(10, b"abc"))
    queue.insert(piece(4, b"0123456789"))
    assert (queue.size, queue.segments) == (10, 1)
    list(queue.take(4))
    assert (queue.size, queue.segments, bool(queue)) == (0, 0, False)


def test_it_is_full_by_bytes_or_by_segments() -> None:
    queue = OutOfOrderQueue()
    queue.insert(piece(1, bytes(limits.MAX_OUT_OF_ORDER)))
    assert not queue.is_full
    queue.insert(piece(2 * limits.MAX_OUT_OF_ORDER, b"x"))
    assert queue.is_full
    small = OutOfOrderQueue()
    for index in range(limits.MAX_OUT_OF_ORDER_SEGMENTS + 1):
        small.insert(piece(1 + 2 * index, b"x"))
    assert small.is_full


@given(st.permutations(range(12)), st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_any_order_gives_the_stream(order: list[int], lengths: list[int]) -> None:
    starts = [sum(lengths[:index]) for index in range(12)]
    stream = bytes(range(sum(lengths)))
    pieces = [
        piece(starts[index], stream[starts[index] : starts[index] + lengths[index]])
        for index in order
    ]
    assert taken(*pieces) == stream


def test_overlapping_finds_waiting_pieces() -> None:
    queue = OutOfOrderQueue()
    for start in (2, 4, 8):
        queue.insert(piece(start, b"ab"))
    assert [item.start for item in queue.overlapping(3, 9)] == [2, 4, 8]
    assert [item.start for item in queue.overlapping(6, 8)] == []
    assert [item.start for item in queue.overlapping(2, 4)] == [2]


def test_history_remembers_the_last_segments() -> None:
    history = History()
    for start in range(limits.MAX_HISTORY_SEGMENTS + 5):
        history.append(start, b"x")
    assert list(history.overlapping(0, 5)) == []
    assert list(history.overlapping(5, 7)) == [(5, b"x"), (6, b"x")]


def test_history_is_bounded_in_bytes_too() -> None:
    size = limits.MAX_HISTORY // 2
    history = History()
    for number in range(3):
        history.append(number * size, b"x" * size)
    assert [start for start, _ in history.overlapping(0, 3 * size)] == [size, 2 * size]
    history.append(3 * size, b"y" * (5 * size))
    ((start, data),) = history.overlapping(0, 8 * size)
    assert (start, len(data)) == (6 * size, 2 * size)


def test_a_conflict_shows_both_versions() -> None:
    late = piece(2, b"good", packet=7)
    assert find_conflict(late, iter([(0, b"__good__")])) is None
    assert find_conflict(late, iter([])) is None
    found = find_conflict(late, iter([(0, b"__evil__")]))
    assert found is not None
    assert (found.code, found.start, found.end) == ("tcp-overlap-conflict", 2, 6)
    assert "b'evil', then in packet 7 b'good'" in found.summary
