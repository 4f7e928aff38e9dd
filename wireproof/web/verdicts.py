"""What is said of exchanges while packets come: one face for a file and for a recording.

Strategy: of a file an exchange is judged once, when its connection is over and all is known. Of a
recording it is judged when it ends, for its connection may go on for hours, and once more when that
is over: round trips, losses and who closed are known only then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from parsers.records import ConnectionRecord, Record

from ..analysis.judges import MAX_WAITING, Explained, Explanations, judge
from ..live import verdicts as live


class FileVerdicts:
    """Judges exchanges when all is known of them."""

    def __init__(self) -> None:
        self._explanations = Explanations()

    def add(self, records: Iterable[Record]) -> Iterator[Explained]:
        """Take the next records; yield what can be judged."""
        return self._explanations.add_all(records)

    def finish(self) -> Sequence[Explained]:
        """Return the rest."""
        return self._explanations.finish()


class LiveVerdicts:
    """Judges exchanges as they end, and again when their connections do."""

    def __init__(self) -> None:
        self._verdicts = live.LiveVerdicts()
        self._told: dict[int, list[Explained]] = defaultdict(list)
        """The last MAX_WAITING of each connection that goes on."""

    def add(self, records: Sequence[Record]) -> Iterator[Explained]:
        """Take the next records; yield what can be judged, or can be judged better."""
        for explained in self._verdicts.add(records):
            told = self._told[explained.exchange.key.connection]
            told.append(explained)
            del told[:-MAX_WAITING]
            yield explained
        for record in records:
            if isinstance(record, ConnectionRecord):
                for about, trace, _ in self._told.pop(record.connection, ()):
                    yield Explained(about, trace, judge(trace))

    def finish(self) -> Sequence[Explained]:
        """Return the rest: there is none, for the end of a recording ends its connections."""
        return ()
