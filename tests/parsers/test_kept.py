"""Bytes that arrive in pieces: all counted, as many kept as there is room for."""

from __future__ import annotations

from parsers.kept import KeptBytes


def test_past_the_limit_bytes_are_only_counted() -> None:
    kept = KeptBytes(5)
    kept.add(b"abc")
    assert (kept.data, kept.size, kept.is_whole) == (b"abc", 3, True)
    kept.add(b"de")
    assert (kept.data, kept.size, kept.is_whole) == (b"abcde", 5, True)
    kept.add(b"fg")
    kept.add(b"h")
    assert (kept.data, kept.size, kept.is_whole) == (b"abcde", 8, False)
    assert kept.take() == b"abcde"
    assert (kept.data, kept.size, kept.is_whole) == (b"", 0, True)
