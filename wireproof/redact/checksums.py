"""Checksums of what was masked: they change by as much as what they sum up.

Strategy: the Internet checksum is a sum (RFC 1071), so its change follows from the bytes that
changed alone (RFC 1624): what was right stays right, what was wrong stays as wrong, whether or not
the packet was captured whole. Headers that lie around one another are gone through from the inside,
as each sums up those in it.
"""

from __future__ import annotations

from struct import pack_into, unpack_from

from parsers import TCP, IpPacket, packets_inside

ICMP, UDP, GRE, ICMPV6 = 1, 17, 47, 58
CHECKSUM = {ICMP: 2, TCP: 16, UDP: 6, ICMPV6: 2}
"""Where in its header a protocol has its checksum (RFC 792, RFC 9293 section 3.1, RFC 768,
RFC 4443 section 2.1)."""
GRE_CHECKSUM = 4
"""Where GRE has it, if the first bit says so (RFC 2784 section 2.1)."""
IPV4_CHECKSUM = 10
"""RFC 791 section 3.1."""


def set_checksums(before: bytes, after: bytearray, outer: IpPacket) -> None:
    """Set the checksums of the packet ``outer`` of ``before``, and of all in it, as what became of
    it, ``after``, needs them."""
    passed = [one for one in packets_inside(before, outer) if isinstance(one, IpPacket)]
    for packet in reversed(passed):
        if packet.fragment is None and (place := checksum_of(before, packet)) is not None:
            _set(before, after, (packet.start, packet.end), place, is_udp=packet.protocol == UDP)
        if before[packet.header] >> 4 == 4 and packet.header < packet.start:
            header = packet.header, packet.start
            _set(before, after, header, packet.header + IPV4_CHECKSUM, is_udp=False)


def checksum_of(data: bytes, packet: IpPacket) -> int | None:
    """Return where the checksum of a packet's payload is, None if it has none."""
    at = CHECKSUM.get(packet.protocol)
    if packet.protocol == GRE and packet.start < packet.end and data[packet.start] & 0x80:
        at = GRE_CHECKSUM
    if at is None or packet.start + at + 2 > packet.end:
        return None
    place = packet.start + at
    is_left_out = packet.protocol == UDP and not unpack_from("!H", data, place)[0]
    return None if is_left_out else place


def _set(
    before: bytes, after: bytearray, summed: tuple[int, int], place: int, *, is_udp: bool
) -> None:
    start, end = summed
    after[place : place + 2] = before[place : place + 2]
    # A number is congruent to the sum of its 16-bit words.
    change = int.from_bytes(after[start:end], "big") - int.from_bytes(before[start:end], "big")
    if (end - start) % 2:
        change <<= 8
    if change % 0xFFFF:
        found = (unpack_from("!H", before, place)[0] - change) % 0xFFFF
        pack_into("!H", after, place, found or (0xFFFF if is_udp else 0))
