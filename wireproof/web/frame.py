"""A packet byte by byte: its layers, and which element each byte of its payload belongs to.

Strategy: offsets count the bytes of the frame from 0, as Wireshark's bytes pane does. Layers are
read from the packet's row; what lies in its payload are the elements that overlap the bytes which
it was the first to bring. Bytes that had come before belong to the packet that brought them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from parsers import LINK_TYPES
from parsers.provenance import seconds
from parsers.records import Sender

from ..bytes.packet_index import brought_by
from ..bytes.trail import Followed
from ..views.display_filter import packets_filter
from ..views.packet_rows import FLAGS
from .index import Index
from .parts import Part, parts_of

FIELDS = (
    "packet", "capture", "time", "connection", "sender", "length", "captured", "flags", "offset",
    "payload", "layers", "brought", "parts", "filter", "data",
)  # fmt: skip
"""What is told of a packet."""
MAX_HERE = 64
"""Connections that are at hand while packets are gone through."""
Frame = tuple[Any, ...]
"""What is told of one packet, in the order of FIELDS."""
PartsIn = Callable[[Index, int, Sender, list[tuple[int, int]], int], Any]
"""Tells what lies in the bytes that a packet brought, by their places in its frame."""


def frame(index: Index, packet: int) -> dict[str, Any] | None:
    """Return everything about one packet, None if there is none of that number."""
    for found in frames(index, [packet]):
        return dict(zip(FIELDS, found, strict=True))
    return None


def parts_in(
    index: Index, connection: int, sender: Sender, brought: list[tuple[int, int]], shift: int
) -> list[Part]:
    """Return what lies in the bytes of a connection's side that a packet brought."""
    found = [parts_of(index, connection, sender, "tcp", *one, shift) for one in brought]
    return found[0] if len(found) == 1 else list(chain.from_iterable(found))


def frames(index: Index, packets: Sequence[int], parts_in: PartsIn = parts_in) -> Iterator[Frame]:
    """Yield everything about neighbouring packets, whose numbers ascend; one that no packet has is
    left out. ``parts_in`` says what lies in what they brought."""
    near, first = index.spool.near, packets[0] - 1
    lying = index.packet_at[max(first, 0) : packets[-1]]
    here: dict[int, Followed] = {}
    wanted = set(packets)
    for packet, place in index.tracer.table.between(packets[0], packets[-1] + 1):
        if packet not in wanted:
            continue
        known = sender = offset = None
        brought: list[tuple[int, int]] = []
        parts: Any = []
        payload, connection = place.end - place.payload, place.connection
        if connection >= 0:
            known = here.get(connection)
            if known is None:
                if len(here) >= MAX_HERE:
                    here.clear()
                known = here[connection] = index.tracer.connections[connection]
            sender = known.sender(place.direction)
            if payload:
                offset = place.offset
                shift = place.payload - offset
                runs = brought_by(packet, place, known)
                brought = [(start + shift, end + shift) for start, end in runs]
                parts = parts_in(index, connection, sender, runs, shift)
        data = near(lying[packet - 1 - first], place.captured)
        version = data[place.network] >> 4 if 0 <= place.network < len(data) else 0
        yield (
            packet,
            index.number,
            seconds(place.time_ns),
            connection if known is not None else None,
            sender,
            place.length,
            place.captured,
            _flags(place.flags),
            offset,
            payload,
            _layers(place[3:8], version, len(data)),
            brought,
            parts,
            packets_filter(connection if known is not None else None, packet, packet),
            data,
        )


@cache
def _flags(flags: int) -> tuple[str, ...]:
    """Return the names of a segment's flags, which are nine bits."""
    return tuple(name for bit, name in enumerate(FLAGS) if flags >> bit & 1)


@lru_cache
def _layers(
    places: tuple[int, int, int, int, int], version: int, size: int
) -> tuple[tuple[str, int, int], ...]:
    """Return name, start and end of each layer's header, and of the payload: most packets have the
    same. ``places`` are a packet's link type and where its layers begin and its payload ends,
    ``version`` is that of IP, ``size`` the packet's as far as it was captured."""
    return tuple(_layers_of(*places, version, size))


def _layers_of(
    link_type: int, network: int, transport: int, payload: int, end: int, version: int, size: int
) -> Iterator[tuple[str, int, int]]:
    link = LINK_TYPES.get(link_type)
    name = f"link type {link_type}" if link is None else link.name
    if network < 0:
        yield name, 0, size
        return
    if network:
        yield name, 0, network
    if transport < 0:
        yield f"IPv{version}", network, size
        return
    yield f"IPv{version}", network, transport
    if payload < 0:
        yield "payload", transport, size
        return
    yield "TCP", transport, payload
    if payload < end:
        yield "TCP payload", payload, end
    if end < size:
        yield "padding", end, size
