"""What a capture holds beside TCP, counted by protocol: nothing is passed over in silence.

Strategy: one counter for each EtherType, IP protocol and UDP port, up to a limit; what
comes after those is counted together. What may carry HTTP and is not decoded, encrypted tunnels and
QUIC among it, is always named. What keeps a network running, ARP, DNS and their like, is named
where there is nothing else: then it is the answer to "why is it empty?".
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ..diagnostics import Diagnostic
from ..limits import MAX_UNDECODED_KINDS, MAX_UNDECODED_LISTED
from .ip import IpPacket
from .link import Passed, network_offset
from .tunnel_protocols import UDP, UDP_HEADER

Where = Literal["ethertype", "protocol", "port", "link", "other"]


class Kind(Struct, frozen=True, order=True, gc=False):
    """Packets that are counted together."""

    where: Where
    number: int = 0


OTHERS = Kind("other")
NOT_DECODED = "packets-not-decoded"

# Registries: IEEE, EtherType; IANA, Assigned Internet Protocol Numbers, and Service Names and
# Ports. The second value: whether it may carry HTTP.
NAMES: dict[Kind, tuple[str, bool]] = {
    Kind("ethertype", 0x0806): ("ARP", False),
    Kind("ethertype", 0x8035): ("RARP", False),
    Kind("ethertype", 0x8863): ("PPPoE discovery", False),
    Kind("ethertype", 0x8809): ("LACP", False),
    Kind("ethertype", 0x888E): ("EAPOL", False),
    Kind("ethertype", 0x88CC): ("LLDP", False),
    Kind("ethertype", 0x88F7): ("PTP", False),
    Kind("ethertype", 0x9000): ("loopback test", False),
    Kind("ethertype", 0x88E5): ("MACsec", True),
    Kind("ethertype", 0x894F): ("NSH", True),
    Kind("protocol", 1): ("ICMP", False),
    Kind("protocol", 2): ("IGMP", False),
    Kind("protocol", 17): ("UDP", False),
    Kind("protocol", 47): ("GRE", True),
    Kind("protocol", 50): ("ESP, which is encrypted", True),
    Kind("protocol", 51): ("AH", True),
    Kind("protocol", 58): ("ICMPv6", False),
    Kind("protocol", 88): ("EIGRP", False),
    Kind("protocol", 89): ("OSPF", False),
    Kind("protocol", 97): ("EtherIP", True),
    Kind("protocol", 103): ("PIM", False),
    Kind("protocol", 112): ("VRRP", False),
    Kind("protocol", 115): ("L2TPv3", True),
    Kind("protocol", 132): ("SCTP", True),
    Kind("protocol", 137): ("MPLS in IP", True),
    Kind("port", 53): ("DNS", False),
    Kind("port", 67): ("DHCP", False),
    Kind("port", 123): ("NTP", False),
    Kind("port", 137): ("NetBIOS", False),
    Kind("port", 443): ("QUIC", True),
    Kind("port", 500): ("IKE", False),
    Kind("port", 514): ("syslog", False),
    Kind("port", 1194): ("OpenVPN, which is encrypted", True),
    Kind("port", 1701): ("L2TP", True),
    Kind("port", 1900): ("SSDP", False),
    Kind("port", 2152): ("GTP-U", True),
    Kind("port", 3544): ("Teredo", True),
    Kind("port", 4500): ("IPsec, which is encrypted", True),
    Kind("port", 4789): ("VXLAN", True),
    Kind("port", 4790): ("VXLAN-GPE", True),
    Kind("port", 5353): ("mDNS", False),
    Kind("port", 5355): ("LLMNR", False),
    Kind("port", 6081): ("GENEVE", True),
    Kind("port", 8472): ("VXLAN", True),
    Kind("port", 51820): ("WireGuard, which is encrypted", True),
}


def _may_carry_http(kind: Kind) -> bool:
    """Unknown protocols may; of UDP's ports only those that are known to."""
    if kind in NAMES:
        return NAMES[kind][1]
    return kind.where == "protocol"


def describe(kind: Kind) -> str:
    """Return ``protocol 47 (GRE)``, ``UDP port 53 (DNS)``, ``EtherType 0x0806 (ARP)``."""
    words = {
        "ethertype": f"EtherType 0x{kind.number:04x}",
        "protocol": f"protocol {kind.number}",
        "port": f"UDP port {kind.number}",
        "link": "no known protocol",
        "other": "other protocols",
    }[kind.where]
    return f"{words} ({NAMES[kind][0]})" if kind in NAMES else words


def kind_of_frame(link_type: int, data: bytes) -> Kind:
    """Return what a frame without an IP packet is counted as."""
    passed: Passed = []
    network_offset(link_type, data, passed)
    last = passed[-1] if passed else None
    if last is None or last.name != "ethertype" or last.number is None or last.number < 0x600:
        return Kind("link")
    return Kind("ethertype", last.number)


def kind_of_packet(data: bytes, packet: IpPacket) -> Kind:
    """Return what an IP packet without TCP is counted as: UDP by the better known of its ports."""
    start = packet.start
    if packet.protocol != UDP or packet.end - start < UDP_HEADER:
        return Kind("protocol", packet.protocol)
    source, destination = (
        int.from_bytes(data[place : place + 2], "big") for place in (start, start + 2)
    )
    for port in (destination, source):
        if Kind("port", port) in NAMES:
            return Kind("port", port)
    return Kind("port", min(source, destination))


class UndecodedPackets:
    """Counts packets."""

    def __init__(self) -> None:
        self._counts: dict[Kind, int] = {}

    def add(self, kind: Kind) -> None:
        """Count a packet."""
        if kind not in self._counts and len(self._counts) >= MAX_UNDECODED_KINDS:
            kind = OTHERS
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def diagnostics(self, *, is_all: bool) -> list[Diagnostic]:
        """Return one for each kind that may carry HTTP, most packets first; with ``is_all`` any."""
        kinds = [kind for kind in self._counts if is_all or _may_carry_http(kind)]
        kinds.sort(key=lambda kind: (-self._counts[kind], kind))
        listed, rest = kinds[:MAX_UNDECODED_LISTED], kinds[MAX_UNDECODED_LISTED:]
        found = [_say(self._counts[kind], describe(kind)) for kind in listed]
        if rest:
            count = sum(map(self._counts.__getitem__, rest))
            found.append(_say(count, f"{len(rest)} other kinds"))
        return found


def _say(count: int, what: str) -> Diagnostic:
    subject = f"{count:,} packets" if count > 1 else "1 packet"
    verb = "were" if count > 1 else "was"
    return Diagnostic(0, 0, NOT_DECODED, f"{subject} of {what} {verb} not decoded")
