"""One side of a connection as its records are written: a decoder, driven by the bytes that come.

Strategy: what a side's decoder finds is written at once. Where nearly all of a stream is made of
one kind of element, a fast path reads what it can past the layers between, and the decoder what it
leaves.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Protocol, cast

from ..diagnostics import Diagnostic
from ..provenance import Completion, Decoder, Ending, Event
from ..records import PLACE, BodyRecord, ConnectionRecord, Record
from ..streams import ByteStream, Receiver
from .writer import RecordWriter


def in_order(records: list[Record]) -> list[Record]:
    """Sort records of one direction, none of them a body's own, into the contract's order."""
    if len(records) > 1:
        records.sort(key=PLACE)
    return records


def completion(record: Record) -> tuple[int, int, int]:
    """Return a record's place in the contract's order.

    A body follows what it holds, a connection all that it carried; what belongs to no connection
    comes first.
    """
    connection = -1 if record.connection is None else record.connection
    if isinstance(record, BodyRecord):
        return record.last_packet, record.offset + record.length, connection
    if isinstance(record, ConnectionRecord):
        return record.last_packet, sys.maxsize, connection
    return record.last_packet, record.offset or 0, connection


def with_ends_last(records: list[Record]) -> list[Record]:
    """Return the capture's last records in the contract's order.

    One of a connection that is open follows all that is said of it: an ICMP error may come after
    its last packet.
    """
    last: dict[int | None, int] = {}
    for record in records:
        last[record.connection] = max(last.get(record.connection, 0), record.last_packet)

    def place(record: Record) -> tuple[int, int, int]:
        found = completion(record)
        if isinstance(record, ConnectionRecord) and record.close == "open":
            return last[record.connection], *found[1:]
        return found

    return sorted(records, key=place)


def is_of_requests(fault: Diagnostic) -> bool:
    """Whether a fault is one of requests alone, which wait for an answer (RFC 9112 section 9.5).

    What else comes after the server has closed asks for nothing: a WebSocket frame, a frame of
    control or an acknowledgement of HTTP/2, a close_notify of TLS.
    """
    return fault.code == "tcp-data-crossed-fin"


class Successor(Receiver[Record], Protocol):
    """A receiver that takes a stream over where another ends."""

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes, whose gap is recorded already."""


def successor_of(stream: ByteStream[Record]) -> Successor:
    """Return the receiver of a stream of which bytes were pending: all that can follow are such."""
    return cast(Successor, stream.receiver)


class FastPath(Protocol):
    """Takes the elements that nearly all of a stream is made of past the layers between."""

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read what it can from ``pos`` of ``data`` on; return where that ends."""

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where the element ends that it could not read, or the end of ``data``.

        A guess, for a piece in which only some elements are unusual, as a ping between events is.
        """

    def settle(self) -> None:
        """Tell the layers between how far it went, before anything is asked of them."""


class StreamDecoder(Decoder, Protocol):
    """A decoder of a whole stream, which knows where it is in it."""

    @property
    def offset(self) -> int:
        """The number of the byte that comes next."""


class Side(ABC):
    """A receiver of one side's bytes: what its decoder finds becomes records of ``exchange``."""

    _fast_path: FastPath

    def __init__(self, writer: RecordWriter, decoder: StreamDecoder, exchange: int) -> None:
        self.writer = writer
        self.exchange = exchange
        self._decoder = decoder

    def receive_data(self, data: bytes) -> list[Record]:
        """Take the next bytes: what it can by a fast path, and what is between by the decoder."""
        records: list[Record] = []
        pos, end = 0, len(data)
        while True:
            fast_path = self._fast_path
            upto = fast_path.receive(data, pos, records)
            if upto == end:
                return records
            fast_path.settle()
            if upto == pos:  # a stream of another kind: not one try for each of its elements
                break
            pos = fast_path.end_of_element(data, upto)
            records += self._decode(data[upto:pos])
            if pos == end:
                return records
        return records + self._decode(data[pos:] if pos else data)

    def _decode(self, data: bytes) -> list[Record]:
        found = self._decoder.receive_data(data)
        return self.write(found) if found else []

    def receive_gap(self, length: int) -> list[Record]:
        """Record the gap and go on after it."""
        self._fast_path.settle()
        gap: Record = self.writer.gap(self._decoder.offset, length, self.exchange_at_hand)
        return [gap, *self.pass_over(length)]

    def pass_over(self, length: int) -> list[Record]:
        """Go on after a gap that has its record already."""
        self._fast_path.settle()
        return self.write(self._decoder.receive_gap(length))

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._fast_path.settle()
        return self.write(self._decoder.receive_eof(ending))

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self.writer.diagnostic(fault, self.exchange, shown)]

    @property
    def exchange_at_hand(self) -> int:
        """The exchange that bytes belong to which begin no message."""
        return self.exchange

    @property
    def open_offsets(self) -> tuple[int, ...]:
        self._fast_path.settle()
        return self._decoder.open_offsets

    @abstractmethod
    def write(self, found: Iterable[Event]) -> list[Record]:
        """Return the records of the decoder's events, in the contract's order."""
