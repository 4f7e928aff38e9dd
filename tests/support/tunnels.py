"""Tunnels around a conversation, built by scapy, which shares no code with what reads them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .talk import Talk, Tape

warnings.filterwarnings("ignore", message=".*", module="scapy.*")

from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific  # noqa: E402
from scapy.contrib.etherip import EtherIP  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.l2 import GRE, LLC, SNAP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.layers.ppp import PPP, PPPoE  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402
from scapy.packet import Raw  # noqa: E402

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
ENDS = {"src": "192.0.2.1", "dst": "192.0.2.2"}
ENDS6 = {"src": "2001:db8::1", "dst": "2001:db8::2"}


def eth() -> Any:
    return Ether(**MACS)


def outer() -> Any:
    return eth() / IP(**ENDS)


def outer6() -> Any:
    return eth() / IPv6(**ENDS6)


def over_udp(port: int, source: int = 50_000) -> Any:
    return outer() / UDP(sport=source, dport=port, chksum=0)


# What stands around a frame (Ethernet and all) or around an IP packet; and how it is called.
AROUND_FRAMES: dict[str, tuple[Callable[[], Any], str]] = {
    "vxlan": (lambda: over_udp(4789) / VXLAN(vni=42), "vxlan 42 192.0.2.1 → 192.0.2.2"),
    "vxlan of Linux": (lambda: over_udp(8472) / VXLAN(vni=1), "vxlan 1 192.0.2.1 → 192.0.2.2"),
    "vxlan with a group": (
        lambda: over_udp(4789) / VXLAN(vni=7, flags=0x88, gpid=5),
        "vxlan 7 192.0.2.1 → 192.0.2.2",
    ),
    "vxlan-gpe": (
        lambda: over_udp(4790) / VXLAN(vni=9, flags=0x0C, NextProtocol=3),
        "vxlan-gpe 9 192.0.2.1 → 192.0.2.2",
    ),
    "vxlan over IPv6": (
        lambda: outer6() / UDP(sport=50_000, dport=4789) / VXLAN(vni=42),
        "vxlan 42 2001:db8::1 → 2001:db8::2",
    ),
    "geneve": (
        lambda: over_udp(6081) / GENEVE(vni=300, proto=0x6558),
        "geneve 300 192.0.2.1 → 192.0.2.2",
    ),
    "geneve with options": (
        lambda: over_udp(6081) / Raw(bytes([3]) + b"\0\x65\x58\0\1\2\0" + bytes(12)),
        "geneve 258 192.0.2.1 → 192.0.2.2",
    ),
    "gre": (lambda: outer() / GRE(proto=0x6558), "gre 192.0.2.1 → 192.0.2.2"),
    "nvgre": (
        lambda: outer() / GRE(proto=0x6558, key_present=1, key=0x001234_05),
        "nvgre 4660 192.0.2.1 → 192.0.2.2",
    ),
    "erspan I": (lambda: outer() / GRE(proto=0x88BE), "erspan 192.0.2.1 → 192.0.2.2"),
    "erspan II": (
        lambda: outer() / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II(session_id=100),
        "erspan 100 192.0.2.1 → 192.0.2.2",
    ),
    "erspan III": (
        lambda: outer() / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(session_id=5, o=0),
        "erspan 5 192.0.2.1 → 192.0.2.2",
    ),
    "erspan III of a platform": (
        lambda: (
            outer()
            / GRE(proto=0x22EB, seqnum_present=1)
            / ERSPAN_III(session_id=5, o=1)
            / ERSPAN_PlatformSpecific()
        ),
        "erspan 5 192.0.2.1 → 192.0.2.2",
    ),
    "etherip": (lambda: outer() / EtherIP(), "etherip 192.0.2.1 → 192.0.2.2"),
    "mpls pseudowire": (
        lambda: eth() / MPLS(label=16, s=0) / MPLS(label=17, s=1) / Raw(bytes(4)),
        "mpls 16/17",
    ),
    "mpls pseudowire without a control word": (
        lambda: eth() / MPLS(label=17, s=1),
        "mpls 17",
    ),
    "mpls in gre": (
        lambda: outer() / GRE(proto=0x8847) / MPLS(label=18, s=1) / Raw(bytes(4)),
        "gre 192.0.2.1 → 192.0.2.2, mpls 18",
    ),
    "tzsp": (
        lambda: over_udp(37008) / Raw(b"\1\0\0\1" + b"\x0a\1\x55" + b"\0" + b"\1"),
        "tzsp 192.0.2.1 → 192.0.2.2",
    ),
    "vxlan in gre": (
        lambda: (
            outer()
            / GRE(proto=0x0800, key_present=1, key=8)
            / IP(src="198.51.100.1", dst="198.51.100.2")
            / UDP(dport=4789)
            / VXLAN(vni=3)
        ),
        "gre 8 192.0.2.1 → 192.0.2.2, vxlan 3 198.51.100.1 → 198.51.100.2",
    ),
}
AROUND_PACKETS: dict[str, tuple[Callable[[], Any], str | None]] = {
    "ipip": (lambda: eth() / IP(**ENDS, proto=4), "ipip 192.0.2.1 → 192.0.2.2"),
    "4in6": (lambda: eth() / IPv6(**ENDS6, nh=4), "4in6 2001:db8::1 → 2001:db8::2"),
    "gre": (lambda: outer() / GRE(proto=0x0800), "gre 192.0.2.1 → 192.0.2.2"),
    "gre with all": (
        lambda: (
            outer()
            / GRE(
                proto=0x0800,
                chksum_present=1,
                key_present=1,
                seqnum_present=1,
                key=77,
                sequence_number=5,
            )
        ),
        "gre 77 192.0.2.1 → 192.0.2.2",
    ),
    "gre of pptp": (
        lambda: outer() / GRE(bytes.fromhex("3081880b00100007000000010000000a")) / PPP(b"\x00\x21"),
        "pptp 7 192.0.2.1 → 192.0.2.2",
    ),
    "wccp": (
        lambda: outer() / GRE(proto=0x883E) / Raw(b"\0\1\0\0"),
        "wccp 192.0.2.1 → 192.0.2.2",
    ),
    "gtp-u": (
        lambda: over_udp(2152, 2152) / GTP_U_Header(teid=0x1234, gtp_type=255),
        "gtp-u 4660 192.0.2.1 → 192.0.2.2",
    ),
    "gtp-u with an extension": (
        lambda: (
            over_udp(2152, 2152)
            / GTP_U_Header(teid=1, gtp_type=255, E=1, next_ex=0x85)
            / GTPPDUSessionContainer(type=0, QFI=9)
        ),
        "gtp-u 1 192.0.2.1 → 192.0.2.2",
    ),
    "geneve": (
        lambda: over_udp(6081) / GENEVE(vni=300, proto=0x0800),
        "geneve 300 192.0.2.1 → 192.0.2.2",
    ),
    "mpls": (
        lambda: eth() / MPLS(label=16, s=0) / MPLS(label=3, s=0) / MPLS(label=17, s=1),
        "mpls 16/3/17",
    ),
    "mpls in udp": (
        lambda: over_udp(6635) / Raw(b"\0\1\1\x40"),
        "mpls 16 192.0.2.1 → 192.0.2.2",
    ),
    "pppoe": (lambda: eth() / PPPoE(sessionid=42) / PPP(b"\x00\x21"), "pppoe 42"),
    "vlan": (lambda: eth() / Dot1Q(vlan=5, type=0x0800), None),
    "qinq": (
        lambda: eth() / Dot1AD(vlan=100) / Dot1Q(vlan=200, type=0x0800),
        "vlan 100/200",
    ),
    "snap": (
        lambda: Ether(**MACS, type=200) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x0800),
        None,
    ),
    "llc": (lambda: Ether(**MACS, type=200) / LLC(dsap=6, ssap=6, ctrl=3), None),
    "l2tp": (
        lambda: over_udp(1701) / Raw(b"\0\2\0\1\0\7\xff\x03\0\x21"),
        "l2tp 7 192.0.2.1 → 192.0.2.2",
    ),
    "l2tp with an offset": (
        lambda: over_udp(1701) / Raw(b"\2\2\0\1\0\7\0\2zz\xff\x03\0\x21"),
        "l2tp 7 192.0.2.1 → 192.0.2.2",
    ),
    "vxlan-gpe": (
        lambda: over_udp(4790) / VXLAN(vni=9, flags=0x0C, NextProtocol=1),
        "vxlan-gpe 9 192.0.2.1 → 192.0.2.2",
    ),
    "erspan III": (
        lambda: (
            outer()
            / GRE(proto=0x22EB, seqnum_present=1)
            / Raw(b"\x20\0\0\5" + bytes(6) + b"\x08\0")
        ),
        "erspan 5 192.0.2.1 → 192.0.2.2",
    ),
    "gtp-u from its port": (
        lambda: over_udp(50_000, 2152) / GTP_U_Header(teid=0x1234, gtp_type=255),
        "gtp-u 4660 192.0.2.1 → 192.0.2.2",
    ),
    "gre in udp": (
        lambda: over_udp(4754) / GRE(proto=0x0800),
        "gre 192.0.2.1 → 192.0.2.2",
    ),
}


def conversation(**options: Any) -> Talk:
    """A request and its response, from handshake to end."""
    talk = Talk(**options).open()
    talk.client(GET)
    talk.server(OK, b"hi")
    talk.close()
    return talk


def around(header: Any, inner: bytes) -> bytes:
    """The bytes of a header with ``inner`` in it: lengths and checksums are scapy's."""
    return bytes(header / Raw(inner))


def tunnelled(
    header: Callable[[], Any], *, is_frame: bool, talk: Talk | None = None, link_type: int = 1
) -> Tape:
    """The packets of a conversation, each in a tunnel."""
    tape = Tape()
    for _, _, _, _, frame in (conversation() if talk is None else talk).tape.packets:
        inner = frame if is_frame else frame[14:]
        tape.add(around(header(), inner), link_type=link_type)
    return tape
