"""Exchanges whose records other processes fold: what they tell, as one process would see it.

Strategy: an exchange that goes on has its heads here, which come as they are on the wire; the rest
comes when it is over. What is told comes in the order of the records, so whoever judges knows at
every moment what one process would know, except for what goes on. If a judge asks for that, which
is seldom, or there are more exchanges than one process would keep, nobody can go on: Indivisible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from parsers import Indivisible
from parsers.records import ConnectionRecord

from ..exchange import ConnectionEnd, Exchange
from ..open_exchanges import Key, max_open
from .choice import Choice
from .company import Company
from .exchange_filter import EVERYTHING, ExchangeFilter
from .folding import Found, Moment
from .http2_facts import Http2Facts
from .judges import Explained, Explanations
from .outcomes import Held, Outcome, Outcomes, Sealed
from .payload_ids import Ids
from .telling import Message, Over, Searched, Shared, Told
from .trace import Trace


class Elsewhere:
    """Turns what is told into moments; a :class:`.judges.Fold`."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.begun = 0
        self._max_open = max_open()
        self._open: dict[Key, Found] = {}
        self._ends: dict[int, ConnectionEnd] = {}
        self._shared: dict[int, Http2Facts | None] = {}
        """None as long as it is only known that there is something."""

    def moment(self, told: Told) -> Moment:
        """Take what is told of a moment. Raises Indivisible."""
        record, key, ended, has_begun, remembered = told
        found: Found | None = None
        if key is not None:
            found = self._begin(key) if has_begun else self._open[key]
            if record is not None and not isinstance(record, ConnectionRecord):
                found[0].add(record)
            if remembered is not None:
                remembered.give(found)
        over = list(map(self._over, ended))
        if isinstance(record, ConnectionRecord) and record.connection in self._ends:
            self._ends.pop(record.connection).record = record
        return Moment(record, found, over, has_begun)

    def share(self, told: Shared) -> None:
        """Take what the streams of a connection share."""
        self._shared[told.connection] = told.facts

    def shared(self, connection: int) -> Http2Facts | None:
        """Return what the streams of a connection share. Raises Indivisible while it goes on."""
        facts = self._shared.get(connection)
        if facts is None and connection in self._shared:
            raise Indivisible("a stream is judged while its connection goes on", is_for_one=True)
        return facts

    def let_go(self, connection: int) -> None:
        """Forget what is known of a connection that has ended."""
        self._shared.pop(connection, None)

    def finish(self) -> list[Found]:
        """Take note that nothing more is told. Raises Indivisible if an exchange is not over."""
        if self._open:
            raise Indivisible("an exchange is not over at the end", is_for_one=True)
        return []

    def _begin(self, key: Key) -> Found:
        if len(self._open) >= self._max_open:
            raise Indivisible("many exchanges are open at once", is_for_one=True)
        end = self._ends.setdefault(key.connection, ConnectionEnd())
        exchange = Exchange(key, self.begun, end=end)
        self.begun += 1
        end.last = max(end.last, key.exchange)
        trace = Trace(exchange, self._company)
        trace.is_elsewhere = True
        found = self._open[key] = exchange, trace
        return found

    def _over(self, over: Over) -> Found:
        exchange, trace = found = self._open.pop(over.key)
        over.whole.give(exchange)
        vars(trace).update(vars(over.trace), is_elsewhere=False)
        if over.is_multiplexed:
            self._shared.setdefault(over.key.connection, None)
        return found


class _Following:
    """Has ``explanations`` judge what is told, of which ``choice`` chooses."""

    def __init__(self, explanations: Explanations, choice: Choice) -> None:
        self._explanations, self._choice = explanations, choice
        self._elsewhere = Elsewhere(explanations.company)
        explanations.follow(self._elsewhere)

    def take(self, told: Message) -> Sequence[Explained]:
        """Take what is told; return the exchanges that can be judged now. Raises Indivisible."""
        if isinstance(told, Told):
            return self._explanations.take(self._elsewhere.moment(told))
        if isinstance(told, Shared):
            self._elsewhere.share(told)
        elif isinstance(told, Searched):
            self._choice.note(told.key)
        return ()


class ToldExplanations:
    """Turns what others tell into the exchanges that are wanted, explained as by one process."""

    def __init__(self, wanted: ExchangeFilter = EVERYTHING) -> None:
        self._choice = Choice(wanted)
        self._explanations = Explanations()
        self._following = _Following(self._explanations, self._choice)

    def take(self, messages: Iterable[Message]) -> Iterator[Explained]:
        """Take what is told of a batch; yield what can be judged now. Raises Indivisible."""
        for told in messages:
            yield from filter(self._choice.takes, self._following.take(told))

    def finish(self) -> Iterator[Explained]:
        """Take note that nothing more is told; yield the rest. Raises Indivisible."""
        yield from filter(self._choice.takes, self._explanations.finish())


class ToldOutcomes(Outcomes):
    """Turns what others tell into the outcomes that they would be for one process."""

    def __init__(self, wanted: ExchangeFilter = EVERYTHING, *, with_ids: bool = False) -> None:
        super().__init__(wanted, with_ids=with_ids)
        self._following = _Following(self._explanations, self._choice)

    def take(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        """Take what is told of a batch; yield the outcomes whose turn it is. Raises Indivisible."""
        for told in messages:
            if isinstance(told, Held | Sealed):
                self._place(told)
            elif isinstance(told, Ids) and self._ids is not None:
                self._ids.note(told)
            for explained in self._following.take(told):
                yield from self._taken(explained)
        yield from self._given()
