"""What a message is made of."""

from __future__ import annotations


def words(message: str | bytes) -> list[str]:
    return str(message).split()
