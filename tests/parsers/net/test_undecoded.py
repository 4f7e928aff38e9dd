"""What is counted beside TCP: by which name, up to which limits, and what of it is said."""

from __future__ import annotations

import pytest
from support.frames import UDP, ipv4, udp

from parsers.limits import MAX_UNDECODED_KINDS, MAX_UNDECODED_LISTED
from parsers.net.ip import IpPacket
from parsers.net.tunnels import read_packet
from parsers.net.undecoded import Kind, UndecodedPackets, describe, kind_of_frame, kind_of_packet


def said(kinds: list[Kind], *, is_all: bool = True) -> list[str]:
    counted = UndecodedPackets()
    for kind in kinds:
        counted.add(kind)
    return [fault.summary for fault in counted.diagnostics(is_all=is_all)]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (bytes(12) + b"\x08\x06" + bytes(28), "EtherType 0x0806 (ARP)"),
        (bytes(12) + b"\x99\x99" + bytes(28), "EtherType 0x9999"),
        (bytes(12) + b"\0\x26\x42\x42\3" + bytes(35), "no known protocol"),
        (b"", "no known protocol"),
    ],
)
def test_a_frame_without_ip(frame: bytes, words: str) -> None:
    assert describe(kind_of_frame(1, frame)) == words


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (ipv4(bytes(8), 47), "protocol 47 (GRE)"),
        (ipv4(bytes(8), 200), "protocol 200"),
        (ipv4(bytes(7), UDP), "protocol 17 (UDP)"),
        (ipv4(udp(50_000, 53), UDP), "UDP port 53 (DNS)"),
        (ipv4(udp(53, 50_000), UDP), "UDP port 53 (DNS)"),
        (ipv4(udp(50_000, 40_000), UDP), "UDP port 40000"),
    ],
)
def test_a_packet_without_tcp(frame: bytes, words: str) -> None:
    packet = read_packet(1, frame, len(frame))
    assert isinstance(packet, IpPacket)
    assert describe(kind_of_packet(frame, packet)) == words


GRE, ARP, DNS, UNKNOWN = (
    Kind("protocol", 47), Kind("ethertype", 0x0806), Kind("port", 53), Kind("protocol", 200)
)  # fmt: skip


def test_what_may_carry_http_is_always_said() -> None:
    expected = [
        "2 packets of protocol 47 (GRE) were not decoded",
        "1 packet of protocol 200 was not decoded",
    ]
    assert said([ARP, GRE, DNS, UNKNOWN, GRE], is_all=False) == expected


def test_the_most_frequent_ones_are_named() -> None:
    many = [Kind("port", 10_000 + number) for number in range(MAX_UNDECODED_LISTED + 2)]
    found = said([ARP, *many, ARP])
    assert found[0] == "2 packets of EtherType 0x0806 (ARP) were not decoded"
    assert len(found) == MAX_UNDECODED_LISTED + 1
    assert found[-1] == "3 packets of 3 other kinds were not decoded"


def test_beyond_the_limit_the_rest_are_counted_together() -> None:
    many = [Kind("port", 10_000 + number) for number in range(MAX_UNDECODED_KINDS)]
    assert said([*many, DNS, ARP, DNS])[0] == "3 packets of other protocols were not decoded"
