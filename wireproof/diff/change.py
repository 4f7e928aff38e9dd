"""One thing that was compared between two runs, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Answer = Literal[
    "regression", "consequence", "same", "too-few", "missing", "new", "not-recorded", "left-out"
]
"""The last two are no comparisons: of how many exchanges the captures lack bytes, and how many do
not count."""

FAILED = "status 5xx"
FAILED_OR_CUT = "failed or cut"
BURSTS = "bursts"
FEWER = "fewer elements: count"
LATE = "late first tokens"
PAUSES = "long pauses"
NEW_CONNECTION = "new connection"
RESENT = "retransmissions"
COUNT = "elements"
"""What is asked of how many came, beside times."""
COUNTED = "exchanges"
"""What is told of a request of which too few came."""


class Example(msgspec.Struct, frozen=True):
    """An exchange to look at, or a connection."""

    capture: str
    connection: int
    exchange: int | None
    """Which one of its connection; null of a connection."""
    packet: int
    """Where it begins, or what is said of it: Wireshark's ``frame.number``."""
    value: float | None = None
    """Seconds, or how many; null of what is there or not."""


class Change(msgspec.Struct, frozen=True):
    """One thing that was compared."""

    group: str
    """Method and target; empty for the whole run."""
    what: str
    """``first_token p50``, ``streaming: held``."""
    answer: Answer
    before: float | None
    """Seconds, a share, or a mean number of elements; null if there is none."""
    after: float | None
    effect: float
    """Cliff's delta of times; of shares, by how much they differ."""
    chance: float
    """How likely that is by chance."""
    samples: tuple[int, int]
    follows: str | None = None
    """``what`` of the regression that it follows from; null of what follows from none."""
    limit: float | None = None
    """Up to which chance it would count, beside all else that is compared; null of what was not
    held against others, or counts."""
    worst: Sequence[Example] = ()
    """Of a regression: the few exchanges of B to look at first."""

    @property
    def is_compared(self) -> bool:
        """Whether something was compared, and not only counted."""
        return self.what != COUNTED and self.answer not in ("not-recorded", "left-out")

    @property
    def is_counted(self) -> bool:
        """Whether ``worst`` has numbers of elements or of packets, and not seconds."""
        return self.what in (FEWER, RESENT)

    @property
    def is_share(self) -> bool:
        return not self.what.endswith(("p50", "p99", "count"))
