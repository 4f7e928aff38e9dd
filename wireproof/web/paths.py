"""Which answers a report holds, and in which bundle each path is.

Strategy: what is small lies together, exchanges beside their neighbours, with what their
connections have: so a bundle is worth being opened and compressed, however short exchanges are.
What has more than one page, and what is large, has bundles of its own, of neighbouring pages. A
path tells both of its bundles, of which a report has one: ``page/source.js`` says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from .api import EXCHANGES, LANE, MAX_ROW, ROWS
from .carriers import Holder
from .exchange import ExchangeRow, within
from .exchange_rows import NONE
from .index import Index
from .streams import STREAMS
from .wire import FRAMES, Wire

BUNDLE = 64
"""Neighbouring pages in a bundle of their own."""
PACKETS = 512
"""Packets in a bundle: an answer about one is short, and much like its neighbour's."""
CONNECTIONS = 16
"""Neighbouring connections whose exchanges share a bundle."""
TOGETHER = 64
"""Exchanges of one of them that do."""
ALONE = ("element/", "opened/")
"""What may be large each by itself, and has bundles of its own."""
UNSHARED = ("packet/", "hop/", "exchanges/")
KEY = re.compile(r"[a-z]+/(n|\d+)(?:\.(\d+))?")
Bundled = tuple[str, list[str]]
"""The name of a bundle, and its paths."""


def own_bundle(path: str) -> str:
    """Return the name of the bundle that a path is in with none but its neighbours: one of its own,
    unless the number of a page, or the like, ends it.

    That of a connection is none, nor is an exchange's key: between its paths others stand.
    """
    head, slash, last = path.rpartition("/")
    if not slash or not last.isdecimal() or head == "roundtrips":
        return path
    size = PACKETS if head == "packet" else BUNDLE
    return f"{head}/{int(last) // size}*"


def shared_bundle(path: str) -> str | None:
    """Return the name of the bundle that a path about a connection may share with any others about
    that and its neighbours; None if it is about none."""
    found = KEY.match(path)
    if found is None or path.startswith(UNSHARED):
        return None
    connection, exchange = found[1], int(found[2] or 0)
    near = connection if connection == "n" else str(int(connection) // CONNECTIONS)
    return f"of/{near}.{exchange // TOGETHER}*"


def place_in(path: str) -> str:
    """Return where a path stands in a bundle that it shares: its connection, or its exchange."""
    found = KEY.match(path)
    assert found is not None
    return found[1] if found[2] is None else f"{found[1]}.{found[2]}"


def bundled(index: Index, hops: int) -> Iterator[Bundled]:
    """Yield every path that the page may ask for of a capture that has been read, each once;
    ``hops`` are how many exchanges were seen on several legs.

    Those that share a bundle come in the order of their places there.
    """
    yield from ((path, [path]) for path in ("summary", "vocabulary", "hops"))
    yield from _by_bundles(f"hop/{number}" for number in range(hops))
    yield from _by_bundles(pages("exchanges", len(index.order), EXCHANGES))
    for connections in _neighbours(index):
        yield from _of_neighbours(index, connections)
    yield from _packets(index)


def _by_bundles(paths: Iterable[str]) -> Iterator[Bundled]:
    return ((name, list(some)) for name, some in groupby(paths, own_bundle))


def packet_path(index: Index, packet: str) -> str:
    """Return the path of what is told of a packet."""
    return f"packet/{within(index.number, packet)}"


def _packets(index: Index) -> Iterator[Bundled]:
    table, shows, prefix = index.tracer.table, index.shows, packet_path(index, "")
    for first in range(0, len(table) + 1, PACKETS):
        paths = [
            f"{prefix}{packet}"
            for packet, *_, connection, _, _, _, _ in table.rows(first, first + PACKETS)
            if shows(connection)
        ]
        if paths:
            yield own_bundle(paths[0]), paths


def _neighbours(index: Index) -> Iterator[Sequence[int | None]]:
    """Yield connections, as many as share bundles; None stands for what belongs to none."""
    yield (None,)
    total = len(index.tracer.connections)
    for first in range(0, total, CONNECTIONS):
        yield range(first, min(first + CONNECTIONS, total))
    for _, some in groupby(sorted(index.order.quic), lambda number: number // CONNECTIONS):
        yield list(some)


def _of_neighbours(index: Index, connections: Sequence[int | None]) -> Iterator[Bundled]:
    """Yield the bundles of neighbouring connections."""
    owned = [own for own in map(index.order.own, connections) if own is not None]
    last = max((own.last for own in owned), default=-1)
    for first in range(0, max(last, 0) + 1, TOGETHER):
        shared: list[str] = []
        for connection in connections:
            for paths in _of_connection(index, connection, first):
                if len(paths) == 1 and not paths[0].startswith(ALONE):
                    shared += paths
                else:
                    yield from _by_bundles(paths)
        if shared:
            name = shared_bundle(shared[0])
            assert name is not None
            yield name, shared


def _of_connection(index: Index, connection: int | None, first: int) -> Iterator[Sequence[str]]:
    """Yield the paths of TOGETHER exchanges of a connection, answer by answer; before the first of
    them those of the connection itself."""
    if not first and connection is not None and index.shows(connection):
        if connection < len(index.tracer.connections):
            name = within(index.number, str(connection))
            packets = len(index.tracer.connections[connection].packets)
            yield pages(f"packets/{name}", packets, LANE)
            yield (f"roundtrips/{name}",)
        if (wire := index.wires.get(connection)) is not None:
            yield from _of_wire(index, wire)
    if (own := index.order.own(connection)) is None:
        return
    whole = [own.whole] if not first and own.whole != NONE else []
    for row in whole + own.between(first, first + TOGETHER):
        if index.order.is_detailed(row):
            yield from _of_exchange(index, index.order[row])


def _of_exchange(index: Index, exchange: ExchangeRow) -> Iterator[Sequence[str]]:
    name = exchange.name
    yield (f"verdicts/{name}",)
    yield (f"reading/{name}/0",)
    yield from _of_elements(exchange)
    if exchange.key.exchange is None:
        return
    has_windows = exchange.stream_id is not None and index.has_windows(exchange.key.connection)
    for sender in ("client", "server"):
        yield (f"body/{name}/{sender}",)
        if has_windows:
            yield (f"windows/{name}/{sender}",)


def _of_elements(holder: Holder) -> Iterator[Sequence[str]]:
    for kind, elements in holder.elements.items():
        name = f"{holder.name}/{kind}"
        yield pages(f"lane/{name}", len(elements), LANE)
        yield pages(f"rows/{name}", len(elements), ROWS)
        if elements.longest > MAX_ROW:
            rows = range(len(elements))
            yield [f"element/{name}/{row}" for row in rows if elements.stored(row)[1] > MAX_ROW]


def _of_wire(index: Index, wire: Wire) -> Iterator[Sequence[str]]:
    yield from _of_elements(wire)
    yield [f"opened/{wire.name}/{row}" for row in wire.opened_rows()]
    if index.has_windows(wire.key.connection):
        for sender in ("client", "server"):
            yield (f"windows/{wire.name}/{sender}",)
    if FRAMES in wire.elements:
        yield pages(f"streams/{wire.name}", wire.stream_count, STREAMS)


def pages(name: str, total: int, size: int) -> list[str]:
    """Return the paths of the pages of an answer; of nothing there is one, and it is empty."""
    return [f"{name}/{page}" for page in range(max(-(-total // size), 1))]
