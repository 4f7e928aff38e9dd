"""A file of a ring as a capture whose exchanges are whole, where they go on in the next file.

Strategy: an exchange is told with the file in which it begins, and once. The file is decoded by
itself. Those that are open where it ends are followed into the next file, by decoding both as one
stream of packets: the connections that have none are passed over, and reading ends when the last
exchange is over, or with the next file. What the next file has of them is left out there: its
beginning says nothing of whose it is, so the manifest of the file before does. All of that follows
from the files, and from what counts in the data set already: whoever begins again gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

import msgspec
from parsers import (
    BATCH,
    JoinedFiles,
    OrderedCapture,
    Packet,
    PacketDecoder,
    batched,
    with_ends_last,
)
from parsers.records import ConnectionRecord, Record, RequestRecord

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..heads import is_final
from ..open_exchanges import Key
from ..tables.files import Capture, capture_of
from ..tables.reading import Opened, Rest, TableOptions


@dataclass
class _Given:
    """How many records of an exchange were given."""

    count: int = 0


Open = dict[Key, _Given]
Ends = frozenset[str]
"""Both ends of a connection: in its midst it may be a guess which of them is the server."""


class Followed(Opened):
    """A file that can be read, the one after it, and what was told of it with the one before."""

    def __init__(
        self,
        capture: Capture,
        options: TableOptions,
        following: str | None = None,
        before: Sequence[Rest] = (),
    ) -> None:
        """Raises OSError, and ValueError for what is no capture."""
        super().__init__(capture, options)
        self._following = following
        self._told = _Told(before)
        self.rests: list[Rest] = []

    def batches(self, wanted: Callable[[int | None], bool] | None = None) -> Iterator[list[Record]]:
        decoder = self._decoder(self.packets, wanted)
        exchanges: Exchanges[_Given] = Exchanges(lambda _: _Given())
        for rows, is_last in batched(self.packets.steps(BATCH), BATCH, lambda: decoder.room):
            records = decoder.receive(rows)
            self.packets.sort(records)
            if is_last:
                records = with_ends_last(records + decoder.finish())
            records = self._told.left(records, decoder)
            if is_last:
                yield from self._last(records, exchanges)
                break
            for record in records:
                if (found := exchanges.add(record)) is not None:
                    found[1].count += 1
            yield records
        yield decoder.report(self.packets.faults)

    def _last(self, records: list[Record], exchanges: Exchanges[_Given]) -> Iterator[list[Record]]:
        """Yield the records of the file's last packets and of its end, and what follows."""
        ends = {one.connection: one for one in records if isinstance(one, ConnectionRecord)}
        for record in records:
            if not isinstance(record, ConnectionRecord):
                exchanges.add(record)
        going_on: Open = {
            exchange.key: given
            for exchange, given in exchanges.open()
            if (end := ends.get(exchange.key.connection)) and goes_on(exchange, end)
        }
        if self._following is None or not going_on:
            yield records
            return
        followed = {key.connection: ends[key.connection] for key in going_on}
        yield [
            one
            for one in records
            if _key(one) not in going_on
            and not (isinstance(one, ConnectionRecord) and one.connection in followed)
        ]
        yield from self._followed(self._following, going_on, followed)

    def _followed(
        self, following: str, going_on: Open, ends: dict[int, ConnectionRecord]
    ) -> Iterator[list[Record]]:
        """Yield what was not given yet of exchanges, and the records of their connections.

        Packets of the next file are counted there: a connection's record counts those of this one.
        """
        reading, streams = _Reading(going_on), dict[int, set[int]]()
        with ExitStack() as stack:
            both = capture_of([*self.capture.files, following]).open(stack)
            capture = _Until(cast(JoinedFiles, both), keylog=self._options.keylog)
            decoder = self._decoder(capture, lambda number: number in ends)
            for rows, is_last in batched(capture.steps(BATCH), BATCH, lambda: decoder.room):
                records = decoder.receive(rows)
                capture.sort(records)
                if is_last:
                    records = with_ends_last(records + decoder.finish())
                found: list[Record] = []
                for record in records:
                    if isinstance(record, ConnectionRecord):
                        if (before := ends.get(record.connection)) is not None:
                            found.append(_counted(record, before))
                    elif reading.is_new(record):
                        found.append(record)
                        if record.stream_id is not None and record.connection is not None:
                            streams.setdefault(record.connection, set()).add(record.stream_id)
                capture.is_enough = reading.is_over
                yield found
        for number, end in ends.items():
            count = sum(1 for key in going_on if key.connection == number)
            rest = Rest(end.client, end.server, count, sorted(streams.get(number, ())))
            self.rests.append(rest)

    def _decoder(
        self, capture: OrderedCapture, wanted: Callable[[int | None], bool] | None
    ) -> PacketDecoder:
        return PacketDecoder(
            shows_records=True,
            keys=capture.keys,
            wanted=wanted,
            is_relay=capture.is_relay,
            memory=self.memory,
        )


