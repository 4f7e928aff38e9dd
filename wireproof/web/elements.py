"""The elements of one exchange, kind by kind: rows of numbers, and where their records lie.

Strategy: a record is encoded once, as the contract has it, and put aside; what tables, lanes and
searches need of it stands in rows of numbers. So an element takes 84 bytes of memory, whatever its
payload, and a page of elements is read without a look at the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from struct import Struct
from typing import Any, NamedTuple

from parsers.limits import KiB
from parsers.provenance import Layer
from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..columns import Numbers, Rows, RowsAside
from ..spool import Spool

KINDS = {
    "request": "q",
    "response": "r",
    "chunk": "k",
    "body": "b",
    "data": "t",
    "sse_event": "e",
    "json_line": "x",
    "part": "x",
    "aws_event": "x",
    "grpc_message": "x",
    "websocket_frame": "f",
    "websocket_message": "m",
    "http2_data": "h",
    "http3_data": "h",
    "stall": "s",
    "gap": "g",
    "diagnostic": "d",
}
"""The letter of each kind of record; with its number it names an element: ``e3``.

A body has elements of one kind."""
SEVERITIES = ("note", "warning", "error")


class Place(NamedTuple):
    """Where an element is: in time, in packets, in its sender's stream."""

    first_packet: int
    last_packet: int
    first_time: float
    last_time: float
    sender: Sender | None
    offset: int
    length: int
    size: int
    """Of its content, in bytes."""
    mark: int
    """What else a lane shows of it; see :func:`mark_of`."""
    content_offset: int
    """Where its content begins, as ``offset``: after a chunk's line or a frame's header. Of a TLS
    record where its content begins in what its sender sent, decrypted; -1 if it has none there."""
    layer: Layer = "tcp"
    """The byte space that offsets count in."""

    @property
    def end(self) -> int:
        return self.offset + self.length


SENDERS: dict[Sender | None, int] = {"client": 0, "server": 1, None: 2}
SENDER_NAMES: tuple[Sender | None, ...] = ("client", "server", None)
LAYERS: tuple[Layer, ...] = ("tcp", "tls", "quic")
FRAME_TYPES = {
    "DATA": 0,
    "HEADERS": 1,
    "PRIORITY": 2,
    "RST_STREAM": 3,
    "SETTINGS": 4,
    "PUSH_PROMISE": 5,
    "PING": 6,
    "GOAWAY": 7,
    "WINDOW_UPDATE": 8,
}
"""The types of frames of HTTP/2 (RFC 9113 section 6)."""
OTHER_TYPE = 255
"""Stands for any other of them."""
SEALED, OPENED, NO_CONTENT = 0, 1, 2
"""What a TLS record is: content that was not decrypted, content that was, or handshake, alerts and
the like."""
ROW = Struct("<qIIIIddBqqqbq")
"""An element as it is kept: where its encoded record lies, how long that is and how long what it
says, which follows, then its Place."""
SIDE, OFFSET, LENGTH = 7, 8, 9
"""Which values of a row are its sender and layer, its offset and its length."""


OF_SIDE = 15
"""The bits of a row's sender; above them its layer stands."""
SIDES = 4
"""Two senders' bytes of TCP, and theirs of TLS."""


def side_of(sender: Sender, layer: Layer) -> int:
    """Return which of an exchange's reaches a sender's bytes of a layer have."""
    return SENDERS[sender] + (2 if layer == "tls" else 0)


Stored = tuple[int, int, int]
"""Where an encoded record lies in the spool, how long it is, and how long that is which the element
says, which follows: 0 if it says nothing."""
Kept = tuple[int, Stored, Place]
"""An element: which row it is, where its record lies, and where it is."""
TOGETHER = 64 * KiB
"""Bytes of neighbouring records that are read at once."""
ElementsAside = tuple[RowsAside, dict[int, tuple[RowsAside | None, RowsAside]], int]
"""Where the rows of elements lie, of each sender its rows, None if it sent all, and where these
end, and how long the longest record is."""


class Columns(NamedTuple):
    """The rows of several elements, column by column: each of the values of ROW."""

    at: Sequence[int]
    encoded: Sequence[int]
    said: Sequence[int]
    first_packet: Sequence[int]
    last_packet: Sequence[int]
    first_time: Sequence[float]
    last_time: Sequence[float]
    side: Sequence[int]
    """Which of SENDERS, and above OF_SIDE which of LAYERS."""
    offset: Sequence[int]
    length: Sequence[int]
    size: Sequence[int]
    mark: Sequence[int]
    content_offset: Sequence[int]

    @property
    def stored(self) -> list[Stored]:
        """Where their records lie."""
        return list(zip(self.at, self.encoded, self.said, strict=True))


