"""What a TLS record held: its content, decrypted, and what lies in it."""

from __future__ import annotations

from typing import Any

from parsers.records import Sender

from ..bytes.packet_index import Carrier
from .elements import Place
from .index import Index
from .parts import parts_of
from .wire import TLS_RECORDS, Wire

MAX_OPENED = 64
"""TLS records that are named of one element."""
Opened = list[tuple[int, int, int]]
"""Of each TLS record its row, and where bytes begin and end in its content."""


def opened(index: Index, wire: Wire, row: int) -> dict[str, Any] | None:
    """Return the content of a TLS record; None if there is no such record. Of one that was not
    decrypted, and of one that holds no data, it is empty."""
    records = wire.elements.get(TLS_RECORDS)
    if records is None or row >= len(records):
        return None
    place = records.place(row)
    connection, sender, start = wire.key.connection, place.sender, place.content_offset
    assert connection is not None
    assert sender is not None
    end = start + wire.content_size(sender, row) if start >= 0 else start
    data = index.plaintext.read(connection, sender, start, end)
    found = parts_of(index, connection, sender, "tls", start, end, -start) if data else []
    return {
        "row": row,
        "key": wire.name,
        "sender": sender,
        "packet": place.last_packet,
        "offset": start if data else None,
        "parts": found,
        "data": data,
    }


def carried_sealed(
    index: Index, wire: Wire, sender: Sender, start: int, end: int, room: int
) -> tuple[Opened, list[Carrier]]:
    """Return the TLS records that held bytes of what a side sent, and who carried these records."""
    records = wire.elements[TLS_RECORDS]
    connection = wire.key.connection
    assert connection is not None
    found: Opened = []
    carried: list[Carrier] = []
    for row, first, last in wire.opened(sender, start, end):
        if len(found) == MAX_OPENED:
            break
        found.append((row, first, last))
        place = records.place(row)
        if len(carried) < room:
            carried += _carriers(index, connection, sender, place, room - len(carried))
    return found, carried


def _carriers(
    index: Index, connection: int, sender: Sender, place: Place, most: int
) -> list[Carrier]:
    return index.tracer.carriers(connection, sender, place.offset, place.end, most)
