"""Which pauses of a stream are stalls, for whoever draws one: far longer than usual, and seen.

Strategy: what is usual is the median, which a stall does not move. The verdict on gaps says why;
this says where to look.
"""

from __future__ import annotations

from collections.abc import Sequence

from .percentiles import percentile

TIMES = 8
"""A pause is a stall if it is this many times longer than the median gap, ..."""
LEAST = 0.05
"""... and at least this many seconds long."""


def stall_limit(gaps: Sequence[float]) -> float:
    """Return from how many seconds on a pause is a stall; ``gaps`` are sorted."""
    return max(TIMES * percentile(gaps, 0.5), LEAST)
