"""IP headers (RFC 791, RFC 8200): addresses, protocol, and where the payload lies.

Strategy: one pass over one packet's headers, nothing kept. What comes out are numbers: the payload
is the captured bytes [start, end), and beside it stands how long the header declares it to be. The
two differ if the capture kept only the beginning of the packet; what is after the packet, such as
the padding of a short Ethernet frame, is never in it.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from ..diagnostics import Diagnostic, diagnose

TCP = 6

# RFC 791 section 3.1: version and IHL, type of service, total length, identification, flags and
# fragment offset, time to live, protocol, header checksum, source, destination.
IPV4_HEADER = Struct("!BxHHHxB2x4s4s")
# RFC 8200 section 3: version, traffic class, flow label; payload length, next header, hop limit,
# source, destination.
IPV6_HEADER = Struct("!4xHBx16s16s")
MORE_FRAGMENTS = 0x2000  # RFC 791 section 3.1: flags are bit 0 reserved, DF, MF
OFFSET_MASK = 0x1FFF

# Next header values (RFC 8200 section 4; registry: IANA, IPv6 extension header types).
HOP_BY_HOP = 0
ROUTING = 43
FRAGMENT = 44
AUTHENTICATION = 51
DESTINATION = 60
MOBILITY = 135
HOST_IDENTITY = 139
SHIM6 = 140
EIGHT_BYTE_UNITS = frozenset({HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY, HOST_IDENTITY, SHIM6})
EXTENSION_HEADERS = EIGHT_BYTE_UNITS | {FRAGMENT, AUTHENTICATION}
SURE_NEXT_HEADERS = EXTENSION_HEADERS | {TCP, 17, 58}
PAD1 = 0
JUMBO_PAYLOAD = 0xC2  # RFC 2675 section 2


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """Where a fragment belongs (RFC 791 section 3.2, RFC 8200 section 4.5)."""

    key: tuple[bytes, ...]
    """What fragments of one packet have in common: addresses, identification, IPv4's protocol."""
    offset: int
    """In bytes, in the payload of the whole packet."""
    more: bool
    """Whether more fragments follow."""


class Layer(msgspec.Struct, frozen=True, gc=False):
    """A header with a name of its own on the way to the innermost IP packet."""

    name: str
    number: int | None = None
    """Its label, session or network; of ``ethertype``, the one that is not read."""
    source: bytes = b""
    """Of a tunnel over IP: the address where it begins, 4 or 16 bytes."""
    destination: bytes = b""


class IpPacket(msgspec.Struct, frozen=True, gc=False):
    """One IP packet, or one fragment of one."""

    source: bytes
    """4 bytes or 16."""
    destination: bytes
    protocol: int
    """What the payload is: 6 is TCP. In IPv6, the first next header that is no extension."""
    start: int
    """Of the payload, in the captured bytes."""
    end: int
    """Of the payload as far as it has been captured."""
    length: int
    """Of the payload as declared: more than ``end - start`` if the rest was not captured."""
    fragment: Fragment | None
    layers: tuple[Layer, ...] = ()
    """The tunnels that it came through, the outermost first."""
    header: int = 0
    """Where its own header begins."""


def read_ip(data: bytes, start: int, original_length: int) -> IpPacket | Diagnostic:
    """Read the IP packet at ``start`` of a frame that was ``original_length`` bytes on the wire.

    Returns a diagnostic instead, over the bytes of ``data``, if the header is wrong
    (``ip-malformed``) or has not been captured whole (``packet-cut``).
    """
    original_length = max(original_length, len(data))
    if start >= len(data):
        return _cut(data, start, start + IPV4_HEADER.size, original_length)
    version = data[start] >> 4
    if version == 4:
        return _read_ipv4(data, start, original_length)
    if version == 6:
        return _read_ipv6(data, start, original_length)
    return _malformed(start, start + 1, f"IP version 4 or 6 expected, {version} found")


def _read_ipv4(data: bytes, start: int, original_length: int) -> IpPacket | Diagnostic:
    """RFC 791 section 3.1."""
    body = start + IPV4_HEADER.size
    if len(data) < body:
        return _cut(data, start, body, original_length)
    fields = IPV4_HEADER.unpack_from(data, start)
    version_ihl, total, identification, flags, protocol, source, destination = fields
    header = (version_ihl & 0x0F) * 4
    if header < IPV4_HEADER.size:
        return _malformed(start, body, f"a header of {header} bytes, at least 20 expected")
    if not total:  # segmentation offload: the card fills in what does not fit into 16 bits
        total = original_length - start
    if total < header:
        return _malformed(start, body, f"a total length of {total} with a header of {header} bytes")
    if len(data) < start + header:
        return _cut(data, start, start + header, original_length)
    fragment = None
    if flags & (MORE_FRAGMENTS | OFFSET_MASK):
        key = (source, destination, bytes((protocol,)), identification.to_bytes(2, "big"))
        fragment = Fragment(key, (flags & OFFSET_MASK) * 8, bool(flags & MORE_FRAGMENTS))
    end = min(start + total, len(data))
    return IpPacket(
        source, destination, protocol, start + header, end, total - header, fragment, (), start
    )


