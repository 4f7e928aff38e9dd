"""Every QUIC connection of a capture, and which datagram belongs to which (RFC 9000 section 5.2).

Strategy: a datagram is its connection's by the connection id that it is sent to, for addresses may
change (section 9); by its addresses and ports where ids are empty or not known. What is of none
opens one if it begins with a long header of a version that is read. Whether its sender is the
client the keys of Initial packets prove; where the beginning was not captured, the higher port is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from ..limits import (
    MAX_CLOSED_CONNECTIONS,
    MAX_QUIC_CONNECTIONS,
    MAX_QUIC_PLACES,
    MAX_SILENCE,
)
from ..net.table import reverse_key
from ..provenance import Completion
from ..records import Sender
from .connection import Listener, QuicConnection, other
from .joining import VERSION, Joiner
from .packets import LONG, VERSIONS, PacketHeader, is_long_header, read_packets
from .side import QuicSide

T = TypeVar("T")
SHORTEST_ID = 4
"""Bytes of an id that tells a connection without its addresses: quic-go's have four."""


class Follower(Listener[T], Protocol[T]):
    """Who follows one connection."""

    connection: QuicConnection[T]

    def note_packet(self, sender: Sender, size: int, came: Completion) -> None:
        """Take note of a datagram, before what comes of it."""

    def migrate(self, key: bytes, sender: Sender, came: Completion) -> list[T]:
        """Take note that the connection goes on between other addresses."""

    def close(self, came: Completion) -> list[T]:
        """Return what there is to say in the end: the connection's record last."""


class Flow(NamedTuple):
    """Whose datagrams come by one way, be it between two addresses or to one connection id."""

    connection: int
    """Of the connection, from 0."""
    sender: Sender


Follow = Callable[[int, bytes], Follower[T]]
"""Gives a connection its follower, by its number and its key."""


