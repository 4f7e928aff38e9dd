"""Packets in; out come records, and beside them the bytes of each side's stream.

Strategy: every packet goes to two followers of TCP. One is the decoder, whose records tell what
the bytes are; the other puts each direction's bytes in order for an :class:`ElementStream`, which
is told of the records of its direction. Both come to the same offsets, being the same code. Which
direction is whose, the packet tells that carried the first record of a sender.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from parsers.decode.connection import address_text
from parsers.decode.packets import PacketDecoder
from parsers.diagnostics import Diagnostic
from parsers.files.packets import Packet
from parsers.net.ip import TCP, IpPacket
from parsers.net.segment import ACK, SYN, read_segment
from parsers.net.table import ConnectionTable, reverse_key
from parsers.net.tcp import Connection, Direction
from parsers.net.tunnels import read_packet, realm
from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    WebSocketFrameRecord,
)

from ..exchanges import has_switched
from .dissection import ElementStream

MAX_UNRESOLVED = 4_096
"""Packets of a connection that are remembered until a record tells which side is the client."""

CARRIED = RequestRecord | ResponseRecord | ChunkRecord | WebSocketFrameRecord
"""Records whose first packet is their sender's; that of a gap or fault may be the other side's."""

S = TypeVar("S", bound=ElementStream)
OTHER: dict[Sender, Sender] = {"client": "server", "server": "client"}


class Segment(NamedTuple):
    """A payload of TCP, in its stream and in its frame."""

    start: int
    end: int
    """In its sender's stream."""
    packet: int
    frame_start: int


@dataclass(slots=True)
class Pair(Generic[S]):
    """Both sides of a connection."""

    streams: dict[Direction[Record], S]
    senders: dict[Sender, S] = field(default_factory=dict)
    carriers: dict[int, S] = field(default_factory=dict)
    """Which side sent a packet, until it is known which side is the client."""
    opened: int | None = None
    """When its first SYN was captured, in nanoseconds since the epoch; None without one."""
    established: int | None = None
    """When the handshake was done (RFC 9293 section 3.5)."""

    def address(self, sender: Sender) -> str:
        """Return a side's address, ``127.0.0.1:8000``; empty until it is known whose is whose."""
        for direction, stream in self.streams.items():
            if self.senders.get(sender) is stream:
                connection = direction.connection
                is_first = direction is connection.first
                key = connection.key if is_first else reverse_key(connection.key)
                size = len(key) // 2 - 2
                return address_text(key[:size], int.from_bytes(key[2 * size : 2 * size + 2]))
        return ""


class Follower(Generic[S]):
    """Follows the connections of a capture; ``make`` makes a stream for each direction."""

    def __init__(self, make: Callable[[], S], *, keep_data: bool = True) -> None:
        self._make = make
        self._decoder = PacketDecoder(keep_data=keep_data)
        self._table: ConnectionTable[Record] = ConnectionTable(self._open, lambda _: [])
        self.pairs: dict[int, Pair[S]] = {}
        """Of the connections that are open, by their numbers."""

    def receive(self, packets: Sequence[Packet]) -> list[Record]:
        """Take the next packets, and return the records that they complete.

        A record of a connection's end comes before the connection is forgotten.
        """
        for packet in packets:
            self._follow(packet)
        return self._decoder.receive(packets)

    def finish(self) -> list[Record]:
        """Return what the end of the capture completes."""
        self._table.end()
        return self._decoder.finish()

    def tell(self, record: Record) -> S | None:
        """Tell a record to the stream that it lies in, and return that stream."""
        pair = None if record.connection is None else self.pairs.get(record.connection)
        if pair is None or isinstance(record, ConnectionRecord) or record.sender is None:
            return None
        stream = pair.senders.get(record.sender)
        if stream is None and isinstance(record, CARRIED):
            stream = pair.carriers.get(record.first_packet)
        if stream is not None and not pair.senders:
            other = next(one for one in pair.streams.values() if one is not stream)
            pair.senders = {record.sender: stream, OTHER[record.sender]: other}
            pair.carriers.clear()
        if stream is not None:
            stream.take(record)
        if isinstance(record, ResponseRecord) and has_switched(record):
            for either in pair.streams.values():
                either.switch_to_websocket()
        return stream

    def hand_on(self, connection: int, *, is_end: bool = False) -> None:
        """Let the streams of a connection hand on what need not wait for a record."""
        for stream in self.pairs[connection].streams.values():
            stream.hand_on(is_end=is_end)

    # --- for those who derive from this ---

    def placed(self, stream: S, segment: Segment, payload: bytes) -> None:
        """Take note of where a payload lies; it may have come before."""

    def stray(self, number: int, payload: bytes, frame_start: int) -> None:
        """Take a payload that belongs to no open connection, or is not of TCP."""

    # --- following TCP ---

    def _open(self, connection: Connection[Record]) -> None:
        streams = {}
        for direction in (connection.first, connection.second):
            direction.receiver = streams[direction] = self._make()
        self.pairs[connection.index] = Pair(streams)

    def _follow(self, packet: Packet) -> None:
        number, time_ns, _, _, data = packet
        found = ip_packet(packet)
        if found is None:
            return
        start = found.start
        if found.protocol != TCP or found.fragment is not None:
            self.stray(number, data[start:], start)
            return
        read = read_segment(
            found.source,
            found.destination,
            data[start : found.end],
            found.length,
            number,
            time_ns or 0,
        )
        if isinstance(read, Diagnostic):
            self.stray(number, data[start:], start)
            return
        ports, segment = read
        key = found.source + found.destination + ports
        network = realm(found.layers)
        self._table.receive(key, segment, network)
        key += network
        self._time_handshake(key, segment.flags, segment.time_ns)
        if payload := segment.payload:
            seq = segment.seq + bool(segment.flags & SYN)
            self._place(key, seq, number, found.end - len(payload), payload)

    def _time_handshake(self, key: bytes, flags: int, time_ns: int) -> None:
        direction = self._table.directions.get(key)
        pair = None if direction is None else self.pairs.get(direction.connection.index)
        if pair is None or pair.established is not None:
            return
        if flags & SYN and pair.opened is None:
            pair.opened = time_ns
        elif not flags & SYN and flags & ACK:
            pair.established = time_ns

    def _place(self, key: bytes, seq: int, number: int, frame_start: int, payload: bytes) -> None:
        """Say where a segment lies in its stream, now that it was taken."""
        direction = self._table.directions.get(key)
        pair = None if direction is None else self.pairs.get(direction.connection.index)
        if direction is None or pair is None or direction.connection.is_over:
            self.stray(number, payload, frame_start)
            return
        if direction.next_seq is None:
            return
        stream = pair.streams[direction]
        if len(pair.senders) < 2 and len(pair.carriers) < MAX_UNRESOLVED:
            pair.carriers[number] = stream
        start = direction.offset_of(seq & 0xFFFFFFFF)
        self.placed(stream, Segment(start, start + len(payload), number, frame_start), payload)


def ip_packet(packet: Packet) -> IpPacket | None:
    """Return the IP packet in a frame, None if there is none that can be read."""
    _, _, link_type, original_length, data = packet
    found = read_packet(link_type, data, original_length)
    return found if isinstance(found, IpPacket) else None
