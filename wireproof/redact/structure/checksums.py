"""Checksums that depend on nothing but the copy: those of content that is masked would tell of it.

Strategy: a sum that was right is made right. One that was wrong must be wrong still, as a decoder
passes such packets over; but by how much it was wrong tells the sum of what was there, which of a
packet of two bytes is all of it. So it gets a wrong value of the copy's own. Only what a network
card was to complete stays, for that is a sum of the header.
"""

from __future__ import annotations

from struct import pack_into, unpack_from

from parsers import TCP, IpPacket, packets_inside

from ..checksums import ICMPV6, IPV4_CHECKSUM, UDP, checksum_of

HAS_PSEUDO_HEADER = frozenset((TCP, UDP, ICMPV6))
WHOLE = 0xFFFF


def set_own_checksums(before: bytes, after: bytearray, outer: IpPacket) -> None:
    """Set the checksums of a packet and of all in it, as :func:`..checksums.set_checksums` does."""
    passed = [one for one in packets_inside(before, outer) if isinstance(one, IpPacket)]
    for packet in reversed(passed):
        if packet.fragment is None and (place := checksum_of(before, packet)) is not None:
            pseudo = _pseudo_header(packet)
            if packet.end - packet.start < packet.length:  # nobody can tell, and nobody will
                pack_into("!H", after, place, 0)
            else:
                _set(before, after, (packet.start, packet.end), place, pseudo)
        if before[packet.header] >> 4 == 4 and packet.header < packet.start:
            header = packet.header, packet.start
            _set(before, after, header, packet.header + IPV4_CHECKSUM, b"")


def _pseudo_header(packet: IpPacket) -> bytes:
    """Return what is summed up with a payload (RFC 8200 section 8.1): of IPv4 it has the same
    sum."""
    if packet.protocol not in HAS_PSEUDO_HEADER:
        return b""
    numbers = packet.length.to_bytes(4, "big") + bytes((0, 0, 0, packet.protocol))
    return packet.source + packet.destination + numbers


def _set(
    before: bytes, after: bytearray, summed: tuple[int, int], place: int, pseudo: bytes
) -> None:
    (found,) = unpack_from("!H", before, place)
    is_of_header = found % WHOLE == int.from_bytes(pseudo) % WHOLE
    if is_of_header and (pseudo or not found):
        pack_into("!H", after, place, found)
        return
    is_right = _right(before, summed, place, pseudo) == found % WHOLE
    right = _right(after, summed, place, pseudo)
    value = right if is_right else (right + 1) % WHOLE
    pack_into("!H", after, place, value or (WHOLE if pseudo else 0))


def _right(data: bytes | bytearray, summed: tuple[int, int], place: int, pseudo: bytes) -> int:
    """Return what a checksum is to be, modulo 65,535 (RFC 1071)."""
    start, end = summed
    text = bytes(data[start:place]) + b"\0\0" + bytes(data[place + 2 : end])
    return (WHOLE - int.from_bytes(pseudo + text + bytes(len(text) % 2)) % WHOLE) % WHOLE
