"""What a connection carried below its exchanges: TLS records, frames of HTTP/2, and stalls.

Strategy: these are elements as an exchange has them, and are asked for in the same way, by the key
``0.w``. They hold the records that exchanges have, once more by place, so that a byte of any layer
leads to the frame or record that holds it, and from there to the exchange. What is known of a
connection that has ended is put aside (:mod:`..shelf`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

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

from ..shelf import Resting
from .elements import SENDER_NAMES, Elements, ElementsAside
from .exchange import ExchangeRow, Key, within
from .exchange_rows import ExchangeRows

WIRE = "w"
"""Stands for a connection as a whole, where the number of an exchange stands."""
TLS_RECORDS, FRAMES, STALLS = "y", "a", "s"
MAX_STALLS = 4_096
KEPT_BELOW = frozenset(
    (TlsRecordRecord, StallRecord, Http2DataRecord, Http2FrameRecord, RequestRecord, ResponseRecord)
)
"""Records that a connection may keep, too; :func:`kind_of` says as what."""


Opened = tuple[bytes, bytes, bytes]
"""Columns of one sender's TLS records that were decrypted, as they are put aside."""


class WireAside(NamedTuple):
    """What a connection carried, as it is put aside when that has ended."""

    elements: dict[str, ElementsAside]
    streams: bytes
    opened: dict[str, Opened]
    stalls: list[StallRecord]
    resets: dict[int, tuple[int, Http2FrameRecord]]
    goaway: tuple[int, Http2FrameRecord] | None
    exchanges: dict[int, tuple[int | None, int | None]]


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
        self._stalls_of: dict[tuple[int | None, Sender], list[StallRecord]] = {}
        """The same of each stream and sender; None: of all streams."""
        self.resets: dict[int, tuple[int, Http2FrameRecord]] = {}
        """The first RST_STREAM of each stream, and its row among the frames."""
        self.goaway: tuple[int, Http2FrameRecord] | None = None
        """The last GOAWAY, and its row."""
        self._exchanges: dict[int, Key] = {}
        """Of each stream."""

    def aside(self) -> WireAside:
        """Put its elements aside, and return what is to be put aside of it."""
        opened: dict[str, Opened] = {
            side: _bytes_of(columns) for side, columns in self._opened.items() if side
        }
        elements = {kind: found.aside() for kind, found in self.elements.items()}
        return WireAside(
            elements, self.streams.tobytes(), opened, self.stalls, self.resets, self.goaway,
            dict(self._exchanges),
        )  # fmt: skip

    def bring_back(self, aside: WireAside) -> None:
        """Be what was put aside."""
        for kind, kept in aside.elements.items():
            self.elements[kind] = Elements(self._spool, kept)
        self.streams.frombytes(aside.streams)
        for side, columns in self._opened.items():
            for column, data in zip(columns, aside.opened[side or ""], strict=True):
                column.frombytes(data)
        for stall in aside.stalls:
            self._note_stall(stall)
        self.resets, self.goaway = aside.resets, aside.goaway
        self._exchanges = {stream_id: Key(*key) for stream_id, key in aside.exchanges.items()}

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
                self._note_stall(record)
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

    def _note_stall(self, record: StallRecord) -> None:
        self.stalls.append(record)
        self._stalls_of.setdefault((record.stream_id, record.sender), []).append(record)

    def _note_end(self, record: Http2FrameRecord, stream_id: int, row: int) -> None:
        if record.type == "RST_STREAM":
            self.resets.setdefault(stream_id, (row, record))
        elif record.type == "GOAWAY":
            self.goaway = row, record

    def stalls_of(self, stream_id: int | None, sender: Sender) -> list[StallRecord]:
        """Return the stalls of a sender in a stream; None: in all of them together."""
        return self._stalls_of.get((stream_id, sender), [])

    def exchange_of(self, stream_id: int) -> ExchangeRow | None:
        """Return the exchange of a stream; None if it has none, or a page has no details of it."""
        key = self._exchanges.get(stream_id)
        number = None if key is None else self._rows.number(key)
        if number is None or not self._rows.is_detailed(number):
            return None
        return self._rows[number]

    def exchanges(self, first: int, last: int) -> Iterator[tuple[int, ExchangeRow]]:
        """Yield streams [first, last) and the exchange of each, in the order of their first
        frames."""
        for stream_id, key in islice(self._exchanges.items(), first, last):
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


def _bytes_of(columns: tuple[array[int], array[int], array[int]]) -> Opened:
    starts, ends, rows = columns
    return starts.tobytes(), ends.tobytes(), rows.tobytes()


class Wires:
    """What each connection carried that carried any such thing."""

    def __init__(self, rows: ExchangeRows) -> None:
        """``rows`` are those of all exchanges."""
        self._rows = rows
        self._numbers = array("q")
        """Of these connections, in the order in which they began."""
        self._wires: Resting[Wire, WireAside] = Resting(
            WireAside, rows.spool, Wire.aside, self._bring_back
        )

    def get(self, connection: int) -> Wire | None:
        """Return what a connection carried, None if it carried none of it."""
        return self._wires.find(connection) if self._numbers else None

    def __getitem__(self, connection: int) -> Wire:
        return self._wires.get(connection)

    def __iter__(self) -> Iterator[Wire]:
        return map(self._wires.get, self._numbers)

    def of(self, connection: int) -> Wire:
        """Return what a connection carries, which may begin with that."""
        wire = self.get(connection)
        if wire is None:
            wire = Wire(connection, self._rows)
            self._numbers.append(connection)
            self._wires.begin(connection, wire)
        return wire

    def end(self, connection: int) -> None:
        """Take note that a connection has ended."""
        self._wires.end(connection)

    def rest(self) -> None:
        """Put aside what is known of those that have ended."""
        self._wires.rest()

    def _bring_back(self, connection: int, aside: WireAside) -> Wire:
        wire = Wire(connection, self._rows)
        wire.bring_back(aside)
        return wire


def kind_of(record: Record) -> str | None:
    """Return as which kind a connection keeps a record; None if it does not."""
    if type(record) not in KEPT_BELOW:  # as of nearly all
        return None
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
