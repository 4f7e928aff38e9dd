"""Bytes that wait: runs, gaps between them, the limit."""

from __future__ import annotations

import pytest

from parsers.http1.pending import PendingBytes


def test_pieces_that_meet_are_one_run():
    held = PendingBytes(10, 100)
    assert not held.hold(10, b"ab")
    assert not held.hold(12, b"cd")
    assert held.take_run(14) == b"abcd"
    assert held.start == 14
    assert held.take_run(14) == b""


def test_a_gap_ends_a_run():
    held = PendingBytes(0, 100)
    held.hold(0, b"ab")
    held.hold(5, b"cd")
    assert held.take_run(7) == b"ab"
    assert held.start == 2
    assert held.take_run(7) == b"cd"
    assert held.start == 7


def test_a_gap_at_the_start_or_the_end_is_passed_over():
    held = PendingBytes(0, 100)
    held.hold(3, b"ab")
    assert held.take_run(9) == b"ab"
    assert held.start == 5
    assert held.take_run(9) == b""
    assert held.start == 9


def test_past_the_limit_nothing_is_kept_and_it_is_said_once():
    held = PendingBytes(0, 4)
    assert not held.hold(0, b"abc")
    assert held.hold(3, b"de")
    assert not held.hold(5, b"f")
    assert held.size == 6
    assert held.take_run(6) == b"abcd"
    assert held.start == 4
    assert held.take_run(6) == b""
    assert held.start == 6


@pytest.mark.parametrize("pieces", [[b"abcdef"], [b"abcd", b"ef"], [b"a", b"b", b"c", b"d", b"ef"]])
def test_what_is_kept_does_not_depend_on_the_pieces(pieces):
    held = PendingBytes(0, 4)
    said = [held.hold(held.size, piece) for piece in pieces]
    assert said == [False] * (len(pieces) - 1) + [True]
    assert held.take_run(6) == b"abcd"


def test_where_the_first_bytes_lie():
    held = PendingBytes(3, 100)
    assert held.first_offset(9) == 9
    held.hold(5, b"ab")
    held.hold(9, b"cd")
    assert held.first_offset(11) == 5
