"""A packet byte by byte: its layers, and which element each byte of its payload belongs to.

Strategy: offsets count the bytes of the frame from 0, as Wireshark's bytes pane does. Layers are
read from the packet's row; what lies in its payload are the elements that overlap the bytes which
it was the first to bring. Bytes that had come before belong to the packet that brought them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from parsers import LINK_TYPES
from parsers.provenance import seconds
from parsers.records import Sender

from ..bytes.packet_index import PacketPlace
from ..views.display_filter import packets_filter
from ..views.packet_rows import FLAGS
from .index import Index
from .parts import Part, parts_of


def frame(index: Index, packet: int) -> dict[str, Any] | None:
    """Return everything about one packet, None if there is none of that number."""
    tracer = index.tracer
    if packet not in tracer.table:
        return None
    place = tracer.table[packet]
    connection = place.connection
    known = tracer.connections[connection] if connection >= 0 else None
    sender = None if known is None else known.sender(place.direction)
    payload = place.end - place.payload
    brought = tracer.brought(packet)
    shift = place.payload - place.offset
    data = index.data(packet)
    return {
        "packet": packet,
        "capture": index.number,
        "time": seconds(place.time_ns),
        "connection": None if known is None else connection,
        "sender": sender,
        "length": place.length,
        "captured": place.captured,
        "flags": [name for bit, name in enumerate(FLAGS) if place.flags >> bit & 1],
        "offset": place.offset if known is not None and payload else None,
        "payload": payload,
        "layers": list(_layers(place, data)),
        "brought": [[start + shift, end + shift] for start, end in brought],
        "parts": [] if sender is None else _shifted(index, connection, sender, brought, shift),
        "filter": packets_filter(None if known is None else connection, packet, packet),
        "data": b64encode(data).decode(),
    }


def _layers(place: PacketPlace, data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each layer's header, and of the payload."""
    network, transport, payload, end = place.network, place.transport, place.payload, place.end
    link = LINK_TYPES.get(place.link_type)
    name = f"link type {place.link_type}" if link is None else link.name
    if network < 0:
        yield name, 0, len(data)
        return
    if network:
        yield name, 0, network
    version = data[network] >> 4 if network < len(data) else 0
    if transport < 0:
        yield f"IPv{version}", network, len(data)
        return
    yield f"IPv{version}", network, transport
    if payload < 0:
        yield "payload", transport, len(data)
        return
    yield "TCP", transport, payload
    if payload < end:
        yield "TCP payload", payload, end
    if end < len(data):
        yield "padding", end, len(data)


def _shifted(
    index: Index, connection: int, sender: Sender, brought: list[tuple[int, int]], shift: int
) -> list[Part]:
    """Return what lies in the bytes that a packet brought, by their places in its frame."""
    found = [part for one in brought for part in parts_of(index, connection, sender, "tcp", *one)]
    return [part._replace(start=part.start + shift, end=part.end + shift) for part in found]
