"""Which packets carried the bytes of a stream, and where these lie in their frames.

Strategy: the decoder's own source maps say which packet brought each byte first; here they are
given copies of themselves that forget nothing, two numbers for each run. A packet's row says where
its payload lies in the frame, and which byte of the sender's stream that payload begins with. So
the place of a byte is a bisection and a subtraction, and retransmissions, overlaps and reordering
are what the decoder made of them: there is no second opinion on TCP. A byte that its packet does
not hold is one that the capture lacks.

What is kept are columns of numbers: 70 bytes for a packet, 12 for a run.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from parsers.decode import TCP, PacketDecoder
from parsers.diagnostics import Diagnostic
from parsers.ip import read_ip
from parsers.link import network_offset
from parsers.packets import CaptureFault, Packet
from parsers.provenance import Arrival, SourceMap
from parsers.records import ConnectionRecord, Record, RequestRecord, ResponseRecord, Sender
from parsers.tcp import SYN, Connection, Direction

# RFC 9293 section 3.1: both ports as they stand, sequence number, data offset and flags.
TCP_HEADER = Struct("!4sI4xH6x")
NOWHERE = -1
"""Stands for a connection, or a place in a frame, that there is none of."""
NO_OFFSET = -(1 << 62)
"""Stands for a stream offset that is not known; negative ones are before what was captured."""


class Carrier(NamedTuple):
    """Bytes of a stream in the frame that brought them."""

    packet: int
    start: int
    """In the frame, from 0, as Wireshark counts."""
    end: int
    """``start`` if it is not known where: the packet came in IP fragments."""
    offset: int
    """Of the first of these bytes in the sender's stream."""


class Trail(SourceMap[Arrival]):
    """A source map that also keeps, of every run, where it ends and its packet."""

    __slots__ = ("ends", "packets")

    def __init__(self) -> None:
        super().__init__()
        self.ends = array("q")
        self.packets = array("L")

    def extend(self, length: int, value: Arrival) -> None:
        """Append a run of ``length`` bytes that came from ``value``."""
        super().extend(length, value)
        self.ends.append(self.size)
        self.packets.append(value[0])


class Followed:
    """A connection as it is followed: its directions' trails, its packets, its roles."""

    __slots__ = ("connection", "trails", "packets", "client", "_is_certain")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.trails = (Trail(), Trail())
        connection.first.stream, connection.second.stream = self.trails
        self.packets = array("L")
        key = connection.key
        self.client = int(key[-4:-2] < key[-2:])
        """Which direction the client sent: 0 for that of the first packet, 1 for the other. The
        higher port, until a handshake or a message says it."""
        self._is_certain = False

    def note_syn(self, direction: int, is_answer: bool) -> None:
        """Take the roles from a SYN; only the first says them."""
        if not self._is_certain:
            self.client = direction ^ is_answer
            self._is_certain = True

    def note_message(self, direction: int, sender: Sender) -> None:
        """Take the roles from a request or response, which ``direction`` carried."""
        self.client = direction if sender == "client" else 1 - direction
        self._is_certain = True

    def sender(self, direction: int) -> Sender:
        return "client" if direction == self.client else "server"

    def trail(self, sender: Sender) -> Trail:
        return self.trails[self.client if sender == "client" else 1 - self.client]


class PacketTable:
    """A row of numbers for each packet. Packets are numbered from 1; not every number is one."""

    def __init__(self) -> None:
        self.time_ns = array("q")
        self.connection = array("q")
        self.direction = array("b")
        """0 for that of the connection's first packet, 1 for the other."""
        self.flags = array("H")
        self.length = array("L")
        """On the wire."""
        self.captured = array("L")
        self.link_type = array("L")
        self.network = array("l")
        """Where its IP header begins in the frame; NOWHERE if it has none."""
        self.transport = array("l")
        self.payload = array("l")
        self.end = array("l")
        """Of its payload as far as it was captured."""
        self.offset = array("q")
        """Which byte of the sender's stream the payload begins with."""

    def __len__(self) -> int:
        """Return the number of the last packet."""
        return len(self.time_ns)

    def append(self, packet: Packet) -> int:
        """Add a packet of which nothing is known yet, and return its place in the columns."""
        number, time_ns, link_type, length, data = packet
        while len(self.time_ns) < number - 1:  # what is numbered and is no packet
            self._append_row(0, 0, 0, 0)
        self._append_row(time_ns or 0, length, len(data), link_type)
        return number - 1

    def _append_row(self, time_ns: int, length: int, captured: int, link_type: int) -> None:
        self.time_ns.append(time_ns)
        self.length.append(length)
        self.captured.append(captured)
        self.link_type.append(link_type)
        for column in (self.connection, self.network, self.transport, self.payload, self.end):
            column.append(NOWHERE)
        self.offset.append(NO_OFFSET)
        self.direction.append(0)
        self.flags.append(0)


