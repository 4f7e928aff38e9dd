"""Where the IP packet begins in a captured frame, by link type.

Strategy: one function for each kind of link-layer header; each looks at fixed places and returns
an offset, or a negative number that says why there is none. VLAN tags, MPLS labels and PPPoE are
steps of one loop over EtherTypes, so any number of them costs one pass. Nothing is kept. Whoever
wants to know what was passed gives a list, which the same walk fills.

Sources: the LINKTYPE_ registry at tcpdump.org/linktypes.html, and the section at each function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from .ip import Layer, is_surely_ip

NOT_IP = -1
"""The frame carries something else, ARP for example."""
TOO_SHORT = -2
"""The frame ends inside its link-layer header."""
UNKNOWN_LINK_TYPE = -3
"""Nothing is known about frames of this link type."""

# IEEE Std 802, EtherTypes (registry: IEEE Registration Authority).
IPV4 = 0x0800
IPV6 = 0x86DD
TRANSPARENT_ETHERNET = 0x6558  # RFC 1701; an Ethernet frame follows
VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})  # 802.1Q, 802.1ad, and what came before it
BACKBONE_SERVICE_TAG = 0x88E7  # 802.1ah
MPLS = frozenset({0x8847, 0x8848})  # RFC 5332 section 3
PPPOE_SESSION = 0x8864

# RFC 1661 section 2, "Protocol Field"; numbers by IANA (RFC 1332, RFC 5072, RFC 3032 section 4.3).
PPP_IPV4 = 0x0021
PPP_IPV6 = 0x0057
PPP_MPLS = frozenset({0x0281, 0x0283})
ALL_STATIONS = b"\xff\x03"
"""RFC 1662 section 3.1: address and control field."""

# AF_INET is 2 everywhere. AF_INET6: 10 Linux, 23 Windows, 24 NetBSD and OpenBSD, 26 illumos,
# 28 FreeBSD, 30 Darwin.
IP_FAMILIES = frozenset({2, 10, 23, 24, 26, 28, 30})

# IEEE Std 802 section 9.2 and RFC 1042: DSAP, SSAP, control, and the OUI that says "EtherType";
# and the same with a SAP of IP's own.
SNAP = b"\xaa\xaa\x03\x00\x00\x00"
IP_SAP = b"\x06\x06\x03"
LONGEST_802_3 = 1500
"""Up to here an Ethernet frame's two bytes are a length (IEEE Std 802.3 section 3.2.6)."""

NFULA_PAYLOAD = 9
"""linux/netfilter/nfnetlink_log.h: the value that is the packet."""


Passed = list[Layer] | None


class LinkType(Struct, frozen=True, gc=False):
    """A kind of frame that can be read."""

    name: str
    network_offset: Callable[[bytes, Passed], int]
    """Takes a frame; returns where its IP packet begins, or why there is none."""


def network_offset(link_type: int, data: bytes, passed: Passed = None) -> int:
    """Return where the IP packet begins in a frame, from 0.

    A negative number says why there is none: NOT_IP, TOO_SHORT or UNKNOWN_LINK_TYPE. To
    ``passed`` are added the tags, labels and sessions on the way, and the EtherType at its end
    if that is not IP's.
    """
    known = LINK_TYPES.get(link_type)
    return known.network_offset(data, passed) if known else UNKNOWN_LINK_TYPE


def _ethernet(data: bytes, passed: Passed) -> int:
    """IEEE Std 802.3 section 3.1.1: two addresses of six bytes, then length or EtherType."""
    return after_ether_type(data, 12, passed)


def after_ether_type(data: bytes, position: int, passed: Passed = None) -> int:
    """Follow the EtherType at ``position`` to the IP packet after tags, labels and sessions."""
    while True:
        start = position + 2
        if len(data) < start:
            return TOO_SHORT
        ether_type = data[position] << 8 | data[position + 1]
        if ether_type in (IPV4, IPV6):
            return start
        if ether_type in VLAN_TAGS:  # IEEE Std 802.1Q section 9.4: two bytes, the next EtherType
            position = start + 2
            if passed is not None:
                passed.append(Layer("vlan", int.from_bytes(data[start:position], "big") & 0xFFF))
        elif ether_type <= LONGEST_802_3 and SNAP.startswith(data[start : start + len(SNAP)]):
            position = start + len(SNAP)
        elif ether_type == TRANSPARENT_ETHERNET:
            position = start + 12
        elif ether_type == BACKBONE_SERVICE_TAG:  # IEEE Std 802.1Q section 9.7: 4 bytes, a frame
            position = start + 4 + 12
        else:
            return _after_other(data, ether_type, start, passed)


