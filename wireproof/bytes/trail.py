"""What is kept of a connection that is followed: which packets brought the bytes of its directions.

Strategy: the decoder's own source maps are given copies of themselves that forget nothing, two
numbers for each run. A connection that has ended is put aside (:mod:`..shelf`): there may be
thousands, and few are looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from parsers import Connection
from parsers.provenance import Arrival, SourceMap
from parsers.records import Record, Sender

from ..columns import Numbers, RowsAside
from ..shelf import Resting
from ..spool import Spool

TrailAside = tuple[int, int, bytes, bytes]
"""Where a trail starts, how long its stream is, and its two columns."""


class Trail(SourceMap[Arrival]):
    """A source map that also keeps, of every run, where it ends and its packet.

    Runs are put aside when the map lets them go, many at once, or when they are asked for.
    """

    __slots__ = ("start", "_ends_before", "_last_forgotten", "_packets_before", "_put_aside")

    def __init__(self) -> None:
        super().__init__()
        self.start = 0
        """Of the first run that is kept."""
        self._ends_before = array("q")
        self._packets_before = array("I")
        self._last_forgotten = 0
        """The packet of the run before the first that is kept."""
        self._put_aside = 0
        """How many of the runs that the map still has were put aside before."""

    def aside(self) -> TrailAside:
        """Return all that is known of a direction that has ended."""
        self._put_all_aside()
        return self.start, self.size, self._ends_before.tobytes(), self._packets_before.tobytes()

    def bring_back(self, aside: TrailAside) -> None:
        """Be what was put aside."""
        self.start, self.size, ends, packets = aside
        self._ends_before.frombytes(ends)
        self._packets_before.frombytes(packets)

    def retain(self, offsets: Iterable[int]) -> None:
        self._put_all_aside()
        super().retain(offsets)
        self._put_aside = len(self.ends)

    def forget(self, upto: int) -> None:
        """Forget the runs that end at ``upto`` or before it: nothing will ask for them."""
        self._put_all_aside()
        if upto > self.start:
            count = bisect_right(self._ends_before, upto)
            if count:
                self.start = self._ends_before[count - 1]
                self._last_forgotten = self._packets_before[count - 1]
                del self._ends_before[:count], self._packets_before[:count]

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield start, end and packet of each run that holds bytes of [start, end), in order."""
        self._put_all_aside()
        ends = self._ends_before
        for index in range(bisect_right(ends, start), len(ends)):
            begin = ends[index - 1] if index else self.start
            if begin >= end:
                return
            yield begin, ends[index], self._packets_before[index]

    def captured(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the same of what was captured: what a packet lacks is a run of its own, right after
        that of what the capture has of it."""
        for begin, upto, packet in self.runs(start, end):
            index = bisect_left(self._ends_before, upto)
            before = self._packets_before[index - 1] if index else self._last_forgotten
            if packet != before:
                yield begin, upto, packet

    def columns(self, start: int, end: int, most: int) -> tuple[list[int], list[int]] | None:
        """Return the same as columns, None if they are more than ``most``: where the first of these
        runs begins and where each ends, and their packets."""
        self._put_all_aside()
        ends = self._ends_before
        first = bisect_right(ends, start)
        last = bisect_left(ends, end, first) + 1
        if last - first > most:
            return None
        begin = ends[first - 1] if first else self.start
        return [begin, *ends[first:last]], self._packets_before[first:last].tolist()

    def brought(self, packet: int, start: int, end: int) -> list[tuple[int, int]]:
        """Return which of bytes [start, end) a packet was the first to bring: nearly always all."""
        self._put_all_aside()
        ends = self._ends_before
        index = bisect_right(ends, start)
        if 0 < index < len(ends) and ends[index] >= end and self._packets_before[index] == packet:
            return [(start, end)]
        return [
            (begin if begin > start else start, upto if upto < end else end)
            for begin, upto, carried in self.runs(start, end)
            if carried == packet
        ]

    def _put_all_aside(self) -> None:
        if self._put_aside < len(self.ends):
            self._ends_before.extend(self.ends[self._put_aside :])
            self._packets_before.extend([value[0] for value in self.values[self._put_aside :]])
            self._put_aside = len(self.ends)


class FollowedAside(NamedTuple):
    """A connection as it is put aside when it has ended."""

    key: bytes
    client: int
    is_certain: bool
    next_seqs: tuple[int | None, int | None]
    packets: RowsAside
    trails: tuple[TrailAside, TrailAside]


class Followed:
    """A connection as it is followed: its directions' trails, its packets, its roles."""

    __slots__ = ("number", "key", "trails", "packets", "client", "_is_certain", "_next_seqs")

    def __init__(self, number: int, key: bytes, spool: Spool) -> None:
        self.number = number
        self.key = key
        self.trails = (Trail(), Trail())
        self.packets = Numbers(spool)
        self.client = int(key[-4:-2] < key[-2:])
        """Which direction the client sent: 0 for that of the first packet, 1 for the other. The
        higher port, until a handshake or a message says it."""
        self._is_certain = False
        self._next_seqs: Callable[[], tuple[int | None, int | None]] = lambda: (None, None)

    def follow(self, connection: Connection[Record]) -> None:
        """Be told by a connection of the decoder what its packets bring."""
        first, second = connection.first, connection.second
        first.origins, second.origins = self.trails
        self._next_seqs = lambda: (first.next_seq, second.next_seq)

    def aside(self) -> FollowedAside:
        """Put its packets aside, and return what is to be put aside of it."""
        first, second = self.trails
        return FollowedAside(
            self.key, self.client, self._is_certain, self._next_seqs(), self.packets.aside(),
            (first.aside(), second.aside()),
        )  # fmt: skip

    def bring_back(self, aside: FollowedAside) -> None:
        """Be what was put aside."""
        self.client, self._is_certain = aside.client, aside.is_certain
        self._next_seqs = lambda: aside.next_seqs
        self.packets.bring_back(aside.packets)
        for trail, kept in zip(self.trails, aside.trails, strict=True):
            trail.bring_back(kept)

    def next_seq(self, direction: int) -> int | None:
        """Return the sequence number that comes next in a direction, None if none has been seen."""
        return self._next_seqs()[direction]

    def note_syn(self, direction: int, is_answer: bool) -> None:
        """Take the roles from a SYN; only the first says them."""
        if not self._is_certain:
            self.client = direction ^ is_answer
            self._is_certain = True

    def note_message(self, direction: int, sender: Sender) -> None:
        """Take the roles from a request or response, which ``direction`` carried."""
        self.client = direction if sender == "client" else 1 - direction
        self._is_certain = True

    def sender(self, direction: int) -> Sender:
        return "client" if direction == self.client else "server"

    def trail(self, sender: Sender) -> Trail:
        return self.trails[self.client if sender == "client" else 1 - self.client]


class FollowedConnections(Sequence[Followed]):
    """All connections by number; those that have ended need not be in memory."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._count = 0
        self._connections: Resting[Followed, FollowedAside] = Resting(
            FollowedAside, spool, Followed.aside, self._bring_back
        )

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> Followed: ...

    @overload
    def __getitem__(self, number: slice) -> list[Followed]: ...

    def __getitem__(self, number: int | slice) -> Followed | list[Followed]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(self._count))]
        if not 0 <= number < self._count:
            raise IndexError(f"no connection {number:,} of {self._count:,}")
        return self._connections.get(number)

    def begin(self, connection: Connection[Record]) -> None:
        """Add a connection of the decoder, which has just begun."""
        followed = Followed(self._count, connection.key, self._spool)
        followed.follow(connection)
        self._connections.begin(self._count, followed)
        self._count += 1

    def goes_on(self, number: int) -> bool:
        """Whether a connection has not ended, and so stays in memory."""
        return self._connections.goes_on(number)

    def end(self, number: int) -> None:
        """Take note that a connection has ended: few packets of it may come."""
        self._connections.end(number)

    def rest(self) -> None:
        """Put aside all that have ended."""
        self._connections.rest()

    def _bring_back(self, number: int, aside: FollowedAside) -> Followed:
        followed = Followed(number, aside.key, self._spool)
        followed.bring_back(aside)
        return followed
