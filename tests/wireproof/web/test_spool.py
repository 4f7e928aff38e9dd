"""Bytes that are put aside and read again."""

from __future__ import annotations

from random import Random

from wireproof.web.spool import BUFFER, Spool


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
