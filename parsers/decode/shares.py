"""One of several decoders of a capture: it follows its own connections alone.

Strategy: it is told of each batch which packets are its own, and what it must know of the others
(:mod:`.dividing`): with which packets their connections begin, by a simple rule, and how many are
open. Where its own connections do not begin where the rule says, the capture cannot be divided so
(:class:`~.dividing.Indivisible`). The same holds for whatever in one connection would change
another: packets that were captured twice, and more connections than fit into memory.
"""

from __future__ import annotations

from bisect import bisect_left

from ..files.packets import Origins, Packet
from ..limits import CONNECTION_COST, MAX_CLOSED_CONNECTIONS, MAX_MEMORY
from ..net.table import reverse_key
from ..net.tcp import Connection
from ..records import Record
from .dividing import Indivisible, Portion, ReadAt

MAX_OPEN = MAX_MEMORY // CONNECTION_COST // 4
"""Connections open at once that are divided: of many more, one process would let some go."""


class Share:
    """One of so many shares, as its packets come."""

    def __init__(self, number: int, of: int) -> None:
        self._number = number
        self._of = of
        self._is_own: dict[bytes, bool] = {}
        """Of usual ends, by their keys, both ways."""
        self._others: list[int] = []
        """The packets with which others' connections began, in order."""
        self._open_elsewhere = 0
        self._expected: list[int] = []
        """The same of its own, in the batch at hand: by the rule, and as they did begin."""
        self._begun: list[int] = []
        self._latest = 0
        """With which the last one of its own began."""
        self._origins = Origins()

    @property
    def has_others(self) -> bool:
        """Whether others have had a connection."""
        return bool(self._others)

    def others_before(self, packet: int) -> int:
        """Return how many of others' connections have begun before a packet."""
        return bisect_left(self._others, packet)

    def has(self, connection: int | None) -> bool:
        """Whether it decodes a connection that all follow; None: faults of no connection."""
        return (connection or 0) % self._of == self._number

    def begins(self, index: int, key: bytes, packet: int) -> bool:
        """Return whether it decodes a connection that begins with a packet, or is begun again with
        it. Raises Indivisible."""
        is_own = self._is_own.get(key)
        if is_own is None:
            return self.has(index)
        if not is_own:
            raise Indivisible("a packet that is not usual, of another's connection")
        if packet > self._latest:
            self._latest = packet
            self._begun.append(packet)
        return True

    def is_relay(self, packet: int) -> bool:
        """Return whether a relay has recorded one of the last packets."""
        return self._origins.is_relay(packet)

    def check_late(self, connection: Connection[Record], begun: int) -> None:
        """Raise Indivisible if a packet comes late, for a connection that may be forgotten by now.

        So many may have been closed since it was: those that were open, and those that have begun,
        of ``begun`` that were before the packet.
        """
        if begun - connection.index + MAX_OPEN >= MAX_CLOSED_CONNECTIONS:
            raise Indivisible("a packet comes late, after many connections")

    def check(self, open_here: int) -> None:
        """Raise Indivisible if connections began in the batch where the rule does not say so, or if
        there are too many beside those that are ``open_here``."""
        if self._begun != self._expected:
            raise Indivisible(f"{self._begun} instead of {self._expected}")
        if self._open_elsewhere + open_here >= MAX_OPEN:
            raise Indivisible("many connections are open at once")
        self._begun, self._expected = [], []

    def take(self, portion: Portion, read_at: ReadAt) -> list[Packet]:
        """Take what it is told of a batch; return its packets. Raises as ``Packed.rows`` does."""
        for key, owner in portion.ends:
            self._is_own[key] = self._is_own[reverse_key(key)] = owner == self._number
        for packet, owner in portion.begun:
            (self._expected if owner == self._number else self._others).append(packet)
        self._open_elsewhere = sum(portion.open) - portion.open[self._number]
        rows: list[Packet] = []
        for packed in portion.packed:
            self._origins.add(packed.first, packed.is_relay)
            rows += packed.rows(read_at)
        return rows
