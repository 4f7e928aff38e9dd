"""Which packets carried the bytes of a stream, and where these lie in their frames.

Strategy: the decoder's own source maps say which packet brought each byte first; here they are
given copies of themselves that forget nothing, two numbers for each run. A packet's row says where
its payload lies in the frame, and which byte of the sender's stream that payload begins with. So
the place of a byte is a bisection and a subtraction, and retransmissions, overlaps and reordering
are what the decoder made of them: there is no second opinion on TCP. A byte that its packet does
not hold is one that the capture lacks.

What is kept are columns of numbers: 78 bytes for a packet, on disk, and 12 for a run.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from parsers import (
    ACK,
    ETHERNET,
    SYN,
    TCP,
    CaptureFault,
    CaptureKeys,
    Connection,
    IpPacket,
    Packet,
    PacketDecoder,
    TlsTap,
    network_offset,
    read_packet,
    realm,
)
from parsers.limits import MAX_CLOSED_CONNECTIONS, KiB
from parsers.records import (
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    is_quic,
)

from ..columns import Rows, follow_one_another
from ..spool import Spool
from .trail import Followed, FollowedConnections, Trail

# RFC 9293 section 3.1: both ports as they stand, sequence number, acknowledgement number, data
# offset and flags.
TCP_HEADER = Struct("!4sIIH6x")
# The headers that nearly every packet has, in one look: EtherType, IPv4 version and header length,
# total length, flags and fragment offset, protocol, both addresses and ports, then TCP's as above.
USUAL_HEADERS = Struct("!12x HBxH2xH xB2x 12s IIH")
IPV4, IPV4_WITHOUT_OPTIONS, MORE_FRAGMENTS_OR_OFFSET = 0x0800, 0x45, 0x3FFF
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


NO_PACKET_AT_ALL = 0xFFFF
"""The link type of a number that is no packet's, as of a pcapng block that holds something else."""
MAX_ENDED = 2 * MAX_CLOSED_CONNECTIONS
"""Connections that have ended whose late packets are known by their ports: more than TCP knows."""
OF_A_SPAN = 16
"""Packets of each of several neighbouring runs of bytes, about, that are looked up together."""
FOLLOWED_COST = 12 * KiB
"""Charged for an open connection here, and for what shows its content."""
LATEST = (1 << 63) - 1
"""Nanoseconds: a file may say any time, and what is later is not told apart."""


class PacketPlace(NamedTuple):
    """What is known of one packet: where its layers lie, and whose it is."""

    time_ns: int = 0
    length: int = 0
    """On the wire."""
    captured: int = 0
    link_type: int = NO_PACKET_AT_ALL
    network: int = NOWHERE
    """Where its IP header begins in the frame; NOWHERE if it has none."""
    transport: int = NOWHERE
    payload: int = NOWHERE
    end: int = NOWHERE
    """Of its payload as far as it was captured."""
    flags: int = 0
    connection: int = NOWHERE
    direction: int = 0
    """0 for that of the connection's first packet, 1 for the other."""
    offset: int = NO_OFFSET
    """Which byte of the sender's stream the payload begins with."""
    seq: int = 0
    """Its sequence number (RFC 9293 section 3.1), of a packet of a connection."""
    ack: int = 0
    """Its acknowledgement number."""


PLACE = Struct("<qIIHiiiiHiBqII")
"""A PacketPlace as it is kept: columns of their own would cost three times as much to write."""
LINK_TYPE = PacketPlace._fields.index("link_type")
CAPTURED = PacketPlace._fields.index("captured")
CONNECTION = PacketPlace._fields.index("connection")
NO_PACKET = PLACE.pack(*PacketPlace())


