"""ICMP errors (RFC 792, RFC 4443): which segment they are about, and what became of it.

Strategy: an error quotes the IP header of the packet that it is about and, at least, the eight
bytes after it: ports and sequence number, enough to find the connection and the place in
its stream. The quoted header is read as any other.
"""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics import Diagnostic
from .ip import TCP, IpPacket, read_ip

ICMP, ICMP6 = 1, 58
ICMP_HEADER = 8
QUOTED = 8
"""Bytes of the segment that are always there (RFC 792, "Internet Header + 64 bits")."""

UNREACHABLE, TIME_EXCEEDED = 3, 11  # RFC 792
TOO_BIG = 4
"""The code of an unreachable destination that is one (RFC 1191 section 4)."""
UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6 = 1, 2, 3  # RFC 4443 section 3

# RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1; RFC 4443 section 3.1.
REASONS = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network prohibited",
    10: "host prohibited",
    11: "network unreachable for this type of service",
    12: "host unreachable for this type of service",
    13: "prohibited by a filter",
}
REASONS6 = {
    0: "no route",
    1: "prohibited by a filter",
    2: "beyond the scope of its source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address refused by a policy",
    6: "route rejected",
}


class IcmpError(NamedTuple):
    """An error that is about a TCP segment."""

    fault: str
    """A key of :data:`~parsers.diagnostics.FAULTS`."""
    reason: str
    key: bytes
    """Of the segment: source and destination address, source and destination port."""
    seq: int
    size: int
    """Bytes of TCP, its header included, that the quoted packet had."""


def read_icmp_error(data: bytes, packet: IpPacket) -> IcmpError | None:
    """Return the error in a packet of ``data``, None if it is none, or about no TCP segment."""
    start = packet.start
    if packet.protocol not in (ICMP, ICMP6) or packet.end - start < ICMP_HEADER + 20 + QUOTED:
        return None
    read = _fault if packet.protocol == ICMP else _fault6
    said = read(data[start], data[start + 1], data[start + 4 : start + 8])
    if said is None:
        return None
    # What is quoted was longer: its header still says how long.
    quoted = read_ip(data[: packet.end], start + ICMP_HEADER, 1 << 32)
    if isinstance(quoted, Diagnostic) or quoted.protocol != TCP:
        return None
    if quoted.fragment is not None and quoted.fragment.offset:
        return None
    segment = data[quoted.start : quoted.start + QUOTED]
    if len(segment) < QUOTED or quoted.end - quoted.start < QUOTED:
        return None
    key = quoted.source + quoted.destination + segment[:4]
    seq = int.from_bytes(segment[4:], "big")
    return IcmpError(*said, key, seq, quoted.length)


def _fault(kind: int, code: int, rest: bytes) -> tuple[str, str] | None:
    if kind == TIME_EXCEEDED:
        return "icmp-time-exceeded", "time to live exceeded" if not code else "fragments missing"
    if kind != UNREACHABLE:
        return None
    if code == TOO_BIG:  # RFC 1191 section 4: the next hop's MTU, 0 from old routers
        mtu = int.from_bytes(rest[2:], "big")
        return "icmp-too-big", "fragmentation needed" + (
            f", the next hop takes {mtu:,}" if mtu else ""
        )
    return "icmp-unreachable", REASONS.get(code, f"unreachable, code {code}")


def _fault6(kind: int, code: int, rest: bytes) -> tuple[str, str] | None:
    if kind == TIME_EXCEEDED6:
        return "icmp-time-exceeded", "hop limit exceeded" if not code else "fragments missing"
    if kind == TOO_BIG6:
        return "icmp-too-big", f"packet too big, the next hop takes {int.from_bytes(rest, 'big'):,}"
    if kind == UNREACHABLE6:
        return "icmp-unreachable", REASONS6.get(code, f"unreachable, code {code}")
    return None
