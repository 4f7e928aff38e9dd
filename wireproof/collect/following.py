"""A file of a ring as a capture: what began before it is left out, and what goes on after it held.

Strategy: the file is decoded by itself. An exchange that is open where it ends is told no further
than that, and goes on with the next file (:mod:`.carrying`), which leaves it out of what it decodes
by itself: a connection in the midst says nothing of whose it is, so the manifest of the file before
does. If no file follows, all ends with this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from parsers import BATCH, CaptureFault, PacketDecoder, batched, with_ends_last
from parsers.records import ConnectionRecord, Record, RequestRecord

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..open_exchanges import Key
from ..tables.files import Capture
from ..tables.kinds import Kind
from ..tables.reading import WANTS, Begun, Carried, Held, Opened, TableOptions, Tables
from .carrying import Going, goes_on, key_of, read

Ends = frozenset[str]
"""Both ends of a connection: in its midst it may be a guess which of them is the server."""


class _Given:
    """How many records of an exchange were given."""

    count = 0


class Followed(Opened):
    """A file of a ring that can be read, with what went on before it."""

    def __init__(
        self,
        capture: Capture,
        options: TableOptions,
        going: Sequence[Going] = (),
        *,
        most: int,
        missing: Sequence[str] = (),
        is_next: bool = True,
    ) -> None:
        """``most`` is through how many files an exchange may go, this one if no other follows;
        ``missing`` says what is not there before it. What was ``going`` on is over if it is not the
        next file of the same recorder.

        Raises OSError, and ValueError for what is no capture.
        """
        super().__init__(capture, options)
        self.going = list(going)
        """What goes on after it, once all has been read."""
        self._most = most
        self._missing = missing
        self._is_next = is_next
        self._held = Held()
        self._told = _Told(found for one in going if is_next for found in one.connections)

    def tables(self, tables: Tables) -> Iterator[tuple[Kind, Any]]:
        if not self._is_next:
            yield from self._ended(tables, lambda _: True)
        yield from tables.take(self, self.batches(), self._held)
        if self.going:
            [path] = self.capture.files
            for told in read(path, self.going, self._options.keylog):
                yield from tables.go_on(*told)
            yield from self._ended(tables, lambda one: len(one.files) >= self._most)
        self.begun = [one.begun for one in self.going]

    def _ended(
        self, tables: Tables, is_last: Callable[[Going], bool]
    ) -> Iterator[tuple[Kind, Any]]:
        """Have tables take what is over where a file ends."""
        for one in self.going:
            one.options = self._options
            for told in one.end_file(is_last=is_last(one)):
                yield from tables.go_on(*told)
        self.going = [one for one in self.going if one.connections]

    def batches(self, wanted: Callable[[int | None], bool] | None = None) -> Iterator[list[Record]]:
        """Yield its records but those of exchanges that began before it, and the last ones of those
        that go on."""
        decoder = PacketDecoder(
            shows_records=True,
            keys=self.packets.keys,
            wanted=wanted,
            is_relay=self.packets.is_relay,
            memory=self.memory,
            wants=WANTS,
        )
        exchanges: Exchanges[_Given] = Exchanges(lambda _: _Given())
        for rows, is_last in batched(self.packets.steps(BATCH), BATCH, lambda: decoder.room):
            records = decoder.receive(rows)
            self.packets.sort(records)
            if is_last:
                records = with_ends_last(records + decoder.finish())
            records = self._told.left(records, decoder)
            if is_last:
                yield self._last(records, exchanges)
                break
            for record in records:
                if (found := exchanges.add(record)) is not None:
                    found[1].count += 1
            yield records
        missing = [CaptureFault("capture-file-missing", text, 1, None) for text in self._missing]
        yield decoder.report(missing + self.packets.faults)

    def _last(self, records: list[Record], exchanges: Exchanges[_Given]) -> list[Record]:
        """Return the records of the file's last packets and of its end, but of what goes on."""
        ends = {one.connection: one for one in records if isinstance(one, ConnectionRecord)}
        for record in records:
            if not isinstance(record, ConnectionRecord):
                exchanges.add(record)
        going_on: dict[Key, tuple[Exchange, _Given]] = {
            found[0].key: found
            for found in exchanges.open()
            if (end := ends.get(found[0].key.connection)) and goes_on(found[0], end)
        }
        if self._most < 2 or not going_on:
            return records
        self._held.exchanges.update(going_on)
        self._held.connections.update(key.connection for key in going_on)
        begun = [
            _carried(ends[number], [one for one, _ in going_on.values() if one.key[0] == number])
            for number in sorted(self._held.connections)
        ]
        name, summed, host = self.origin
        new = Begun(
            capture=name, capture_sha256=summed, host=host, files=self.capture.files,
            connections=begun,
        )  # fmt: skip
        going = Going(new, self._options)
        going.given = {key: given.count for key, (_, given) in going_on.items()}
        self.going.append(going)
        return [one for one in records if key_of(one) not in going_on]


def _carried(end: ConnectionRecord, exchanges: Sequence[Exchange]) -> Carried:
    return Carried(
        connection=end.connection,
        first_packet=end.first_packet,
        client=end.client,
        server=end.server,
        exchanges=[one.key.exchange for one in exchanges],
        streams=[one.stream_id for one in exchanges if one.stream_id is not None],
        is_quic=end.protocol in ("http/3", "quic"),
    )


class _Told:
    """Leaves out of a file what is told as that of a file before it."""

    def __init__(self, carried: Iterable[Carried]) -> None:
        self._rests = {frozenset((one.client, one.server)): one for one in carried}
        self._known: dict[int, Carried | None] = {}
        """Of connections of this file, what is left out of each."""
        self._asked: set[Key] = set()
        """Exchanges among the first ones of a connection that begin here."""

    def left(self, records: list[Record], decoder: PacketDecoder) -> list[Record]:
        """Return the records that are told here; ``decoder`` has just given them."""
        if not (self._rests or self._known):
            return records
        ended = {one.connection: one for one in records if isinstance(one, ConnectionRecord)}

        def is_told(record: Record) -> bool:
            key = key_of(record)
            if key is None:
                return False
            if key.connection not in self._known:
                end = ended.get(key.connection) or decoder.connection(key.connection)
                self._known[key.connection] = None if end is None else self._rest(end)
            rest = self._known[key.connection]
            return rest is not None and self._has(rest, key, record)

        return [one for one in records if not is_told(one)]

    def _rest(self, end: ConnectionRecord) -> Carried | None:
        """Return what is left out of a connection; its ends may be another's later."""
        ends = frozenset((end.client, end.server))
        return self._rests.pop(ends, None) if end.midstream else None

    def _has(self, rest: Carried, key: Key, record: Record) -> bool:
        if (stream := getattr(record, "stream_id", None)) is not None:
            return stream in rest.streams
        if key.exchange >= len(rest.exchanges) or key in self._asked:
            return False
        if isinstance(record, RequestRecord):
            self._asked.add(key)
            return False
        return True
