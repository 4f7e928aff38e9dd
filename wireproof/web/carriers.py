"""Which packets carried elements, and which TLS records held them.

Strategy: nearly all elements are runs of bytes of TCP: those of a page are looked up together. What
lies in TLS or HTTP/2, or in several runs, is looked up one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from parsers.records import Sender

from ..bytes.packet_index import Carrier
from ..bytes.trail import Trail
from .elements import OF_SIDE, SENDER_NAMES, Columns, Elements, Place
from .exchange import ExchangeRow
from .index import Index
from .opened import MAX_OPENED, Opened, carried_sealed
from .wire import TLS_RECORDS, Wire

MAX_CARRIERS = 64
"""Packets that are named of one element; more are counted."""
MAX_FOUND = MAX_CARRIERS + 1
Holder = ExchangeRow | Wire
"""What has elements."""


class Carriers:
    """Who carried the elements of a kind."""

    def __init__(self, index: Index, holder: Holder, kind: str) -> None:
        self._index = index
        self._kind = kind
        self._connection = holder.key.connection
        self._wire = None if self._connection is None else index.wires.get(self._connection)

    def of_all(
        self, elements: Elements, rows: range, found: Columns, encoded: Sequence[bytes]
    ) -> tuple[list[list[Carrier]], list[Opened]]:
        """Return the packets that carried each of some elements, and the TLS records if it was in
        some."""
        carried: list[list[Carrier]] = [[] for _ in rows]
        held: list[Opened] = [[] for _ in rows]
        # Nearly all are usual: these are looked up together.
        usual: dict[Sender, list[int]] = {"client": [], "server": []}
        for number, (side, length) in enumerate(zip(found.side, found.length, strict=True)):
            sender = SENDER_NAMES[side & OF_SIDE]
            if self._connection is None or sender is None or not length:
                continue
            extents = _extents(encoded[number])
            if self._wire is None and not extents and side <= OF_SIDE:
                usual[sender].append(number)
            else:
                row = rows[number]
                carried[number], held[number] = self._of(row, elements.place(row), sender, extents)
        for sender, numbers in usual.items():
            if numbers:
                starts = [(found.offset[number], found.length[number]) for number in numbers]
                spans = [(start, start + length) for start, length in starts]
                each = self._index.tracer.carriers_of(self._trail(sender), spans, MAX_FOUND)
                for number, carriers in zip(numbers, each, strict=True):
                    carried[number] = carriers
        return carried, held

    def _of(
        self, row: int, place: Place, sender: Sender, extents: list[tuple[int, int]]
    ) -> tuple[list[Carrier], Opened]:
        """Return the same of one that need not be a run of bytes of TCP."""
        carried: list[Carrier] = []
        held: Opened = []
        wire = self._wire
        if place.layer == "quic":
            return carried, held
        if self._kind == TLS_RECORDS and wire is not None and place.content_offset >= 0:
            held.append((row, 0, wire.content_size(sender, row)))
        for start, end in extents or ((place.offset, place.end),):
            room = MAX_FOUND - len(carried)
            if place.layer == "tls" and wire is not None and TLS_RECORDS in wire.elements:
                records, more = carried_sealed(self._index, wire, sender, start, end, room)
                held += [one for one in records if one not in held][: MAX_OPENED - len(held)]
                carried += [one for one in more if one not in carried]
            elif place.layer == "tcp":
                carried += self._index.tracer.carriers_in(self._trail(sender), start, end, room)
        return carried, held

    def _trail(self, sender: Sender) -> Trail:
        """Return the trail of a side of the connection."""
        assert self._connection is not None
        return self._index.tracer.connections[self._connection].trail(sender)


def _extents(encoded: bytes) -> list[tuple[int, int]]:
    """Return the runs of an element's bytes, of one whose bytes are not contiguous."""
    if b'"extents":[[' not in encoded:
        return []
    found = msgspec.json.decode(encoded).get("extents")
    return [(start, end) for start, end in found or ()]
