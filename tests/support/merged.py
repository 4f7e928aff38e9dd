"""Stored captures as one: all of their connections side by side, and many more than they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .stored import STORED, packets

LOOPBACK = bytes([127, 0, 0, 1])
ADDRESSES = slice(26, 34)
"""Where both IPv4 addresses lie in an Ethernet frame."""


def merged(copies: int = 1, paths: Iterable[Path] = STORED) -> list[bytes]:
    """Return the frames of all captures as if all had begun at once.

    Each copy is between other addresses; only the first has the large captures in it.
    """
    found: list[tuple[int, int, bytes]] = []
    for path in paths:
        rows = packets(path)
        for copy in range(copies if path.stem != "large" else 1):
            address = LOOPBACK[:3] + bytes([1 + copy])
            for _, time_ns, _, _, frame in rows:
                assert time_ns is not None and frame[ADDRESSES] == 2 * LOOPBACK
                moved = frame[: ADDRESSES.start] + 2 * address + frame[ADDRESSES.stop :]
                found.append((time_ns - (rows[0][1] or 0), len(found), moved))
    return [frame for _, _, frame in sorted(found)]
