"""What carries IP inside of IP: one function for each protocol, which finds the packet inside.

Strategy: a function takes the bytes and where the tunnel's header lies in them, looks at fixed
places, and returns the layer's name and number and where the inner IP packet begins; None if the
bytes are not of that protocol, or carry nothing that can be read. UDP has no field that says what
it carries: there the port is only a claim, and the packet inside must be one.

Outer addresses are none of a function's business; :mod:`.tunnels` adds them.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from .ip import Layer
from .link import IPV4, IPV6, MPLS, TRANSPARENT_ETHERNET, after_ether_type, after_labels, after_ppp

UDP = 17
UDP_HEADER = 8  # RFC 768
IP_IN_IP = "ip"
"""What has no header: both packets together say its name."""

# EtherTypes in GRE (RFC 1701 and what extends it).
ERSPAN = 0x88BE  # types I and II
ERSPAN_III = 0x22EB
PPP = 0x880B
WCCP = 0x883E

# 3GPP TS 29.281 section 5.1
GTP_G_PDU = 255
# TZSP: 1 is Ethernet
TZSP_ETHERNET = 1


class Entry(Struct, frozen=True, gc=False):
    """A tunnel that was recognised."""

    start: int
    """Of the inner IP packet; TOO_SHORT or NOT_IP if there is none."""
    layers: list[Layer]
    """The tunnel itself, and what is between it and the inner packet."""


Reader = Callable[[bytes, int], Entry | None]
"""Takes bytes, and where a tunnel's header begins in them."""


def ip_in_ip(data: bytes, position: int) -> Entry | None:
    """RFC 2003, RFC 2473, RFC 4213: a packet follows, and nothing is between."""
    return Entry(position, [Layer(IP_IN_IP)])


def gre(data: bytes, position: int) -> Entry | None:
    """RFC 2784 with RFC 2890: flags, protocol; then checksum, key, sequence number if flagged.

    Version 1 is PPTP's (RFC 2637 section 4.1). Routing (RFC 1701) is used by nobody.
    """
    head = data[position : position + 4]
    if len(head) < 4:
        return None
    flags, protocol = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
    version = flags & 7
    if version == 1 and protocol == PPP and flags & 0x2000:
        start = position + 8 + 4 * bool(flags & 0x1000) + 4 * bool(flags & 0x0080)
        call = int.from_bytes(data[position + 6 : position + 8], "big")
        layers = [Layer("pptp", call)]
        return Entry(_after_hdlc(data, start, layers), layers)
    if version or flags & 0x4000:
        return None
    start = position + 4 + 4 * bool(flags & 0x8000)
    key = None
    if flags & 0x2000:
        key = int.from_bytes(data[start : start + 4], "big")
        start += 4
    start += 4 * bool(flags & 0x1000)
    return _in_gre(data, protocol, key, start, has_sequence=bool(flags & 0x1000))


def _in_gre(
    data: bytes, protocol: int, key: int | None, start: int, *, has_sequence: bool
) -> Entry | None:
    layers = [Layer("gre", key)]
    if protocol in (IPV4, IPV6):
        return Entry(start, layers)
    if protocol == TRANSPARENT_ETHERNET:
        if key is not None and not has_sequence:  # RFC 7637 section 3.2: VSID and FlowID
            layers = [Layer("nvgre", key >> 8)]
        return Entry(after_ether_type(data, start + 12, layers), layers)
    if protocol in MPLS:
        return Entry(after_labels(data, start, layers), layers)
    if protocol == ERSPAN:
        return _erspan(data, start, has_header=has_sequence)
    if protocol == ERSPAN_III:
        return _erspan_iii(data, start)
    if protocol == WCCP:  # version 2 has a header of four bytes, which begins with no version of IP
        is_version_1 = data[start : start + 1] and data[start] >> 4 == 4
        return Entry(start if is_version_1 else start + 4, [Layer("wccp")])
    return None


def _erspan(data: bytes, position: int, *, has_header: bool) -> Entry | None:
    """draft-foschiano-erspan: type I has no header at all, type II has one of eight bytes."""
    if not has_header:
        layers = [Layer("erspan")]
        return Entry(after_ether_type(data, position + 12, layers), layers)
    if len(data) < position + 8 or data[position] >> 4 != 1:
        return None
    session = int.from_bytes(data[position + 2 : position + 4], "big") & 0x3FF
    layers = [Layer("erspan", session)]
    return Entry(after_ether_type(data, position + 8 + 12, layers), layers)


def _erspan_iii(data: bytes, position: int) -> Entry | None:
    """The same, section 4.3: twelve bytes, and eight more if the last bit says so.

    Frame type 0 is Ethernet, 2 is IP.
    """
    if len(data) < position + 12 or data[position] >> 4 != 2:
        return None
    session = int.from_bytes(data[position + 2 : position + 4], "big") & 0x3FF
    frame_type = data[position + 10] >> 2 & 0x1F
    start = position + 12 + 8 * (data[position + 11] & 1)
    layers = [Layer("erspan", session)]
    if frame_type == 2:
        return Entry(start, layers)
    return Entry(after_ether_type(data, start + 12, layers), layers) if not frame_type else None


def ether_ip(data: bytes, position: int) -> Entry | None:
    """RFC 3378: version 3 and twelve zero bits, then an Ethernet frame."""
    if data[position : position + 2] != b"\x30\x00":
        return None
    layers = [Layer("etherip")]
    return Entry(after_ether_type(data, position + 2 + 12, layers), layers)


def mpls_in_ip(data: bytes, position: int) -> Entry | None:
    """RFC 4023 section 3, and RFC 7510 over UDP: labels follow."""
    layers: list[Layer] = []
    start = after_labels(data, position, layers)
    return Entry(start, layers) if layers else None


