"""A capture as the inspector asks for it: exchanges, their elements, packets, and who carried what.

Strategy: packets come in batches from one thread, a file's or a recording's; questions come from
others. One lock makes them take turns, and a turn is short: a batch, or a page. Records go through
:mod:`..bytes.packet_index`, so that each byte leads to its packet; bytes go to a :class:`Spool`.

Every change of an exchange has a number, so that whoever shows them asks only for what is new.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from threading import Condition
from typing import Any, Literal, NamedTuple

import msgspec
from parsers import BATCH, CaptureFault, KeyLog, Memory, Packet, PacketDecoder, batched
from parsers.records import (
    ConnectionRecord,
    Http2FrameRecord,
    Http3FrameRecord,
    QuicPacketRecord,
    QuicRecord,
    Record,
    StallRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
)

from ..analysis.judges import Explained
from ..analysis.keyless.sealed import TAKEN, SealedConnection, SealedConnections
from ..analysis.listing import listed
from ..analysis.outcomes import Outcome
from ..analysis.recorded import shown_holes
from ..analysis.selection import LiveSelection, Wanted
from ..bytes.packet_index import CAPTURED, CONNECTION, Tracer
from ..columns import Numbers, follow_one_another
from ..dialects.payload import CONTENT
from ..dialects.reader import DialectReader, is_read
from ..dialects.wording import said
from ..exchanges import Exchanges
from ..shelf import MAX_OVER, Resting, Shelf
from ..spool import Spool
from .elements import SIDES, Elements, Stored
from .exchange import ExchangeRow, Key
from .exchange_rows import ExchangeRows
from .plaintext import Plaintext
from .verdicts import FileVerdicts, LiveVerdicts
from .windows import WINDOWED, Windows, WindowsAside
from .wire import KEPT_BELOW, Wires, kind_of

State = Literal["reading", "live", "ended"]
MAX_REACHING = 64
"""Exchanges that are looked through for the bytes of one packet."""
MAX_HERE = MAX_OVER // 4
"""Exchanges whose rows are at hand: so few that none of them is put aside meanwhile."""
NOT_SHOWN = frozenset(
    (TlsConnectionRecord, TlsRecordRecord, QuicRecord, QuicPacketRecord)
    + (Http2FrameRecord, Http3FrameRecord)
)
"""What exchanges have no elements of: what is known of TLS and QUIC, and frames that control
streams. Those of TLS and HTTP/2 have lanes of their own, by connection."""
ETHERNET = 1
ENCODER = msgspec.json.Encoder()
WORDS_WIDTH = 150
"""Cells of what an element says that a row of the page may show."""


class Content(msgspec.Struct):
    """What a record has of an element's content."""

    data: str | None = None
    encoding: str | None = "utf-8"
    """None of what has been left out."""


CONTENTS = msgspec.json.Decoder(list[Content])


class Held(NamedTuple):
    """What a page holds of a capture of which it holds a part."""

    packets: int
    bytes: int
    connections: int


