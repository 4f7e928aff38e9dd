"""A packet byte by byte: its layers, and which element each byte of its payload belongs to.

Strategy: offsets count the bytes of the frame from 0, as Wireshark's bytes pane does. Layers are
read from the packet's row; what lies in its payload are the elements that overlap the bytes which
it was the first to bring. Bytes that had come before belong to the packet that brought them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from parsers import LINK_TYPES
from parsers.limits import KiB
from parsers.provenance import seconds
from parsers.records import Sender

from ..bytes.packet_index import NO_OFFSET, PacketPlace
from ..bytes.trail import Followed
from ..shelf import MAX_OVER
from ..views.display_filter import packets_filter
from ..views.packet_rows import FLAGS
from .index import Index
from .parts import Part, parts_of

FIELDS = (
    "packet", "capture", "time", "connection", "sender", "length", "captured", "flags", "offset",
    "payload", "layers", "brought", "parts", "filter", "data",
)  # fmt: skip
"""What is told of a packet."""
MAX_HERE = MAX_OVER // 4
"""Connections that are at hand while packets are gone through."""
BLOCK = 256 * KiB
"""Bytes of packets that are told of together."""
Columns = list[Sequence[Any]]
"""What is told of several packets: of each of FIELDS the values of all."""
Row = tuple[int, ...]
"""A packet's number, and the values of its PacketPlace."""
CAPTURED, LINK_TYPE, PAYLOAD, END = (
    1 + PacketPlace._fields.index(name) for name in ("captured", "link_type", "payload", "end")
)


class Brought(NamedTuple):
    """What a packet of a connection brought first: runs of its sender's stream."""

    connection: int
    sender: Sender
    runs: list[tuple[int, int]]
    shift: int
    """From their places in the stream to those in the frame."""


Tell = Callable[[Index, Sequence[Brought | None]], list[Any]]
"""Tells what lies in what each of some packets brought."""


def frame(index: Index, packet: int) -> dict[str, Any] | None:
    """Return everything about one packet, None if there is none of that number."""
    for columns in frames(index, [packet]):
        return {name: column[0] for name, column in zip(FIELDS, columns, strict=True)}
    return None


def each_alone(index: Index, brought: Sequence[Brought | None]) -> list[Any]:
    """Return what lies in what each packet brought, told of that alone."""
    return [[] if one is None else parts_in(index, one) for one in brought]


def parts_in(index: Index, brought: Brought) -> list[Part]:
    """Return what lies in the bytes of a connection's side that a packet brought."""
    connection, sender, runs, shift = brought
    found = [parts_of(index, connection, sender, "tcp", *one, shift) for one in runs]
    return found[0] if len(found) == 1 else list(chain.from_iterable(found))


def frames(index: Index, packets: Sequence[int], tell: Tell = each_alone) -> Iterator[Columns]:
    """Yield everything about neighbouring packets, whose numbers ascend, as columns, BLOCK bytes of
    packets at a time; one that no packet has is left out. ``tell`` says what lies in them."""
    wanted = set(packets)
    block: list[Row] = []
    held = 0
    for row in index.tracer.table.rows(packets[0], packets[-1] + 1):
        if row[0] in wanted:
            block.append(row)
            held += row[CAPTURED]
            if held > BLOCK:
                yield _columns(index, block, tell)
                block, held = [], 0
    if block:
        yield _columns(index, block, tell)


def _columns(index: Index, rows: Sequence[Row], tell: Tell) -> Columns:
    packets, times, lengths, captured, _, networks, *_, flags, _, _, _, _, _ = zip(
        *rows, strict=True
    )
    near, first = index.spool.near, packets[0] - 1
    lying = index.packet_at[first : packets[-1]]
    data = [
        near(lying[packet - 1 - first], size)
        for packet, size in zip(packets, captured, strict=True)
    ]
    versions = [
        content[at] >> 4 if 0 <= at < len(content) else 0
        for content, at in zip(data, networks, strict=True)
    ]
    sides = _sides(index, rows)
    return [
        packets,
        [index.number] * len(rows),
        list(map(seconds, times)),
        sides.connections,
        sides.senders,
        lengths,
        captured,
        list(map(_flags, flags)),
        sides.offsets,
        [row[END] - row[PAYLOAD] for row in rows],
        [
            _layers(row[LINK_TYPE : END + 1], version, size)
            for row, version, size in zip(rows, versions, captured, strict=True)
        ],
        [
            [] if one is None else [(start + one.shift, end + one.shift) for start, end in one.runs]
            for one in sides.brought
        ],
        tell(index, sides.brought),
        sides.filters,
        data,
    ]


class _Sides(NamedTuple):
    """Whose some packets are, column by column; None where they are no connection's."""

    connections: list[int | None]
    senders: list[Sender | None]
    offsets: list[int | None]
    """Of their payloads, of those that have one."""
    brought: list[Brought | None]
    filters: list[str | None]


def _sides(index: Index, rows: Sequence[Row]) -> _Sides:
    sides = _Sides([], [], [], [], [])
    connections, senders, offsets, brought, filters = sides
    here: dict[int, tuple[Followed, str]] = {}
    for packet, *_, payload, end, _, connection, direction, offset, _, _ in rows:
        if connection < 0:
            connections.append(None)
            senders.append(None)
            offsets.append(None)
            brought.append(None)
            filters.append(packets_filter(None, packet, packet))
            continue
        if (found := here.get(connection)) is None:
            if len(here) >= MAX_HERE:
                here.clear()
            begin = (packets_filter(connection, packet, packet) or "").removesuffix(str(packet))
            found = here[connection] = index.tracer.connections[connection], begin
        known, begin = found
        sender = known.sender(direction)
        connections.append(connection)
        senders.append(sender)
        filters.append(f"{begin}{packet}")
        if end == payload:
            offsets.append(None)
            brought.append(None)
            continue
        offsets.append(offset)
        runs: list[tuple[int, int]] = []
        if end > payload and offset != NO_OFFSET:
            runs = known.trails[direction].brought(packet, offset, offset + end - payload)
        brought.append(Brought(connection, sender, runs, payload - offset))
    return sides


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
