"""Link-layer headers: what is before the IP packet, and what is no IP packet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packets import ipv4, ipv6

from parsers.net.link import LINK_TYPES, NOT_IP, TOO_SHORT, UNKNOWN_LINK_TYPE, network_offset

ADDRESSES = bytes(12)
IPV4, IPV6, ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
VLAN, SERVICE_VLAN, OLD_VLAN = b"\x81\x00\0\5", b"\x88\xa8\0\6", b"\x91\x00\0\7"
PPPOE = b"\x88\x64\x11\0\0\1\0\x2a"
SNAP = b"\xaa\xaa\x03\0\0\0"
COOKED = bytes(14)
COOKED_2 = bytes(18)

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


@pytest.mark.parametrize(("link_type", "header"), FOUND)
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
    ],
)
def test_other_packets_are_no_ip(link_type: int, frame: bytes) -> None:
    assert network_offset(link_type, frame) == NOT_IP


def test_an_unknown_link_type_is_said_to_be_unknown() -> None:
    assert network_offset(147, ipv4(b"")) == UNKNOWN_LINK_TYPE


def test_link_types_have_different_names() -> None:
    assert len({known.name for known in LINK_TYPES.values()}) == len(LINK_TYPES)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(LINK_TYPES)), st.binary(max_size=60))
def test_any_bytes_give_an_offset_within_them_or_a_reason(link_type: int, frame: bytes) -> None:
    offset = network_offset(link_type, frame)
    assert offset in (NOT_IP, TOO_SHORT) or 0 <= offset <= len(frame)
