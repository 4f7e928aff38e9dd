"""The rows of all exchanges, in the order of their first records: those that go on, and those that
are over.

Strategy: those that are over are put aside (:mod:`..shelf`); of them memory holds the key, and when
each changed last.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from ..shelf import Resting
from ..spool import Spool
from .exchange import ExchangeRow, Key, RowAside


class ExchangeRows(Sequence[ExchangeRow]):
    """The exchanges of one capture, each by its number and by its key."""

    def __init__(self, spool: Spool, capture: int) -> None:
        self.spool = spool
        self.capture = capture
        """Which capture it is, from 0."""
        self._numbers: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._changed = array("q")
        """By which change of the whole each changed last, of those that were put aside."""
        self._rows: Resting[ExchangeRow, RowAside] = Resting(
            RowAside, spool, self._put_aside, self._bring_back
        )

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> ExchangeRow: ...

    @overload
    def __getitem__(self, at: slice) -> list[ExchangeRow]: ...

    def __getitem__(self, at: int | slice) -> ExchangeRow | list[ExchangeRow]:
        if isinstance(at, slice):
            return [self._rows.get(number) for number in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(f"no exchange {at:,} of {len(self):,}")
        return self._rows.get(at % len(self))

    def __iter__(self) -> Iterator[ExchangeRow]:
        return map(self._rows.get, range(len(self)))

    def number(self, key: Key) -> int | None:
        """Return which one of all has a key, from 0; None if none has."""
        return self._numbers.get(key)

    def find(self, key: Key) -> ExchangeRow | None:
        """Return the row of a key, None if there is none."""
        number = self._numbers.get(key)
        return None if number is None else self._rows.get(number)

    def begin(self, key: Key) -> ExchangeRow:
        """Add the row of an exchange that begins."""
        number = self._numbers[key] = len(self._keys)
        self._keys.append(key)
        self._changed.append(0)
        row = ExchangeRow(key, self.spool, self.capture)
        self._rows.begin(number, row)
        return row

    def end(self, number: int) -> None:
        """Take note that an exchange is over, and need not stay in memory."""
        self._rows.end(number)

    def rest(self) -> None:
        """Put aside all that are over."""
        self._rows.rest()

    def changed_since(self, version: int) -> list[tuple[int, int]]:
        """Return which changed later: of each by which change, and its number; in their order."""
        here = self._rows.here
        found = (
            (here[number].changed if number in here else changed, number)
            for number, changed in enumerate(self._changed)
        )
        return [one for one in found if one[0] > version]

    def _put_aside(self, row: ExchangeRow) -> RowAside:
        self._changed[self._numbers[row.key]] = row.changed
        return row.aside()

    def _bring_back(self, number: int, aside: RowAside) -> ExchangeRow:
        row = ExchangeRow(self._keys[number], self.spool, self.capture)
        row.bring_back(aside)
        row.changed = self._changed[number]
        return row