def _after_other(data: bytes, ether_type: int, start: int, passed: Passed) -> int:
    if ether_type in MPLS:
        return after_labels(data, start, passed)
    if ether_type == PPPOE_SESSION:
        return _after_pppoe(data, start, passed)
    if ether_type <= LONGEST_802_3 and IP_SAP.startswith(data[start : start + len(IP_SAP)]):
        start += len(IP_SAP)
        return start if len(data) > start else TOO_SHORT
    if passed is not None:
        passed.append(Layer("ethertype", ether_type))
    return NOT_IP


def after_labels(data: bytes, position: int, passed: Passed = None) -> int:
    """Follow MPLS labels (RFC 3032 section 2.1) to the IP packet at the bottom of their stack.

    What lies there is not said. IP tells itself by its version, and must not be taken for a
    pseudowire without a control word (RFC 4928 section 3); one with it begins with zeros (RFC 4385
    section 3). An Ethernet frame is taken for one if IP follows its addresses.
    """
    while True:
        start = position + 4
        if len(data) < start:
            return TOO_SHORT
        if passed is not None:
            label = int.from_bytes(data[position : position + 3], "big") >> 4
            passed.append(Layer("mpls", label))
        if data[position + 2] & 1:
            break
        position = start
    if len(data) == start:
        return TOO_SHORT
    version = data[start] >> 4
    # A frame's first address may begin with 4 or 6 too: then what follows it decides.
    if version in (4, 6) and (
        is_surely_ip(data, start, len(data)) or not _is_ethernet_with_ip(data, start)
    ):
        return start
    return _after_pseudowire(data, start, passed)


def _after_pseudowire(data: bytes, start: int, passed: Passed) -> int:
    """RFC 4448: an Ethernet frame from its addresses on, perhaps after a control word."""
    for place in (start, start + 4) if data[start] >> 4 else (start + 4, start):
        if _is_ethernet_with_ip(data, place):
            return after_ether_type(data, place + 12, passed)
    return NOT_IP if len(data) > start + 4 + 14 else TOO_SHORT


def _is_ethernet_with_ip(data: bytes, start: int) -> bool:
    """Whether an Ethernet frame begins at ``start``, and IP's version stands where it must."""
    found = after_ether_type(data, start + 12) if len(data) > start + 14 else NOT_IP
    if not start < found < len(data):
        return False
    ether_type = int.from_bytes(data[found - 2 : found], "big")
    return data[found] >> 4 == (4 if ether_type == IPV4 else 6) and ether_type in (IPV4, IPV6)


def _after_pppoe(data: bytes, position: int, passed: Passed) -> int:
    """RFC 2516 section 4: version, type, code, session and length take six bytes; then PPP."""
    start = position + 6
    if len(data) < start + 1:
        return TOO_SHORT
    if passed is not None:
        session = int.from_bytes(data[position + 2 : position + 4], "big")
        passed.append(Layer("pppoe", session))
    return after_ppp(data, start, passed)


def after_ppp(data: bytes, start: int, passed: Passed = None) -> int:
    """RFC 1661 section 2: a protocol of two bytes, or of one if it is odd (section 6.5)."""
    if len(data) < start + 1:
        return TOO_SHORT
    if data[start] & 1:
        return start + 1 if data[start] in (PPP_IPV4, PPP_IPV6) else NOT_IP
    if len(data) < start + 2:
        return TOO_SHORT
    protocol = int.from_bytes(data[start : start + 2], "big")
    if protocol in PPP_MPLS:
        return after_labels(data, start + 2, passed)
    return start + 2 if protocol in (PPP_IPV4, PPP_IPV6) else NOT_IP


def _ppp(data: bytes, passed: Passed) -> int:
    """LINKTYPE_PPP and LINKTYPE_PPP_HDLC: RFC 1662's address and control field may be left out."""
    if data[:2] == ALL_STATIONS:
        return after_ppp(data, 2, passed)
    if data[:1] == ALL_STATIONS[:1] and len(data) == 1:
        return TOO_SHORT
    if data[:1] in (b"\x0f", b"\x8f"):
        return _cisco_hdlc(data, passed)
    return after_ppp(data, 0, passed)


def _cisco_hdlc(data: bytes, passed: Passed) -> int:
    """LINKTYPE_C_HDLC: address, control, EtherType (RFC 1547 section 4.3.1)."""
    return after_ether_type(data, 2, passed)


