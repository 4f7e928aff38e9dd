"""One capture judged by several processes: workers fold its exchanges, and this one judges them.

Strategy: the capture is divided among workers as for decoding (:mod:`.jobs`), but what they send is
no records: each folds those of its own connections, which is most of the work, and tells what a
judge has to know (:mod:`~wireproof.analysis.telling`), with its place in the order of the whole. So
this process has all connections before it, in the order in which one process would see them.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from io import BytesIO
from itertools import islice
from typing import BinaryIO, Protocol, TypeVar

from parsers import Indivisible
from parsers.records import Record

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.telling import Message, Teller, Told
from ..opening import end_of, open_input
from ..views import Buffer
from .jobs import DecodingTeam, Make, Part, Work
from .sources import STORED, Say, UnreadableSource
from .unread import Unread
from .worker_died import WorkerDied

T = TypeVar("T", covariant=True)


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


class Taker(Protocol[T]):
    """Who judges what workers tell."""

    def take(self, messages: Iterable[Message]) -> Iterator[T]:
        """Take what is told of a batch; yield what it comes to. Raises Indivisible."""

    def finish(self) -> Iterator[T]:
        """Take note that nothing more is told; yield the rest. Raises Indivisible."""


def judged_together(
    source: str,
    telling: Telling,
    taker: Taker[T],
    alone: Callable[[], Generator[T, None, None]],
    doing: str,
    say: Say,
) -> Generator[T, None, None]:
    """Yield what the exchanges of a regular file come to.

    Where workers cannot tell all that one process would know, one begins again and goes on where
    they stop: ``alone`` yields the same. Raises UnreadableSource and WorkerDied.
    """
    given = 0
    try:
        with ExitStack() as stack:
            stream = open_input(source, stack)
            if os.pread(stream.fileno(), 1, 0) in STORED:
                raise Indivisible("these are records")
            for one in stack.enter_context(
                closing(_taken(stream, source, telling, taker, doing, say))
            ):
                given += 1
                yield one
        return
    except Indivisible:
        pass
    except WorkerDied as died:
        died.source = source
        raise
    except (OSError, ValueError) as error:
        raise UnreadableSource(source, error) from error
    with closing(alone()) as found:
        yield from islice(found, given, None)


def _taken(
    stream: BinaryIO, source: str, telling: Telling, taker: Taker[T], doing: str, say: Say
) -> Generator[T, None, None]:
    unread = Unread()
    with DecodingTeam(telling, stream.fileno(), doing, end_of(stream)) as team:
        for pieces, _ in team.batches():
            messages = list(told(pieces))
            unread.note(one.record for one in messages if isinstance(one, Told))
            yield from taker.take(messages)
        yield from taker.finish()
        for summary in (*team.undecoded, *unread.sentences()):
            say(f"{source}: {summary}")