def _read_ipv6(data: bytes, start: int, original_length: int) -> IpPacket | Diagnostic:
    """RFC 8200 sections 3 and 4."""
    body = start + IPV6_HEADER.size
    if len(data) < body:
        return _cut(data, start, body, original_length)
    length, next_header, source, destination = IPV6_HEADER.unpack_from(data, start)
    if not length and next_header == HOP_BY_HOP:
        length = _jumbo_length(data, body)
    if not length and next_header in EXTENSION_HEADERS | {TCP}:  # segmentation offload
        length = original_length - body
    walked = walk_extension_headers(data, next_header, body, body + length)
    if isinstance(walked, Diagnostic):
        return walked
    protocol, position, where = walked
    fragment = None
    if where is not None:
        identification, offset, more = where
        fragment = Fragment((source, destination, identification), offset, more)
    end = min(body + length, len(data))
    length = body + length - position
    return IpPacket(source, destination, protocol, position, end, length, fragment, (), start)


def walk_extension_headers(
    data: bytes, next_header: int, position: int, end: int
) -> tuple[int, int, tuple[bytes, int, bool] | None] | Diagnostic:
    """Follow extension headers from ``position`` to what they carry (RFC 8200 section 4).

    ``end`` is where the packet ends by its own account. Returns the first next header that is no
    extension, where it begins, and for a fragment its identification, offset and more flag: there
    the walk stops, since what follows is not whole. A fragment that is all there is of its packet
    is none (RFC 6946).
    """
    while next_header in EXTENSION_HEADERS:
        if position + 8 > end:
            return _malformed(position, end, f"a packet that ends inside extension {next_header}")
        if position + 8 > len(data):
            start = min(position, len(data))
            return diagnose("packet-cut", start, len(data), "inside the extension headers")
        following, size = data[position], data[position + 1]
        if next_header == FRAGMENT:
            where = int.from_bytes(data[position + 2 : position + 4], "big")
            offset, more = where & ~7, bool(where & 1)
            if offset or more:
                return following, position + 8, (data[position + 4 : position + 8], offset, more)
            length = 8
        elif next_header == AUTHENTICATION:  # RFC 4302 section 2.2: in 4-byte units, less 2
            length = (size + 2) * 4
        else:
            length = (size + 1) * 8
        if position + length > end:
            found = f"extension {next_header} of {length} bytes, {end - position} expected at most"
            return _malformed(position, end, found)
        next_header, position = following, position + length
    if position > len(data):
        return diagnose("packet-cut", len(data), len(data), "inside the extension headers")
    return next_header, position, None


def _jumbo_length(data: bytes, position: int) -> int:
    """Return a jumbo payload's length (RFC 2675 section 2), 0 if there is no such option."""
    if len(data) < position + 2:
        return 0
    end = min(position + (data[position + 1] + 1) * 8, len(data))
    position += 2
    while position + 2 <= end:
        kind = data[position]
        if kind == JUMBO_PAYLOAD and position + 6 <= end:
            return int.from_bytes(data[position + 2 : position + 6], "big")
        position += 1 if kind == PAD1 else 2 + data[position + 1]
    return 0


def is_surely_ip(data: bytes, start: int, end: int) -> bool:
    """Whether an IP packet begins at ``start`` and nothing else could: where nobody says so.

    ``end`` is where the frame ended on the wire. An IPv4 header has its checksum (RFC 791 section
    3.1), an IPv6 one fills the frame and carries what is known.
    """
    version = data[start] >> 4 if start < len(data) else 0
    if version == 4 and len(data) >= start + IPV4_HEADER.size:
        size = (data[start] & 0x0F) * 4
        header = data[start : start + size]
        total = int.from_bytes(header[2:4], "big")
        is_sized = IPV4_HEADER.size <= size == len(header) and size <= total <= end - start
        return is_sized and not int.from_bytes(header, "big") % 0xFFFF
    if version == 6 and len(data) >= start + IPV6_HEADER.size:
        length = int.from_bytes(data[start + 4 : start + 6], "big")
        return start + IPV6_HEADER.size + length == end and data[start + 6] in SURE_NEXT_HEADERS
    return False


def _cut(data: bytes, start: int, need: int, original_length: int) -> Diagnostic:
    """Say that an IP header is not all there: not in the capture, or not in the frame itself."""
    found = f"an IP header of {need - start} bytes expected, {max(len(data) - start, 0)} found"
    if original_length > len(data):
        return diagnose("packet-cut", start, len(data), found)
    return _malformed(start, len(data), found)


def _malformed(start: int, end: int, detail: str) -> Diagnostic:
    return diagnose("ip-malformed", min(start, end), end, detail)