class Tracer:
    """Decodes packets, and knows afterwards which of them carried what."""

    def __init__(self) -> None:
        self.table = PacketTable()
        self.connections: list[Followed] = []
        self._decoder = PacketDecoder(opened=self._opened)
        self._by_key: dict[bytes, list[tuple[Followed, int]]] = {}

    def receive(self, packets: Sequence[Packet]) -> list[Record]:
        """Return the records that ``packets`` complete, as PacketDecoder does."""
        records = self._decoder.receive(packets)
        for packet in packets:
            self._place(packet)
        self._note_roles(records)
        return records

    def finish(self, faults: list[CaptureFault]) -> list[Record]:
        """End the capture; ``faults`` are those of its file."""
        records = self._decoder.finish()
        self._note_roles(records)
        return records + self._decoder.report(faults)

    def carriers(
        self, connection: int, sender: Sender, start: int, end: int, most: int
    ) -> list[Carrier]:
        """Return where bytes [start, end) of a stream lie, in stream order; ``most`` at most.

        Bytes that the capture lacks are in none of them.
        """
        trail = self.connections[connection].trail(sender)
        found: list[Carrier] = []
        for index in range(bisect_right(trail.ends, start), len(trail.ends)):
            begin = trail.ends[index - 1] if index else 0
            if begin >= end or len(found) == most:
                break
            carrier = self._carrier(
                trail.packets[index], max(begin, start), min(trail.ends[index], end)
            )
            if carrier is not None:
                found.append(carrier)
        return found

    def brought(self, packet: int) -> list[tuple[int, int]]:
        """Return which [start, end) of its sender's stream a packet was the first to bring."""
        row = packet - 1
        connection = self.table.connection[row]
        if connection < 0 or self.table.offset[row] == NO_OFFSET:
            return []
        trail = self.connections[connection].trails[self.table.direction[row]]
        begin = self.table.offset[row]
        upto = begin + self.table.end[row] - self.table.payload[row]
        found: list[tuple[int, int]] = []
        for index in range(bisect_right(trail.ends, begin), len(trail.ends)):
            start = trail.ends[index - 1] if index else 0
            if start >= upto:
                break
            if trail.packets[index] == packet:
                found.append((max(start, begin), min(trail.ends[index], upto)))
        return found

    def _carrier(self, packet: int, start: int, end: int) -> Carrier | None:
        table, row = self.table, packet - 1
        if table.offset[row] == NO_OFFSET:
            return Carrier(packet, 0, 0, start) if table.network[row] >= 0 else None
        shift = table.payload[row] - table.offset[row]
        first, last = start + shift, min(end + shift, table.end[row])
        if not table.payload[row] <= first < last:
            return None  # its arrival only showed that they are missing
        return Carrier(packet, first, last, start)

    def _opened(self, connection: Connection) -> None:
        followed = Followed(connection)
        self.connections.append(followed)
        size = len(connection.key) // 2 - 2
        key = connection.key
        back = key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]
        self._by_key.setdefault(key, []).append((followed, 0))
        self._by_key.setdefault(back, []).append((followed, 1))

    def _place(self, packet: Packet) -> None:
        """Fill in a packet's row: where its headers lie, and whose it is."""
        number, _, link_type, length, data = packet
        table = self.table
        row = table.append(packet)
        start = network_offset(link_type, data)
        if start < 0:
            return
        table.network[row] = start
        found = read_ip(data, start, length)
        if isinstance(found, Diagnostic) or found.fragment is not None or found.protocol != TCP:
            return
        table.transport[row] = found.start
        if found.end - found.start < TCP_HEADER.size:
            return
        ports, seq, offset_and_flags = TCP_HEADER.unpack_from(data, found.start)
        table.flags[row] = flags = offset_and_flags & 0x1FF
        table.payload[row] = min(found.start + (offset_and_flags >> 12 << 2), found.end)
        table.end[row] = found.end
        if owner := self._owner(found.source + found.destination + ports, number):
            followed, direction = owner
            table.connection[row] = followed.connection.index
            table.direction[row] = direction
            followed.packets.append(number)
            if flags & SYN:
                followed.note_syn(direction, bool(flags & 0x10))
            table.offset[row] = _stream_offset(followed, direction, seq + bool(flags & SYN))

    def _owner(self, key: bytes, number: int) -> tuple[Followed, int] | None:
        """Return the connection of a packet: the last with its ports that had begun by then."""
        for owner in reversed(self._by_key.get(key, ())):
            if owner[0].connection.first_packet <= number:
                return owner
        return None

    def _note_roles(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, RequestRecord | ResponseRecord) and record.first_packet:
                direction = self.table.direction[record.first_packet - 1]
                self.connections[record.connection].note_message(direction, record.sender)
            elif isinstance(record, ConnectionRecord):
                self.connections[record.connection].client = self._client_of(record)

    def _client_of(self, record: ConnectionRecord) -> int:
        """Return the direction of the client that a connection's own record names."""
        key = self.connections[record.connection].connection.key
        port = record.client.rpartition(":")[2]
        if key[-4:-2] == key[-2:]:
            return self.connections[record.connection].client
        return int(int.from_bytes(key[-4:-2], "big") != int(port))


def _stream_offset(followed: Followed, direction: int, seq: int) -> int:
    """Return the stream offset of a sequence number, by the signed difference to the next one."""
    connection = followed.connection
    side: Direction = connection.second if direction else connection.first
    if side.next_seq is None:
        return NO_OFFSET
    difference = ((seq - side.next_seq + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return followed.trails[direction].size + difference
