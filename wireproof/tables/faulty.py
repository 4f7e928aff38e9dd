"""Captures that are not whole, in words: rows of what is missing there is in no table.

Strategy: what is wrong with a file is counted when it is read, and stands in the manifest; whoever
is answered from its tables is told so, without looking for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from ..text.wording import count
from .parts import Made

NAMED = 3
"""Captures that are named in a line; of the others there is the number."""
MAX_NAMED = 1_000
"""Captures that are known by name."""


class Faulty:
    """Gathers captures with faults, of all that are asked."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        """How many captures have a fault of each code."""
        self.captures: dict[str, list[str]] = {}
        """The first MAX_NAMED of them, with their codes."""
        self._all = self._faulty = 0

    def add(self, captures: Iterable[Made]) -> None:
        """Take captures that are asked."""
        for made in captures:
            self._all += 1
            if made.faults:
                self._faulty += 1
                self.codes.update(made.faults.keys())
                if len(self.captures) < MAX_NAMED:
                    self.captures[made.capture] = sorted(made.faults)

    @property
    def told(self) -> str:
        """Return what is to be said, empty if all are whole."""
        if not self._faulty:
            return ""
        named = names(self.captures, self._faulty)
        if self._all == 1:
            return f"not whole: {named}: what it holds is included"
        verb = "is" if self._faulty == 1 else "are"
        of = f"{self._faulty:,} of {count(self._all, 'capture')} {verb} not whole"
        return f"{of}: {named}: what they hold is included"


def names(captures: Mapping[str, Sequence[str]], total: int, most: int = NAMED) -> str:
    """Return the first of so many captures by name, with their codes."""
    named = [f"{name} ({', '.join(codes)})" for name, codes in islice(captures.items(), most)]
    more = total - len(named)
    return ", ".join(named) + f", and {more:,} more" * (more > 0)