class PacketTable:
    """A PacketPlace for each packet. They are numbered from 1; not every number is a packet's."""

    def __init__(self, spool: Spool) -> None:
        self._rows = Rows(PLACE, spool)

    def __len__(self) -> int:
        """Return the number of the last packet."""
        return len(self._rows)

    def __getitem__(self, number: int) -> PacketPlace:
        """Return what is known of a packet. Raises IndexError for a number that is too high."""
        return PacketPlace._make(self._rows.row(number - 1))

    def __contains__(self, number: int) -> bool:
        """Whether there is a packet of this number."""
        return self.get(number) is not None

    def get(self, number: int) -> PacketPlace | None:
        """Return what is known of a packet, None if there is none of this number."""
        if not 1 <= number <= len(self):
            return None
        place = self[number]
        return None if place.link_type == NO_PACKET_AT_ALL else place

    def between(self, first: int, last: int) -> Iterator[tuple[int, PacketPlace]]:
        """Yield packets [first, last) and what is known of them; those that are none are left
        out."""
        rows = self._rows.between(max(first, 1) - 1, last - 1)
        for number, row in enumerate(map(PacketPlace._make, rows), max(first, 1)):
            if row.link_type != NO_PACKET_AT_ALL:
                yield number, row

    def rows(self, first: int, last: int) -> Iterator[tuple[int, ...]]:
        """Yield the same as rows: the number of a packet, then the values of its place. A named
        tuple takes longer to make than all that is looked at of one packet among many."""
        rows = self._rows.between(max(first, 1) - 1, last - 1)
        for number, row in enumerate(rows, max(first, 1)):
            if row[LINK_TYPE] != NO_PACKET_AT_ALL:
                yield number, *row

    def of(self, numbers: Iterable[int]) -> Iterator[tuple[int, ...]]:
        """Yield the values of the places of packets. Raises IndexError for a number that is too
        high."""
        return self._rows.rows(number - 1 for number in numbers)

    def put(self, numbers: Sequence[int], places: Sequence[tuple[int, ...]]) -> None:
        """Take the packets of these numbers; others may have come before that have a higher one."""
        packed = [PLACE.pack(*place) for place in places]
        if follow_one_another(len(self) + 1, numbers):
            self._rows.add(b"".join(packed))
            return
        for number, place in zip(numbers, packed, strict=True):
            self._rows.put(number - 1, place, NO_PACKET)  # what is numbered may be none


Side = tuple[int, int, Followed, int | None, int]
"""A direction of a connection: the connection's number, which direction, what is kept of the
connection, and of that direction the sequence number that comes next and how long its stream is."""


