"""Exchanges that go on from file to file of a ring: each is one, from its first packet to its last.

Strategy: what began in one file and goes on has a decoder of its own, which takes the packets of
its connections file by file, for as long as any of its exchanges is open. Elements are told with
the file that completes them; an exchange, and what is said of it, with the one in which it ends;
all of them as the first file's. So there is one row for each, through however many files it runs.
What a file tells follows from the files alone, from that first one on: whoever begins again reads
them once more (:func:`resumed`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace
from parsers import BATCH, KeyLog, OrderedCapture, Packet, PacketDecoder, batched, with_ends_last
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    Http2FrameRecord,
    Record,
    StallRecord,
)

from ..analysis.judges import Explained
from ..analysis.outcomes import Outcome, Outcomes
from ..exchange import Exchange
from ..exchanges import Exchanges
from ..heads import is_final
from ..open_exchanges import Key
from ..tables.files import opened
from ..tables.kinds import Origin
from ..tables.masking import masker
from ..tables.reading import WANTS, Begun, Carried, TableOptions, memory_of
from .ends import DATAGRAM, divided, keys

SHARE = 8
"""What goes on may hold one part in so many of a decode's memory, for each file it began in."""
AROUND = (DiagnosticRecord, StallRecord, Http2FrameRecord)
"""What is said of a connection as a whole, and concerns its exchanges."""


class Told(NamedTuple):
    """What came of exchanges, for the tables of their capture."""

    origin: Origin
    records: Sequence[Record]
    """Masked."""
    outcomes: Sequence[Outcome] = ()


