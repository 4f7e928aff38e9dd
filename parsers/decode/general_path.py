"""Packets of any kind, one at a time: to their connection, or what is to be said of them.

Strategy: :mod:`~parsers.net.link` and :mod:`~parsers.net.ip` find the innermost IP packet, here
fragments are put together, packets captured twice are told apart, and TCP, UDP and ICMP's errors go
where they belong. The packet that is looked at is remembered meanwhile: a connection that it opens
is told of its tunnel, and its bytes tell whether it was captured before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..diagnostics import Diagnostic
from ..files.packets import Packet
from ..memory import Memory
from ..net.copies import CopyFinder
from ..net.fragments import FragmentReassembler
from ..net.ip import TCP, IpPacket, Layer
from ..net.link import UNKNOWN_LINK_TYPE, network_offset
from ..net.segment import TCP_HEADER, Segment, read_segment, whole_segment
from ..net.table import ConnectionTable
from ..net.tcp import Direction
from ..net.tunnel_protocols import UDP
from ..net.tunnels import MISDECLARED, innermost, read_packet, realm, tunnel_text
from ..net.undecoded import UndecodedPackets, kind_of_frame, kind_of_packet
from ..provenance import seconds
from ..records import Record
from .capture_faults import CaptureFaults
from .usual_headers import ETHERNET, KEY_START, NETWORK_START, TCP_START, USUAL_HEADERS

if TYPE_CHECKING:
    from .datagrams import Datagrams


class GeneralPath:
    """Takes packets, rows of :data:`~parsers.files.packets.Packet`.

    Before a segment goes to the ``table``, ``release`` is called with its key: another may follow
    its connection, and has to give it back. ``open_datagrams`` makes what decodes UDP, if some
    comes.
    """

    def __init__(
        self,
        table: ConnectionTable[Record],
        faults: CaptureFaults,
        memory: Memory,
        *,
        release: Callable[[bytes], None],
        open_datagrams: Callable[[], Datagrams],
    ) -> None:
        self._table = table
        self._faults = faults
        self._release = release
        self._open_datagrams = open_datagrams
        self.datagrams: Datagrams | None = None
        """What decodes UDP, once some has come."""
        self.fragments = FragmentReassembler(memory)
        self.copies = CopyFinder()
        self._undecoded = UndecodedPackets()
        self.last: tuple[int, int] = (0, 0)
        """Number and time, in nanoseconds, of the packet that was taken last."""
        self._frame: tuple[int, bytes] = (ETHERNET, b"")
        self._packet: Packet | None = None
        """Whose bytes are looked at; None if those of several were put together."""
        self._layers: tuple[Layer, ...] = ()
        """Of the packet that is looked at, should it open a connection."""

    def receive_segment(self, packet: Packet, end: int) -> list[Record]:
        """Take a segment that is not usual, with headers before it that are."""
        number, time_ns, link_type, _, data = packet
        self.last = number, time_ns or 0
        self._frame = link_type, data
        self._packet = packet
        self._layers = ()
        key = data[KEY_START : TCP_START + 4]
        segment = whole_segment(data, TCP_START, end, number, time_ns or 0)
        direction = self._table.directions.get(key)
        may_be_copy = direction is not None and (
            direction.connection.is_over or segment is not None and direction.may_repeat(segment)
        )
        if segment is not None and not may_be_copy:
            return self._table.receive(key, segment)
        source, destination, size = key[:4], key[4:8], end - TCP_START
        whole = IpPacket(source, destination, TCP, TCP_START, end, size, None, (), NETWORK_START)
        return self._receive_tcp(whole, data[TCP_START:end])

    def receive(self, packet: Packet) -> list[Record]:
        """Return what one packet, of any kind, completes, by the general path."""
        number, time_ns, link_type, original_length, data = packet
        self.last = number, time_ns or 0
        self._frame = link_type, data
        self._packet = packet
        self.copies.note(packet)
        found = read_packet(link_type, data, original_length)
        if isinstance(found, IpPacket):
            return self._receive_ip(data, found)
        if isinstance(found, Diagnostic):
            return self._faults.of(self.last, found)
        if found != UNKNOWN_LINK_TYPE:
            self._undecoded.add(kind_of_frame(link_type, data))
            return []
        return self._faults.of_link_type(
            self.last, "link-type-unknown", link_type, f"link type {link_type}"
        )

    def _receive_ip(self, data: bytes, packet: IpPacket) -> list[Record]:
        """Take an IP packet, the innermost one of what lies in ``data``."""
        if packet.fragment is not None:
            return self._receive_fragment(data, packet)
        self._layers = packet.layers
        if packet.protocol == TCP:
            return self._receive_tcp(packet, data[packet.start : packet.end])
        if packet.protocol == UDP:
            found = self._receive_udp(packet, data[packet.start : packet.end])
            if found is not None:
                return found
        self._undecoded.add(kind_of_packet(data, packet))
        return self._receive_icmp_error(data, packet)

    def _receive_udp(self, packet: IpPacket, data: bytes) -> list[Record] | None:
        """Take a UDP datagram; None if it is not decoded."""
        if self.datagrams is None:  # few captures have any
            self.datagrams = self._open_datagrams()
        number, time_ns = self.last
        found = self.datagrams.receive(packet, data, (number, seconds(time_ns)))
        if isinstance(found, Diagnostic):
            return self._faults.report(self.last, found.code, "", found.summary)
        return found

    def receive_repeated_ack(
        self, direction: Direction[Record], packet: Packet, window: int
    ) -> None:
        """Take a usual packet that acknowledges what the one before did, and carries nothing."""
        number, time_ns, _, _, data = packet
        found = read_packet(ETHERNET, data, len(data))
        if isinstance(found, IpPacket) and self.copies.is_copy(packet, found):
            direction.connection.copies += 1
        else:
            direction.repeat_ack(window, number, time_ns or 0)

    def _receive_fragment(self, data: bytes, packet: IpPacket) -> list[Record]:
        number, time_ns = self.last
        self._packet = None
        records: list[Record] = []
        for whole in self.fragments.receive(data, packet, number, time_ns or None):
            if isinstance(whole, Diagnostic):
                records += self._faults.of(self.last, whole)
                continue
            payload, size = whole.payload, len(whole.payload)
            outer = replace(
                packet, protocol=whole.protocol, start=0, end=size, length=size, fragment=None
            )
            inner = innermost(payload, outer)
            records += (
                self._faults.of(self.last, inner)
                if isinstance(inner, Diagnostic)
                else self._receive_ip(payload, inner)
            )
        return records

    def _receive_tcp(self, packet: IpPacket, data: bytes) -> list[Record]:
        """Take a TCP segment: ``data`` is what was captured of it."""
        source, destination, layers = packet.source, packet.destination, packet.layers
        number, time_ns = self.last
        found = read_segment(source, destination, data, packet.length, number, time_ns)
        if isinstance(found, Diagnostic):
            said = self._faults.of(self.last, found)
            if len(data) < TCP_HEADER.size:
                return said
            key, network = source + destination + data[:4], realm(layers)
            self._release(key + network)
            return said + self._table.hear_of(key, network, (number, seconds(time_ns)))
        ports, segment = found
        records = self._faults.cut(self.last, segment.missing)
        key, network = source + destination + ports, realm(layers)
        self._release(key + network)
        direction = self._table.directions.get(key + network)
        if direction is not None and self._is_copy(direction, segment, packet):
            if not direction.connection.is_over:
                direction.connection.count_copy(number, time_ns)
            return records
        if not layers:
            return records + self._table.receive(key, segment)
        if layers[0].name == MISDECLARED:
            link_type = layers[0].number or 0
            detail = f"link type {link_type} is declared"
            records += self._faults.of_link_type(self.last, "link-type-wrong", link_type, detail)
        return records + self._table.receive(key, segment, network)

    def _is_copy(self, direction: Direction[Record], segment: Segment, packet: IpPacket) -> bool:
        """Whether the packet that is looked at was captured before."""
        if self._packet is None or not (
            direction.connection.is_over or direction.may_repeat(segment)
        ):
            return False
        return self.copies.is_copy(self._packet, packet)

    def _receive_icmp_error(self, data: bytes, packet: IpPacket) -> list[Record]:
        """Say at its connection that a segment did not arrive."""
        from ..net.icmp import read_icmp_error  # few captures have any

        error = read_icmp_error(data, packet)
        if error is None:
            return []
        from ipaddress import ip_address

        sender = ip_address(packet.source)
        detail = f"{error.reason}, says {sender}, of {error.size:,} bytes of TCP"
        number, time_ns = self.last
        shown = number, seconds(time_ns)
        network = realm(packet.layers)
        self._release(error.key + network)
        return self._table.report(error.key, network, error.seq, error.fault, detail, shown)

    def replay(self, packet: Packet) -> None:
        """Take a packet that a fast path has taken before, and that has all its records."""
        looked_at = self.last, self._frame, self._packet, self._layers
        total = USUAL_HEADERS.unpack_from(packet[4])[1]
        self.receive_segment(packet, NETWORK_START + total)
        self.last, self._frame, self._packet, self._layers = looked_at

    def tunnel(self) -> str | None:
        """Return what the packet that is looked at went through, if that is known."""
        passed: list[Layer] = []
        if not self._layers or self._layers[0].name != MISDECLARED:
            network_offset(*self._frame, passed)
        return tunnel_text(passed, self._layers)

    def looking_at(self, frame: bytes, act: Callable[[], None]) -> None:
        """Act as if a usual packet, whose frame this is, were looked at."""
        looked_at = self._frame, self._layers
        self._frame, self._layers = (ETHERNET, frame), ()
        act()
        self._frame, self._layers = looked_at

    def undecoded(self, *, is_all: bool) -> list[Record]:
        """Return what is to be said of packets that were not decoded, with ``is_all`` of any."""
        records: list[Record] = []
        for said in self._undecoded.diagnostics(is_all=is_all):
            records += self._faults.report(self.last, said.code, "", said.summary)
        return records
