"""What a connection carried below its exchanges: TLS records, frames of HTTP/2, and stalls.

Strategy: these are elements as an exchange has them, and are asked for in the same way, by the key
``0.w``. They hold the records that exchanges have, once more by place, so that a byte of any layer
leads to the frame or record that holds it, and from there to the exchange.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import merge

from parsers.records import (
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    StallRecord,
    TlsRecordRecord,
    is_quic,
)

from .elements import SENDER_NAMES, Elements
from .exchange import ExchangeRow, Key, within
from .exchange_rows import ExchangeRows

WIRE = "w"
"""Stands for a connection as a whole, where the number of an exchange stands."""
TLS_RECORDS, FRAMES, STALLS = "y", "a", "s"
MAX_STALLS = 4_096


class Wire:
    """The records of TLS and the frames of HTTP/2 of one connection, whoever they belong to."""

    def __init__(self, connection: int, rows: ExchangeRows) -> None:
        """``rows`` are those of all exchanges."""
        self.key = Key(connection, None)
        self._rows = rows
        self._spool = rows.spool
        self.name = within(rows.capture, f"{connection}.{WIRE}")
        self.elements: dict[str, Elements] = {}
        self.streams = array("L")
        """Of each frame, which stream it is of; 0 if of the connection."""
        self._opened = {side: (array("q"), array("q"), array("L")) for side in SENDER_NAMES[:2]}
        """Of each sender's TLS records that were decrypted: where its content begins and ends, its
        row."""
        self.stalls: list[StallRecord] = []
        """The first MAX_STALLS, of every window."""
        self.resets: dict[int, tuple[int, Http2FrameRecord]] = {}
        """The first RST_STREAM of each stream, and its row among the frames."""
        self.goaway: tuple[int, Http2FrameRecord] | None = None
        """The last GOAWAY, and its row."""
        self._exchanges: dict[int, Key] = {}
        """Of each stream."""

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {kind: len(found) for kind, found in self.elements.items()}

    def add(self, record: Record, at: int, encoded: int, exchange: ExchangeRow | None) -> None:
        """Take a record, which has been put aside, and whose exchange that is."""
        kind = kind_of(record)
        assert kind is not None
        elements = self.elements.get(kind)
        if elements is None:
            elements = self.elements[kind] = Elements(self._spool)
        elements.append(record, at, encoded)
        row = len(elements) - 1
        if isinstance(record, StallRecord):
            if len(self.stalls) < MAX_STALLS:
                self.stalls.append(record)
        elif isinstance(record, TlsRecordRecord):
            if record.plaintext_offset is not None:
                starts, ends, rows = self._opened[record.sender]
                starts.append(record.plaintext_offset)
                ends.append(record.plaintext_offset + (record.content_size or 0))
                rows.append(row)
        elif kind == FRAMES:
            stream_id = getattr(record, "stream_id", None) or 0
            self.streams.append(stream_id)
            if stream_id and exchange is not None:
                self._exchanges[stream_id] = exchange.key
            if isinstance(record, Http2FrameRecord):
                self._note_end(record, stream_id, row)

    def _note_end(self, record: Http2FrameRecord, stream_id: int, row: int) -> None:
        if record.type == "RST_STREAM":
            self.resets.setdefault(stream_id, (row, record))
        elif record.type == "GOAWAY":
            self.goaway = row, record

    def exchange_of(self, stream_id: int) -> ExchangeRow | None:
        """Return the exchange of a stream; None if it has none."""
        key = self._exchanges.get(stream_id)
        return None if key is None else self._rows.find(key)

    def exchanges(self) -> Iterator[tuple[int, ExchangeRow]]:
        """Yield each stream and its exchange, in the order of their first frames."""
        for stream_id, key in self._exchanges.items():
            if (exchange := self._rows.find(key)) is not None:
                yield stream_id, exchange

    @property
    def stream_count(self) -> int:
        """How many streams have an exchange."""
        return len(self._exchanges)

    def opened_rows(self) -> Iterator[int]:
        """Yield the rows of the TLS records that were decrypted and held data, in their order:
        neighbours share a bundle of a report."""
        yield from merge(*(rows for _, _, rows in self._opened.values()))

    def content_size(self, sender: Sender, row: int) -> int:
        """Return how many bytes a TLS record held of what its sender sent; 0 if none is known."""
        starts, ends, rows = self._opened[sender]
        at = bisect_left(rows, row)
        return ends[at] - starts[at] if at < len(rows) and rows[at] == row else 0

    def opened(self, sender: Sender, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the TLS records that held bytes [start, end) of what a side sent, decrypted.

        Of each its row, and where these bytes begin and end in its content.
        """
        starts, ends, rows = self._opened[sender]
        for at in range(bisect_right(ends, start), len(starts)):
            if starts[at] >= end:
                return
            yield rows[at], max(start - starts[at], 0), min(end, ends[at]) - starts[at]


def kind_of(record: Record) -> str | None:
    """Return as which kind a connection keeps a record; None if it does not."""
    match record:
        case TlsRecordRecord():
            return TLS_RECORDS
        case StallRecord():
            return STALLS
        case Http2DataRecord() | Http2FrameRecord():
            return FRAMES
        case RequestRecord() | ResponseRecord():
            is_frame = record.stream_id is not None and not is_quic(record.connection)
            return FRAMES if is_frame else None
    return None
