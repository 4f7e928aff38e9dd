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


def extension(size: int, rest: bytes) -> bytes:
    """The rest of a header before UDP, whose size stands in its second byte."""
    return bytes((17, size)) + rest


@pytest.mark.parametrize(
    "kind, header",
    [
        (51, extension(4, bytes(10) + SECRET)),
        (43, extension(1, bytes(2) + SECRET)),
        (135, extension(1, bytes(2) + SECRET)),
        (139, extension(1, SECRET + bytes(2))),
        (140, extension(1, SECRET + bytes(2))),
        (60, extension(40, SECRET * 27 + bytes(2))),
        (0, extension(1, b"\xc2\4\0\0\0\0" + SECRET[:8])),
    ],
)
def test_extensions_of_ipv6_are_cleared(kind: int, header: bytes) -> None:
    data = bytes(Ether() / IPv6(nh=kind) / Raw(header + bytes(UDP())))
    found = ip_packet((1, 0, ETHERNET, len(data), data))
    assert found is not None and found.protocol == 17
    frame = bytearray(data)
    clear_options(frame, found)
    assert not any(SECRET[at : at + 4] in frame for at in range(9))
    assert ip_packet((1, 0, ETHERNET, len(data), bytes(frame))) == found
    assert frame[found.start :] == data[found.start :]


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
        (IP(proto=17) / Raw(b"secret"), 34),
        (IP(frag=1, proto=1) / Raw(b"\x03" * 60), 34),
        (IP() / ICMP(type=3) / IP(proto=253) / Raw(SECRET), 62),
        (IP() / ICMP(type=3) / IP(proto=17, frag=1) / Raw(SECRET), 62),
        (IP(frag=1, proto=6) / Raw(SECRET * 2), 46),
        (IP(frag=9, proto=6) / Raw(SECRET), 34),
    ],
)
def test_where_the_payload_begins(packet: Packet, kept: int) -> None:
    data = bytes(Ether() / packet)
    found = ip_packet((1, 0, ETHERNET, len(data), data))
    assert found is not None
    assert kept_of(data, found) == kept
