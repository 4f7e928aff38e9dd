"""What is remembered of an exchange that others may follow: a reconnect, or the leg of a proxy.

Strategy: as long as an exchange goes on its trace has all of it. Once it is over that is let go,
and what a judge of later ones asks for stays: its records of heads and ends, the IDs of its events,
and its last words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from parsers.records import GapRecord

from ..dialects.payload import Kind, Payload
from ..exchange import Exchange
from .event_ids import EventIds
from .firsts import Firsts


class Word(NamedTuple):
    """An element that tells how the application ended its stream."""

    payload: Payload
    packet: int
    time: float


class Remembered(Protocol):
    """What is remembered of a trace; this module knows no more of it."""

    about: Exchange
    ids: EventIds
    gaps: Sequence[GapRecord]
    words: Mapping[Kind, Word]
    firsts: Firsts

    def check_remembered(self) -> None:
        """Raise Indivisible if there may be more of it than is known here."""


T = TypeVar("T", bound=Remembered)


class Past(Generic[T]):
    """What is remembered of an exchange: no columns, so that it takes little."""

    __slots__ = ("about", "trace", "waiting", "asked_meanwhile", "is_forgotten", "_firsts", "_kept")

    def __init__(self, trace: T) -> None:
        self.about: Exchange = trace.about
        self.trace: T | None = trace
        """As long as it is not over."""
        self.waiting: tuple[Past[T], ...] = ()
        """Those of other connections that had no answer yet when this one asked for the same."""
        self.asked_meanwhile: tuple[Past[T], ...] = ()
        """Those that asked for the same on other connections while this one had no answer yet."""
        self.is_forgotten = False
        """Whether these two are known no more."""
        self._firsts: Firsts = ()
        self._kept: tuple[EventIds, Sequence[GapRecord], Mapping[Kind, Word]] | None = None

    def end(self, trace: T) -> None:
        """Let go of all but what is remembered of an exchange that is over."""
        self._firsts = trace.firsts
        self.trace, self._kept = None, (trace.ids, trace.gaps, trace.words)

    @property
    def last_time(self) -> float:
        """When the last of it came, in seconds since the epoch."""
        if self.trace is not None:
            self.trace.check_remembered()
        return self.about.last_time

    @property
    def firsts(self) -> Firsts:
        """The first elements of its answer, as far as they have come."""
        return self._firsts if self.trace is None else self.trace.firsts

    @property
    def ids(self) -> EventIds:
        return self._known[0]

    @property
    def gaps(self) -> Sequence[GapRecord]:
        return self._known[1]

    @property
    def words(self) -> Mapping[Kind, Word]:
        return self._known[2]

    @property
    def _known(self) -> tuple[EventIds, Sequence[GapRecord], Mapping[Kind, Word]]:
        if self._kept is not None:
            return self._kept
        assert self.trace is not None  # it is not over
        self.trace.check_remembered()
        return self.trace.ids, self.trace.gaps, self.trace.words
