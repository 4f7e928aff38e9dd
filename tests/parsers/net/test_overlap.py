"""Pieces of a stream that come twice: what is kept of them, and where they differ."""

from __future__ import annotations

from parsers import limits
from parsers.net.overlap import History, Piece, find_conflict


def piece(start: int, data: bytes, packet: int = 1) -> Piece:
    return Piece(start, data, packet, 0, 0)


def test_the_part_after_an_offset() -> None:
    """What the snapshot length cut off lies after the data, and a FIN after both."""
    whole = Piece(4, b"abc", 1, 0, missing=3, fin=True)
    assert (whole.end, whole.end_with_fin) == (7, 8)
    assert whole.after(4) is whole
    assert whole.after(6) == Piece(6, b"c", 1, 0, missing=3, fin=True)
    assert whole.after(8) == Piece(8, b"", 1, 0, missing=2, fin=True)


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


def test_history_that_stops_keeps_nothing_more() -> None:
    history = History()
    history.append(0, b"abc")
    assert history.size == 3
    history.stop()
    history.append(3, b"def")
    assert history.size == 0
    assert [data for _, data in history.overlapping(0, 6) if data] == []
