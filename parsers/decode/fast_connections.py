"""Short connections in which all is usual: opened, whole messages in turn, and closed.

Strategy: nearly every connection of an API is opened by three packets, carries a few requests and
their answers, each whole in a packet of its own, and is closed by a FIN of both sides. Of such a
connection only numbers are kept, and its packets: its records are written at once, without what TCP
and HTTP need for everything else. With the first packet that is anything else, or is not certainly
usual, it is given back: the layers that are passed by take what was said in it once more, what they
make of that is dropped, for it has been written, and they go on. Only Ethernet and IPv4 without
options come here, nobody listens beside the decoder, and bounds keep it short. To begin here and to
be given back costs a fifth more than not to begin: a server whose connections end elsewhere is
tried with few of them. A test decodes every capture with this path and without it.

It ties all layers together that are better apart, for a number: a short connection takes a third of
the time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter

from .. import limits
from ..files.packets import Packet
from ..memory import Account, Memory
from ..net.path import LEAST_ACK_WAIT
from ..net.segment import (
    ACK,
    FIN,
    ONLY_TIMESTAMPS,
    SYN,
    UNUSUAL,
    is_summed,
    whole_segment,
)
from ..net.table import ConnectionTable, reverse_key
from ..net.tcp import Connection
from ..provenance import Arrival, SourceMap, seconds
from ..records import ConnectionRecord, End, Record, Sender
from ..wants import Wants
from .connection import peers_of
from .detector import PROXY_BEGINS, recognise
from .fast_http1 import whole_request, whole_response, write_request, write_response
from .short_connection import Half, ShortConnection
from .silent import UNHEARD
from .usual_headers import KEY_START, NETWORK_START, TCP_START, USUAL_HEADERS
from .writer import RecordWriter

WITHOUT_OPTIONS, WITH_TIMESTAMPS = TCP_START + 20, TCP_START + 32
"""Where a payload begins after the two usual headers."""
PLACE_OF_END = itemgetter("time", "packet")

STEP = 16
"""What a connection that begins here costs its server's credit. One that ends here earns twice as
much, one that may not begin a sixteenth of it."""
FIRST_CREDIT, MAX_CREDIT = 32 * STEP, 4_096 * STEP
NOTHING: list[Record] = []
"""What a packet completes that completes nothing; nobody changes it."""


class FastConnections:
    """Follows all connections of a capture that are short and usual.

    ``replay`` has the layers that are passed by take a packet, ``reopen`` has them open a
    connection that began with one. ``wanted`` says of a connection's number, key and first packet
    whether there are records of it.
    """

    def __init__(
        self,
        table: ConnectionTable[Record],
        memory: Memory,
        replay: Callable[[Packet], object],
        reopen: Callable[[Connection[Record], Packet], object],
        *,
        wanted: Callable[[int, bytes, int], bool],
        is_relay: Callable[[int], bool],
        keep_data: bool,
        wants: Wants,
    ) -> None:
        self._table = table
        self._memory = memory
        self._replay = replay
        self._reopen = reopen
        self._wanted = wanted
        self._is_relay = is_relay
        self._keep_data = keep_data
        self._wants = wants
        self._account = Account(memory)
        self._origins: SourceMap[Arrival] = SourceMap()
        self._halves: dict[bytes, Half] = {}
        """By addresses and ports as they stand in a packet."""
        self._open: dict[int, ShortConnection] = {}
        self._credit: dict[bytes, int] = {}
        """By address and port of a server, how many of its connections may yet begin here."""
        self._is_releasing = False
        """Whether all of them are given back, each of which is opened elsewhere."""

    def receive(
        self, packet: Packet, key: bytes, seq: int, ack: int, flags: int, window: int, end: int
    ) -> list[Record] | None:
        """Take a segment that ends at ``end`` of its packet, after usual headers before it.

        Returns the records that it completes; None if it is not for here: then whatever was known
        of its connection here has been given back.
        """
        half = self._halves.get(key)
        if half is None:
            return self._begin(packet, key, end) if flags & (UNUSUAL | ACK) == SYN else None
        connection = half.connection
        if connection.is_over:
            self._give_back_late(connection)
            return None
        data = packet[4]
        found: list[Record] | None = None
        if packet[0] > connection.last_packet and window:
            start = TCP_START + (flags >> 12 << 2)
            if half.next_seq < 0:
                found = self._answer(half, packet, flags, ack, end)
            elif (
                seq == half.next_seq
                and ack == half.peer.next_seq
                and start <= end
                and (
                    ack == half.acked
                    or (packet[1] or 0) - (connection.packets[-1][1] or 0) < LEAST_ACK_WAIT
                    or not half.may_have_waited(ack)
                )
                and (
                    start == WITHOUT_OPTIONS
                    or (start == WITH_TIMESTAMPS and data.startswith(ONLY_TIMESTAMPS, 54))
                )
            ):
                kind = flags & (UNUSUAL | ACK)
                if kind == ACK:
                    found = (
                        self._acknowledge(half, packet, ack)
                        if start == end
                        else self._message(half, packet, start, end)
                    )
                elif kind == FIN | ACK and start == end:
                    found = self._fin(half, packet, end)
        if found is None:
            self._give_back(connection)
            return None
        half.acked = ack
        half.closely -= half.closely > 0
        connection.last_packet = packet[0]
        connection.packets.append(packet)
        connection.held += len(data)
        if connection.is_long:
            self._give_back(connection)
        return found

    def _begin(self, packet: Packet, key: bytes, end: int) -> list[Record] | None:
        """Take the SYN of a connection; one of an address with itself has but one key."""
        number, time_ns, _, _, data = packet
        back = reverse_key(key)
        if back == key:
            return None
        segment = whole_segment(data, TCP_START, end, number, time_ns or 0)
        if segment is None or segment.payload or segment.is_signed or not self._has_room:
            return None
        if not self._spend(key[4:8] + key[10:]):
            return None
        index = self._table.take_number(number)
        is_wanted = self._wanted(index, key, number)
        connection = ShortConnection(index, key, packet, is_wanted=is_wanted)
        connection.client.begin(segment)
        connection.timestamps = segment.timestamps
        self._open[index] = connection
        self._halves[key], self._halves[back] = connection.client, connection.server
        self._memory.held += limits.CONNECTION_COST
        return NOTHING

    def _spend(self, server: bytes) -> bool:
        """Whether another connection to a server may begin here."""
        credit = self._credit.get(server, FIRST_CREDIT)
        has_any = credit >= STEP
        self._earn(server, -STEP if has_any else 1)
        return has_any

    def _earn(self, server: bytes, more: int) -> None:
        credit = self._credit
        if server not in credit and len(credit) >= limits.MAX_KNOWN_ADDRESSES:
            credit.clear()
        credit[server] = min(credit.get(server, FIRST_CREDIT) + more, MAX_CREDIT)

    @property
    def open_count(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def _has_room(self) -> bool:
        count = len(self._open)
        return count < limits.MAX_SHORT_CONNECTIONS and not self._is_full(count + 1)

    def _is_full(self, count: int) -> bool:
        """Whether another connection may be one too many, with ``count`` of them here."""
        return self._table.open_count + count >= limits.MAX_CONNECTIONS

    def _answer(
        self, half: Half, packet: Packet, flags: int, ack: int, end: int
    ) -> list[Record] | None:
        """Take the SYN, ACK that answers."""
        number, time_ns, _, _, data = packet
        connection = half.connection
        if flags & (UNUSUAL | ACK) != SYN | ACK or not ack or ack != half.peer.next_seq:
            return None
        segment = whole_segment(data, TCP_START, end, number, time_ns or 0)
        if segment is None or segment.payload or segment.is_signed:
            return None
        before, stamps = connection.timestamps, segment.timestamps
        if before is not None and stamps is not None and stamps[1] != before[0]:
            return None
        half.begin(segment)
        half.closely += half.is_judged  # this one counts for nothing
        connection.answered = time_ns or 0
        return NOTHING

    def _acknowledge(self, half: Half, packet: Packet, ack: int) -> list[Record] | None:
        """Take a segment that does nothing but acknowledge."""
        if ack == half.acked:
            return None
        connection = half.connection
        if connection.established is None:
            connection.established = packet[1] or 0
        elif connection.closer is half and half.peer.fin is not None:
            return self._close(connection, packet)
        return NOTHING

    def _message(self, half: Half, packet: Packet, start: int, end: int) -> list[Record] | None:
        """Take a segment that carries something: a whole message, whose turn it is."""
        connection, (number, time_ns, _, _, data) = half.connection, packet
        if connection.established is None or connection.closer is not None:
            return None
        if half.closely and not is_summed(data[KEY_START:end]):
            return None
        content = data[start:end]
        records: list[Record] | None = NOTHING
        if connection.is_wanted:
            time = seconds(time_ns or 0)
            place = number, number, time, time
            take = self._request if half is connection.client else self._response
            records = take(half, content, place)
        size = len(content)
        half.size += size
        half.next_seq = (half.next_seq + size) & 0xFFFFFFFF
        return records

    def _request(self, half: Half, data: bytes, place: Arrival) -> list[Record] | None:
        connection = half.connection
        if connection.request is not None or not (half.speaks and half.peer.speaks):
            return None
        if not half.size:
            if data[:2] in PROXY_BEGINS or recognise(data) != ("http/1.1", "client"):
                return None
            half.writer, half.peer.writer = self._writers(connection)
        whole = whole_request(data, 0)
        if whole is None or whole[2] != len(data):
            return None
        records: list[Record] = []
        connection.request = write_request(
            records, half.writer, connection.exchange, place, half.size, data, 0, whole
        )
        half.speaks = whole[1][2]
        return records

    def _response(self, half: Half, data: bytes, place: Arrival) -> list[Record] | None:
        connection = half.connection
        request = connection.request
        if request is None:
            return None
        whole = whole_response(data, 0, (request.method, False, request.version))
        if whole is None or whole[2] != len(data):
            return None
        records: list[Record] = []
        write_response(
            records, half.writer, connection.exchange, place, half.size, data, 0, whole, request
        )
        half.speaks = whole[1][2]
        connection.request = None
        connection.exchange += 1
        return records

    def _writers(self, connection: ShortConnection) -> tuple[RecordWriter, RecordWriter]:
        """Return what writes the records of both sides; they look no place up."""
        index, keeps = connection.index, self._keep_data
        origins, account, wants = self._origins, self._account, self._wants
        client = RecordWriter(index, "client", origins, keeps, account=account, wants=wants)
        server = RecordWriter(index, "server", origins, keeps, account=account, wants=wants)
        if wants.peers:
            client.peers = peers_of(connection.key)
        return client, server

    def _fin(self, half: Half, packet: Packet, end: int) -> list[Record] | None:
        """Take a FIN that carries nothing."""
        number, time_ns, _, _, data = packet
        connection = half.connection
        if connection.established is None or half.fin is not None or not connection.is_idle:
            return None
        if half.is_judged and not is_summed(data[KEY_START:end]):
            return None
        half.fin = number, seconds(time_ns or 0)
        half.next_seq = (half.next_seq + 1) & 0xFFFFFFFF
        connection.closer = connection.closer or half
        return NOTHING

    def _close(self, connection: ShortConnection, last: Packet) -> list[Record]:
        """Close a connection with its last packet; return its record."""
        records = NOTHING
        if connection.is_wanted:
            records = [self._record(connection, last)]
        del self._open[connection.index]
        self._memory.held -= limits.CONNECTION_COST
        connection.is_over = True
        connection.packets.clear()
        self._table.remember(partial(self._forget, connection))
        self._earn(connection.key[4:8] + connection.key[10:], 2 * STEP)
        return records

    def _record(self, connection: ShortConnection, last: Packet) -> ConnectionRecord:
        client, server, key = connection.client, connection.server, connection.key
        first = connection.packets[0][0]
        sides: tuple[tuple[Sender, Half], ...] = (("client", client), ("server", server))
        ends: list[End] = [
            {"sender": sender, "packet": half.fin[0], "time": half.fin[1], "kind": "fin"}
            for sender, half in sides
            if half.fin is not None
        ]
        ends.sort(key=PLACE_OF_END)
        return ConnectionRecord(
            connection.index,
            *peers_of(key),
            "http/1.1",
            first,
            last[0],
            seconds(connection.opened),
            seconds(last[1] or 0),
            len(connection.packets) + 1,
            client.size,
            server.size,
            0,
            0,
            "client" if connection.closer is client else "server",
            "fin",
            False,
            None if client.fin is None else client.fin[0],
            None if server.fin is None else server.fin[0],
            "relay" if self._is_relay(first) else None,
            None,
            ends,
            seconds((connection.established or 0) - connection.opened),
            [],
            [],
            [],
            0,
            [],
            seconds(connection.answered - connection.opened),
            client.sizes[0],
            server.sizes[0],
            server.size,
            client.size,
        )

    # --- what is not for here any more ---

    def release(self, key: bytes) -> None:
        """Give back the connection that a packet of any kind, or an error, is of, if it is here."""
        half = self._halves.get(key)
        if half is not None:
            give_back = self._give_back_late if half.connection.is_over else self._give_back
            give_back(half.connection)

    def release_number(self, index: int) -> None:
        """Give back the open connection of this number, if it is here."""
        if (connection := self._open.get(index)) is not None:
            self._give_back(connection)

    def release_all(self) -> None:
        """Give back all connections that are open."""
        for connection in list(self._open.values()):
            self.release_number(connection.index)

    def make_room(self) -> None:
        """Give all back if another connection may be one too many: which one goes is not known
        here."""
        if not self._is_releasing and self._open and self._is_full(len(self._open) + 1):
            self._is_releasing = True
            self.release_all()
            self._is_releasing = False

    def connection_of(self, key: bytes) -> int | None:
        """Return the number of the last connection with this key, if it is here."""
        half = self._halves.get(key)
        return None if half is None else half.connection.index

    def _give_back(self, connection: ShortConnection) -> None:
        """Let the other layers go on with a connection, as if they had taken all its packets."""
        del self._open[connection.index]
        self._memory.held -= limits.CONNECTION_COST
        self._drop(connection)
        if connection.established is not None and connection.closer is None:
            self._hand_over(connection)
            return
        self._table.begin_again(connection.index)
        for packet in connection.packets:
            self._replay(packet)

    def _hand_over(self, connection: ShortConnection) -> None:
        """Give back one that is open: only what was said in it is said again, above TCP."""
        packets, key = connection.packets, connection.key
        there = self._table.adopt(connection.index, key, packets[0][0], connection.opened)
        there.opened, there.established = connection.opened, connection.established
        there.server_rtt_ns = connection.answered - connection.opened
        there.rtt_ns = (connection.established or 0) - connection.opened
        for half, direction in (
            (connection.client, there.first),
            (connection.server, there.second),
        ):
            direction.resume(
                half.base_seq, half.sizes, is_judged=half.is_judged, closely=half.closely
            )
        there.second.sent_syn_ack = True
        there.first.answered_seq = connection.client.base_seq
        self._reopen(there, packets[0])
        for packet in packets[1:]:
            number, time_ns, _, _, data = packet
            there.last_packet, there.last_time = number, time_ns or 0
            _, total, _, source, _, ack, flags, window = USUAL_HEADERS.unpack_from(data)
            direction = there.first if source == key else there.second
            direction.acked = ack
            direction.take_window(window)
            start, end = TCP_START + (flags >> 12 << 2), NETWORK_START + total
            if start < end:
                direction.take(data[start:end], number, time_ns or 0)
        there.packets = len(packets)
        there.first.note_usual_seq()
        there.second.note_usual_seq()

    def _give_back_late(self, connection: ShortConnection) -> None:
        """Let the table take the packets that come after the end of a connection."""
        index, key, number = connection.index, connection.key, connection.last_packet
        late: Connection[Record] = Connection(index, key, number, connection.opened)
        for half, direction in ((connection.client, late.first), (connection.server, late.second)):
            direction.base_seq, direction.next_seq = half.base_seq, half.next_seq
            direction.receiver = UNHEARD
        late.let_go()
        self._drop(connection)
        self._table.take_over(late)
        connection.late = late

    def _forget(self, connection: ShortConnection) -> None:
        """Forget a connection that was closed long ago."""
        if connection.late is not None:
            self._table.forget(connection.late)
        else:
            self._drop(connection)

    def _drop(self, connection: ShortConnection) -> None:
        key = connection.key
        del self._halves[key], self._halves[reverse_key(key)]
