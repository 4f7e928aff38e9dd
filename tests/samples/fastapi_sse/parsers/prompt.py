"""What a prompt is made of."""

from __future__ import annotations


def words(prompt: str) -> list[str]:
    return prompt.split()