class Index:
    """Everything about one capture. All methods may be called from any thread."""

    def __init__(
        self,
        name: str,
        state: State = "reading",
        *,
        policy: str = "none",
        wanted: Wanted | None = None,
        number: int = 0,
    ) -> None:
        """``wanted`` says which exchanges are shown; None: all."""
        self.number = number
        """Which of the captures that are shown together it is, from 0."""
        self.name = name
        """What the capture is called: the file's name, never its path."""
        self.policy = policy
        """What was masked in its packets before they came here."""
        self.state: State = state
        self.problem: str | None = None
        """Why reading ended before the capture did, None if it did not."""
        self.progress: float | None = None
        """Which part of the file has been read, 0 to 1; None if nobody knows."""
        self.changed = Condition()
        self.version = 0
        self.memory = Memory()
        """What bounds that to which bodies unfold that are asked for."""
        self.spool = Spool()
        self.plaintext = Plaintext(self.spool)
        """What TLS carried, decrypted."""
        self.tracer = Tracer(self.spool, shows_records=True, tls_tap=self.plaintext.listen)
        self.order = ExchangeRows(self.spool, number)
        """The exchanges in order of their first record."""
        self.wires = Wires(self.order)
        """What connections carried below their exchanges, of those that have any."""
        self.windows: Resting[Windows, WindowsAside] = Resting(
            WindowsAside, self.spool, Windows.aside, Windows.back
        )
        """The windows of HTTP/2, by connection."""
        self.packet_at = Numbers(self.spool)
        """Where the bytes of each packet lie in the spool."""
        self.servers: set[str] = set()
        """Two of the servers of its connections, if there are as many."""
        self.missed = 0
        """Packets that a recording could not hand on."""
        self.captured = 0
        """Bytes of all packets."""
        self.held: Held | None = None
        """What a report holds of them, None if that is all."""
        self._selection = None if wanted is None else LiveSelection(wanted)
        self._fold: Exchanges[DialectReader] = Exchanges(DialectReader)
        self._verdicts = LiveVerdicts() if state == "live" else FileVerdicts()
        self._connections: Shelf[ConnectionRecord] = Shelf(ConnectionRecord, self.spool)
        self._tls: Shelf[TlsConnectionRecord] = Shelf(TlsConnectionRecord, self.spool)
        self._sealed = SealedConnections()

    # --- what comes in ---

    def receive(
        self,
        packets: Sequence[Packet],
        sort: Callable[[list[Record]], None] = lambda _: None,
    ) -> None:
        """Take the next packets; ``sort`` puts their records in the order of these."""
        with self.changed:
            records = self.tracer.receive(packets)
            sort(records)
            self._add(records)
            self._keep(packets)
            self.version += 1
            self.changed.notify_all()

    def _keep(self, packets: Sequence[Packet]) -> None:
        """Put the bytes of packets aside, one after the other."""
        sizes = [len(packet[4]) for packet in packets]
        begin = self.spool.append(b"".join([packet[4] for packet in packets]))
        places = list(accumulate(sizes, initial=begin))
        self.captured += places.pop() - begin
        numbers = [packet[0] - 1 for packet in packets]
        if follow_one_another(len(self.packet_at), numbers):
            self.packet_at.extend(places)
            return
        for number, place in zip(numbers, places, strict=True):
            self.packet_at.put(number, place)

    def finish(self, faults: list[CaptureFault], problem: str | None = None) -> None:
        """Take note that there is no more; ``faults`` are those of the file."""
        with self.changed:
            self._add(self.tracer.finish(faults))
            self._tell(self._verdicts.finish())
            self.state = "ended"
            self.problem = problem
            self.version += 1
            self.changed.notify_all()

    def break_off(self, error: Exception) -> None:
        """Take note that nothing more is read, for a fault of our own: what there is stays."""
        with self.changed:
            self.state = "ended"
            self.problem = (
                f"a fault in wireproof ended the reading: {type(error).__name__}: {error}"
            )
            self.version += 1
            self.changed.notify_all()

    def miss(self, packets: int) -> None:
        """Take note that packets came and are not among those that are shown."""
        self.missed += packets

    def rest(self) -> None:
        """Put aside all that is over, of a capture that has been read: from now on all only ask."""
        with self.changed:
            self.order.rest()
            self.tracer.connections.rest()
            self.wires.rest()
            self.windows.rest()
            self.plaintext.rest()
            self.spool.flush()

    def close(self) -> None:
        """Give up what was put aside."""
        self.spool.close()

    def _add(self, records: list[Record]) -> None:
        sealed = self._unsealed(records)
        chosen = records if self._selection is None else self._selection.choose(records)
        for record in records:
            kind = type(record)
            if kind in WINDOWED:  # those of other streams take from the connection's, too
                self._note_window(record)
            elif isinstance(record, ConnectionRecord):
                self.windows.end(record.connection)
                self.plaintext.end(record.connection)
        self._add_shown(chosen, sealed)
        # What is not shown may tell why something failed that is.
        self._tell(self._verdicts.add(records))

    def _add_shown(self, records: Sequence[Record], sealed: Mapping[int, SealedConnection]) -> None:
        """Take the records of exchanges that are shown."""
        here: dict[tuple[int | None, int | None], ExchangeRow] = {}  # until one of them is over
        changed = self.version + 1
        for record in records:
            kind = type(record)
            if kind in NOT_SHOWN or (isinstance(record, StallRecord) and record.exchange is None):
                # It is no element of an exchange: so is a closed window of the whole connection.
                if isinstance(record, TlsConnectionRecord):
                    self._tls.put(record.connection, record)
                self._wire(record, None)
                continue
            if isinstance(record, ConnectionRecord):
                self._fold.add(record)
                _settle(here)
                self._end(record, sealed.get(record.connection))
                continue
            encoded = ENCODER.encode(record)
            found = self._fold.add(record)
            key = record.connection, record.exchange
            exchange = here.get(key)
            if exchange is None:
                if len(here) >= MAX_HERE:
                    _settle(here)
                exchange = here[key] = self._exchange(Key(*key))
            if exchange.about is None and found is not None:
                exchange.about, exchange.reader = found
            words = _words(record, exchange.reader)
            if kind in KEPT_BELOW and kind_of(record) is not None:
                self._wire(record, (exchange, exchange.add(record, encoded, words), len(encoded)))
            else:
                exchange.take(record, encoded, words)
            exchange.changed = changed
            for about, _ in self._fold.over():
                _settle(here)
                self._let_go(Key(*about.key))
        _settle(here)

    def _wire(self, record: Record, kept: tuple[ExchangeRow, int, int] | None) -> None:
        """Keep what a connection carried below its exchanges; ``kept`` says whose it is, and where
        it has been put aside, if it has."""
        if record.connection is None or kind_of(record) is None:
            return
        wire = self.wires.of(record.connection)
        if kept is None:
            encoded = ENCODER.encode(record)
            owner, at, size = None, self.spool.append(encoded), len(encoded)
        else:
            owner, at, size = kept
        wire.add(record, at, size, owner)

    def _note_window(self, record: Record) -> None:
        connection = record.connection
        windows = None if connection is None else self.windows.find(connection)
        if windows is None and connection is not None and isinstance(record, Http2FrameRecord):
            windows = Windows()
            self.windows.begin(connection, windows)
        if windows is not None:
            windows.add(record)

    def _unsealed(self, records: Sequence[Record]) -> dict[int, SealedConnection]:
        """Return what the TLS connections came to that end here and were not decrypted."""
        ended = (self._sealed.add(record) for record in records if type(record) in TAKEN)
        return {one.connection.connection: one for one in ended if one is not None}

    def _tell(self, explained: Iterable[Explained]) -> None:
        """Keep what is said of exchanges."""
        for one in explained:
            exchange = self.order.find(Key(*one.exchange.key))
            if exchange is not None:
                exchange.outcome = Outcome(listed(one), one.verdicts)
                exchange.holes = shown_holes(one.trace)
                exchange.changed = self.version + 1

    def _end(self, record: ConnectionRecord, sealed: SealedConnection | None) -> None:
        self._connections.put(record.connection, record)
        if len(self.servers) < 2:
            self.servers.add(record.server)
        if (
            not self.order.of(record.connection) or sealed is not None
        ):  # what was not understood is shown as it is
            exchange = self._exchange(Key(record.connection, None))
            exchange.first_time, exchange.last_time = record.first_time, record.last_time
            exchange.first_packet, exchange.last_packet = record.first_packet, record.last_packet
            if sealed is not None:
                exchange.keep_sealed(sealed)
        reach = [0] * SIDES
        for number in self.order.of(record.connection):
            row = self.order[number]
            row.changed = self.version + 1
            # One may have gone on after others had begun, which sent nothing.
            row.reach = reach = list(map(max, row.reach, reach))
            self.order.end(number)
        self.order.end_connection(record.connection)
        self.wires.end(record.connection)

    def _let_go(self, key: Key) -> None:
        """Take note that an exchange is over, and what still comes of it is little."""
        if (number := self.order.number(key)) is not None:
            self.order.end(number)

    def _exchange(self, key: Key) -> ExchangeRow:
        exchange = self.order.find(key)
        if exchange is None:
            own = self.order.of(key.connection)
            last = self.order[own[-1]] if own else None
            exchange = self.order.begin(key)
            if last is not None:  # reaches are in order also of those that have sent nothing
                last.settle()
                exchange.reach = last.reach.copy()
        return exchange

    # --- what is asked ---

    def shows(self, connection: int) -> bool:
        """Whether a connection has a row: all have, unless exchanges were chosen; and details of
        any, where a page does not have those of all."""
        is_one = self._selection is None or bool(self.order.of(connection))
        return is_one and self.order.shows(connection)

    def choose_held(self, most: int) -> None:
        """Have a report hold details of ``most`` exchanges, and the packets of what it shows."""
        self.order.choose_detailed(most)
        if self._selection is None and self.order.detailed == len(self.order):
            return
        shown: dict[int, bool] = {}
        packets = size = 0
        for row in self.tracer.table.rows(1, len(self.tracer.table) + 1):
            connection = row[1 + CONNECTION]
            if connection not in shown:
                shown[connection] = self.shows(connection)
            if shown[connection]:
                packets += 1
                size += row[1 + CAPTURED]
        connections = sum(shows for connection, shows in shown.items() if connection >= 0)
        self.held = Held(packets, size, connections)

    def holds(self, packet: int) -> bool:
        """Whether a page has a packet."""
        place = self.tracer.table.get(packet)
        return place is not None and self.shows(place.connection)

    def has_windows(self, connection: int | None) -> bool:
        """Whether a connection is one of HTTP/2."""
        return connection is not None and self.windows.find(connection) is not None

    def knows(self, keys: Iterable[tuple[int, int]]) -> bool:
        """Whether all of these are exchanges of the capture."""
        return all(self.order.number(Key(*key)) is not None for key in keys)

    def row(self, exchange: ExchangeRow) -> dict[str, Any]:
        """Return an exchange's row, with what its connection tells."""
        connection = exchange.key.connection
        if connection is None:
            return exchange.row(None)
        row = exchange.row(self._connections.get(connection))
        if (tls := self._tls.get(connection)) is not None:
            row["tls"] = tls
        if (wire := self.wires.get(connection)) is not None:
            row |= {"wire": wire.counts, "stream": exchange.stream_id}
        if not self.order.is_detailed(exchange.number):
            row["outlined"] = True
        return row

    def connection(self, connection: int) -> ConnectionRecord | None:
        """Return a connection's record, None as long as it goes on."""
        return self._connections.get(connection)

    def data(self, packet: int) -> bytes:
        """Return the bytes of a packet."""
        return self.spool.read(self.packet_at[packet - 1], self.tracer.table[packet].captured)

    def stored(self, elements: Elements, row: int) -> tuple[bytes, bytes]:
        """Return an element's record, and what it says in its dialect, both encoded; the latter is
        empty if it says nothing."""
        return self.stored_at(elements.stored(row))

    def stored_at(self, stored: Stored) -> tuple[bytes, bytes]:
        """Return the same of an element whose record lies there."""
        at, record, said = stored
        both = self.spool.read(at, record + said)
        return (both[:record], both[record:]) if said else (both, b"")

    def stored_together(self, stored: Sequence[Stored]) -> Iterator[tuple[bytes, bytes]]:
        """Yield the same of several elements, which are read together if they are neighbours."""
        places = [(at, record + words) for at, record, words in stored]
        for (_, record, words), both in zip(stored, self.spool.together(places), strict=True):
            yield (both[:record], both[record:]) if words else (both, b"")

    def contents(self, stored: Sequence[Stored]) -> list[Content]:
        """Return the content of the records of several elements."""
        encoded = (record for record, _ in self.stored_together(stored))
        return CONTENTS.decode(b"[%b]" % b",".join(encoded))

    def records(self) -> Iterator[Record]:
        """Yield the records of all packets once more; without the lock, which it takes itself."""
        decoder, table = PacketDecoder(keys=self.tracer.keys), self.tracer.table
        numbers = [number for number in range(1, len(table) + 1) if number in table]
        numbers.sort(key=lambda number: table[number].time_ns)
        steps = ((rows, sum(len(row[4]) for row in rows)) for rows in self.packets(numbers))
        for packets, _ in batched(steps, BATCH, lambda: decoder.room):
            yield from decoder.receive(packets)
        yield from decoder.finish()

    def packets(self, numbers: Iterable[int]) -> Iterator[list[Packet]]:
        """Yield packets in batches; without the lock, which it takes itself. A number that no
        packet has is that of an empty one."""
        following = iter(numbers)
        while some := list(islice(following, BATCH)):
            with self.changed:
                packets = [self._packet(number) for number in some]
            yield packets

    @property
    def key_log(self) -> KeyLog | None:
        """The secrets of TLS that are known."""
        return None if self.tracer.keys is None else self.tracer.keys.log

    def _packet(self, number: int) -> Packet:
        if number not in self.tracer.table:
            return number, 0, ETHERNET, 0, b""
        place = self.tracer.table[number]
        return number, place.time_ns, place.link_type, place.length, self.data(number)

    def reaching(self, connection: int, side: int, start: int) -> Iterator[ExchangeRow]:
        """Yield the exchanges of a connection that reach past ``start`` of a side's bytes; which
        side that is, :func:`.elements.side_of` says."""
        own, order = self.order.of(connection), self.order
        first = bisect_right(own, start, key=lambda number: order[number].reach[side])
        for number in own[first : first + MAX_REACHING]:
            yield order[number]


def _settle(here: dict[tuple[int | None, int | None], ExchangeRow]) -> None:
    """Have all that exchanges have taken be elements of theirs."""
    for exchange in here.values():
        exchange.settle()
    here.clear()


def _words(record: Record, reader: DialectReader | None) -> bytes:
    """Return what an element says in the dialect of its exchange, encoded; empty if nothing."""
    if reader is None or not is_read(record, reader):
        return b""
    payload = reader.read(record)
    words = None if reader.dialect is None else said(payload, WORDS_WIDTH)
    if words is None:
        return b""
    whole = [payload.text, payload.name, payload.id] if payload.kind in CONTENT else []
    return ENCODER.encode([payload.kind, *words, payload.tokens, *whole])
