"""The whole chain: packets in, the contract's records out, as the packets complete them.

Strategy: nearly every packet is Ethernet, IPv4 without options, and TCP. For those one
``struct.Struct`` reads the three headers at once; addresses and ports are twelve bytes that stand
together, and serve as the connection's key as they are. Every other packet takes the general path
(:mod:`.general_path`); a test decodes every capture both ways.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..files.packets import CaptureFault, Packet
from ..limits import BATCH as BATCH
from ..limits import MAX_BATCH, MAX_UNFOLDED_BATCH
from ..memory import Memory
from ..net.half_connection import NO_SEQ
from ..net.ip import TCP
from ..net.segment import ACK, SYN
from ..net.table import ConnectionTable, Elsewhere
from ..net.tcp import Connection
from ..records import ConnectionRecord, Record
from ..wants import EVERYTHING, Wants
from .capture_faults import CaptureFaults, Choice
from .fast_connections import FastConnections
from .general_path import GeneralPath
from .side import completion, with_ends_last
from .silent import UNHEARD
from .taps import QuicTap, TlsTap
from .time_order import LAST_PACKET
from .usual_headers import (
    ETHERNET,
    IPV4_WITHOUT_OPTIONS,
    PROTOCOL_AND_FRAGMENT,
    SHORTEST_USUAL,
    TCP_START,
    USUAL_HEADERS,
    USUAL_STARTS,
)

if TYPE_CHECKING:
    from ..tls.key_finder import KeySource
    from .connection import ConnectionDecoder, Tap
    from .datagrams import Datagrams

MANY_ASKED, MOST_BATCHES = 256, 4
"""After so many SYNs twice as many packets are decoded at once, and so on, up to so many times as
many: where many connections stream in turn, each brings only a few, which cost less together."""

MANY_OPEN = 1_000
"""Connections that are open at the end from which on it pays to look for what they leave."""


def batch_after(asked: int) -> int:
    """Return how many packets to take at once after so many usual SYNs: in all shares the same."""
    return BATCH * min(1 + asked // MANY_ASKED, MOST_BATCHES)


class PacketDecoder:
    """Takes packets one at a time, for whoever does not have them in a file yet.

    Packets are rows of :data:`~parsers.files.packets.Packet`. All connections are decoded, or
    those that are ``wanted``. ``is_relay`` tells of a packet's number whether a relay has recorded
    it. With ``keys`` TLS and QUIC are decrypted.

    ``opened`` is called with each connection before its first segment is taken: whoever wants
    to look bytes up later gives its directions source maps that forget nothing. ``tap`` is called
    then too, for connections that are not wanted as well: it returns a receiver for the first and
    one for the second direction, which get what each hands over, before it is decoded (see
    :class:`~parsers.decode.taps.Tapped`). Which direction is the client's, the connection
    says (``client``) before there is a record of it.

    ``memory`` is what may be held for all connections together, in bytes; None: MAX_MEMORY. Of a
    capture that is divided only a ``share`` comes here, which says what is wanted.
    ``wants`` says which records there are; those of single packets
    (:meth:`receive_general`) are all.
    """

    def __init__(
        self,
        *,
        keep_data: bool = True,
        shows_records: bool = False,
        keys: KeySource | None = None,
        wanted: Choice | None = None,
        is_relay: Callable[[int], bool] = lambda packet: False,
        opened: Callable[[Connection[Record]], None] | None = None,
        tap: Tap | None = None,
        tls_tap: TlsTap | None = None,
        quic_tap: QuicTap | None = None,
        memory: int | None = None,
        wants: Wants = EVERYTHING,
        share: Elsewhere[Record] | None = None,
    ) -> None:
        self._wants = wants
        self._share = share
        self._memory = Memory(memory)
        self._unfolded = 0
        self._is_unfolding = False
        self._keep_data = keep_data
        self._shows_records = shows_records
        self.keys = keys
        """May be given until there are packets."""
        self._is_relay = is_relay
        self._wanted = wanted if share is None else share.has
        self._opened = opened
        self._tap = tap
        self._tls_tap = tls_tap
        self._quic_tap = quic_tap
        self._decoders: dict[int, ConnectionDecoder] = {}
        self._table: ConnectionTable[Record] = ConnectionTable(
            self._open, self._close, self._memory, share
        )
        self._faults = CaptureFaults(self._wanted)
        self._general = GeneralPath(
            self._table,
            self._faults,
            self._memory,
            release=self._release,
            open_datagrams=self._open_datagrams,
        )
        self._short: FastConnections | None = None
        """Where nobody listens beside what decodes: what is passed by hears of nothing."""
        if opened is None and tap is None:
            self._short = FastConnections(
                self._table,
                self._memory,
                self._general.replay,
                self._reopen,
                wanted=self._is_wanted,
                is_relay=is_relay,
                keep_data=keep_data,
                wants=wants,
            )
        self._asked = 0
        """How many SYNs have come with usual headers."""

    @property
    def held(self) -> int:
        """The bytes charged for all connections together."""
        return self._memory.held

    @property
    def memory_limit(self) -> int:
        """How much of that is allowed, beside what the program takes."""
        return self._memory.limit

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return MAX_BATCH // 16 if self._is_unfolding else MAX_BATCH

    @property
    def batch(self) -> int:
        """How many packets to take at once."""
        return batch_after(self._asked)

    def receive(self, packets: Sequence[Packet]) -> list[Record]:
        """Return the records that ``packets`` complete, in the contract's order.

        The more packets at once, the less each costs; the records are the same.
        """
        records: list[Record] = []
        rest = iter(packets)
        self._general.copies.begin(packets, rest)
        is_unusual = self._receive(rest, records)
        self._general.copies.end()
        if packets:
            self._general.last = packets[-1][0], packets[-1][1] or 0
        records += self._table.flush()
        self._note_unfolded()
        if self._memory.is_spent:
            records += self._let_go()
            is_unusual = True
        # The whole key costs five times as much.
        records = self._wants.of(records)
        records.sort(key=completion if is_unusual else LAST_PACKET)
        return records

    def receive_each(self, packets: Sequence[Packet]) -> list[list[Record]]:
        """Return the records that each of ``packets`` completes: what :meth:`receive` returns of
        one after the other, without what each call sets up."""
        found: list[list[Record]] = []
        records: list[Record] = []
        rest = iter(packets)
        self._general.copies.begin(packets, rest)
        self._receive(self._settled(rest, records, found), records)
        self._general.copies.end()
        self._note_unfolded()
        return found

    def _settled(
        self, packets: Iterator[Packet], records: list[Record], found: list[list[Record]]
    ) -> Iterator[Packet]:
        """Yield packets, and move what each has completed from ``records`` to ``found``."""
        general, table, memory, wants = self._general, self._table, self._memory, self._wants
        for packet in packets:
            yield packet
            records += table.flush()
            general.last = packet[0], packet[1] or 0
            if memory.is_spent:
                records += self._let_go()
            completed = wants.of(records[:])
            if len(completed) > 1:
                completed.sort(key=completion)
            found.append(completed)
            records.clear()

    def _note_unfolded(self) -> None:
        """Take note of how much the last packets unfolded to."""
        unfolded = self._memory.unfolded
        self._is_unfolding = unfolded - self._unfolded > MAX_UNFOLDED_BATCH
        self._unfolded = unfolded

    def _receive(self, packets: Iterable[Packet], records: list[Record]) -> bool:
        """Add the records that ``packets`` complete to ``records``; return whether they may not be
        in order."""
        # Usual packets complete records in their own order; others may end a stream, which gives
        # what lay unfinished behind records that came after it.
        is_unusual = False
        directions = self._table.directions
        receive_usual = self._table.receive_usual
        short = self._short
        read_headers = USUAL_HEADERS.unpack_from
        find_start = USUAL_STARTS.get
        for packet in packets:
            number, time_ns, link_type, _, data = packet
            if link_type == ETHERNET and len(data) >= SHORTEST_USUAL:
                network, total, protocol, key, seq, ack, flags, window = read_headers(data)
                direction = directions.get(key)
                start = find_start(flags)
                end = 14 + total
                if (
                    direction is not None
                    and start is not None
                    and network >> 8 == IPV4_WITHOUT_OPTIONS
                    and protocol & PROTOCOL_AND_FRAGMENT == TCP
                    and start <= end <= len(data)
                    and window
                    and (
                        seq == direction.usual_seq
                        or seq == direction.watched_seq
                        and direction.passes(data[34:end], start - 34, key[:8])
                    )
                ):
                    time_ns = time_ns or 0
                    connection = direction.connection
                    connection.packets += 1
                    connection.last_packet = number
                    connection.last_time = time_ns
                    if ack != direction.acked:
                        # What waits was sent when less had been received: that is a proof.
                        if direction.pending:
                            records += direction.flush()
                        # Of a usual segment both are known; the property costs 20 times as much.
                        in_flight = direction.peer.next_seq - direction.acked  # type: ignore[operator]
                        if in_flight > direction.most_in_flight and start == end:
                            direction.note_ack_wait(number, time_ns)
                        direction.acked = ack
                        if window != direction.window:
                            direction.take_window(window)
                    elif start == end:
                        self._general.receive_repeated_ack(direction, packet, window)
                    if start < end and (
                        found := receive_usual(direction, data[start:end], number, time_ns)
                    ):
                        records += found
                    if direction.watched_seq != NO_SEQ:
                        direction.note_usual_seq()
                    continue
                if (
                    network >> 8 == IPV4_WITHOUT_OPTIONS
                    and protocol & PROTOCOL_AND_FRAGMENT == TCP
                    and TCP_START < end <= len(data)
                ):
                    if flags & (SYN | ACK) == SYN and 20 <= flags >> 12 << 2 <= total - 20:
                        self._asked += 1
                    if (
                        direction is None
                        and short is not None
                        and (found := short.receive(packet, key, seq, ack, flags, window, end))
                        is not None
                    ):
                        records += found
                        continue
                    if found := self.receive_unusual_segment(packet, end):
                        records += found
                        is_unusual = True
                    continue
            if found := self.receive_general(packet):
                records += found
                is_unusual = True
        return is_unusual

    @property
    def stands_alone(self) -> bool:
        """Whether nothing that has come yet concerns connections beside its own."""
        return not self._general.copies.count

    @property
    def open_connections(self) -> int:
        """How many are open, QUIC's aside."""
        return self._table.open_count + (self._short.open_count if self._short else 0)

    def pass_over(self, number: int, time_ns: int) -> None:
        """Take note of a packet that is another share's: it is the last one by now."""
        self._general.last = number, time_ns

    def _let_go(self) -> list[Record]:
        """Let go what holds most of the memory, which is spent; return what comes of it."""
        from .letting_go import let_go  # hardly ever needed

        records: list[Record] = []
        self._release_all()
        if self._general.fragments.held > self._memory.limit // 4:
            for fault in self._general.fragments.let_go():
                records += self._faults.report(self._general.last, fault.code, "", fault.summary)
        datagrams = self._general.datagrams
        if datagrams is not None and datagrams.held > self._memory.held // 2:
            records += datagrams.let_go()
        return records + let_go(self._memory, self._table, self._decoders)

    def _reopen(self, connection: Connection[Record], first: Packet) -> None:
        """Open a connection that a fast path has followed, from its first packet on."""
        self._general.looking_at(first[4], lambda: self._open(connection))

    def _open_datagrams(self) -> Datagrams:
        from .datagrams import Datagrams

        return Datagrams(
            self.keys,
            self._wanted,
            keep_data=self._keep_data,
            shows_packets=self._shows_records,
            memory=self._memory,
            tap=self._quic_tap,
        )

    def _release(self, key: bytes) -> None:
        """Have the connection of ``key`` followed here, if a fast path follows it."""
        if self._short is not None:
            self._short.release(key)

    def _release_all(self) -> None:
        """Have all connections followed here that are open."""
        if self._short is not None:
            self._short.release_all()

    def receive_unusual_segment(self, packet: Packet, end: int) -> list[Record]:
        """Take a segment that is not usual, with headers before it that are."""
        return self._general.receive_segment(packet, end)

    def receive_general(self, packet: Packet) -> list[Record]:
        """Return what one packet, of any kind, completes, by the general path."""
        return self._general.receive(packet)

    def connection_of(self, key: bytes) -> int | None:
        """Return the connection of the last packet with this key, None if it was of none.

        ``key`` is source address, destination address, source port and destination port.
        """
        direction = self._table.directions.get(key)
        if direction is not None:
            return direction.connection.index
        if self._short is not None and (index := self._short.connection_of(key)) is not None:
            return index
        datagrams = self._general.datagrams
        return None if datagrams is None else datagrams.connection_of(key)

    def connection(self, index: int) -> ConnectionRecord | None:
        """Return the record of an open connection as it is by now, None if that is not open."""
        if self._short is not None:
            self._short.release_number(index)
        decoder = self._decoders.get(index)
        if decoder is not None:
            return decoder.record()
        datagrams = self._general.datagrams
        return None if datagrams is None else datagrams.connection(index)

    def expire(self, now_ns: int) -> list[Record]:
        """End the connections that have been silent for too long, where a capture has no end.

        ``now_ns`` is the time by their packets. The records stand in the contract's order.
        """
        self._release_all()
        records = self._table.expire(now_ns)
        if self._general.datagrams is not None:
            records += self._general.datagrams.expire(now_ns)
        return sorted(self._wants.of(records), key=completion)

    def finish(self) -> list[Record]:
        """End the capture: return what is unfinished, and the connections that are open."""
        return with_ends_last([record for ended in self.endings() for record in ended])

    def endings(self) -> Iterator[list[Record]]:
        """The same, connection by connection, for those who keep less than all of it."""
        records: list[Record] = []
        for fault in self._general.fragments.finish():
            records += self._faults.report(self._general.last, fault.code, "", fault.summary)
        yield self._wants.of(records)
        self._release_all()
        are_many = len(self._table.open_connections) >= MANY_OPEN
        for ended in self._table.endings():
            yield self._wants.of(with_ends_last(ended))
        if self._general.datagrams is not None:
            yield self._wants.of(self._general.datagrams.finish())
        if are_many:
            gc.collect()  # what was made for them refers to one another, and others read anew

    def report(self, faults: list[CaptureFault]) -> list[Record]:
        """Return what is to be said of the capture as a whole, once it has ended.

        That is which packets were not decoded, and faults of the file itself.
        """
        records: list[Record] = []
        for said in self._general.copies.diagnostics():
            records += self._faults.report(self._general.last, said.code, "", said.summary)
        has_any = self._table.has_had_any
        has_any |= self._share is not None and self._share.has_others
        datagrams = self._general.datagrams
        has_any |= datagrams is not None and datagrams.has_connections
        records += self._general.undecoded(is_all=not has_any)
        last = self._general.last
        for fault in faults:
            records += self._faults.report(last, fault.code, fault.text, packet=fault.packet)
        return self._wants.of(records)

    def _is_wanted(self, index: int, key: bytes, packet: int) -> bool:
        """Whether a connection is decoded that begins with a packet."""
        if self._share is not None:
            return self._share.begins(index, key, packet)
        return self._wanted is None or self._wanted(index)

    def _open(self, connection: Connection[Record]) -> None:
        from .connection import ConnectionDecoder, tapped  # and with it all that lies above TCP

        index = connection.index
        key = connection.key + connection.realm
        is_wanted = self._is_wanted(index, key, connection.first_packet)
        if is_wanted:  # of others there is no record that says so
            connection.tunnel = self._general.tunnel()
        if self._opened is not None:
            self._opened(connection)
        if is_wanted:
            self._decoders[index] = ConnectionDecoder(
                connection,
                keep_data=self._keep_data,
                shows_records=self._shows_records,
                keys=self.keys,
                recorded_by="relay" if self._is_relay(connection.first_packet) else None,
                tap=self._tap,
                tls_tap=self._tls_tap,
                wants=self._wants,
            )
        else:
            for stream in tapped(connection, self._tap):
                stream.receiver = UNHEARD
        if self._short is not None:
            self._short.make_room()

    def _close(self, connection: Connection[Record]) -> list[Record]:
        decoder = self._decoders.pop(connection.index, None)
        return [] if decoder is None else [*decoder.last_words(), decoder.record()]