class QuicTable(Generic[T]):
    """The connections of a capture."""

    def __init__(self, follow: Follow[T], joiner: Joiner | None = None) -> None:
        self._follow = follow
        self._joiner = joiner
        self._count = 0
        self._flows: dict[bytes, Flow] = {}
        """By addresses, ports and network."""
        self._ids: dict[bytes, Flow] = {}
        self._sizes: dict[int, None] = {}  # how long the ids are
        self._open: dict[int, tuple[Follower[T], Completion]] = {}
        self._closed: deque[int] = deque()
        self._places: dict[int, set[bytes]] = {}  # keys and ids of each connection

    def receive(
        self, key: bytes, data: bytes, came: Completion, realm: bytes = b""
    ) -> list[T] | None:
        """Take a datagram; return what it completes, None if it is no QUIC.

        ``key`` is source address, destination address, source port and destination port; ``realm``
        the network that these are of.
        """
        flow = self._by_id(data)
        known = self._flows.get(key + realm)
        records: list[T] = []
        if flow is None:
            if is_long_header(data) and self._begins(key, data, is_known=known is not None):
                records += self._make_room(came)
                known = self._open_connection(key, realm, data)
            flow = known or self._join(key, realm, data)
        elif known is None or known.connection != flow.connection:
            records += self._move(key, realm, flow, came)
        if flow is None:
            return None
        return records + self._hand_over(flow, data, came)

    def connection_of(self, key: bytes) -> int | None:
        """Return the number of the connection between two addresses, None if there is none."""
        flow = self._flows.get(key)
        return None if flow is None else flow.connection

    def _hand_over(self, flow: Flow, data: bytes, came: Completion) -> list[T]:
        index, sender = flow
        found = self._open.get(index)
        if found is None:
            return []  # a late packet
        follower = found[0]
        self._open[index] = follower, came
        follower.note_packet(sender, len(data), came)
        connection = follower.connection
        if sender in connection.unjoined and self._joiner is not None:
            joined = self._joiner.find(data, sender)
            if joined is not None:
                connection.join(joined)
        records = connection.receive(sender, data, came)
        for side in connection.sides.values():
            if side.new_ids:
                self._take_ids(index, side)
        return records + self._close(index, came) if connection.closed else records

    # --- whose a datagram is ---

    def _by_id(self, data: bytes) -> Flow | None:
        if not data:
            return None
        if data[0] & LONG:
            return self._ids.get(data[6 : 6 + data[5]]) if len(data) > 6 else None
        for size in self._sizes:
            flow = self._ids.get(data[1 : 1 + size])
            if flow is not None:
                return flow
        return None

    def _take_ids(self, index: int, side: QuicSide) -> None:
        """Take note of the ids that a side may be addressed by: the other side sends to them."""
        for new in side.new_ids:
            is_full = len(self._places[index]) >= MAX_QUIC_PLACES
            known = self._ids.get(new)
            is_taken = known is not None and known.connection in self._open
            if len(new) >= SHORTEST_ID and not (is_taken or is_full):
                self._ids[new] = Flow(index, other(side.sender))
                self._sizes[len(new)] = None
                self._places[index].add(new)
        side.new_ids.clear()

    def _take_key(self, key: bytes, realm: bytes, flow: Flow) -> None:
        backward = reverse_key(key) + realm
        self._flows[key + realm] = flow
        self._flows[backward] = Flow(flow.connection, other(flow.sender))
        self._places[flow.connection] |= {key + realm, backward}

    def _move(self, key: bytes, realm: bytes, flow: Flow, came: Completion) -> list[T]:
        """Follow a connection to other addresses (RFC 9000 section 9)."""
        found = self._open.get(flow.connection)
        if found is None or len(self._places[flow.connection]) >= MAX_QUIC_PLACES:
            return []
        self._take_key(key, realm, flow)
        return found[0].migrate(key, flow.sender, came)

    # --- connections ---

    def _begins(self, key: bytes, data: bytes, *, is_known: bool) -> bool:
        """Whether a datagram begins a connection.

        Between addresses that have one, only what proves to be a client's first packet does.
        """
        packet = _first_packet(data)
        return packet is not None and (not is_known or _opens(data, packet))

    def _open_connection(self, key: bytes, realm: bytes, data: bytes) -> Flow:
        packet = _first_packet(data)
        assert packet is not None
        index, self._count = self._count, self._count + 1
        is_first = _opens(data, packet)
        is_client = is_first or key[-4:-2] >= key[-2:]
        follower = self._follow(index, key if is_client else reverse_key(key))
        follower.connection.begin(packet.version, packet.destination if is_first else None)
        self._open[index] = follower, (0, 0.0)
        self._places[index] = set()
        flow = Flow(index, "client" if is_client else "server")
        self._take_key(key, realm, flow)
        return flow

    def _join(self, key: bytes, realm: bytes, data: bytes) -> Flow | None:
        """Open a connection that begins with a short header in the capture, if keys prove it."""
        found = None if self._joiner is None else self._joiner.find(data)
        if found is None or len(self._open) >= MAX_QUIC_CONNECTIONS:
            return None
        index, self._count = self._count, self._count + 1
        follower = self._follow(index, key if found.sender == "client" else reverse_key(key))
        connection = follower.connection
        connection.begin(VERSION, None)
        connection.unjoined |= {"client", "server"}
        connection.join(found)
        self._open[index] = follower, (0, 0.0)
        self._places[index] = set()
        flow = Flow(index, found.sender)
        self._take_key(key, realm, flow)
        return flow

    def _make_room(self, came: Completion) -> list[T]:
        if len(self._open) < MAX_QUIC_CONNECTIONS:
            return []
        return self._close(next(iter(self._open)), came)

    def _close(self, index: int, came: Completion) -> list[T]:
        follower, _ = self._open.pop(index)
        self._closed.append(index)
        if len(self._closed) > MAX_CLOSED_CONNECTIONS:
            self._forget(self._closed.popleft())
        return follower.close(came)

    def _forget(self, index: int) -> None:
        for place in self._places.pop(index):
            for flows in (self._flows, self._ids):
                if place in flows and flows[place].connection == index:
                    del flows[place]

    def let_go(self, index: int) -> list[T]:
        """End a connection that is open, though it may go on."""
        return self._close(index, self._open[index][1])

    def expire(self, now_ns: int) -> list[T]:
        """End the connections that have been silent for too long (RFC 9000 section 10.1)."""
        records: list[T] = []
        for index, (_, last) in list(self._open.items()):
            if now_ns - last[1] * 1e9 > MAX_SILENCE:
                records += self._close(index, last)
        return records

    def end(self) -> list[T]:
        """End every connection that is still open, in their order."""
        records: list[T] = []
        for index, (_, last) in list(self._open.items()):
            records += self._close(index, last)
        return records


def _first_packet(data: bytes) -> PacketHeader | None:
    """Return the first packet of a datagram, if it is one that a connection may begin with."""
    packet = next(read_packets(data, 0), None)
    if isinstance(packet, PacketHeader) and packet.version in VERSIONS:
        return packet
    return None


def _opens(data: bytes, packet: PacketHeader) -> bool:
    """Whether an Initial packet is a client's first one: then the id that it is sent to opens it"""
    if packet.kind != "initial":
        return False
    side = QuicSide("client")
    side.make_initial_keys(packet.version, packet.destination)
    return side.open(data, packet) is not None
