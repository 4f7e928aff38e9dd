"""Headers of packets: which of their bytes no standard gives a meaning that a decoder needs.

Options may hold anything. Padding takes the place of IP's (RFC 791 section 3.1, RFC 8200 section
4.2); those of TCP (RFC 9293 section 3.1) that are not of its usual ones are masked.
"""

from __future__ import annotations

from struct import Struct

from parsers import (
    ETHERNET,
    TCP,
    TCP_HEADER,
    IpPacket,
    Packet,
    outermost,
    packets_inside,
)
from parsers.diagnostics import Diagnostic

from .masking import stars

CUT = "packet-cut"
"""The fault of headers that the capture does not hold whole."""
ETHERNET_HEADER = 14
USUAL_IPV4 = bytes.fromhex("080045")
"""The EtherType of IPv4, and its version with a header that has no options."""
USUAL_HEADER = Struct("!HHHBB")
"""Of that from its length on: that, its number, its fragment, its time to live, its protocol."""
FRAGMENTED = 0x3FFF
"""RFC 791 section 3.1: more fragments follow, or this one does not begin at 0."""
LATER_FRAGMENT = 0x1FFF
USUAL_START = 34
"""Where TCP begins behind these."""
LEAST = USUAL_START + 20
TIMESTAMPS = bytes.fromhex("0101080a")
"""How TCP's options begin if they are two of padding and the timestamps (RFC 7323 appendix A)."""
LONGEST_PADDING = 257
NO_OPERATION = b"\x01"
END_OF_OPTIONS, NO_OPERATION_KIND = 0, 1
USUAL = {2: (4,), 3: (3,), 4: (2,), 5: (10, 18, 26, 34), 8: (10,)}
"""Options of TCP and their sizes: the segment size, window scale, SACK and timestamps."""
IPV4_HEADER, IPV6_HEADER = 20, 40
HOP_BY_HOP, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 44, 51, 60
OTHER_EXTENSIONS = frozenset((43, 135, 139, 140))
"""Routing, mobility, HIP and shim6: none is read (RFC 8200 section 4.4, IANA)."""
EXTENSIONS = OTHER_EXTENSIONS | {HOP_BY_HOP, FRAGMENT, AUTHENTICATION, DESTINATION}
EXTENSION_BEGINS = 2
"""Bytes that say what comes next, and how long an extension is."""
JUMBO = bytes((0xC2, 4))
"""The option that says how long a packet is (RFC 2675 section 2)."""
PADDING = 1
"""The option of IPv6 that is padding of any size (RFC 8200 section 4.2)."""
UDP, UDP_HEADER = 17, 8
ICMP, ICMPV6, ICMP_HEADER = 1, 58, 8
ERRORS = {ICMP: (3, 11, 12), ICMPV6: (1, 2, 3, 4)}
"""Messages that quote the packet that they are about (RFC 792, RFC 4443 section 3)."""
QUOTED = 8
"""Bytes of its payload that a decoder needs: ports, and a sequence number."""
KEPT = {UDP: UDP_HEADER, ICMP: ICMP_HEADER, ICMPV6: ICMP_HEADER}
"""Bytes of what IP carries that are a header."""


def headers_of(packet: Packet) -> tuple[list[IpPacket], bool]:
    """Return the IP packets of a frame that can be read, of which each holds the next; and whether
    the capture cuts the headers of one more, so that nothing but headers follows."""
    _, _, link_type, original, data = packet
    outer = outermost(link_type, data, original)
    inside = packets_inside(data, outer) if isinstance(outer, IpPacket) else [outer]
    found = list(inside)
    last = found[-1]
    is_cut = isinstance(last, Diagnostic) and last.code == CUT
    return [one for one in found if isinstance(one, IpPacket)], is_cut


def usual_payload(packet: Packet) -> int | None:
    """Return where the payload begins of a packet that nearly all are like: whole, of Ethernet,
    IPv4 and TCP, with no options but timestamps. None of any other."""
    _, _, link_type, original, data = packet
    if link_type != ETHERNET or len(data) != original or data[12:15] != USUAL_IPV4:
        return None
    if original < LEAST:
        return None
    length, _, fragment, _, protocol = USUAL_HEADER.unpack_from(data, 16)
    begin: int = USUAL_START + (data[46] >> 4 << 2)
    if length + ETHERNET_HEADER != original or protocol != TCP or fragment & FRAGMENTED:
        return None
    has_none = begin == LEAST
    is_timed = begin == LEAST + 12 and data[LEAST : LEAST + 4] == TIMESTAMPS
    return begin if has_none or is_timed else None


