"""HAR 1.2 (W3C HTTP Archive format) as Chrome's DevTools writes and imports it.

Strategy: the decoder's records go through the fold of exchanges, each of which has an
:class:`Entry` beside it, and its streams give the bytes of bodies. Content, events and messages are
put aside as they come, and an entry when its exchange is over, so that what stands in memory of an
exchange are its heads; at the end all are written in the order in which they began. What a server
streams as events is most of a capture and brings nothing about: it waits for more of its exchange,
until something else comes, and is taken together.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from msgspec import to_builtins
from parsers import NANOSECONDS, CaptureFault, CaptureKeys, Memory, Packet, completion
from parsers.limits import MiB
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    Record,
    SseEventRecord,
)

from .. import __version__
from ..analysis.exchange_filter import heads_of
from ..analysis.judges import Explained, Explanations
from ..analysis.selection import Wanted
from ..analysis.verdict import verdict_record
from ..bytes.stream_tap import StreamTap
from ..exchange import Exchange
from ..exchanges import Exchanges
from ..open_exchanges import Key
from ..redact import Policy, Redactor, Report, Rules
from ..redact.secrets import masked_values
from ..spool import Pieces, Places, PlacesList, Spool
from .content import (
    Content,
    ContentStream,
    RecordedContent,
    RecordedContents,
    decode_content,
)
from .entry import Entry
from .json_pieces import ENCODER, encoded

STREAMED = frozenset((ChunkRecord, SseEventRecord))
MAX_UNSWEPT = 8 * MiB
"""Bytes of packets after which streams of which no record tells let go of what they keep."""


class _Streamed(NamedTuple):
    """What waits of an exchange: chunks of its response, and events in them."""

    exchange: Exchange
    entry: Entry
    chunks: list[ChunkRecord]
    events: list[SseEventRecord]


class _Kept:
    """What was put aside, of each exchange by its key: of hundreds of thousands it takes numbers
    alone."""

    def __init__(self) -> None:
        self.keys = array("q")
        """Connection and exchange, one after the other."""
        self.places = PlacesList()

    def add(self, key: Key, places: Places) -> None:
        self.keys.extend(key)
        self.places.append(places)

    def key(self, index: int) -> Key:
        return Key(*self.keys[2 * index : 2 * index + 2])


class HarWriter:
    """Collects the exchanges of a capture, whose packets are added in order.

    ``sort`` puts the records of what is added at once in the order of its packets. With ``keys``
    TLS is decrypted.
    """

    def __init__(
        self,
        policy: Policy | Rules = "headers",
        connection: int | None = None,
        wanted: Wanted | None = None,
        sort: Callable[[list[Record]], None] = lambda _: None,
        *,
        keys: CaptureKeys | None = None,
    ) -> None:
        self._sort = sort
        self.written = 0
        self._rules = Rules.of(policy)
        self._redactor = Redactor(self._rules)
        self._wanted = wanted
        decoded = None if connection is None else {connection, None}.__contains__
        self._spool = Spool()
        self._memory = Memory()
        self._tap: StreamTap[ContentStream] = StreamTap(
            partial(ContentStream, self._spool), wanted=decoded, keys=keys
        )
        self._recorded = RecordedContents(self._spool)
        self._unswept = 0
        self._exchanges: Exchanges[Entry] = Exchanges(self._begin)
        self._streamed: dict[tuple[int, int], _Streamed] = {}
        """What waits, by its exchange."""
        self._entries = _Kept()
        self._begun: tuple[array[float], array[int]] = (array("d"), array("q"))
        """When each of them began, and the number of its exchange."""
        self._explanations = Explanations()
        self._said = _Kept()
        """The verdicts on exchanges, which may be known after these."""

    def __enter__(self) -> HarWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    @property
    def report(self) -> Report:
        """What was masked."""
        return self._redactor.report

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return self._tap.room

    def add(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        records = self._tap.receive(packets)
        self._unswept += sum(len(data) for *_, data in packets)
        self._sort(records)
        self._take(records)

    def finish(self) -> None:
        """Take note that no packet follows."""
        self._take(sorted(chain.from_iterable(self._tap.endings()), key=completion))
        self._spool_verdicts(self._explanations.finish())

    def faults(self, of_capture: list[CaptureFault]) -> list[Record]:
        """Return what is said of the capture as a whole, once all packets are taken."""
        return self._tap.decoder.report(of_capture)

    def write(self, stream: BinaryIO) -> None:
        """Write the archive."""
        creator = {"name": "wireproof", "version": __version__}
        head = ENCODER.encode({"version": "1.2", "creator": creator, "pages": []})
        stream.write(b'{"log":' + head[:-1] + b',"entries":[')
        before = b"\n"
        entries, told = self._entries, self._said
        verdicts = {told.key(at): at for at in range(len(told.places))}
        starts, numbers = self._begun
        for at in sorted(range(len(starts)), key=lambda at: (starts[at], numbers[at])):
            stream.write(before)
            for piece in self._spool.runs(entries.places[at]):
                stream.write(piece)
            stream.write(b',"_verdicts":')
            said = verdicts.get(entries.key(at))
            for piece in (b"[]",) if said is None else self._spool.runs(told.places[said]):
                stream.write(piece)
            stream.write(b"}")
            before = b",\n"
        stream.write(b"\n]}}\n")

    def _spool_verdicts(self, found: Iterable[Explained]) -> None:
        for explained in found:
            key = explained.exchange.key
            said = [to_builtins(verdict_record(one, *key)) for one in explained.verdicts]
            if said:
                if self._rules.is_thorough:
                    said = masked_values(said, self._rules.patterns)
                self._said.add(key, encoded(said, self._spool).end())

    def _take(self, records: Sequence[Record]) -> None:
        self._spool_verdicts(self._explanations.add_all(records))
        touched: set[int] = set()
        for record in records:
            if type(record) in STREAMED and self._waits(record):
                continue
            if self._streamed:
                self._take_streamed(touched)
            if isinstance(record, SseEventRecord):  # tells nothing of bytes that chunks do not
                self._add(record)
                continue
            self._add(record, self._content(record, touched))
            if isinstance(record, ConnectionRecord):
                touched.discard(record.connection)
                self._tap.pairs.pop(record.connection, None)
                self._recorded.forget(record.connection)
        self._take_streamed(touched)
        for index in self._tap.pairs if self._unswept > MAX_UNSWEPT else touched:
            self._tap.hand_on(index)
        if self._unswept > MAX_UNSWEPT:
            self._unswept = 0

    def _waits(self, record: Any) -> bool:
        """Have a chunk or an event wait, if it is one that a server streams in an open exchange.

        Under a policy that looks into content each is looked at when it comes.
        """
        key = record.connection, record.exchange
        some = self._streamed.get(key)
        if some is None:
            known = self._exchanges.known(*key)
            if known is None or self._rules.is_thorough:
                return False
            some = _Streamed(*known, [], [])
        if record.stream_id is not None or record.sender != "server" or not record.first_packet:
            return False
        if type(record) is SseEventRecord:
            some.events.append(record)
        elif record.size and record.layer == "tcp":
            some.chunks.append(record)
        else:
            return False
        self._streamed[key] = some
        return True

    def _take_streamed(self, touched: set[int]) -> None:
        """Take what waits, and note in whose streams it lay."""
        for (connection, _), (exchange, entry, chunks, events) in self._streamed.items():
            exchange.add_streamed(chunks, events)
            entry.add_events(events)
            if chunks and self._tap.tell_chunks(chunks):
                touched.add(connection)
        self._streamed.clear()

    def _add(self, record: Record, content: Content | None = None) -> None:
        """Add a record to its exchange, and spool the exchanges that it shows to be over."""
        if not isinstance(record, ChunkRecord):  # of these nothing is written
            record = self._redactor.redact(record)
        found = self._exchanges.add(record)
        if found is not None and not isinstance(record, ConnectionRecord):
            entry = found[1]
            if content is not None and isinstance(record, BodyRecord):
                entry.contents[record.sender] = content
            entry.add(record)
        for exchange, entry in self._exchanges.over():
            self._recorded.forget_exchange(*exchange.key)
            self._spool_entry(exchange, entry)

    def _content(self, record: Record, touched: set[int]) -> Content | None:
        """Return the content of the body that a record ends, and note whose stream it was told."""
        if self._recorded.has(record):
            recorded = self._recorded.take(record)
            if recorded is None or not isinstance(record, BodyRecord):
                return None
            return self._decoded(record, recorded, *recorded.taken(record))
        stream = self._tap.tell(record)
        if stream is None or record.connection is None:
            return None
        touched.add(record.connection)
        if not isinstance(record, BodyRecord):
            return None
        return self._decoded(record, stream, *stream.take_content())

    def _decoded(
        self,
        record: BodyRecord,
        source: ContentStream | RecordedContent,
        coded: Pieces,
        is_cut: bool,
    ) -> Content:
        return decode_content(
            coded, is_cut, record, self._rules, self.report, spool=self._spool,
            memory=self._memory, codings=source.codings, is_base64=source.is_base64,
            has_other_charset=source.has_other_charset, is_event_stream=source.is_event_stream,
        )  # fmt: skip

    def _begin(self, exchange: Exchange) -> Entry:
        entry = Entry(exchange, self._spool)
        pair = self._tap.pairs.get(exchange.key.connection)
        if exchange.key.exchange == 0 and pair is not None:
            connection = pair.connection
            if connection.opened is not None:
                entry.opened = connection.opened / NANOSECONDS
                if connection.established is not None:
                    entry.established = connection.established / NANOSECONDS
        return entry

    def _spool_entry(self, exchange: Exchange, entry: Entry) -> None:
        if exchange.request is None and exchange.response is None:
            return
        if self._wanted is not None and not self._wanted.takes_heads(heads_of(exchange)):
            return
        pair = self._tap.pairs.get(exchange.key.connection)
        server = "" if pair is None else pair.address("server")
        # Verdicts come after it, so it is left open.
        whole = encoded(entry.finished(server), self._spool, is_open=True).end()
        self._entries.add(exchange.key, whole)
        self._begun[0].append(entry.started)
        self._begun[1].append(exchange.number)
        self.written += 1
