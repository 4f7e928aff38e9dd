"""The rows of all exchanges, in the order of their first records: those that go on, and those that
are over.

Strategy: those that are over are put aside (:mod:`..shelf`), and so is, of a connection that has
ended, which rows are its own; of them memory holds when each changed last. A row is found by its
connection: of one the numbers of exchanges and of rows both ascend, but for a few.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple, overload

from parsers.records import is_quic

from ..shelf import Resting
from ..spool import Spool
from .exchange import ExchangeRow, Key, RowAside

NONE = -1
"""Stands for the row of what belongs to no exchange, if there is none."""


class OwnAside(NamedTuple):
    """The rows of a connection as they are put aside when it has ended."""

    rows: bytes
    exchanges: bytes
    places: bytes
    whole: int


class OwnRows:
    """Which rows a connection has."""

    __slots__ = ("rows", "whole", "_exchanges", "_places")

    def __init__(self) -> None:
        self.rows = array("q")
        """Their numbers, ascending."""
        self.whole = NONE
        """Which of them is of what belongs to no exchange."""
        self._exchanges = array("q")
        """The numbers of its exchanges, ascending."""
        self._places = array("q")
        """Which row each of these has."""

    def find(self, exchange: int | None) -> int | None:
        """Return which row an exchange has, None if it has none."""
        if exchange is None:
            return None if self.whole == NONE else self.whole
        at = bisect_left(self._exchanges, exchange)
        is_there = at < len(self._exchanges) and self._exchanges[at] == exchange
        return self._places[at] if is_there else None

    def between(self, first: int, last: int) -> list[int]:
        """Return the rows of the exchanges [first, last), in the order of their numbers."""
        start = bisect_left(self._exchanges, first)
        return self._places[start : bisect_left(self._exchanges, last, start)].tolist()

    @property
    def last(self) -> int:
        """The highest number of its exchanges, -1 if it has none."""
        return self._exchanges[-1] if self._exchanges else -1

    def add(self, exchange: int | None, row: int) -> None:
        """Take the row of an exchange that begins."""
        self.rows.append(row)
        if exchange is None:
            self.whole = row
            return
        at = bisect_left(self._exchanges, exchange)
        self._exchanges.insert(at, exchange)
        self._places.insert(at, row)

    def aside(self) -> OwnAside:
        """Return what is to be put aside."""
        exchanges, places = self._exchanges.tobytes(), self._places.tobytes()
        return OwnAside(self.rows.tobytes(), exchanges, places, self.whole)

    @staticmethod
    def back(_: int, aside: OwnAside) -> OwnRows:
        """Return what was put aside."""
        own = OwnRows()
        columns = own.rows, own._exchanges, own._places
        for column, kept in zip(columns, aside[:3], strict=True):
            column.frombytes(kept)
        own.whole = aside.whole
        return own


class ExchangeRows(Sequence[ExchangeRow]):
    """The exchanges of one capture, each by its number and by its key."""

    def __init__(self, spool: Spool, capture: int) -> None:
        self.spool = spool
        self.capture = capture
        """Which capture it is, from 0."""
        self._changed = array("q")
        """By which change of the whole each changed last, of those that were put aside."""
        self._interest = array("d")
        """How much there is to look at in each of these."""
        self._detailed: bytes | None = None
        """Of each whether a page has its details; None: of all."""
        self._rows: Resting[ExchangeRow, RowAside] = Resting(
            RowAside, spool, self._put_aside, self._bring_back
        )
        self._own: Resting[OwnRows, OwnAside] = Resting(
            OwnAside, spool, OwnRows.aside, OwnRows.back
        )
        """Those of each connection."""
        self._of_none = OwnRows()
        """Those of what belongs to no connection."""
        self.exchanges = 0
        """How many are of an exchange: others show a connection that has none, or the file."""
        self.quic = array("q")
        """The connections of QUIC that have any, in the order in which they began."""

    def __len__(self) -> int:
        return len(self._changed)

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

    def of(self, connection: int | None) -> Sequence[int]:
        """Return the numbers of the rows of a connection, ascending; None: of none."""
        own = self.own(connection)
        return () if own is None else own.rows

    def own(self, connection: int | None) -> OwnRows | None:
        return self._of_none if connection is None else self._own.find(connection)

    def number(self, key: Key) -> int | None:
        """Return which one of all has a key, from 0; None if none has."""
        own = self.own(key.connection)
        return None if own is None else own.find(key.exchange)

    def find(self, key: Key) -> ExchangeRow | None:
        """Return the row of a key, None if there is none."""
        number = self.number(key)
        return None if number is None else self._rows.get(number)

    def begin(self, key: Key) -> ExchangeRow:
        """Add the row of an exchange that begins."""
        number, own = len(self), self.own(key.connection)
        if own is None:
            assert key.connection is not None
            own = OwnRows()
            self._own.begin(key.connection, own)
            if is_quic(key.connection):
                self.quic.append(key.connection)
        own.add(key.exchange, number)
        self.exchanges += key.exchange is not None
        self._changed.append(0)
        self._interest.append(0.0)
        row = ExchangeRow(key, number, self.spool, self.capture)
        self._rows.begin(number, row)
        return row

    def end(self, number: int) -> None:
        """Take note that an exchange is over, and need not stay in memory."""
        self._rows.end(number)

    def end_connection(self, connection: int) -> None:
        """Take note that a connection has ended: few exchanges of it may begin."""
        self._own.end(connection)

    def rest(self) -> None:
        """Put aside all that are over."""
        self._rows.rest()
        self._own.rest()

    def choose_detailed(self, most: int) -> None:
        """Have a page show details of ``most`` exchanges, those that are most worth a look; of the
        same worth the first ones."""
        if len(self) <= most:
            return
        here, interest = self._rows.here, self._interest
        worth = [here[at].interest if at in here else interest[at] for at in range(len(self))]
        chosen = bytearray(len(self))
        for number in nlargest(most, range(len(self)), key=worth.__getitem__):
            chosen[number] = True
        self._detailed = bytes(chosen)

    def is_detailed(self, number: int) -> bool:
        """Whether a page has the details of an exchange."""
        return self._detailed is None or bool(self._detailed[number])

    @property
    def detailed(self) -> int:
        """Of how many a page has details."""
        return len(self) if self._detailed is None else sum(self._detailed)

    def shows(self, connection: int) -> bool:
        """Whether a page has details of any exchange of a connection; of none: always."""
        own = None if self._detailed is None or connection < 0 else self.own(connection)
        return own is None or any(map(self.is_detailed, own.rows))

    def changed_since(self, version: int) -> list[tuple[int, int]]:
        """Return which changed later: of each by which change, and its number; in their order."""
        here = self._rows.here
        found = (
            (here[number].changed if number in here else changed, number)
            for number, changed in enumerate(self._changed)
        )
        return [one for one in found if one[0] > version]

    def _put_aside(self, row: ExchangeRow) -> RowAside:
        self._changed[row.number] = row.changed
        self._interest[row.number] = row.interest
        return row.aside()

    def _bring_back(self, number: int, aside: RowAside) -> ExchangeRow:
        row = ExchangeRow(Key(*aside.key), number, self.spool, self.capture)
        row.bring_back(aside)
        row.changed = self._changed[number]
        return row