def kept_of(data: bytes | bytearray, found: IpPacket) -> int:
    """Return where the payload of a packet begins in its frame."""
    start, end = found.start, found.end
    if found.protocol != TCP:
        size = KEPT.get(found.protocol, 0)
        is_first = found.fragment is None or not found.fragment.offset
        if found.fragment is None and found.length < size:
            size = 0  # it is no header
        elif is_first and start < end and data[start] in ERRORS.get(found.protocol, ()):
            size += _quoted(bytes(data[start + size : end]))
    elif found.fragment is None and end - start >= TCP_HEADER.size:
        size = max(data[start + 12] >> 4 << 2, TCP_HEADER.size)
    else:
        size = TCP_HEADER.size
    if found.fragment is not None:
        size -= found.fragment.offset
    return min(start + max(size, 0), end)


def _quoted(data: bytes) -> int:
    """Return how much of a quoted packet is headers: none if it has options, and no ports where
    they are not."""
    if data[:1] == b"\x45":
        is_later = int.from_bytes(data[6:8]) & LATER_FRAGMENT
        has_ports = data[9:10] in (b"\x06", b"\x11") and not is_later
        return IPV4_HEADER + (QUOTED if has_ports else 0)
    is_plain = data[:1] and data[0] >> 4 == 6 and data[6:7] in (b"\x06", b"\x11")
    return IPV6_HEADER + QUOTED if is_plain else 0


def clear_options(frame: bytearray, found: IpPacket) -> None:
    """Let padding or masks take the place of options in a frame."""
    header = found.header
    version = frame[header] >> 4 if header < found.start else 0  # what fragments make has none
    if version == 4:
        end = min(header + ((frame[header] & 0x0F) << 2), found.start)
        begin = header + IPV4_HEADER
        if begin < end:
            frame[begin:end] = NO_OPERATION * (end - begin)
    elif version == 6:
        _clear_extensions(frame, header, found.start)
    if found.protocol == TCP and found.fragment is None:
        _clear_tcp(frame, found.start + TCP_HEADER.size, kept_of(frame, found))


def clear_cut(frame: bytearray, header: int) -> None:
    """Clear what a header of IP may say that begins at ``header``, and that the capture cuts."""
    end = len(frame)
    version = frame[header] >> 4 if header < end else 0
    if version == 4:
        begin = min(header + IPV4_HEADER, end)
        frame[begin:end] = NO_OPERATION * (end - begin)
    elif version == 6 and header + IPV6_HEADER < end:
        begin = _clear_extensions(frame, header, end) + EXTENSION_BEGINS
        frame[begin:end] = bytes(max(end - begin, 0))


def _clear_extensions(frame: bytearray, header: int, end: int) -> int:
    """Clear the extensions of a header that are whole; return where they end."""
    kind, at = frame[header + 6], header + IPV6_HEADER
    while at + 8 <= end and kind in EXTENSIONS:
        size = (frame[at + 1] + 1) * 8
        if kind == FRAGMENT:
            size = 8
        elif kind == AUTHENTICATION:  # in units of 4 bytes (RFC 4302 section 2.2)
            size = (frame[at + 1] + 2) * 4
        last = min(at + size, end)
        if kind in (HOP_BY_HOP, DESTINATION):
            begin = at + (8 if frame[at + 2 : at + 4] == JUMBO else 2)
            for first in range(begin, last, LONGEST_PADDING):
                upto = min(first + LONGEST_PADDING, last)
                frame[first:upto] = _padding(upto - first)
        elif kind != FRAGMENT:
            frame[at + 2 : last] = bytes(last - at - 2)
        kind, at = frame[at], at + size
    return at


def _padding(size: int) -> bytes:
    """Return options that are padding (RFC 8200 section 4.2)."""
    return bytes((PADDING, size - 2)) + bytes(size - 2) if size > 1 else bytes(size)


def _clear_tcp(frame: bytearray, at: int, end: int) -> None:
    while at < end:
        kind = frame[at]
        if kind in (END_OF_OPTIONS, NO_OPERATION_KIND):
            at += 1
            continue
        size = frame[at + 1] if at + 1 < end else 0
        if size < 2 or at + size > end:
            frame[at:end] = NO_OPERATION * (end - at)
            return
        if size not in USUAL.get(kind, ()):
            frame[at + 2 : at + size] = stars(size - 2)
        at += size
