"""Secrets in texts that grow element by element."""

from __future__ import annotations

import pytest

from wireproof.redact.found import FoundSecrets
from wireproof.redact.patterns import USUAL, Patterns
from wireproof.redact.threads import MAX_PIECES, WINDOW, Part, Thread

SECRET = "Xk7pQ2mZ9vR4tW1nB8cL3sD6"


def knowing(*secrets: str) -> Patterns:
    found = FoundSecrets()
    for secret in secrets:
        found.add(secret.encode())
    return Patterns(USUAL.triggers, known=found)


def fed(thread: Thread, texts: list[str], at: int = 0) -> list[Part]:
    """Feed elements of ten bytes each, of which the first is the ``at``-th."""
    return thread.feed(texts, range(at, at + len(texts)), lambda one: (10 * one, 10 * one + 9))


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("turn", [1, 2, 7, 100])
@pytest.mark.parametrize("size", [1, 3, 5, 12, 40])
def test_known_ones_are_masked_in_all_elements(size: int, turn: int) -> None:
    thread = Thread(knowing(SECRET))
    texts = pieces(f"I was sent {SECRET}, thank you.", size)
    found = [
        part for at in range(0, len(texts), turn) for part in fed(thread, texts[at : at + turn], at)
    ]
    masked = "".join(part.text[part.first : part.last] for part in sorted(found))
    assert masked == SECRET
    assert all(texts[part.start // 10] == part.text for part in found)


def test_what_was_found_is_not_found_again() -> None:
    thread = Thread(knowing(SECRET))
    assert fed(thread, [SECRET, " and "])
    assert thread.secrets == [SECRET]
    assert fed(thread, ["password = ", "hunter22222", " too"], 2) == [
        Part(30, 39, "hunter22222", 0, 11)
    ]


def test_a_name_in_an_earlier_element() -> None:
    thread = Thread(USUAL)
    assert fed(thread, ["export API", "_KEY", "="]) == []
    assert fed(thread, ["abcd", "efgh"], 3) == [
        Part(30, 39, "abcd", 0, 4),
        Part(40, 49, "efgh", 0, 4),
    ]
    assert fed(thread, ["\n", "ok"], 5) == []


@pytest.mark.parametrize("size", [1, 10, 3 * WINDOW])
def test_what_is_kept_is_a_window(size: int) -> None:
    thread = Thread(USUAL)
    assert thread.start is None
    for at in range(1_000):
        fed(thread, [size * "a"], at)
    most = min(MAX_PIECES, -(-WINDOW // size))
    assert thread.start == 10 * (1_000 - most)
    fed(thread, 2_000 * ["b" * size], 1_000)
    assert thread.start == 10 * (3_000 - most)
