"""Where the IP packet begins in a captured frame, by link type.

Strategy: one function for each kind of link-layer header; each looks at fixed places and returns
an offset, or a negative number that says why there is none. VLAN tags and PPPoE are steps of one
loop over EtherTypes, so any number of them costs one pass. Nothing is kept.

Sources: the LINKTYPE_ registry at tcpdump.org/linktypes.html, and the section at each function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

NOT_IP = -1
"""The frame carries something else, ARP for example."""
TOO_SHORT = -2
"""The frame ends inside its link-layer header."""
UNKNOWN_LINK_TYPE = -3
"""Nothing is known about frames of this link type."""

# IEEE Std 802, EtherTypes (registry: IEEE Registration Authority).
IPV4 = 0x0800
IPV6 = 0x86DD
VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})  # 802.1Q, 802.1ad, and what came before 802.1ad
PPPOE_SESSION = 0x8864

# RFC 1661 section 2, "Protocol Field"; numbers by IANA (RFC 1332, RFC 5072).
PPP_IPV4 = 0x0021
PPP_IPV6 = 0x0057

# AF_INET is 2 everywhere. AF_INET6: 10 Linux, 23 Windows, 24 NetBSD and OpenBSD, 26 illumos,
# 28 FreeBSD, 30 Darwin.
IP_FAMILIES = frozenset({2, 10, 23, 24, 26, 28, 30})

# IEEE Std 802 section 9.2 and RFC 1042: DSAP, SSAP, control, and the OUI that says "EtherType".
SNAP = b"\xaa\xaa\x03\x00\x00\x00"
LONGEST_802_3 = 1500
"""Up to here an Ethernet frame's two bytes are a length (IEEE Std 802.3 section 3.2.6)."""


class LinkType(NamedTuple):
    """A kind of frame that can be read."""

    name: str
    network_offset: Callable[[bytes], int]
    """Takes a frame; returns where its IP packet begins, or why there is none."""


def network_offset(link_type: int, data: bytes) -> int:
    """Return where the IP packet begins in a frame, from 0.

    A negative number says why there is none: NOT_IP, TOO_SHORT or UNKNOWN_LINK_TYPE.
    """
    known = LINK_TYPES.get(link_type)
    return known.network_offset(data) if known else UNKNOWN_LINK_TYPE


def _ethernet(data: bytes) -> int:
    """IEEE Std 802.3 section 3.1.1: two addresses of six bytes, then length or EtherType."""
    return _after_ether_type(data, 12)


def _after_ether_type(data: bytes, position: int) -> int:
    """Follow the EtherType at ``position`` to the IP packet after tags and PPPoE."""
    while True:
        start = position + 2
        if len(data) < start:
            return TOO_SHORT
        ether_type = data[position] << 8 | data[position + 1]
        if ether_type in (IPV4, IPV6):
            return start
        if ether_type in VLAN_TAGS:  # IEEE Std 802.1Q section 9.4: two bytes, the next EtherType
            position = start + 2
        elif ether_type == PPPOE_SESSION:
            return _after_pppoe(data, start)
        elif ether_type <= LONGEST_802_3 and SNAP.startswith(data[start : start + len(SNAP)]):
            position = start + len(SNAP)
        else:
            return NOT_IP


def _after_pppoe(data: bytes, position: int) -> int:
    """RFC 2516 section 4: version, type, code, session and length take six bytes; then PPP."""
    start = position + 6
    if len(data) < start + 1:
        return TOO_SHORT
    if data[start] & 1:  # RFC 1661 section 6.5: an odd first byte is all of the protocol
        return start + 1 if data[start] in (PPP_IPV4, PPP_IPV6) else NOT_IP
    if len(data) < start + 2:
        return TOO_SHORT
    protocol = int.from_bytes(data[start : start + 2], "big")
    return start + 2 if protocol in (PPP_IPV4, PPP_IPV6) else NOT_IP


def _bsd_loopback(data: bytes) -> int:
    """LINKTYPE_NULL: a protocol family in the byte order of the host that captured.

    LINKTYPE_LOOP has it in network order. Families are small: where the number is, is its order.
    """
    if len(data) < 4:
        return TOO_SHORT
    family = int.from_bytes(data[:4], "big" if data[:2] == b"\0\0" else "little")
    return 4 if family in IP_FAMILIES else NOT_IP


def _raw_ip(data: bytes) -> int:
    """LINKTYPE_RAW: the frame is the packet; its first four bits are the IP version."""
    if not data:
        return TOO_SHORT
    return 0 if data[0] >> 4 in (4, 6) else NOT_IP


def _linux_cooked(data: bytes) -> int:
    """LINKTYPE_LINUX_SLL: 16 bytes, the last two of which are an EtherType."""
    return _after_ether_type(data, 14)


def _linux_cooked_2(data: bytes) -> int:
    """LINKTYPE_LINUX_SLL2: 20 bytes, the first two of which are an EtherType."""
    if len(data) < 20:
        return TOO_SHORT
    ether_type = data[:2]
    if ether_type in (b"\x08\x00", b"\x86\xdd"):
        return 20
    # A VLAN tag's other half and what it tags follow the header.
    return _after_ether_type(data, 22) if int.from_bytes(ether_type, "big") in VLAN_TAGS else NOT_IP


LINK_TYPES = {
    0: LinkType("BSD loopback (NULL)", _bsd_loopback),
    1: LinkType("Ethernet", _ethernet),
    12: LinkType("raw IP (DLT_RAW)", _raw_ip),
    14: LinkType("raw IP (OpenBSD DLT_RAW)", _raw_ip),
    101: LinkType("raw IP", _raw_ip),
    108: LinkType("OpenBSD loopback (LOOP)", _bsd_loopback),
    113: LinkType("Linux cooked capture (SLL)", _linux_cooked),
    228: LinkType("raw IPv4", _raw_ip),
    229: LinkType("raw IPv6", _raw_ip),
    276: LinkType("Linux cooked capture 2 (SLL2)", _linux_cooked_2),
}
"""The link types whose packets are decoded."""
