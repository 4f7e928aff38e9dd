"""Python's collector of cycles, told its place in a process that is ours alone.

Modules are loaded and records made by the thousand, and hardly any of it is ever garbage: to look
for cycles while a command starts takes a sixth of a small decode.
"""

from __future__ import annotations

import gc

THRESHOLD = 50_000
"""New objects after which cycles are looked for; Python's own choice is 700."""


def collect_rarely() -> None:
    gc.set_threshold(THRESHOLD)


MUCH = 16 << 20
"""Bytes that are worth a look: it takes some ten milliseconds."""


def collect_much(held: int) -> None:
    """Look for cycles now that ``held`` bytes were let go, if they are many: connections refer to
    one another, and would stay in the way of what is read next."""
    if held > MUCH:
        gc.collect()
