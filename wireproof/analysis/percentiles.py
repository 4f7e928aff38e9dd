"""The one definition of a percentile: the nearest rank, as the inspector's page has it too.

What is returned is one of the values, so a percentile of gaps is a gap that there was, with packets
before and after it. Interpolation would name times that nobody waited.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the least of ``ordered`` values that ``part`` of them do not exceed; 0.0 of none.

    ``part`` is from 0 to 1; ``ordered`` stands in ascending order.
    """
    if not ordered:
        return 0.0
    return ordered[min(max(ceil(part * len(ordered)) - 1, 0), len(ordered) - 1)]