def _pppoe(data: bytes, passed: Passed) -> int:
    """LINKTYPE_PPP_ETHER: a PPPoE header without Ethernet's."""
    return _after_pppoe(data, 0, passed)


def _mpls(data: bytes, passed: Passed) -> int:
    """LINKTYPE_MPLS: labels, and nothing before them."""
    return after_labels(data, 0, passed)


def _bsd_loopback(data: bytes, passed: Passed) -> int:
    """LINKTYPE_NULL: a protocol family in the byte order of the host that captured.

    LINKTYPE_LOOP has it in network order. Families are small: where the number is, is its order.
    """
    if len(data) < 4:
        return TOO_SHORT
    family = int.from_bytes(data[:4], "big" if data[:2] == b"\0\0" else "little")
    return 4 if family in IP_FAMILIES else NOT_IP


def _raw_ip(data: bytes, passed: Passed) -> int:
    """LINKTYPE_RAW: the frame is the packet; its first four bits are the IP version."""
    if not data:
        return TOO_SHORT
    return 0 if data[0] >> 4 in (4, 6) else NOT_IP


def _linux_cooked(data: bytes, passed: Passed) -> int:
    """LINKTYPE_LINUX_SLL: 16 bytes, the last two of which are an EtherType."""
    return after_ether_type(data, 14, passed)


def _linux_cooked_2(data: bytes, passed: Passed) -> int:
    """LINKTYPE_LINUX_SLL2: 20 bytes, the first two of which are an EtherType."""
    if len(data) < 20:
        return TOO_SHORT
    ether_type = int.from_bytes(data[:2], "big")
    if ether_type in (IPV4, IPV6):
        return 20
    if ether_type in VLAN_TAGS:  # the tag's other half and what it tags follow the header
        return after_ether_type(data, 22, passed)
    return _after_other(data, ether_type, 20, passed)


def _pktap(data: bytes, passed: Passed) -> int:
    """LINKTYPE_PKTAP: Darwin's ``struct pktap_header``, little-endian, then a frame.

    It begins with its own length, the kind of record (1 is a packet), and the frame's DLT_ value.
    """
    if len(data) < 12:
        return TOO_SHORT
    length, kind, link_type = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    if length < 12 or kind != 1 or link_type == LINKTYPE_PKTAP:
        return NOT_IP
    if len(data) < length:
        return TOO_SHORT
    start = network_offset(link_type, data[length:], passed)
    return start if start < 0 else start + length


def _nflog(data: bytes, passed: Passed) -> int:
    """LINKTYPE_NFLOG: family, version, resource; then values with length and type before each.

    Both are in the byte order of the host that captured. Types are small, and none is 0.
    """
    if len(data) < 4:
        return TOO_SHORT
    if data[0] not in IP_FAMILIES or data[1]:
        return NOT_IP
    order: Literal["little", "big"] = "big" if data[7:8] > b"\0" else "little"
    position = 4
    while position + 4 <= len(data):
        length = int.from_bytes(data[position : position + 2], order)
        kind = int.from_bytes(data[position + 2 : position + 4], order)
        if kind & 0x7FFF == NFULA_PAYLOAD:
            return position + 4 if len(data) > position + 4 else TOO_SHORT
        if length < 4:
            return NOT_IP
        position += (length + 3) & ~3
    return TOO_SHORT


LINKTYPE_PKTAP = 258
LINK_TYPES = {
    0: LinkType("BSD loopback (NULL)", _bsd_loopback),
    1: LinkType("Ethernet", _ethernet),
    9: LinkType("PPP", _ppp),
    12: LinkType("raw IP (DLT_RAW)", _raw_ip),
    14: LinkType("raw IP (OpenBSD DLT_RAW)", _raw_ip),
    50: LinkType("PPP in HDLC", _ppp),
    51: LinkType("PPPoE", _pppoe),
    101: LinkType("raw IP", _raw_ip),
    104: LinkType("Cisco HDLC", _cisco_hdlc),
    108: LinkType("OpenBSD loopback (LOOP)", _bsd_loopback),
    113: LinkType("Linux cooked capture (SLL)", _linux_cooked),
    219: LinkType("MPLS", _mpls),
    228: LinkType("raw IPv4", _raw_ip),
    229: LinkType("raw IPv6", _raw_ip),
    239: LinkType("Linux netfilter log (NFLOG)", _nflog),
    LINKTYPE_PKTAP: LinkType("Apple PKTAP", _pktap),
    276: LinkType("Linux cooked capture 2 (SLL2)", _linux_cooked_2),
}
"""The link types whose packets are decoded."""
