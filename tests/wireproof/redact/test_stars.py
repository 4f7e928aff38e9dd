"""Asterisks that are masked, and that inflate."""

from __future__ import annotations

import zlib

import pytest

from wireproof.redact.stars import deflated_stars, xored


@pytest.mark.parametrize("size", range(1, 200))
def test_what_takes_the_place_of_a_message_inflates_to_asterisks(size: int) -> None:
    whole = deflated_stars(size, is_last=True)
    assert len(whole) == size
    inflated = zlib.decompressobj(-15).decompress(whole + b"\0\0\xff\xff")
    assert inflated == b"*" * max(size - 2, 0)


@pytest.mark.parametrize("size", range(6, 50))
def test_what_takes_the_place_of_fragments(size: int) -> None:
    parts = [deflated_stars(size, is_last=last) for last in (False, False, True)]
    inflated = zlib.decompressobj(-15).decompress(b"".join(parts) + b"\0\0\xff\xff")
    assert inflated == b"*" * (2 * (size - 6) + size - 2)
    assert {len(part) for part in parts} == {size}


@pytest.mark.parametrize("phase", range(5))
def test_masking(phase: int) -> None:
    key = b"\x00\x01\x02\x03"
    assert xored(bytes(6), key, phase) == bytes((phase + n) % 4 for n in range(6))
    assert xored(b"abc", bytes(4), phase) == b"abc"
