"""Bytes that are put aside and read again."""

from __future__ import annotations

from array import array
from random import Random

import pytest

from wireproof.spool import (
    AHEAD,
    BUFFER,
    GAP,
    MAX_PIECE,
    MAX_WAITING,
    OF_A_BLOCK,
    Pieces,
    PlacesList,
    Spool,
)


def test_what_was_put_aside_comes_back_whenever_it_is_asked_for() -> None:
    seeded = Random(1)
    spool = Spool()
    kept: list[tuple[int, bytes]] = []
    for _ in range(400):
        data = seeded.randbytes(seeded.choice((0, 1, 60, 5_000)))
        kept.append((spool.append(data), data))
        place, expected = seeded.choice(kept)
        assert spool.read(place, len(expected)) == expected
    assert spool.size == sum(len(data) for _, data in kept) > BUFFER
    for place, expected in kept:
        assert spool.read(place, len(expected)) == expected
    spool.close()


def test_pieces_of_many_things_come_back_in_their_order() -> None:
    seeded = Random(2)
    spool = Spool()
    things = [(Pieces(spool), bytearray()) for _ in range(300)]
    for number in range(3_000):
        pieces, expected = seeded.choice(things)
        data = seeded.randbytes(seeded.choice((0, 1, 60, MAX_PIECE // 2, 2 * MAX_PIECE)))
        if number % 3:
            pieces.add(data)
            expected += data
        else:
            other, taken = seeded.choice(things)
            if other is not pieces:
                pieces.take(other)
                expected += taken
                things.remove((other, taken))
                things.append((Pieces(spool), bytearray()))
    for pieces, expected in things:
        assert pieces.size == len(expected) and b"".join(pieces) == expected
    spool.close()


def test_no_more_waits_than_is_allowed() -> None:
    spool = Spool()
    things = [Pieces(spool) for _ in range(2_000)]
    for _ in range(5):
        for pieces in things:
            pieces.add(bytes(10_000))
    assert spool.waits <= MAX_WAITING
    for pieces in things:
        pieces.discard()
    assert spool.waits == 0
    spool.close()


def test_where_many_things_lie() -> None:
    kept = PlacesList()
    things = [[0, 5], [], [5, 3, 90, 1], [8, 2]]
    for places in things:
        kept.append(array("q", places))
    assert [list(kept[at]) for at in range(len(kept))] == things


def test_no_more_stays_in_memory_of_what_was_read_than_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = 1_000
    monkeypatch.setattr("wireproof.spool.MAX_KEPT", 10 * (size + OF_A_BLOCK))
    seeded = Random(3)
    spool = Spool()
    kept = [seeded.randbytes(size) for _ in range(40)]
    places = list(map(spool.append, kept))
    parts = [Pieces(spool) for _ in kept]
    for _ in range(400):
        at = seeded.randrange(len(kept))
        short = spool.block(places[at], size // 2)  # it has grown when it is asked for again
        assert short.startswith(kept[at][: size // 2])
        found = spool.block(places[at], size)
        assert found == kept[at]
        spool.remember(parts[at], (0, size, found))
        assert spool.recent[parts[at]][2] == found
        assert len(spool.recent) <= 10
    spool.close()


def test_neighbours_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = Random(3)
    spool = Spool()
    kept: list[tuple[int, bytes]] = []
    for _ in range(300):
        data = seeded.randbytes(seeded.choice((0, 1, 60, GAP, 70_000)))
        kept.append((spool.append(data), data))
    places = [(place, len(data)) for place, data in kept]
    assert list(spool.together(places)) == [data for _, data in kept]
    assert list(spool.together([])) == []
    some = sorted(seeded.sample(kept, 90))
    backwards = [*some[:20], *reversed(some), some[3]]
    found = spool.together([(place, len(data)) for place, data in backwards])
    assert list(found) == [data for _, data in backwards]
    read: list[int] = []
    monkeypatch.setattr(spool, "read", lambda place, size: read.append(size) or bytes(size))
    list(spool.together([(0, 10), (10, 10), (20 + GAP, 10), (31 + 2 * GAP, 10)]))
    assert read == [30 + GAP, 10]
    spool.close()


def test_what_lies_beside_what_was_read_is_at_hand() -> None:
    seeded = Random(4)
    spool = Spool()
    kept = [seeded.randbytes(seeded.choice((0, 1, 60, 1_500, AHEAD, 2 * AHEAD))) for _ in range(99)]
    places = list(map(spool.append, kept))
    for at in [*range(len(kept)), *(seeded.randrange(len(kept)) for _ in range(300))]:
        assert spool.near(places[at], len(kept[at])) == kept[at]
    later = spool.append(b"later")
    assert spool.near(later, 5) == b"later"
    spool.replace(later, b"other")
    assert spool.near(later, 5) == b"other"
    spool.close()
