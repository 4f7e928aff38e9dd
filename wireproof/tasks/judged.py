"""What came of the exchanges of captures, in their order, read by this process or by several."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from typing import NamedTuple

from parsers import KeyLog, Memory

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.outcomes import Outcome, Outcomes
from .several import SeveralTeam, jobs_for, size_of
from .sources import TO_JUDGE, Say, UnreadableSource, reading
from .worker_died import WorkerDied

Judged = Generator[tuple[str, Iterator[Iterable[Outcome]]], None, None]
"""Each source, and what came of its exchanges, bit by bit."""


class Judging(NamedTuple):
    """What is read, and what is wanted of it."""

    sources: Sequence[str]
    """Paths; ``-`` for standard input."""
    doing: str
    """What the progress bar says."""
    wanted: ExchangeFilter = EVERYTHING
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in a capture."""
    with_ids: bool = False
    """Whether sessions are looked for in what exchanges carry, too."""

    def of(
        self, source: str, say: Say, *, is_shown: bool = True
    ) -> Generator[Iterable[Outcome], None, None]:
        """Yield the outcomes of a source, as its records bring them.

        The first ones come when there is a record, or none at all. Raises UnreadableSource.
        """
        read = reading(
            source,
            self.doing if is_shown else None,
            say,
            shows_records=True,
            keylog=self.keylog,
            wants=TO_JUDGE,
        )
        with read as batches:
            found = Outcomes(self.wanted, with_ids=self.with_ids)
            for records in filter(None, batches):
                yield found.add(records)
            yield found.finish()

    def together(
        self, source: str, workers: int, say: Say
    ) -> Generator[Iterable[Outcome], None, None]:
        """Yield the outcomes of a regular file that several processes read, the first one first.

        Raises UnreadableSource and WorkerDied.
        """
        from ..analysis.elsewhere import ToldOutcomes
        from .judging import Telling, judged_together

        telling = Telling(
            workers,
            shows_records=True,
            keylog=self.keylog,
            memory=Memory.usual,
            wants=TO_JUDGE,
            wanted=self.wanted,
            with_ids=self.with_ids,
        )
        outcomes = ToldOutcomes(self.wanted, with_ids=self.with_ids)

        def alone() -> Generator[Outcome, None, None]:
            with closing(self.of(source, say)) as found:
                yield from chain.from_iterable(found)

        together = judged_together(source, telling, outcomes, alone, self.doing, say)
        with closing(together) as found:
            yield list(islice(found, 1))
            yield found

    def told(self, source: str, say: Say) -> Iterator[list[Outcome]]:
        """Yield the same in a worker, which has no progress to show; raises OSError, ValueError."""
        try:
            yield from map(list, self.of(source, say, is_shown=False))
        except UnreadableSource as unreadable:
            raise unreadable.error from unreadable


@contextmanager
def judged(judging: Judging, jobs: int | None, say: Say) -> Iterator[Judged]:
    """Give what came of the exchanges of all sources, in their order.

    Up to ``jobs`` processes read them, None: as many as help. ``say`` takes what a user should
    know beside it. The iterators raise UnreadableSource, and WorkerDied.
    """
    sources = judging.sources
    workers = jobs_for(sources, jobs, say, divides=True)
    if workers > 1 and len(sources) == 1:
        with closing(_together(judging, workers, say)) as found:
            yield found
        return
    if workers == 1:
        with closing(_alone(judging, say)) as found:
            yield found
        return
    sizes = list(map(size_of, sources))
    with SeveralTeam(sources, sizes, workers, judging.told, list[Outcome]) as team:
        yield ((source, _told(team, at, source, say)) for at, source in enumerate(sources))


def _alone(judging: Judging, say: Say) -> Judged:
    for source in judging.sources:
        with closing(judging.of(source, say)) as found:
            yield source, found


def _together(judging: Judging, workers: int, say: Say) -> Judged:
    (source,) = judging.sources
    with closing(judging.together(source, workers, say)) as found:
        yield source, found


def _told(
    team: SeveralTeam[str, list[Outcome]], index: int, source: str, say: Say
) -> Iterator[list[Outcome]]:
    try:
        yield from team.found(index, say)
    except WorkerDied as died:
        died.source = source
        raise
    except (OSError, ValueError) as error:
        raise UnreadableSource(source, error) from error
