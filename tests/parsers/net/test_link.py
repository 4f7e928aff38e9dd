"""Link-layer headers: what is before the IP packet, and what is no IP packet."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packets import ipv4, ipv6

from parsers.net.ip import Layer
from parsers.net.link import LINK_TYPES, NOT_IP, TOO_SHORT, UNKNOWN_LINK_TYPE, network_offset

ADDRESSES = bytes(12)
IPV4, IPV6, ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
VLAN, SERVICE_VLAN, OLD_VLAN = b"\x81\x00\0\5", b"\x88\xa8\0\6", b"\x91\x00\0\7"
PPPOE = b"\x88\x64\x11\0\0\1\0\x2a"
SNAP = b"\xaa\xaa\x03\0\0\0"
LABELS = b"\x88\x47" + b"\0\1\0\x40" + b"\0\1\1\x40"
BACKBONE = b"\x88\xe7" + bytes(4)
CONTROL_WORD = bytes(4)
COOKED = bytes(14)
COOKED_2 = bytes(18)


def pktap(link_type: int, *, length: int = 108, kind: int = 1) -> bytes:
    """Darwin's header: its length, the kind of record, the link type of what follows."""
    return pack("<III", length, kind, link_type).ljust(length, b"\7")


FOUND = [
    (1, ADDRESSES + IPV4),
    (1, ADDRESSES + IPV6),
    (1, ADDRESSES + VLAN + IPV4),
    (1, ADDRESSES + SERVICE_VLAN + VLAN + IPV6),
    (1, ADDRESSES + OLD_VLAN + VLAN * 20 + IPV4),
    (1, ADDRESSES + PPPOE + b"\x00\x21"),
    (1, ADDRESSES + PPPOE + b"\x00\x57"),
    (1, ADDRESSES + PPPOE + b"\x21"),
    (1, ADDRESSES + VLAN + PPPOE + b"\x00\x21"),
    (1, ADDRESSES + b"\x00\x30" + SNAP + IPV4),
    (1, ADDRESSES + b"\x00\x30" + b"\6\6\3"),
    (1, ADDRESSES + BACKBONE + ADDRESSES + IPV4),
    (1, ADDRESSES + b"\x65\x58" + ADDRESSES + IPV4),
    (1, ADDRESSES + LABELS),
    (1, ADDRESSES + VLAN + LABELS),
    (1, ADDRESSES + PPPOE + b"\x02\x81" + LABELS[2:]),
    (9, b"\x00\x21"),
    (9, b"\x21"),
    (9, b"\xff\x03\x00\x57"),
    (50, b"\xff\x03\x00\x21"),
    (50, b"\x0f\x00\x08\x00"),
    (51, PPPOE[2:] + b"\x00\x21"),
    (104, b"\x0f\x00\x86\xdd"),
    (104, b"\x8f\x00" + LABELS),
    (219, LABELS[2:]),
    (113, COOKED + LABELS),
    (276, b"\x88\x47" + COOKED_2 + LABELS[2:]),
    (276, b"\x88\x64" + COOKED_2 + PPPOE[2:] + b"\x00\x21"),
    (239, b"\2\0\0\1" + b"\x08\0\1\0\x08\0\0\0" + b"\5\0\x0a\0x\0\0\0" + b"\x28\0\x09\0"),
    (239, b"\x0a\0\0\1" + b"\0\x08\0\1\x08\0\0\0" + b"\0\x28\0\x09"),
    (258, pktap(1) + ADDRESSES + IPV4),
    (258, pktap(0) + b"\2\0\0\0"),
    (258, pktap(12)),
    (258, pktap(1, length=156) + ADDRESSES + PPPOE + b"\x21"),
    (0, b"\2\0\0\0"),
    (0, b"\0\0\0\2"),
    *[(0, bytes([family, 0, 0, 0])) for family in (10, 23, 24, 26, 28, 30)],
    (0, b"\0\0\0\x1e"),
    (108, b"\0\0\0\2"),
    (108, b"\0\0\0\x18"),
    (108, b"\x18\0\0\0"),
    (12, b""),
    (14, b""),
    (101, b""),
    (228, b""),
    (113, COOKED + IPV4),
    (113, COOKED + VLAN + IPV6),
    (276, IPV4 + COOKED_2),
    (276, IPV6 + COOKED_2),
    (276, VLAN[:2] + COOKED_2 + VLAN[2:] + IPV4),
]

