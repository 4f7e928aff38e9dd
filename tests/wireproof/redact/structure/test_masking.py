"""Asterisks, and veils that tell texts apart."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.masking import LONGEST, Veil, stars


@pytest.mark.parametrize("size", [0, 1, LONGEST, LONGEST + 1])
def test_as_many_asterisks(size: int) -> None:
    assert stars(size) == b"*" * size


def test_the_same_text_gets_the_same_signs() -> None:
    veil = Veil()
    one, other = veil.over(b"event-000001"), veil.over(b"event-000002")
    assert one == veil.over(b"event-000001") != other
    assert len(one) == 12
    assert not any(chr(byte).isalnum() for byte in one + other)
    assert Veil().over(b"event-000001") != one


def test_small_numbers_stay() -> None:
    assert Veil().over(b"999") == b"999"
    assert not any(chr(byte).isalnum() for byte in Veil().over(b"1000"))
