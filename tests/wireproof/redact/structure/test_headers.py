"""Headers of packets without options that may hold anything."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from parsers import ETHERNET
from wireproof.bytes.segment_tap import ip_packet
from wireproof.redact.structure.headers import clear_options, kept_of

SECRET = b"secretsecret"
OPTIONS = [("MSS", 1460), ("Timestamp", (1, 2)), (253, SECRET), ("NOP", None)]
PACKETS = {
    "options of TCP": IP() / TCP(options=OPTIONS),
    "options of IP": IP(options=[IPOption(b"\x9e\x0e" + SECRET)]) / UDP(),
    "options of IPv6": IPv6() / IPv6ExtHdrDestOpt(options=[PadN(otype=30, optdata=SECRET)]) / UDP(),
}


@pytest.mark.parametrize("name", PACKETS)
def test_options_are_cleared(name: str) -> None:
    packet: Packet = Ether() / PACKETS[name]
    data = bytes(packet)
    found = ip_packet((1, 0, ETHERNET, len(data), data))
    assert found is not None and SECRET in data
    frame = bytearray(data)
    clear_options(frame, found)
    assert len(frame) == len(data) and SECRET not in frame
    read = Ether(bytes(frame))
    if TCP in read:
        assert read[TCP].options[:2] == OPTIONS[:2]


def test_damaged_options_are_cleared() -> None:
    data = bytearray(bytes(Ether() / IP() / TCP(options=OPTIONS)))
    data[54:58] = b"\x1e\xffab"
    found = ip_packet((1, 0, ETHERNET, len(data), bytes(data)))
    assert found is not None
    clear_options(data, found)
    assert set(data[54:]) == {1}


@pytest.mark.parametrize(
    "packet, kept",
    [
        (IP() / UDP() / Raw(SECRET), 42),
        (IP() / TCP() / Raw(SECRET), 54),
        (IP(proto=253) / Raw(SECRET), 34),
        (IP() / ICMP(type=8) / Raw(SECRET), 42),
        (IP() / ICMP(type=3) / IP() / UDP() / Raw(SECRET), 70),
        (IP() / ICMP(type=3) / Raw(SECRET), 42),
        (IP(frag=1, proto=6) / Raw(SECRET * 2), 46),
        (IP(frag=9, proto=6) / Raw(SECRET), 34),
    ],
)
def test_where_the_payload_begins(packet: Packet, kept: int) -> None:
    data = bytes(Ether() / packet)
    found = ip_packet((1, 0, ETHERNET, len(data), data))
    assert found is not None
    assert kept_of(data, found) == kept