PSEUDOWIRES = [
    (1, ADDRESSES + LABELS + CONTROL_WORD + ADDRESSES + VLAN + IPV4),
    (1, ADDRESSES + LABELS + ADDRESSES + IPV4),
    (1, ADDRESSES + LABELS + b"\x4c" + ADDRESSES[1:] + IPV4),  # an address may begin with 4
]
"""What they carry is only seen in what they carry: cut, they may look like something else."""


@pytest.mark.parametrize(("link_type", "header"), FOUND + PSEUDOWIRES)
def test_the_ip_packet_is_found(link_type: int, header: bytes) -> None:
    frame = header + ipv4(b"payload")
    assert network_offset(link_type, frame) == len(header)
    assert network_offset(link_type, frame + b"trailer") == len(header)


@pytest.mark.parametrize(("link_type", "header"), [row for row in FOUND if row[1]])
def test_a_header_cut_anywhere_is_too_short(link_type: int, header: bytes) -> None:
    for cut in range(len(header)):
        assert network_offset(link_type, header[:cut]) == TOO_SHORT, cut


@pytest.mark.parametrize("link_type", [12, 14, 101, 228, 229])
def test_raw_ip_says_its_version(link_type: int) -> None:
    assert network_offset(link_type, ipv4(b"")) == 0
    assert network_offset(link_type, ipv6(b"")) == 0
    assert network_offset(link_type, b"\x55") == NOT_IP
    assert network_offset(link_type, b"") == TOO_SHORT


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (1, ADDRESSES + ARP + bytes(28)),
        (1, ADDRESSES + VLAN + ARP + bytes(28)),
        (1, ADDRESSES + b"\x00\x26" + b"\x42\x42\x03" + bytes(35)),  # spanning tree
        (1, ADDRESSES + b"\x05\xdd" + SNAP + IPV4 + ipv4(b"")),  # 1501 is no length
        (1, ADDRESSES + PPPOE + b"\xc0\x21" + bytes(8)),  # link control
        (1, ADDRESSES + PPPOE + b"\x23" + bytes(8)),
        (0, b"\7\0\0\0" + bytes(20)),
        (108, bytes(24)),
        (113, COOKED + ARP + bytes(28)),
        (276, ARP + COOKED_2 + bytes(28)),
        (1, ADDRESSES + LABELS + b"\x10" + bytes(40)),  # RFC 4385 section 5: a control channel
        (1, ADDRESSES + LABELS + CONTROL_WORD + ADDRESSES + ARP + bytes(28)),
        (9, b"\xff\x03\xc0\x21" + bytes(20)),
        (104, b"\x0f\x00\x80\x35" + bytes(20)),
        (239, b"\2\1\0\1" + bytes(20)),  # another version
        (239, b"\7\0\0\1" + bytes(20)),
        (239, b"\2\0\0\1" + b"\3\0\1\0" + bytes(20)),  # a value shorter than its own header
        (258, pktap(1, kind=0) + ADDRESSES + IPV4 + bytes(20)),
        (258, pktap(258) + pktap(1) + ADDRESSES + IPV4 + bytes(20)),
        (258, pktap(1, length=8) + bytes(60)),
    ],
)
def test_other_packets_are_no_ip(link_type: int, frame: bytes) -> None:
    assert network_offset(link_type, frame) == NOT_IP


def test_what_was_passed_is_told_to_whoever_asks() -> None:
    passed: list[Layer] = []
    assert network_offset(1, ADDRESSES + VLAN + LABELS + ipv4(b""), passed) > 0
    assert passed == [Layer("vlan", 5), Layer("mpls", 16), Layer("mpls", 16)]
    passed = []
    assert network_offset(1, ADDRESSES + PPPOE + b"\x21" + ipv4(b""), passed) > 0
    assert passed == [Layer("pppoe", 1)]
    passed = []
    assert network_offset(1, ADDRESSES + ARP, passed) == NOT_IP
    assert passed == [Layer("ethertype", 0x0806)]


def test_an_unknown_link_type_is_said_to_be_unknown() -> None:
    assert network_offset(147, ipv4(b"")) == UNKNOWN_LINK_TYPE


def test_link_types_have_different_names() -> None:
    assert len({known.name for known in LINK_TYPES.values()}) == len(LINK_TYPES)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(LINK_TYPES)), st.binary(max_size=60))
def test_any_bytes_give_an_offset_within_them_or_a_reason(link_type: int, frame: bytes) -> None:
    offset = network_offset(link_type, frame)
    assert offset in (NOT_IP, TOO_SHORT) or 0 <= offset <= len(frame)
