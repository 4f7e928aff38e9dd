"""HAR 1.2 (W3C HTTP Archive format) as Chrome's DevTools writes and imports it.

Strategy: the decoder's records go through the fold of exchanges, each of which has an
:class:`Entry` beside it, and its streams give the bytes of bodies. When an exchange is over, its
entry is encoded and spooled to a temporary file, so that what stands in memory are the exchanges
that go on; at the end all are written in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import SEEK_END
from typing import IO, BinaryIO

import msgspec
from msgspec import to_builtins
from parsers import NANOSECONDS, CaptureKeys, Packet, completion
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
from ..exchanges import Exchange, Exchanges
from ..open_exchanges import Key
from ..output import buffered_scratch
from ..redact import Policy, Redactor, Report, Rules
from ..redact.secrets import masked_values
from .content import (
    Content,
    ContentStream,
    RecordedContent,
    RecordedContents,
    decode_content,
)
from .entry import Entry

MAX_UNSWEPT = 8 * MiB
"""Bytes of packets after which streams of which no record tells let go of what they keep."""
ENCODER = msgspec.json.Encoder()
Spooled = tuple[float, int, Key, int, int]
"""When an entry began, its exchange's number and key, and where it lies in the spool."""


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
        self._tap: StreamTap[ContentStream] = StreamTap(ContentStream, wanted=decoded, keys=keys)
        self._recorded = RecordedContents()
        self._unswept = 0
        self._exchanges: Exchanges[Entry] = Exchanges(self._begin)
        self._spool: IO[bytes] = buffered_scratch()
        self._index: list[Spooled] = []
        self._explanations = Explanations()
        self._said: dict[Key, tuple[int, int]] = {}
        """Where the verdicts on an exchange lie in the spool: these may be known after it."""

    def __enter__(self) -> HarWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    @property
    def report(self) -> Report:
        """What was masked."""
        return self._redactor.report

    def add(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        records = self._tap.receive(packets)
        self._unswept += sum(len(data) for *_, data in packets)
        self._sort(records)
        self._take(records)

    def finish(self) -> None:
        """Take note that no packet follows."""
        self._take(sorted(self._tap.finish(), key=completion))
        self._spool_verdicts(self._explanations.finish())

    def write(self, stream: BinaryIO) -> None:
        """Write the archive."""
        creator = {"name": "wireproof", "version": __version__}
        head = ENCODER.encode({"version": "1.2", "creator": creator, "pages": []})
        stream.write(b'{"log":' + head[:-1] + b',"entries":[')
        before = b"\n"
        for _, _, key, offset, length in sorted(self._index):
            entry = self._read(offset, length)
            verdicts = self._read(*self._said.get(key, (0, 0)))
            stream.write(before + entry[:-1] + b',"_verdicts":%b}' % (verdicts or b"[]"))
            before = b",\n"
        stream.write(b"\n]}}\n")

    def _read(self, offset: int, length: int) -> bytes:
        self._spool.seek(offset)
        return self._spool.read(length)

    def _put_aside(self, value: object) -> tuple[int, int]:
        """Write a value at the end of the spool; return where it lies."""
        data = ENCODER.encode(value)
        place = self._spool.seek(0, SEEK_END)
        self._spool.write(data)
        return place, len(data)

    def _spool_verdicts(self, found: Iterable[Explained]) -> None:
        for explained in found:
            key = explained.exchange.key
            said = [to_builtins(verdict_record(one, *key)) for one in explained.verdicts]
            if said:
                self._said[key] = self._put_aside(
                    masked_values(said, self._rules.patterns) if self._rules.is_thorough else said
                )

    def _take(self, records: Sequence[Record]) -> None:
        self._spool_verdicts(self._explanations.add_all(records))
        touched: set[int] = set()
        for record in records:
            if isinstance(record, SseEventRecord):  # tells nothing of bytes that chunks do not
                self._add(record)
                continue
            self._add(record, self._content(record, touched))
            if isinstance(record, ConnectionRecord):
                touched.discard(record.connection)
                self._tap.pairs.pop(record.connection, None)
                self._recorded.forget(record.connection)
        for index in self._tap.pairs if self._unswept > MAX_UNSWEPT else touched:
            self._tap.hand_on(index)
        if self._unswept > MAX_UNSWEPT:
            self._unswept = 0

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
        coded: bytes,
        is_cut: bool,
    ) -> Content:
        return decode_content(
            coded, is_cut, record, self._rules, self.report,
            codings=source.codings, is_base64=source.is_base64,
            is_event_stream=source.is_event_stream,
        )  # fmt: skip

    def _begin(self, exchange: Exchange) -> Entry:
        entry = Entry(exchange)
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
        place = self._put_aside(entry.finished(server))
        self._index.append((entry.started, exchange.number, exchange.key, *place))
        self.written += 1