def vxlan(data: bytes, position: int) -> Entry | None:
    """RFC 7348 section 5: flags with I, reserved, network identifier, reserved; then a frame.

    Group policy (draft-smith-vxlan-group-policy) sets G, and fills the first reserved field.
    """
    head = data[position : position + 8]
    if len(head) < 8 or head[0] & 0x7F != 0x08 or head[7]:
        return None
    layers = [Layer("vxlan", int.from_bytes(head[4:7], "big"))]
    return Entry(after_ether_type(data, position + 8 + 12, layers), layers)


def vxlan_gpe(data: bytes, position: int) -> Entry | None:
    """draft-ietf-nvo3-vxlan-gpe section 3: P says that a protocol is named.

    1 is IPv4, 2 IPv6, 3 Ethernet.
    """
    head = data[position : position + 8]
    if len(head) < 8 or head[0] & 0x3C != 0x0C:
        return None
    layers = [Layer("vxlan-gpe", int.from_bytes(head[4:7], "big"))]
    if head[3] in (1, 2):
        return Entry(position + 8, layers)
    return Entry(after_ether_type(data, position + 20, layers), layers) if head[3] == 3 else None


def geneve(data: bytes, position: int) -> Entry | None:
    """RFC 8926 section 3.4: version 0, length of options in words, protocol, network identifier."""
    head = data[position : position + 8]
    if len(head) < 8 or head[0] >> 6:
        return None
    start = position + 8 + (head[0] & 0x3F) * 4
    protocol = int.from_bytes(head[2:4], "big")
    layers = [Layer("geneve", int.from_bytes(head[4:7], "big"))]
    if protocol in (IPV4, IPV6):
        return Entry(start, layers)
    if protocol != TRANSPARENT_ETHERNET:
        return None
    return Entry(after_ether_type(data, start + 12, layers), layers)


def gtp_u(data: bytes, position: int) -> Entry | None:
    """3GPP TS 29.281 section 5: a G-PDU holds a user's packet, after any extension headers.

    If E, S or PN is set, four bytes follow, the last of which says which extension comes first; an
    extension begins with its length in words and ends with what comes next.
    """
    head = data[position : position + 8]
    if len(head) < 8 or head[0] & 0xF0 != 0x30 or head[1] != GTP_G_PDU:
        return None
    layers = [Layer("gtp-u", int.from_bytes(head[4:8], "big"))]
    start = position + 8
    if head[0] & 0x07:
        following = data[start + 3 : start + 4] if head[0] & 0x04 else b""
        start += 4
        while following and following[0]:
            size = data[start] * 4 if start < len(data) else 0
            if not size:
                return None
            following = data[start + size - 1 : start + size]
            start += size
    return Entry(start, layers)


def l2tp(data: bytes, position: int) -> Entry | None:
    """RFC 2661 section 3.1: a data message of version 2, with PPP in it."""
    flags = int.from_bytes(data[position : position + 2], "big")
    if flags & 0x800F != 2:  # T is set in control messages
        return None
    start = position + 2 + 2 * bool(flags & 0x4000)
    session = int.from_bytes(data[start + 2 : start + 4], "big")
    start += 4 + 4 * bool(flags & 0x0800)
    if flags & 0x0200:
        start += 2 + int.from_bytes(data[start : start + 2], "big")
    layers = [Layer("l2tp", session)]
    return Entry(_after_hdlc(data, start, layers), layers)


def _after_hdlc(data: bytes, start: int, layers: list[Layer]) -> int:
    """PPP, whose address and control field may be there (RFC 1662 section 3.1)."""
    has_address = data[start : start + 2] == b"\xff\x03"
    return after_ppp(data, start + 2 if has_address else start, layers)


def teredo(data: bytes, position: int) -> Entry | None:
    """RFC 4380 section 5.1.1: authentication and origin indication may stand before the packet."""
    if data[position : position + 2] == b"\0\1":
        lengths = data[position + 2 : position + 4]
        position += 13 + sum(lengths)
    if data[position : position + 2] == b"\0\0":
        position += 8
    return Entry(position, [Layer("teredo")])


def tzsp(data: bytes, position: int) -> Entry | None:
    """TaZmen Sniffer Protocol, version 1: type, protocol; tagged values up to tag 1; a frame."""
    head = data[position : position + 4]
    if len(head) < 4 or head[0] != 1 or head[2:] != TZSP_ETHERNET.to_bytes(2, "big"):
        return None
    start = position + 4
    while start < len(data) and (tag := data[start]) != 1:
        start += 1 if not tag else 2 + int.from_bytes(data[start + 1 : start + 2], "big")
    layers = [Layer("tzsp")]
    return Entry(after_ether_type(data, start + 1 + 12, layers), layers)


PROTOCOLS: dict[int, Reader] = {
    4: ip_in_ip,
    41: ip_in_ip,
    47: gre,
    97: ether_ip,
    137: mpls_in_ip,
}
"""IANA, Assigned Internet Protocol Numbers."""

PORTS: dict[int, Reader] = {
    1701: l2tp,
    2152: gtp_u,
    3544: teredo,
    4754: gre,  # RFC 8086
    4789: vxlan,
    4790: vxlan_gpe,
    6081: geneve,
    6635: mpls_in_ip,  # RFC 7510
    8472: vxlan,  # what Linux took before there was 4789, and Flannel and Cilium still do
    37008: tzsp,
}
"""IANA, Service Name and Transport Protocol Port Numbers, but for the last two."""
EITHER_PORT = frozenset({1701, 2152, 3544})
"""Of those, where answers come from the port; with the others it is where they go to."""
