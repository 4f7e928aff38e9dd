"""What it means that an event stream goes on where the one before it ended: rules on IDs alone.

WHATWG HTML section 9.2.4: a client that comes back sends the last event ID that it has. A client
that left may not have read all that was sent to it, so any ID of the earlier stream may be its
last; what followed that one is to come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

EARLY_SECONDS = 0.01
"""By which a timer may strike early, and a client may learn of the end before its FIN."""


def known_to_client(sent: Sequence[str], last: str) -> set[str]:
    """Return the IDs that a client has which names ``last``, one of those sent."""
    return set(sent[: len(sent) - sent[::-1].index(last)])


def left_out(last: str, came: str) -> range:
    """Return the numbers between the last ID and the first that came, where IDs are numbers."""
    if not (last.isdecimal() and came.isdecimal()):
        return range(0)
    return range(int(last) + 1, int(came))


def are_in_a_row(identifiers: Sequence[str]) -> bool:
    """Whether IDs are numbers that count one by one: only then a hole between them is one."""
    if not all(map(str.isdecimal, identifiers)):
        return False
    numbers = [int(one) for one in identifiers]
    return all(after == before + 1 for before, after in pairwise(numbers))


def is_too_soon(waited: float, retry: int) -> bool:
    """Whether a client came back earlier than ``retry`` milliseconds, which it was told to wait."""
    return waited < retry / 1000 - EARLY_SECONDS
