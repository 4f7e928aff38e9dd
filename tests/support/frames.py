"""Ethernet frames by hand: TCP and UDP over IPv4 and IPv6, as loopback has them."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from struct import pack

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
TCP, UDP = 6, 17
ETHERNET = bytes(12)


@cache
def packed(address: str) -> bytes:
    """The four or sixteen bytes of an IP address."""
    return ip_address(address).packed


def tcp(
    source: int,
    destination: int,
    flags: int = ACK,
    *,
    seq: int = 0,
    ack: int = 0,
    payload: bytes = b"",
    options: bytes = b"",
) -> bytes:
    """A TCP segment; ``options`` are whole words."""
    offset = 5 + len(options) // 4
    header = pack("!HHIIBBHHH", source, destination, seq, ack, offset << 4, flags, 65_535, 0, 0)
    return header + options + payload


def udp(source: int, destination: int, payload: bytes = b"") -> bytes:
    """A UDP datagram."""
    return pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def ipv4(
    payload: bytes,
    protocol: int = TCP,
    *,
    source: str = "127.0.0.1",
    destination: str = "127.0.0.1",
    fragment: int = 0,
    options: bytes = b"",
    padding: bytes = b"",
) -> bytes:
    """An Ethernet frame with an IPv4 packet; ``options`` are whole words."""
    words = 5 + len(options) // 4
    length = words * 4 + len(payload)
    header = pack("!BBHHHBBH", 0x40 | words, 0, length, 1, fragment, 64, protocol, 0)
    addresses = packed(source) + packed(destination)
    return ETHERNET + b"\x08\x00" + header + addresses + options + payload + padding


def ipv6(
    payload: bytes, next_header: int = TCP, *, source: str = "::1", destination: str = "::1"
) -> bytes:
    """An Ethernet frame with an IPv6 packet."""
    header = pack("!IHBB", 6 << 28, len(payload), next_header, 64)
    addresses = packed(source) + packed(destination)
    return ETHERNET + b"\x86\xdd" + header + addresses + payload


def fragments(frame: bytes, size: int) -> list[bytes]:
    """An Ethernet frame's IPv4 packet in fragments of ``size`` bytes, a multiple of eight."""
    header, payload = bytearray(frame[14:34]), frame[34:]
    found = []
    for start in range(0, len(payload), size):
        part = payload[start : start + size]
        more = 0x2000 if start + size < len(payload) else 0
        header[2:4] = (20 + len(part)).to_bytes(2, "big")
        header[6:8] = (more | start // 8).to_bytes(2, "big")
        found.append(frame[:14] + bytes(header) + part)
    return found
