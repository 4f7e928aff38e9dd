"""What came of each exchange that is wanted: its line, and what is said of it.

Strategy: an outcome holds what is shown and nothing else, so that it can wait for exchanges that
began earlier and are not over yet: outcomes are given in the order in which exchanges began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace
from parsers.records import ConnectionRecord, Record

from .choice import Choice
from .exchange_filter import EVERYTHING, ExchangeFilter
from .in_order import InOrder
from .judges import Explained, Explanations
from .keyless.facts import TlsFacts
from .keyless.sealed import MAX_KEPT, TAKEN, SealedConnections
from .late_legs import LateLegs, Told
from .leg_pairs import LegPairs
from .listing import Listed, listed, listed_tls
from .measures import Measures, measures
from .payload_ids import PayloadIds
from .sessions import Session
from .verdict import SEVERITIES, Severity, Verdict


class Outcome(NamedTuple):
    """What came of an exchange, or of a TLS connection that was not decrypted."""

    listed: Listed
    verdicts: list[Verdict]
    measures: Measures | None = None
    """Its figures, where they were asked for; a TLS connection that was not decrypted has none."""


class Held(NamedTuple):
    """The place of a TLS connection among the exchanges is that of its first record."""

    connection: int


class Sealed(NamedTuple):
    """A connection has ended whose place is held."""

    connection: int
    outcome: Outcome | None
    """None if there is nothing to say, or it is not wanted."""


class SealedOutcomes:
    """Turns what is known of TLS that was not decrypted into outcomes that ``choice`` takes.

    ``max_kept`` is how many records are kept.
    """

    def __init__(self, choice: Choice, max_kept: int = MAX_KEPT) -> None:
        self._choice = choice
        self._connections = SealedConnections(max_kept)
        self._held: set[int] = set()

    @property
    def has_lost(self) -> bool:
        """Whether something was not kept because there was too much."""
        return self._connections.has_lost

    def take(self, record: Record) -> Held | Sealed | None:
        """Take the next record of TAKEN; return what it brings about."""
        found = self._connections.add(record)
        number = record.connection
        if number is None:
            return None
        if not isinstance(record, ConnectionRecord):
            if number in self._held:
                return None
            self._held.add(number)
            return Held(number)
        if number not in self._held:
            return None
        self._held.discard(number)
        is_wanted = found is not None and self._choice.takes_sealed(found)
        told = Outcome(listed_tls(found), found.verdicts) if found and is_wanted else None
        return Sealed(number, told)


class Outcomes:
    """Turns records into the outcomes of the exchanges that are wanted."""

    def __init__(
        self,
        wanted: ExchangeFilter = EVERYTHING,
        *,
        with_ids: bool = False,
        with_measures: bool = False,
        with_legs: bool = False,
        tell: Callable[[Explained], object] | None = None,
    ) -> None:
        """``with_ids`` looks for sessions in what exchanges carry, and not in their heads alone;
        ``with_measures`` gives the figures of each, ``with_legs`` waits until it is known which
        are legs behind a proxy; ``tell`` is told of each that was judged."""
        self._tell = tell
        self._choice = Choice(wanted)
        self._with_measures = with_measures
        pairs = LegPairs() if with_legs else None
        self._legs: LateLegs[Outcome | None] | None = LateLegs(pairs) if pairs else None
        self._ids = PayloadIds() if with_ids else None
        self._explanations = Explanations(pairs=pairs)
        self._in_order: InOrder[Outcome] = InOrder()
        self._sealed = SealedOutcomes(self._choice)
        self._places: dict[int, tuple[int, int]] = {}
        """Where TLS connections that are open stand among the exchanges."""
        self._ended: list[tuple[tuple[int, int], Outcome | None]] = []
        """Of TLS connections that have ended, and have not been given yet."""

    def add(self, records: Sequence[Record]) -> Iterator[Outcome]:
        """Take the next records; yield the outcomes whose turn it is."""
        is_plain = self._choice.search is None and self._ids is None
        looked_at = records if is_plain else self._looked_at(records)
        # Of nearly every batch nothing is of TLS, and no connection ends in it.
        has_taken = not TAKEN.isdisjoint(map(type, records))
        rest = self._unsealed(looked_at) if has_taken else looked_at
        for explained in self._explanations.add_all(rest):
            yield from self._taken(explained)
        yield from self._given()
        if self._legs is not None:
            yield from self._known(self._legs.known())

    def _taken(self, explained: Explained) -> Iterator[Outcome]:
        """Take an exchange that was judged; yield the outcomes whose turn it is."""
        if self._ended:
            yield from self._given()
        yield from self._ordered(explained)

    def _looked_at(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self._choice.look(record)
            if self._ids is not None:
                self._ids.add(record)
            yield record

    def _unsealed(self, records: Iterable[Record]) -> Iterator[Record]:
        """Look at what is known of TLS on the way."""
        for record in records:
            if type(record) in TAKEN and (told := self._sealed.take(record)) is not None:
                self._place(told)
            yield record

    def _place(self, told: Held | Sealed) -> None:
        """Hold the place of a TLS connection, or take what came of it."""
        if isinstance(told, Held):
            self._places[told.connection] = self._in_order.hold(self._explanations.begun)
        else:
            self._ended.append((self._places.pop(told.connection), told.outcome))

    def _given(self) -> Iterator[Outcome]:
        ended, self._ended = self._ended, []
        for place, outcome in ended:
            yield from self._in_order.fill(place, outcome)

    def finish(self) -> Iterator[Outcome]:
        """Take note that no record follows; yield the rest."""
        for explained in self._explanations.finish():
            yield from self._ordered(explained)
        if self._legs is not None:
            yield from self._known(self._legs.finish())
        yield from self._in_order.finish()

    def _ordered(self, explained: Explained) -> Iterable[Outcome]:
        is_wanted = self._choice.takes(explained)
        if is_wanted and self._tell is not None:
            self._tell(explained)
        named = [] if self._ids is None else self._ids.take(explained.exchange.key)
        outcome = self._outcome(explained, named) if is_wanted else None
        number = explained.exchange.number
        if self._legs is None:
            return self._in_order.add(number, outcome)
        return self._known(self._legs.wait(number, outcome))

    def _known(self, told: Iterable[Told[Outcome | None]]) -> Iterator[Outcome]:
        """Take outcomes of which it is known whether they are legs behind a proxy; None is of one
        that is not wanted."""
        for number, outcome, is_behind in told:
            figures = None if outcome is None else outcome.measures
            if is_behind and outcome is not None and figures is not None:
                outcome = outcome._replace(measures=replace(figures, is_behind_proxy=True))
            yield from self._in_order.add(number, outcome)

    def _outcome(self, explained: Explained, named: list[Session]) -> Outcome:
        figures = measures(explained) if self._with_measures else None
        return Outcome(listed(explained, named), explained.verdicts, figures)


def outcomes(
    batches: Iterable[Sequence[Record]],
    wanted: ExchangeFilter = EVERYTHING,
    *,
    with_ids: bool = False,
) -> Iterator[Outcome]:
    """Yield what came of the exchanges that are wanted, in the order in which they began."""
    found = Outcomes(wanted, with_ids=with_ids)
    for records in batches:
        yield from found.add(records)
    yield from found.finish()


@dataclass
class Tally:
    """How many exchanges there were, by the gravest that is said of each."""

    counts: dict[Severity, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    failed: int = 0
    """Those that make the answer "no"."""
    sealed: int = 0
    """How many of them are TLS connections that were not decrypted, or in part."""
    opened: int = 0
    """How many of these were decrypted in part."""

    @property
    def exchanges(self) -> int:
        return sum(self.counts.values())

    def add(self, severity: Severity, has_failed: bool, *, tls: TlsFacts | None = None) -> None:
        """Count an exchange, or ``tls``, a connection that was not decrypted."""
        self.counts[severity] += 1
        self.failed += has_failed
        self.sealed += tls is not None
        self.opened += tls is not None and tls.decrypted == "part"

    def join(self, other: Tally) -> None:
        """Count another's exchanges too."""
        for severity, number in other.counts.items():
            self.counts[severity] += number
        self.failed += other.failed
        self.sealed += other.sealed
        self.opened += other.opened