class _Connection:
    """A connection, and its exchanges that go on."""

    def __init__(self, carried: Carried, options: TableOptions, going: Going) -> None:
        self.carried = carried
        self.keys = frozenset(Key(carried.connection, number) for number in carried.exchanges)
        self.open = set(self.keys)
        self.index: int | None = None
        """Which it is for the decoder."""
        self.end: ConnectionRecord | None = None
        """Its record, once it has ended."""
        self.counted: ConnectionRecord | None = None
        """As it was where the first file ended: further packets are counted with their files."""
        self._mask = masker(options.policy, keep_data=options.keep_data)
        self._going = going
        self._outcomes = Outcomes(with_measures=True, tell=self._observed)
        self._exchanges: Exchanges[None] = Exchanges(lambda _: None)

    def take(self, records: list[Record]) -> tuple[Sequence[Record], list[Outcome]]:
        """Take its next records; return what there is to tell of its exchanges that go on: those
        before and after them say where they end."""
        for record in records:
            self._exchanges.add(record)
        outcomes = self._own(self._outcomes.add(records))
        return self._mask([one for one in records if key_of(one) in self.open]), outcomes

    def _own(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        return [one for one in outcomes if (one[0].connection, one[0].exchange) in self.keys]

    def _observed(self, one: Explained) -> None:
        observer = self._going.options.observer
        if observer is not None and one.exchange.key in self.keys:
            observer.explained(one)

    def over(self, end: ConnectionRecord | None) -> tuple[Sequence[Record], list[Outcome]] | None:
        """Take note of where a file ends, with its connection as it is there; return the last that
        there is to tell, if nothing goes on."""
        for key in list(self.open):
            found = self._exchanges.known(*key)
            # Who has closed his side alone may still be sent something.
            if found is None or not goes_on(found[0], self.end):
                self.open.remove(key)
        if self.open:
            return None
        last = [] if end is None else [_counted(end, self.counted or end)]
        outcomes = chain(self._outcomes.add(last), self._outcomes.finish())
        return self._mask(last), self._own(outcomes)


class Going:
    """The exchanges that began in one file and go on after it."""

    def __init__(self, begun: Begun, options: TableOptions) -> None:
        self.options = options
        """Of the file that is read: whoever observes is told of exchanges where they end."""
        self.files: list[str] = []
        """Those that have been read."""
        self.given: dict[Key, int] = {}
        """How many records of each exchange were told before, of those that come first."""
        self._begun = begun
        self._origin = Origin(begun.capture, begun.capture_sha256, begun.host)
        self._connections = {
            one.connection: _Connection(one, options, self) for one in begun.connections
        }
        self._by_packet = {one.first_packet: one.connection for one in begun.connections}
        self._known: dict[int, _Connection | None] = {}
        """Connections by the decoder's numbers."""
        self._before = 0
        """Packets of the files before the one that is read."""
        self._packets = 0
        """Of that one, as far as it has been read."""
        memory = memory_of(options) // SHARE
        self._decoder = PacketDecoder(shows_records=True, memory=memory, wants=WANTS)

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return self._decoder.room

    @property
    def connections(self) -> list[Carried]:
        """Those of which exchanges are open, with these."""
        return [
            replace(one.carried, exchanges=sorted(key.exchange for key in one.open))
            for one in self._connections.values()
        ]

    @property
    def begun(self) -> Begun:
        """What is to be known of it to go on: exchanges that are over are told with the last of
        their connection."""
        carried = [one.carried for one in self._connections.values()]
        return replace(self._begun, files=self.files, connections=carried)

    @property
    def wanted(self) -> Sequence[str]:
        """The files that whoever began before had read."""
        return self._begun.files

    def begin(self, path: str, capture: OrderedCapture) -> None:
        """Take note that the packets of another file come."""
        if not self.files:
            self._decoder.keys = capture.keys
        self.files = [*self.files, path]

    def count(self, packets: Sequence[Packet]) -> None:
        """Take note of packets that have come, whosever they are."""
        self._packets = max(self._packets, *(packet[0] for packet in packets), 0)

    def take(self, packets: Iterable[Packet]) -> Told:
        """Take packets of its connections, numbered as in their file."""
        before = self._before
        rows = [
            (number + before, time_ns, link_type, length, data)
            for number, time_ns, link_type, length, data in packets
        ]
        return self._told(self._decoder.receive(rows))

    def end_file(self, *, is_last: bool = False) -> Iterator[Told]:
        """Take note that a file ends; yield what is over, and all if it ``is_last``."""
        self._before, self._packets = self._before + self._packets, 0
        if is_last:
            yield self._told(with_ends_last(self._decoder.finish()))
        for number, one in list(self._connections.items()):
            end = one.end
            if end is None and one.index is not None:
                found = self._decoder.connection(one.index)
                end = None if found is None else replace(found, connection=number)
            if len(self.files) == 1:
                one.counted = end
            if is_last:
                one.open.clear()
            if (told := one.over(end)) is not None:
                del self._connections[number]
                yield Told(self._origin, *told)

    def _told(self, records: list[Record]) -> Told:
        """Take records of the decoder; return what there is to tell."""
        ended = {one.connection: one for one in records if isinstance(one, ConnectionRecord)}
        found: dict[int, list[Record]] = {}
        for record in records:
            if (index := record.connection) is None:
                continue
            if index not in self._known:
                self._know(index, ended.get(index) or self._decoder.connection(index))
            if (known := self._known[index]) is None:
                continue
            number = known.carried.connection
            if isinstance(record, ConnectionRecord):
                known.end = replace(record, connection=number)
            elif known.open and (record.exchange is not None or isinstance(record, AROUND)):
                found.setdefault(number, []).append(replace(record, connection=number))
        told: list[Record] = []
        outcomes: list[Outcome] = []
        for number, some in found.items():
            masked, over = self._connections[number].take(some)
            told += filter(self._is_new, masked)
            outcomes += over
        return Told(self._origin, told, outcomes)

    def _know(self, index: int, record: ConnectionRecord | None) -> None:
        number = None if record is None else self._by_packet.get(record.first_packet)
        known = self._known[index] = None if number is None else self._connections.get(number)
        if known is not None:
            known.index = index

    def _is_new(self, record: Record) -> bool:
        key = key_of(record)
        if key is not None and (left := self.given.get(key, 0)):
            self.given[key] = left - 1
            return False
        return True


def key_of(record: Record) -> Key | None:
    if isinstance(record, ConnectionRecord) or record.connection is None or record.exchange is None:
        return None
    return Key(record.connection, record.exchange)


def read(path: str, going: Sequence[Going], keylog: KeyLog | None) -> Iterator[Told]:
    """Have what goes on take a file of the ring; yield what there is to tell by the end of it, but
    for what the end itself tells: that is asked next. Raises OSError, ValueError."""
    by_key: dict[bytes, list[Going]] = {}
    for one in going:
        ends = {
            key
            for found in one.connections
            for key in ((DATAGRAM,) if found.is_quic else keys(found.client, found.server))
        }
        for key in ends:
            by_key.setdefault(key, []).append(one)
    with ExitStack() as stack:
        capture = OrderedCapture(opened(path, stack), keylog=keylog)
        for one in going:
            one.begin(path, capture)
        steps = capture.steps(BATCH)
        for rows, _ in batched(steps, BATCH, lambda: min(one.room for one in going)):
            taken: dict[int, list[Packet]] = {}
            for one, row in divided(rows, by_key, going):
                taken.setdefault(id(one), []).append(row)
            for one in going:
                one.count(rows)
                if id(one) in taken:
                    yield one.take(taken[id(one)])


def resumed(begun: Sequence[Begun], options: TableOptions) -> tuple[list[Going], list[str]]:
    """Return what goes on after a file, as whoever told that file left it, and why some does not:
    files of the ring that it lay in are gone."""
    muted = dataclasses.replace(options, observer=None)
    left = [Going(one, muted) for one in begun]
    lost = []
    # All go on after the same file, so that whoever began first lay in all files of the others.
    for path in max((one.files for one in begun), key=len, default=[]):
        if not (these := [one for one in left if path in one.wanted]):
            continue
        try:
            for _ in read(path, these, options.keylog):
                pass  # it was told with that file
        except (OSError, ValueError) as error:
            left = [one for one in left if one not in these]
            lost.append(f"{path}, in which exchanges were that go on here: {error}")
        else:
            for one in these:
                for _ in one.end_file():
                    pass
    return left, lost


def goes_on(exchange: Exchange, end: ConnectionRecord | None = None) -> bool:
    """Whether more may come of an exchange; ``end`` is its connection's, where the file ends."""
    body, response = exchange.response_body, exchange.response
    if body is not None:
        return body.ended_by == "capture-end"  # one side alone may have ended the connection
    if end is not None and end.close != "open":
        return False
    if response is not None and is_final(response) and response.framing == "none":
        return False
    return not exchange.is_empty


def _counted(found: ConnectionRecord, before: ConnectionRecord) -> ConnectionRecord:
    """Return a connection's record with the numbers that it had before."""
    return replace(
        found,
        packets=before.packets,
        client_bytes=before.client_bytes,
        server_bytes=before.server_bytes,
        retransmissions=before.retransmissions,
        out_of_order=before.out_of_order,
        copies=before.copies,
    )
