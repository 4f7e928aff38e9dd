"""Packets as rows: what their headers say, the innermost ones where packets lie in packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from parsers import IpPacket, Packet, read_packet, read_tcp_header

from .kinds import PacketRow


def packet_rows(packets: Iterable[Packet]) -> Iterator[PacketRow]:
    """Yield the row of each packet, in order."""
    return map(packet_row, packets)


def packet_row(packet: Packet) -> PacketRow:
    """Return the row of a packet; what it is no packet of, or not whole of, is null."""
    number, time_ns, link_type, length, data = packet
    found = read_packet(link_type, data, length)
    ip = found if isinstance(found, IpPacket) else None
    tcp = None if ip is None else read_tcp_header(ip, data)
    return PacketRow(
        number=number,
        last_time=None if time_ns is None else time_ns / 1e9,
        link_type=link_type,
        length=length,
        captured=len(data),
        source=None if ip is None else str(ip_address(ip.source)),
        destination=None if ip is None else str(ip_address(ip.destination)),
        source_port=None if tcp is None else tcp.source,
        destination_port=None if tcp is None else tcp.destination,
        sequence=None if tcp is None else tcp.seq,
        acknowledgement=None if tcp is None else tcp.ack,
        flags=None if tcp is None else tcp.flags,
        tcp_window=None if tcp is None else tcp.window,
        payload=None if tcp is None else tcp.length,
    )