class Elements:
    """The elements of one kind, in the order in which they were completed."""

    def __init__(self, spool: Spool, aside: ElementsAside | None = None) -> None:
        """``aside``: those that were put aside, of which nothing is made until it is asked for."""
        self._spool = spool
        self._aside = aside
        self.longest = 0 if aside is None else aside[2]
        """Bytes of the longest encoded record."""

    @cached_property
    def _rows(self) -> Rows:
        rows = Rows(ROW, self._spool)
        if self._aside is not None:
            rows.bring_back(self._aside[0])
        return rows

    @cached_property
    def _sent(self) -> dict[int, tuple[Numbers | None, Numbers]]:
        """The rows of each sender, None where it sent all, as of most kinds; and where each of
        these ends in its stream."""
        kept = {} if self._aside is None else self._aside[1]
        return {
            side: (None if own is None else self._numbers(own), self._numbers(ends))
            for side, (own, ends) in kept.items()
        }

    def __len__(self) -> int:
        if self._aside is None or "_rows" in vars(self):
            return len(self._rows)
        ends, _ = self._aside[0]
        return ends[-1] // ROW.size

    def aside(self) -> ElementsAside:
        """Put all aside and return where it lies."""
        if self._aside is not None and not vars(self).keys() & {"_rows", "_sent"}:
            return self._aside  # nobody has asked for them
        sent = {
            side: (None if rows is None else rows.aside(), ends.aside())
            for side, (rows, ends) in self._sent.items()
        }
        return self._rows.aside(), sent, self.longest

    def _numbers(self, aside: RowsAside) -> Numbers:
        numbers = Numbers(self._spool)
        numbers.bring_back(aside)
        return numbers

    def append(self, record: Record, at: int, encoded: int, said: int = 0) -> None:
        """Add a record, which has been put aside at ``at``, before what it says."""
        self.extend([(record, encoded, said)], at)

    def extend(self, taken: Iterable[tuple[Record, int, int]], at: int) -> None:
        """Add records, which have been put aside one after the other from ``at`` on, each before
        what it says: of each how many bytes it takes, and how many that does."""
        row = len(self)
        of_side: dict[int, tuple[list[int], list[int]]] = {}
        packed: list[bytes] = []
        for record, encoded, said in taken:
            sender, layer, offset, length = WHERE[type(record)](record)
            side, offset, length = SENDERS[sender], offset or 0, length or 0
            if (found := of_side.get(side)) is None:
                found = of_side[side] = [], []
            found[0].append(row)
            found[1].append(offset + length)
            first, last = record.first_packet, record.last_packet
            packed.append(
                ROW.pack(
                    at,
                    encoded,
                    said,
                    first if first > 0 else 0,
                    last if last > 0 else 0,
                    record.first_time,
                    record.last_time,
                    side | LAYERS.index(layer) << 4,
                    offset,
                    length,
                    size_of(record, length),
                    mark_of(record),
                    content_of(record, offset),
                )
            )
            at += encoded + said
            row += 1
            if encoded > self.longest:
                self.longest = encoded
        for side in of_side:
            if side not in self._sent:
                self._begin(side)
        for side, (rows, ends) in of_side.items():
            own, places = self._sent[side]
            if own is not None:
                own.extend(rows)
            places.extend(ends)
        self._rows.add(b"".join(packed))

    def _begin(self, sender: int) -> None:
        """Begin the columns of a sender that has sent nothing yet; from the second one on it is
        written down which rows are whose."""
        for other, (rows, ends) in self._sent.items():
            if rows is None:
                rows = Numbers(self._spool)
                rows.extend(range(len(ends)))
                self._sent[other] = rows, ends
        own = Numbers(self._spool) if self._sent else None
        self._sent[sender] = own, Numbers(self._spool)

    def stored(self, row: int) -> Stored:
        """Return where the encoded record of a row lies in the spool."""
        at, encoded, said, *_ = self._rows.row(row)
        return at, encoded, said

    def kept(self, rows: Iterable[int]) -> Iterator[Kept]:
        """Yield these rows, and what :meth:`stored` and :meth:`place` return of each; neighbours,
        a range of them, are read together."""
        if isinstance(rows, range):
            neighbours = self._rows.between(rows.start, rows.stop)
            for row, values in zip(rows, neighbours, strict=True):
                yield row, values[:3], _place(values)
            return
        for row in rows:
            values = self._rows.row(row)
            yield row, values[:3], _place(values)

    def columns(self, rows: range) -> Columns:
        """Return what is kept of neighbouring rows, column by column."""
        found = zip(*self._rows.between(rows.start, rows.stop), strict=True)
        return Columns._make(found) if rows else Columns(*[()] * len(Columns._fields))

    def together(self, rows: Iterable[int]) -> Iterator[list[Kept]]:
        """Yield the same in runs, whose records take TOGETHER bytes, about: these are read at
        once."""
        some: list[Kept] = []
        held = 0
        for one in self.kept(rows):
            some.append(one)
            held += sum(one[1][1:])
            if held > TOGETHER:
                yield some
                some, held = [], 0
        if some:
            yield some

    def place(self, row: int) -> Place:
        """Return where the element of a row is."""
        return _place(self._rows.row(row))

    def sent(self, sender: Sender) -> Sequence[int]:
        """Return the rows of what a sender sent."""
        if (sent := self._sent.get(SENDERS[sender])) is None:
            return ()
        rows, ends = sent
        return range(len(ends)) if rows is None else rows

    def overlapping(
        self, sender: Sender, start: int, end: int, most: int, layer: Layer = "tcp"
    ) -> list[tuple[int, Place]]:
        """Return rows of a sender that hold bytes of [start, end) of its bytes in a layer, each
        with its place; ``most`` at most.

        Elements of one kind end in the order in which they were completed.
        """
        if (sent := self._sent.get(SENDERS[sender])) is None:
            return []
        rows, ends = sent
        first, total = ends.after(start), len(ends)
        found: list[tuple[int, Place]] = []
        row_of = self._rows.row
        for index in range(first, total if total < first + most else first + most):
            row = index if rows is None else rows[index]
            values = row_of(row)
            if not values[LENGTH]:
                continue
            if values[OFFSET] >= end:
                break
            if LAYERS[values[SIDE] >> 4] == layer:
                found.append((row, _place(values)))
        return found


