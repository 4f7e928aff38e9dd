"""HAR 1.2 (W3C HTTP Archive format) as Chrome's DevTools writes and imports it.

Strategy: records and streams are followed side by side; each exchange is collected in an
:class:`OpenEntry` until the next one of its connection is answered, or the connection ends. A
finished entry is encoded and spooled to a temporary file, so that what stands in memory are the
exchanges that go on; at the end all are written in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO, BinaryIO

import msgspec

from parsers.decode.packets import completion
from parsers.files.packets import NANOSECONDS, Packet
from parsers.records import BodyRecord, ConnectionRecord, Record, ResponseRecord, Transport

from .. import __version__
from ..bytes.stream_tap import Follower
from ..redact import Policy, Redactor, Report
from .content import Content, ContentStream, decode_content
from .entry import OpenEntry

ENCODER = msgspec.json.Encoder()
MAX_OPEN = 1_024
"""Exchanges of one connection that are open at once: as many as may be pipelined."""

Spooled = tuple[float, int, int, int]
"""When an entry began, its number, and where it lies in the spool."""


class HarWriter:
    """Collects the exchanges of a capture, whose packets are added in order."""

    def __init__(
        self,
        policy: Policy = "headers",
        connection: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.written = 0
        self._policy: Policy = policy
        self._redactor = Redactor(policy)
        self._only = connection
        self._transport = transport
        self._follower: Follower[ContentStream] = Follower(ContentStream)
        self._open: dict[int, dict[int, OpenEntry]] = {}
        self._spool: IO[bytes] = TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self._index: list[Spooled] = []

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
        self._take(self._follower.receive(packets))

    def finish(self) -> None:
        """Take note that no packet follows."""
        self._take(sorted(self._follower.finish(), key=completion))

    def write(self, stream: BinaryIO) -> None:
        """Write the archive."""
        creator = {"name": "wireproof", "version": __version__}
        head = ENCODER.encode({"version": "1.2", "creator": creator, "pages": []})
        stream.write(b'{"log":' + head[:-1] + b',"entries":[')
        before = b"\n"
        for _, _, offset, length in sorted(self._index):
            self._spool.seek(offset)
            stream.write(before + self._spool.read(length))
            before = b",\n"
        stream.write(b"\n]}}\n")

    def _take(self, records: Sequence[Record]) -> None:
        touched: set[int] = set()
        for record in records:
            if isinstance(record, ConnectionRecord):
                self._end(record)
                touched.discard(record.connection)
                continue
            stream = self._follower.tell(record)
            if stream is not None and record.connection is not None:
                touched.add(record.connection)
            if record.connection is None or record.exchange is None:
                continue
            content = None
            if isinstance(record, BodyRecord) and stream is not None:
                content = self._content(record, stream)
            redacted = self._redactor.redact(record)
            entry = self._entry(record.connection, record.exchange)
            if isinstance(record, ResponseRecord) and record.status >= 200:
                self._finish_before(record.connection, record.exchange)
            entry.add(redacted, content)
        for index in touched:
            self._follower.hand_on(index)

    def _content(self, record: BodyRecord, stream: ContentStream) -> Content:
        coded, is_cut = stream.take_content()
        return decode_content(
            coded, is_cut, record, self._policy, self.report,
            codings=stream.codings, is_event_stream=stream.is_event_stream,
        )  # fmt: skip

    def _entry(self, connection: int, exchange: int) -> OpenEntry:
        entries = self._open.setdefault(connection, {})
        entry = entries.get(exchange)
        if entry is None:
            if len(entries) >= MAX_OPEN:
                self._spool_entry(entries.pop(next(iter(entries))))
            entry = entries[exchange] = OpenEntry(connection, exchange)
            pair = self._follower.pairs.get(connection)
            if exchange == 0 and pair is not None and pair.opened is not None:
                entry.opened = pair.opened / NANOSECONDS
                if pair.established is not None:
                    entry.established = pair.established / NANOSECONDS
        return entry

    def _finish_before(self, connection: int, exchange: int) -> None:
        """Finish the exchanges before one that is answered: nothing more of them comes."""
        entries = self._open[connection]
        for number in [number for number in entries if number < exchange]:
            self._spool_entry(entries.pop(number))

    def _end(self, record: ConnectionRecord) -> None:
        self._redactor.redact(record)
        for entry in self._open.pop(record.connection, {}).values():
            self._spool_entry(entry)
        self._follower.pairs.pop(record.connection, None)

    def _spool_entry(self, entry: OpenEntry) -> None:
        if self._only not in (None, entry.connection):
            return
        if self._transport not in (None, entry.transport):
            return
        if entry.request is None and entry.response is None:
            return
        pair = self._follower.pairs.get(entry.connection)
        server = "" if pair is None else pair.address("server")
        data = ENCODER.encode(entry.finished(server))
        self._index.append((entry.started, self.written, self._spool.tell(), len(data)))
        self._spool.write(data)
        self.written += 1
