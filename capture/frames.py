"""Packets as they are recorded, and where in an Ethernet frame the fields stand that we look at.

Strategy: nothing is dissected here. What is recorded is Ethernet nearly everywhere; BSD's loopback
and Npcap's have a header of four bytes instead, all of Linux's interfaces together one of twenty.
``as_ethernet`` gives such packets a header to be looked at by; the file gets them as they came.
"""

from __future__ import annotations

RawPacket = tuple[int, bytes, int]
"""Time in nanoseconds since the epoch, the bytes, and the length before they were cut."""

MiB = 1024 * 1024
SNAPLEN = 262_144
"""Bytes kept of one packet: libpcap's MAXIMUM_SNAPLEN, and what tcpdump and dumpcap keep."""
BUFFER_SIZE = 32 * MiB
"""Room for packets that wait to be written: a second of 2 Gbit/s, if Python gets no turn for so
long; tcpdump and dumpcap have 2 MiB."""

# tcpdump.org/linktypes.html
LINKTYPE_NULL = 0
LINKTYPE_ETHERNET = 1
LINKTYPE_LOOP = 108

# Where fields stand in an Ethernet frame (RFC 791 section 3.1, RFC 8200 section 3).
ETHERTYPE = 12
ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
IP_HEADER = 14
IPV4_PROTOCOL = IP_HEADER + 9
IPV6_PAYLOAD = IP_HEADER + 40
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17

LINKTYPE_LINUX_SLL2 = 276

HEADERS = {LINKTYPE_NULL: 4, LINKTYPE_LOOP: 4, LINKTYPE_LINUX_SLL2: 20}
"""Bytes of the headers of what is not Ethernet: an address family, whose number differs by system,
or Linux's cooked header. The IP version after it says the same."""
ADDRESSES = bytes(12)
IP_VERSION = {
    4: ADDRESSES + ETHERTYPE_IPV4.to_bytes(2, "big"),
    6: ADDRESSES + ETHERTYPE_IPV6.to_bytes(2, "big"),
}


def as_ethernet(packets: list[RawPacket], link_type: int) -> list[RawPacket]:
    """Return packets as Ethernet would have them, but for those that are no IP, which are left."""
    if link_type == LINKTYPE_ETHERNET:
        return packets
    found, size = [], HEADERS[link_type]
    for time_ns, data, length in packets:
        header = IP_VERSION.get(data[size] >> 4) if len(data) > size else None
        if header is not None:
            found.append((time_ns, header + data[size:], length))
    return found
