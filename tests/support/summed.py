"""Frames whose checksums are right, as scapy works them out, and IP packets in fragments."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

from parsers.files.packets import Packet

from .frames import fragments
from .tunnels import Ether

ETHERNET_SIZE, IPV6_SIZE = 14, 40


def with_checksums(frame: bytes) -> bytes:
    """Return a frame with right checksums of IP, TCP and UDP."""
    packet = Ether(frame)
    layer = packet
    while layer:
        if "chksum" in layer.fields and layer.name != "GRE":
            layer.delfieldval("chksum")
        layer = layer.payload
    return bytes(packet)


def all_with_checksums(packets: Iterable[Packet]) -> list[Packet]:
    return [(*packet[:4], with_checksums(packet[4])) for packet in packets]


def in_fragments(frame: bytes, size: int, identification: int = 77) -> list[bytes]:
    """An Ethernet frame's IPv4 or IPv6 packet in fragments of ``size`` bytes, of eight each."""
    if frame[ETHERNET_SIZE] >> 4 == 4:
        named = frame[:18] + identification.to_bytes(2, "big") + frame[20:]
        return fragments(named, size)
    head, payload = frame[: ETHERNET_SIZE + IPV6_SIZE], frame[ETHERNET_SIZE + IPV6_SIZE :]
    found = []
    for start in range(0, len(payload), size):
        part = payload[start : start + size]
        more = start + size < len(payload)
        header = pack("!BBHI", head[20], 0, start | more, identification)
        length = (len(header) + len(part)).to_bytes(2, "big")
        found.append(head[:18] + length + bytes((44,)) + head[21:] + header + part)
    return found


def put_together(frames: Iterable[bytes]) -> bytes:
    """The payload of an IP packet that is in these fragments; of what comes twice the first."""
    parts: dict[int, bytes] = {}
    for frame in frames:
        if frame[ETHERNET_SIZE] >> 4 == 4:
            offset, start = (int.from_bytes(frame[20:22], "big") & 0x1FFF) * 8, 34
        else:
            offset, start = int.from_bytes(frame[56:58], "big") & ~7, 62
        parts.setdefault(offset, frame[start:])
    return b"".join(parts[offset] for offset in sorted(parts))
