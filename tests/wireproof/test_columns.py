"""Columns of numbers, in memory and on disk: what was added comes back, however it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from random import Random
from struct import Struct

import pytest

from wireproof.columns import Numbers, Rows, follow_one_another
from wireproof.spool import MAX_KEPT, MAX_WAITING, Spool

MANY = 32
"""Parts that are asked in turn: their blocks are all remembered."""
ROW = Struct("<qI")


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as found:
        yield found


@pytest.mark.parametrize("count", [0, 1, 10_000, 30_000])
def test_rows_come_back(count: int, spool: Spool) -> None:
    seeded = Random(count)
    rows, expected = Rows(ROW, spool), []
    for number in range(count):
        expected.append((number, seeded.randrange(1 << 32)))
        rows.add(ROW.pack(*expected[-1]))
        if number % 7_000 == 6_999:
            rows.put_aside()
        if number % 1_000 == 999:
            at = seeded.randrange(number)
            expected[at] = (number, 7)
            rows.replace(at, ROW.pack(*expected[at]))
    assert len(rows) == count and list(rows.between(0, count + 9)) == expected
    for _ in range(min(count, 300)):
        at = seeded.randrange(count)
        assert rows.row(at) == expected[at]
        last = at + seeded.randrange(9_000)
        assert list(rows.between(at, last)) == expected[at:last]
    some = [seeded.randrange(count) for _ in range(min(count, 300))]
    near = range(max(count - 9_000, 0), count)  # in blocks and in memory
    for numbers in (some, near):
        assert list(rows.rows(numbers)) == [expected[number] for number in numbers]
    for outside in (-1, count):
        with pytest.raises(IndexError):
            rows.row(outside)


def test_numbers_are_a_sequence(spool: Spool) -> None:
    numbers, expected = Numbers(spool), list(range(0, 90_000, 3))
    for number in expected:
        numbers.append(number)
    assert list(numbers) == expected and numbers[:] == expected and numbers[-1] == expected[-1]
    assert numbers[20_000:20_005] == expected[20_000:20_005] and numbers[9:3] == []
    assert bisect_right(numbers, 50_000) == bisect_right(expected, 50_000)
    assert list(numbers.at(range(20_000, 29_000))) == expected[20_000:29_000]
    numbers.put(10, 7)
    numbers.put(len(expected) + 2, 5)
    assert numbers[10] == 7 and numbers[-3:] == [0, 0, 5]
    with pytest.raises(ValueError, match="follow one another"):
        numbers[::2]


def test_many_columns_wait_no_more_than_is_allowed(spool: Spool) -> None:
    columns = [Numbers(spool) for _ in range(3_000)]
    for number in range(500):
        for column in columns:
            column.append(number)
    assert spool.waits <= MAX_WAITING and spool.size > 0
    assert all(column[:] == list(range(500)) for column in columns)


@pytest.mark.parametrize("size", [0, 1, 7, 20_000])
def test_how_many_are_at_most_a_number(spool: Spool, size: int) -> None:
    numbers, expected = Numbers(spool), [3 * (at // 2) for at in range(size)]
    for number in expected:
        numbers.append(number)
    for number in (-1, 0, 2, 3, 3 * size // 4, 3 * size):
        assert numbers.after(number) == bisect_right(expected, number)


def test_what_was_read_last_is_what_stands_there_now(spool: Spool) -> None:
    seeded = Random(5)
    many: list[tuple[Rows, Numbers, list[tuple[int, int]]]] = [
        (Rows(ROW, spool), Numbers(spool), []) for _ in range(MANY)
    ]
    for rows, numbers, expected in many:
        for number in range(400):
            expected.append((number // 3, 0))
            rows.add(ROW.pack(number // 3, 0))
            numbers.append(number // 3)
            if number % 100 == 99:
                rows.put_aside()
                numbers.aside()
    for _ in range(3_000):
        rows, numbers, expected = many[seeded.randrange(len(many))]
        at = seeded.randrange(400)
        assert rows.row(at) == expected[at]
        assert numbers.after(at // 3) == at // 3 * 3 + min(3, 400 - at // 3 * 3)
        if not at % 8:
            expected[at] = (at // 3, expected[at][1] + 1)
            rows.replace(at, ROW.pack(*expected[at]))
            assert rows.row(at) == expected[at]
    held = sum(len(data) for _, _, data in spool.recent.values())
    assert 0 < held <= MAX_KEPT


@pytest.mark.parametrize(
    ("first", "numbers", "whether"),
    [
        (3, [3, 4, 5], True),
        (3, [3], True),
        (3, [], False),
        (3, [4, 5], False),
        (3, [3, 5, 4, 6], False),
        (3, [3, 3, 5], False),
        (3, [3, 4, 6], False),
    ],
)
def test_numbers_that_follow_one_another(first: int, numbers: list[int], whether: bool) -> None:
    assert follow_one_another(first, numbers) == whether
