"""Packets are told apart by their ends, whatever they are recorded on."""

from __future__ import annotations

import pytest
from support.frames import ACK, PSH, fragments, ipv4, tcp, udp
from support.talk import Talk

from parsers import Packet
from wireproof.collect.ends import DATAGRAM, LINUX_SLL2, divided, keys

OWN = ("10.0.0.1:40000", "10.0.0.2:8000")
ETHERNET = 1


def cooked(frame: bytes) -> bytes:
    """The same packet as it is recorded on all interfaces."""
    return frame[12:14] + bytes(18) + frame[14:]


def row(data: bytes, link_type: int = ETHERNET) -> Packet:
    return (1, 0, link_type, len(data), data)


def takers(packet: Packet, client: str, server: str) -> list[str]:
    by_key = {key: ["own"] for key in keys(client, server)} | {DATAGRAM: ["datagrams"]}
    return [one for one, _ in divided([packet], by_key, ["all"])]


def ends_of(frame: bytes, size: int = 4) -> tuple[str, str]:
    """The addresses and ports of a frame, as records name them."""
    from ipaddress import ip_address

    start = 14 + (12 if size == 4 else 8)
    found = []
    for number in (0, 1):
        address = str(ip_address(frame[start + number * size : start + (number + 1) * size]))
        ports = start + 2 * size
        port = int.from_bytes(frame[ports + 2 * number : ports + 2 * number + 2])
        found.append(f"{address}:{port}" if size == 4 else f"[{address}]:{port}")
    return found[0], found[1]


@pytest.mark.parametrize("sender", ["client", "server"])
@pytest.mark.parametrize("is_ipv6", [False, True])
@pytest.mark.parametrize("link_type", [ETHERNET, LINUX_SLL2])
def test_a_packet_is_its_own_connection_s(sender, is_ipv6: bool, link_type: int) -> None:
    frame = Talk(is_ipv6=is_ipv6).frame(sender, b"abc", PSH | ACK)
    ends = ends_of(frame, 16 if is_ipv6 else 4)
    packet = row(cooked(frame) if link_type == LINUX_SLL2 else frame, link_type)
    assert takers(packet, *ends) == takers(packet, *ends[::-1]) == ["own"]
    assert takers(packet, ends[0], "10.9.9.9:1") == []


def test_what_may_be_anybody_s_is_for_all() -> None:
    frame = Talk().frame("client", bytes(100), PSH | ACK)
    for piece in fragments(frame, 40):
        assert takers(row(piece), *ends_of(frame)) == ["all"]


def test_what_is_nobody_s_is_passed_over() -> None:
    frame = Talk().frame("client", b"abc")
    for data in (frame[:20], b"", bytes(12) + b"\x08\x06" + bytes(28)):
        assert takers(row(data), *ends_of(frame)) == []


def test_datagrams_have_a_key_of_their_own() -> None:
    assert takers(row(ipv4(udp(1, 443, b"x"), protocol=17)), *OWN) == ["datagrams"]


def test_options_of_ip_are_no_hindrance() -> None:
    segment = tcp(40_000, 8_000, ACK, payload=b"abc")
    frame = ipv4(segment)
    longer = frame[:14] + bytes([0x46]) + frame[15:34] + bytes(4) + frame[34:]
    total = (int.from_bytes(frame[16:18]) + 4).to_bytes(2)
    longer = longer[:16] + total + longer[18:]
    assert takers(row(longer), *ends_of(frame)) == ["own"]