class _Until(OrderedCapture):
    """Packets up to where it is enough: there the capture ends for whoever reads them."""

    is_enough = False

    def steps(self, most: int) -> Iterator[tuple[list[Packet], int]]:
        for step in super().steps(most):
            if self.is_enough:
                return
            yield step


class _Reading:
    """What comes of exchanges whose first records were given."""

    def __init__(self, going_on: Open) -> None:
        self._left = {key: given.count for key, given in going_on.items()}
        """How many records are still to come that were given."""
        self._open = set(going_on)
        self._begun: set[Key] = set()
        self._exchanges: Exchanges[None] = Exchanges(lambda _: None)

    def is_new(self, record: Record) -> bool:
        """Take a record that is of no connection's; return whether it is to be given now."""
        key = _key(record)
        if key is None or key not in self._left:
            return False
        self._begun.add(key)
        self._exchanges.add(record)
        if self._left[key]:
            self._left[key] -= 1
            return False
        return True

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of any of them."""
        for key in self._open & self._begun:
            found = self._exchanges.known(*key)
            if not self._left[key] and (found is None or not goes_on(found[0])):
                self._open.remove(key)
        return not self._open


class _Told:
    """Leaves out of a file what is told with the one before it."""

    def __init__(self, rests: Iterable[Rest]) -> None:
        self._rests: dict[Ends, Rest] = {frozenset((one.client, one.server)): one for one in rests}
        self._known: dict[int, Rest | None] = {}
        """Of connections of this file, what is left out of each."""
        self._asked: set[Key] = set()
        """Exchanges among the first ones of a connection that begin here."""

    def left(self, records: list[Record], decoder: PacketDecoder) -> list[Record]:
        """Return the records that are told here; ``decoder`` has just given them."""
        if not (self._rests or self._known):
            return records
        ended = {one.connection: one for one in records if isinstance(one, ConnectionRecord)}

        def is_told(record: Record) -> bool:
            key = _key(record)
            if key is None:
                return False
            if key.connection not in self._known:
                end = ended.get(key.connection) or decoder.connection(key.connection)
                self._known[key.connection] = None if end is None else self._rest(end)
            rest = self._known[key.connection]
            return rest is not None and self._has(rest, key, record)

        return [one for one in records if not is_told(one)]

    def _rest(self, end: ConnectionRecord) -> Rest | None:
        """Return what is left out of a connection; its ends may be another's later."""
        ends = frozenset((end.client, end.server))
        return self._rests.pop(ends, None) if end.midstream else None

    def _has(self, rest: Rest, key: Key, record: Record) -> bool:
        if (stream := getattr(record, "stream_id", None)) is not None:
            return stream in rest.streams
        if key.exchange >= rest.exchanges or key in self._asked:
            return False
        if isinstance(record, RequestRecord):
            self._asked.add(key)
            return False
        return True


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


def _key(record: Record) -> Key | None:
    if isinstance(record, ConnectionRecord) or record.connection is None or record.exchange is None:
        return None
    return Key(record.connection, record.exchange)


def _counted(found: ConnectionRecord, before: ConnectionRecord) -> ConnectionRecord:
    """Return a connection's record with the numbers that it had before."""
    return msgspec.structs.replace(
        found,
        packets=before.packets,
        client_bytes=before.client_bytes,
        server_bytes=before.server_bytes,
        retransmissions=before.retransmissions,
        out_of_order=before.out_of_order,
        copies=before.copies,
    )
