"""Whose a packet is, told by its headers alone: those of other connections are passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TypeVar

from parsers import ETHERNET, TCP, IpPacket, Packet, read_packet, reverse_key

T = TypeVar("T")
LINUX_SLL2 = 276
"""The LINKTYPE_ value of what is recorded on all interfaces."""
USUAL = {ETHERNET: (12, 14), LINUX_SLL2: (0, 20)}
"""Where the EtherType and the IP header stand."""
IPV4, IPV4_WITHOUT_OPTIONS, FRAGMENT = b"\x08\x00", 0x45, 0x3FFF
ICMP, UDP, ICMPV6 = 1, 17, 58
DATAGRAM = b"datagram"
"""The key of all UDP: a connection of QUIC may change its addresses."""


def keys(client: str, server: str) -> tuple[bytes, bytes]:
    """Return both keys of a connection: addresses and ports, as they stand in its packets.

    >>> keys("10.0.0.1:40000", "[::1]:80")[0][-4:].hex()
    '9c400050'
    """
    (source, source_port), (destination, destination_port) = map(_end, (client, server))
    key = source + destination + source_port + destination_port
    return key, reverse_key(key)


def _end(text: str) -> tuple[bytes, bytes]:
    address, _, port = text.rpartition(":")
    return ip_address(address.strip("[]")).packed, int(port).to_bytes(2)


def divided(
    packets: Sequence[Packet], by_key: Mapping[bytes, Sequence[T]], others: Sequence[T]
) -> Iterator[tuple[T, Packet]]:
    """Yield each packet for whom it may concern, by its key; what may be anybody's is for all
    ``others``."""
    for packet in packets:
        key = _usual_key(packet)
        if key is None:
            key = _key(packet)
        for one in others if key is None else by_key.get(key, ()):
            yield one, packet


def _usual_key(packet: Packet) -> bytes | None:
    """Return the key of TCP over IPv4 without options, None if it is something else."""
    _, _, link_type, _, data = packet
    if (places := USUAL.get(link_type)) is None or len(data) < places[1] + 24:
        return None
    kind, ip = places
    if data[kind : kind + 2] != IPV4 or data[ip] != IPV4_WITHOUT_OPTIONS or data[ip + 9] != TCP:
        return None
    if int.from_bytes(data[ip + 6 : ip + 8]) & FRAGMENT:
        return None
    return data[ip + 12 : ip + 24]


def _key(packet: Packet) -> bytes | None:
    """Return the key of any packet, None if it may be anybody's, empty if it is nobody's."""
    _, _, link_type, length, data = packet
    found = read_packet(link_type, data, length)
    if not isinstance(found, IpPacket):
        return b""
    if found.fragment is not None or found.protocol in (ICMP, ICMPV6):
        return None
    if found.protocol == UDP:
        return DATAGRAM
    return found.source + found.destination + data[found.start : found.start + 4]
