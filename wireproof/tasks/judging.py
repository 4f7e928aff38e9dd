"""One capture judged by several processes: workers fold its exchanges, and this one judges them.

Strategy: the capture is divided among workers as for decoding (:mod:`.jobs`), but what they send is
no records: each folds those of its own connections, which is most of the work, and tells what a
judge has to know (:mod:`~wireproof.analysis.telling`), with its place in the order of the whole. So
this process has all connections before it, in the order in which one process would see them.
"""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterator
from io import BytesIO
from typing import BinaryIO

from parsers.records import Record

from ..analysis.elsewhere import ToldOutcomes
from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.outcomes import Outcome
from ..analysis.telling import Message, Teller, Told
from ..views import Buffer
from .jobs import DecodingTeam, Make, Part, Work
from .sources import Say
from .unread import Unread


class Telling(Work, frozen=True):
    """What workers do: they tell of their exchanges."""

    wanted: ExchangeFilter = EVERYTHING
    with_ids: bool = False
    """Whether sessions are looked for in what exchanges carry, too."""

    def _making(self) -> Make:
        teller = Teller(self.wanted, with_ids=self.with_ids, of=self.workers)

        def made(records: list[Record], places: list[int]) -> Part:
            data, ends, at = bytearray(), [], []
            for index, message in teller.tell(records):
                data += pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
                at.append(places[index])
                ends.append(len(data))
            return Part.of(at, ends, bytes(data))

        return made


def told(pieces: list[Buffer]) -> Iterator[Message]:
    """Yield the messages that workers of this very process have sent."""
    for piece in pieces:
        stream = BytesIO(piece)
        while stream.tell() < len(piece):
            yield pickle.load(stream)  # noqa: S301 # nobody else has written it


def judged_together(
    stream: BinaryIO,
    source: str,
    telling: Telling,
    doing: str,
    say: Say,
) -> Generator[list[Outcome], None, None]:
    """Yield what came of the exchanges of a regular file, as its records bring them.

    Raises WorkerDied, OSError and ValueError, and Indivisible where one process has to do it.
    """
    outcomes = ToldOutcomes(telling.wanted, with_ids=telling.with_ids)
    unread = Unread()
    with DecodingTeam(telling, stream.fileno(), doing) as team:
        for pieces, _ in team.batches():
            messages = list(told(pieces))
            unread.note(one.record for one in messages if isinstance(one, Told))
            yield list(outcomes.take(messages))
        yield list(outcomes.finish())
        for summary in (*team.undecoded, *unread.sentences()):
            say(f"{source}: {summary}")