class Tracer:
    """Decodes packets, and knows afterwards which of them carried what.

    With ``shows_records`` the records of TLS are among what is decoded.
    """

    def __init__(
        self, spool: Spool, *, shows_records: bool = False, tls_tap: TlsTap | None = None
    ) -> None:
        """What grows with packets is put aside in ``spool``. ``tls_tap`` gets what TLS carried, as
        PacketDecoder hands it on."""
        self._spool = spool
        self.table = PacketTable(spool)
        self.connections = FollowedConnections(spool)
        self.keys: CaptureKeys | None = None
        """What TLS is decrypted with."""
        self._decoder = PacketDecoder(
            opened=self._opened, shows_records=shows_records, tls_tap=tls_tap
        )
        self._by_key: dict[bytes, list[tuple[int, int]]] = {}
        """Of ports and addresses, the connections that had them, each with its direction."""
        self._keys: dict[int, tuple[bytes, bytes]] = {}
        """Those of each connection that is known by them, from either end."""
        self._ended: deque[int] = deque()
        """Of these, the ones that have ended."""
        self._began = array("q")
        """How many packets of the capture had come with the first one of each connection."""
        self._sides: dict[bytes, Side] = {}
        """Those whose packets are being placed, by their ports and addresses."""
        self._opened_now: list[Connection[Record]] = []
        """By the packets that are being decoded."""
        self._count = 0
        """Packets that have been placed: numbers may go back, where those of times do not."""

    def use_keys(self, keys: CaptureKeys | None) -> None:
        """Decrypt TLS with these; to be called before there are packets."""
        self.keys = self._decoder.keys = keys

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return self._decoder.room

    def receive(self, packets: Sequence[Packet]) -> list[Record]:
        """Return the records that ``packets`` complete, as PacketDecoder does."""
        records = self._decoder.receive(packets)
        self._note_beginnings(packets)
        self._sides.clear()  # what was known of them has gone on
        places: list[tuple[int, ...]] = []
        for packet in packets:
            self._count += 1
            places.append(self._place(packet))
        self.table.put([packet[0] for packet in packets], places)
        self._note_roles(records)
        return records

    def _note_beginnings(self, packets: Sequence[Packet]) -> None:
        """Note which packet each connection began with that these have opened."""
        if not self._opened_now:
            return
        counts = {packet[0]: count for count, packet in enumerate(packets, self._count + 1)}
        for connection in self._opened_now:
            began = counts.get(connection.first_packet, self._count + 1)
            self._began[connection.index] = began
        self._opened_now.clear()

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
        return self.carriers_in(self.connections[connection].trail(sender), start, end, most)

    def carriers_in(self, trail: Trail, start: int, end: int, most: int) -> list[Carrier]:
        """Return the same of the stream that has this trail."""
        found: list[Carrier] = []
        for begin, upto, packet in trail.runs(start, end):
            if len(found) == most:
                break
            # Compared in place: calls of max and min take four times as long.
            first, last = begin if begin > start else start, upto if upto < end else end
            carrier = _carrier(packet, self.table[packet], first, last)
            if carrier is not None:
                found.append(carrier)
        return found

    def carriers_of(
        self, trail: Trail, spans: Sequence[tuple[int, int]], most: int
    ) -> list[list[Carrier]]:
        """Return the same of neighbouring runs of bytes: their packets are looked up together."""
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        columns = trail.columns(first, last, OF_A_SPAN * len(spans))
        if columns is None:
            return [self.carriers_in(trail, *span, most) for span in spans]
        ends, packets = columns
        places = list(self.table.of(packets))
        found: list[list[Carrier]] = []
        for start, end in spans:
            carriers: list[Carrier] = []
            for index in range(bisect_right(ends, start, 1) - 1, len(packets)):
                begin, upto = ends[index], ends[index + 1]
                if begin >= end or len(carriers) == most:
                    break
                first, last = begin if begin > start else start, upto if upto < end else end
                carrier = _carrier(packets[index], places[index], first, last)
                if carrier is not None:
                    carriers.append(carrier)
            found.append(carriers)
        return found

    def _opened(self, connection: Connection[Record]) -> None:
        number = len(self.connections)
        self.connections.begin(connection)
        connection.account.charge(FOLLOWED_COST)
        self._began.append(0)
        self._opened_now.append(connection)
        size = len(connection.key) // 2 - 2
        key = connection.key
        back = key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]
        network = connection.realm
        self._keys[number] = key + network, back + network
        for direction, one in enumerate(self._keys[number]):
            self._by_key.setdefault(one, []).append((number, direction))

    def _place(self, packet: Packet) -> tuple[int, ...]:
        """Return where a packet's headers lie, and whose it is, as the values of a PacketPlace."""
        _, time_ns, link_type, length, data = packet
        size = len(data)
        time_ns = time_ns or 0
        known = (time_ns if time_ns < LATEST else LATEST, length, size, link_type)
        if link_type == ETHERNET and size >= USUAL_HEADERS.size:
            ether_type, version, total, fragment, protocol, key, seq, ack, flags = (
                USUAL_HEADERS.unpack_from(data)
            )
            if (
                ether_type == IPV4
                and version == IPV4_WITHOUT_OPTIONS
                and protocol == TCP
                and total
                and not fragment & MORE_FRAGMENTS_OR_OFFSET
            ):
                end = 14 + total
                network = *known, 14, 34
                return self._place_segment(
                    packet[0], network, end if end < size else size, key, seq, ack, flags
                )
        return self._place_any(packet, known)

    def _place_any(self, packet: Packet, known: tuple[int, int, int, int]) -> tuple[int, ...]:
        """Do the same for a packet with any headers."""
        number, _, link_type, length, data = packet
        place = PacketPlace(*known)
        found = read_packet(link_type, data, length)
        if isinstance(found, IpPacket):
            place = place._replace(network=found.header)
            if found.fragment is None:
                place = place._replace(transport=found.start)
                if found.protocol == TCP and found.end - found.start >= TCP_HEADER.size:
                    ports, seq, ack, flags = TCP_HEADER.unpack_from(data, found.start)
                    key = found.source + found.destination + ports + realm(found.layers)
                    return self._place_segment(number, place[:6], found.end, key, seq, ack, flags)
        elif (start := network_offset(link_type, data)) >= 0:
            place = place._replace(network=start)
        return place

    def _place_segment(
        self,
        number: int,
        known: tuple[int, ...],
        end: int,
        key: bytes,
        seq: int,
        ack: int,
        offset_and_flags: int,
    ) -> tuple[int, ...]:
        """Do the same for a segment, of which the values are known up to where TCP begins."""
        flags = offset_and_flags & 0x1FF
        payload = known[5] + (offset_and_flags >> 12 << 2)
        if payload > end:
            payload = end
        side = self._sides.get(key) or self._side(key)
        if side is None:
            return *known, payload, end, flags, NOWHERE, 0, NO_OFFSET, seq, ack
        connection, direction, followed, next_seq, size = side
        followed.packets.append(number)
        first = seq
        if flags & SYN:
            followed.note_syn(direction, bool(flags & ACK))
            first += 1
        offset = NO_OFFSET
        if next_seq is not None:  # the signed difference to the next sequence number
            offset = size + ((first - next_seq + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        return *known, payload, end, flags, connection, direction, offset, seq, ack

    def _side(self, key: bytes) -> Side | None:
        """Return whose a packet with these addresses and ports is, None if it is nobody's."""
        owner = self._owner(key)
        if owner is None:
            return None
        connection, direction = owner
        followed = self.connections[connection]
        side = *owner, followed, followed.next_seq(direction), followed.trails[direction].size
        # One that begins later may have the same ports; what has ended may be put aside meanwhile.
        if owner == self._by_key[key][-1] and self.connections.goes_on(connection):
            self._sides[key] = side
        return side

    def _owner(self, key: bytes) -> tuple[int, int] | None:
        """Return the connection of a packet: the last with its ports that had begun by then."""
        for owner in reversed(self._by_key.get(key, ())):
            if self._began[owner[0]] <= self._count:
                return owner
        return None

    def _note_roles(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.connection is None or is_quic(record.connection):
                continue
            if isinstance(record, RequestRecord | ResponseRecord) and record.first_packet:
                direction = self.table[record.first_packet].direction
                self.connections[record.connection].note_message(direction, record.sender)
            elif isinstance(record, ConnectionRecord):
                self.connections[record.connection].client = self._client_of(record)
                self.connections.end(record.connection)
                self._forget(record.connection)

    def _forget(self, ended: int) -> None:
        """Take note that a connection has ended, and forget the ports of one that did long ago."""
        self._ended.append(ended)
        if len(self._ended) > MAX_ENDED:
            number = self._ended.popleft()
            for key in self._keys.pop(number):
                left = [owner for owner in self._by_key[key] if owner[0] != number]
                if left:
                    self._by_key[key] = left
                else:
                    del self._by_key[key]

    def _client_of(self, record: ConnectionRecord) -> int:
        """Return the direction of the client that a connection's own record names."""
        key = self.connections[record.connection].key
        port = record.client.rpartition(":")[2]
        if key[-4:-2] == key[-2:]:
            return self.connections[record.connection].client
        return int(int.from_bytes(key[-4:-2], "big") != int(port))


def _carrier(packet: int, place: tuple[int, ...], start: int, end: int) -> Carrier | None:
    """Return where bytes [start, end) of a stream lie in a packet; None if it has none of them.
    ``place`` has the values of its PacketPlace."""
    _, _, _, _, network, _, payload, upto, _, _, _, offset, _, _ = place
    if offset == NO_OFFSET:
        return Carrier(packet, 0, 0, start) if network >= 0 else None
    shift = payload - offset
    first, last = start + shift, end + shift
    if last > upto:
        last = upto
    if not payload <= first < last:
        return None  # its arrival only showed that they are missing
    return Carrier(packet, first, last, start)


def brought_by(packet: int, place: PacketPlace, followed: Followed) -> list[tuple[int, int]]:
    """Return which [start, end) of its sender's stream a packet of a connection was the first to
    bring; ``place`` is the packet's."""
    if place.end <= place.payload or place.offset == NO_OFFSET:
        return []
    begin, upto = place.offset, place.offset + place.end - place.payload
    return followed.trails[place.direction].brought(packet, begin, upto)