class _Where(dict[type[Record], Callable[[Any], tuple[Any, ...]]]):
    """By the type of a record what returns its sender, layer, offset and length: not every record
    has them, and asking each of nearly all that do takes four times as long."""

    NAMES = "sender", "layer", "offset", "length"

    def __missing__(self, kind: type[Record]) -> Callable[[Any], tuple[Any, ...]]:
        has_all = all(hasattr(kind, name) for name in self.NAMES)
        found = self[kind] = attrgetter(*self.NAMES) if has_all else self._some_of
        return found

    @staticmethod
    def _some_of(record: Record) -> tuple[Any, ...]:
        sender, layer = getattr(record, "sender", None), getattr(record, "layer", "tcp")
        return sender, layer, getattr(record, "offset", None), getattr(record, "length", None)


WHERE = _Where()


def _place(row: tuple[Any, ...]) -> Place:
    _, _, _, first, last, begin, end, sender, offset, length, size, mark, content = row
    side, layer = SENDER_NAMES[sender & OF_SIDE], LAYERS[sender >> 4]
    return Place(first, last, begin, end, side, offset, length, size, mark, content, layer)


def content_of(record: Record, offset: int) -> int:
    """Return where a record's content begins, as Place has it."""
    if isinstance(record, TlsRecordRecord):
        return -1 if record.plaintext_offset is None else record.plaintext_offset
    return getattr(record, "content_offset", offset)


def size_of(record: Record, length: int) -> int:
    """Return how many bytes a record's content has; framing is not content."""
    match record:
        case ChunkRecord() | DataRecord() | Http2DataRecord() | Http3DataRecord():
            return record.size
        case BodyElement() | BodyRecord() | WebSocketMessageRecord():
            return record.size
        case WebSocketFrameRecord():
            return record.payload_length
        case GapRecord():
            return record.missing
        case TlsRecordRecord():
            return record.size
    return length


def mark_of(record: Record) -> int:
    """Return a frame's opcode or type, a fault's severity, whether a TLS record has content and was
    decrypted, else 1 for what is not as the others.

    That is an event that is not dispatched, the last chunk, a binary message, a head.
    """
    match record:
        case WebSocketFrameRecord():
            return record.opcode
        case DiagnosticRecord():
            return SEVERITIES.index(record.severity) if record.severity in SEVERITIES else 0
        case SseEventRecord():
            return int(not record.dispatched)
        case ChunkRecord():
            return int(not record.size)
        case WebSocketMessageRecord():
            return int(record.type == "binary")
        case RequestRecord() | ResponseRecord():
            return FRAME_TYPES["HEADERS"]
        case Http2FrameRecord():
            return FRAME_TYPES.get(record.type, OTHER_TYPE)
        case TlsRecordRecord():
            holds = record.content_type or record.type
            is_opened = record.decrypted == "yes"
            return NO_CONTENT if holds != "application_data" else OPENED if is_opened else SEALED
    return 0


def content_span(kind: str, place: Place) -> tuple[int, int] | None:
    """Return which bytes of the stream are an element's content, None if it is all framing."""
    match kind:
        case "k" | "f" | "h":
            start = place.content_offset
            return (start, start + place.size) if place.size else None
        case "a" if place.mark == FRAME_TYPES["DATA"]:
            return (place.content_offset, place.content_offset + place.size) if place.size else None
        case "y":
            return place.end - place.size, place.end
        case "b" | "e" | "m" | "t" | "x":
            return place.offset, place.end
    return None
