"""A whole capture compared: any number of connections, of which few stand in memory at a time.

Strategy: our records and Wireshark's elements are put aside by their connections (:mod:`.parts`),
and one part after the other is compared. Its rows are put aside too, and in the end given in the
order of the whole; those that are equal only if they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from parsers.records import (
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsConnectionRecord,
    is_quic,
)

from ..analysis.selection import Chosen
from ..spool import Spool
from ..tasks.unread import CaptureFaults
from .compare import Comparison, Order, Row, Verdict
from .decoded import Decoded, ports_of
from .elements import Element
from .explanations import EXPLANATIONS
from .fields import Version
from .parts import PARTS, Parts, Segments, TheirElements
from .segments import Witness

BY_NAME = {known.name: known for known in EXPLANATIONS}


class _KeptRecord(NamedTuple):
    number: int
    record: Record


class OurRecords:
    """Our records, put aside; and what must be known of all of them first."""

    def __init__(self, records: Iterable[Record], spool: Spool) -> None:
        self.clients: dict[int, int] = {}
        """The client's port on each connection."""
        self.quic_connections = 0
        """QUIC connections, which are not compared."""
        self.faults = CaptureFaults()
        """What is wrong with the capture itself."""
        self._parts = Parts(_KeptRecord, spool)
        self._of_none: list[tuple[int, Record]] = []
        """Those of no connection, which every part is told."""
        self._speaks: dict[int, bool] = {}
        """Whether connections to each port of a server speak HTTP/2 and nothing else."""
        self._with_others: set[int] = set()
        """Open connections on which TLS or HTTP/1 was spoken, be it before an upgrade."""
        for number, record in enumerate(records):
            self._receive(number, record)

    @property
    def http2_ports(self) -> list[int]:
        """Ports of servers that speak HTTP/2 without TLS, from the first byte, and nothing else."""
        return [port for port, is_http2 in self._speaks.items() if is_http2]

    def all_of(self, part: int) -> Iterator[tuple[int, Record]]:
        """Yield the records of a part with their numbers."""
        return chain(self._of_none, self._parts.all_of(part))

    def _receive(self, number: int, record: Record) -> None:
        connection = record.connection
        if connection is None:
            self._of_none.append((number, record))
            self.faults.note([record])
            return
        if is_quic(connection):
            self.quic_connections += isinstance(record, ConnectionRecord)
            return  # not compared yet
        self._parts.put(connection, _KeptRecord(number, record))
        if isinstance(record, ConnectionRecord):
            self._end(record)
        elif isinstance(record, TlsConnectionRecord) or (
            isinstance(record, RequestRecord | ResponseRecord) and record.stream_id is None
        ):
            self._with_others.add(connection)

    def _end(self, record: ConnectionRecord) -> None:
        client, port = ports_of(record)
        self.clients[record.connection] = client
        is_http2 = record.protocol == "http/2" and record.connection not in self._with_others
        self._speaks[port] = self._speaks.get(port, True) and is_http2
        self._with_others.discard(record.connection)


class _KeptRow(msgspec.Struct, array_like=True):
    """A row in the order of the whole."""

    order: Order
    verdict: Verdict
    frame: int
    stream: int
    sender: str
    offset: int | None
    element: str
    field: str
    wireproof: Any
    """Text, bytes or a number, or nothing: which, its encoding tells."""
    wireshark: Any
    explanation: str | None

    @classmethod
    def of(cls, order: Order, row: Row) -> _KeptRow:
        known = row.explanation
        return cls(
            order, row.verdict, row.frame, row.stream, row.sender, row.offset, row.element,
            row.field, row.wireproof, row.wireshark, None if known is None else known.name,
        )  # fmt: skip

    @property
    def row(self) -> Row:
        name = self.explanation
        return Row(
            self.verdict, self.frame, self.stream, self.sender, self.offset, self.element,
            self.field, self.wireproof, self.wireshark, None if name is None else BY_NAME[name],
        )  # fmt: skip


class DividedComparison:
    """Our decoding of a capture beside Wireshark's."""

    def __init__(
        self,
        ours: OurRecords,
        theirs: TheirElements,
        segments: Segments,
        version: Version,
        wanted: Chosen | None = None,
        *,
        has_late_secrets: bool = False,
    ) -> None:
        """``wanted`` are the exchanges that have rows, with their connections; None: all have."""
        self.quic_connections = ours.quic_connections
        """QUIC connections, which are not compared."""
        self.faults = ours.faults
        self._ours = ours
        self._theirs = theirs
        self._segments = segments
        self._version = version
        self._wanted = wanted
        self._has_late_secrets = has_late_secrets

    def rows(self, pass_over: Callable[[Row], object] | None = None) -> Iterator[Row]:
        """Yield all rows: our elements in our order, then what only Wireshark has.

        Those that are equal are given to ``pass_over`` instead, if there is one, in any order.
        """
        with closing(Spool()) as spool:
            kept = Parts(_KeptRow, spool)
            for part in range(PARTS):
                for order, row in self._compared(part).ordered_rows():
                    if pass_over is not None and row.verdict == "equal":
                        pass_over(row)
                    else:
                        kept.put(part, _KeptRow.of(order, row))
            for one in merge(*map(kept.all_of, range(PARTS)), key=attrgetter("order")):
                yield one.row

    def _compared(self, part: int) -> Comparison:
        """Compare a part."""
        witness = Witness(self._segments.all_of(part))
        theirs: list[Element] = [*witness.connections(), *self._theirs.all_of(part)]
        return Comparison(
            Decoded(self._ours.all_of(part)), theirs, witness, self._version, self._wanted,
            has_late_secrets=self._has_late_secrets,
        )  # fmt: skip
