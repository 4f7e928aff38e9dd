"""What tshark's packet list says of a packet by its headers alone: addresses, protocol, TCP's info.

Strategy: nearly every packet is Ethernet, IPv4 without options and TCP, whose headers are read at
once. Any other takes one pass over its headers, by :mod:`parsers.net.tunnels`. TCP's numbers are
relative to the first ones of each direction and its windows are scaled as the handshake agreed: two
small numbers for each direction are kept, of the last MAX_DIRECTIONS ones. Nothing here is text
from the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from struct import Struct, unpack_from
from typing import NamedTuple

from parsers import (
    MAX_WINDOW_SCALE,
    UNKNOWN_LINK_TYPE,
    IpPacket,
    Packet,
    TcpHeader,
    read_packet,
    read_tcp_header,
    tcp_options,
    usual_tcp_header,
    window_scale,
)
from parsers.diagnostics import Diagnostic

ETHERNET = 1
PROTOCOLS = {1: "ICMP", 2: "IGMP", 17: "UDP", 47: "GRE", 50: "ESP", 58: "ICMPv6", 132: "SCTP"}
"""IANA, Assigned Internet Protocol Numbers: those that a packet list names; TCP is read further."""
TCP, UDP = 6, 17
ETHER_TYPES = {0x0806: "ARP", 0x88CC: "LLDP", 0x888E: "EAPOL"}

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
"""From the least significant bit on; AE is accurate ECN's (RFC 9768), once NS (RFC 3540)."""
SYN, ACK, URG = 0x02, 0x10, 0x20
ALL_FLAGS, ANSWERS = 0x1FF, SYN | ACK | URG
IPV4, IPV4_WITHOUT_OPTIONS = 0x0800, 0x45
FRAGMENTED = 0x3FFF
"""More fragments, or an offset (RFC 791 section 3.1)."""
ENDS = {0x04: "RST", 0x01: "FIN"}
"""What ends a direction, or a connection (RFC 9293 section 3.1)."""

MAX_DIRECTIONS = 131_072
"""Directions of connections whose first numbers are remembered; the oldest is forgotten."""


class PacketRow(NamedTuple):
    """A packet by its headers."""

    source: str
    destination: str
    protocol: str
    info: str
    key: bytes | None = None
    """Of its TCP segment: source and destination address, source and destination port, and the
    network that these are of (:func:`~parsers.net.tunnels.realm`)."""
    ends: str = ""
    """``FIN`` or ``RST`` if its TCP segment is one."""


# Of a frame of Ethernet: EtherType; IPv4's version and header length, total length, flags and
# fragment offset, protocol; addresses and ports as one key. Of TCP: sequence number,
# acknowledgement number, data offset and flags, window; and an option between two words.
USUAL = Struct("!12x H B x H 2x H x B 2x 12s I I H H")
STAMPS = Struct("!I I I")
START = 34
"""Where TCP begins."""
WITHOUT_OPTIONS, WITH_STAMPS = 5, 8
"""Words of TCP's header: the second is that of nearly all systems, with timestamps alone."""
ONLY_STAMPS = 0x0101080A
"""NOP, NOP, and timestamps (RFC 7323 appendix A)."""


@dataclass(slots=True)
class _Relative:
    first_seq: int
    """What relative sequence numbers count from."""
    back: bytes
    """The key of the other direction."""
    scale: int | None = None
    """The window scale option of its SYN, None without one."""
    words: tuple[str, str, str] | None = None
    """Its addresses, and its ports as a row shows them, once they have been asked for."""


class PacketRows:
    """Reads packets in order."""

    def __init__(self) -> None:
        self._directions: dict[bytes, _Relative] = {}

    def read(self, packet: Packet) -> PacketRow:
        """Return what a packet list says of a packet that carries nothing above TCP."""
        _, _, link_type, original_length, data = packet
        if link_type == ETHERNET and (row := self._usual(data)) is not None:
            return row
        header = usual_tcp_header(link_type, data)
        if header is not None:
            source, destination = _address(header.key[:4]), _address(header.key[4:8])
            ends = _ends(header.flags)
            return PacketRow(source, destination, "TCP", self._segment(header), header.key, ends)
        found = read_packet(link_type, data, original_length)
        if isinstance(found, int):
            return _no_ip(link_type, found, data)
        if isinstance(found, Diagnostic):
            return PacketRow("", "", "IP", found.summary)
        source, destination = _address(found.source), _address(found.destination)
        if found.fragment is not None:
            offset = found.fragment.offset
            info = f"Fragment of an IP packet: protocol {found.protocol}, at byte {offset:,}"
            protocol = "IPv4" if len(found.source) == 4 else "IPv6"
            return PacketRow(source, destination, protocol, info)
        header = read_tcp_header(found, data)
        if header is not None:
            ends = _ends(header.flags)
            return PacketRow(source, destination, "TCP", self._segment(header), header.key, ends)
        return PacketRow(source, destination, *_other(found, data[found.start : found.end]))

    def _usual(self, data: bytes) -> PacketRow | None:
        """Return what :meth:`read` does of a segment of a connection that is known, at once.

        That is one in IPv4 without options that is whole and no fragment, in which TCP has no
        options but timestamps; else None.
        """
        if len(data) < USUAL.size:
            return None
        ether_type, version, total, fragment, protocol, key, seq, ack, offset_flags, window = (
            USUAL.unpack_from(data)
        )
        flags = offset_flags & ALL_FLAGS
        sender = self._directions.get(key)
        start = START + (offset_flags >> 12 << 2)
        end = START - 20 + total
        if (
            sender is None
            or ether_type != IPV4
            or version != IPV4_WITHOUT_OPTIONS
            or protocol != TCP
            or fragment & FRAGMENTED
            or not start <= end <= len(data)
            or flags & ANSWERS != ACK
        ):
            return None
        peer = self._directions.get(sender.back)
        if peer is None:
            return None
        if offset_flags >> 12 == WITHOUT_OPTIONS:
            stamps = ""
        elif offset_flags >> 12 == WITH_STAMPS:
            kind, sent, echoed = STAMPS.unpack_from(data, START + 20)
            if kind != ONLY_STAMPS:
                return None
            stamps = f" TSval={sent} TSecr={echoed}"
        else:
            return None
        if sender.scale is not None and peer.scale is not None:
            window <<= sender.scale
        words = sender.words
        if words is None:
            ports = f"{key[8] << 8 | key[9]} → {key[10] << 8 | key[11]}"
            words = sender.words = _address(key[:4]), _address(key[4:8]), ports
        source, destination, ports = words
        info = (
            f"{ports} [{_flags(flags)}] Seq={(seq - sender.first_seq) & 0xFFFFFFFF} "
            f"Ack={(ack - peer.first_seq) & 0xFFFFFFFF} Win={window} Len={end - start}{stamps}"
        )
        return PacketRow(source, destination, "TCP", info, key, _ends(flags))

    def _segment(self, header: TcpHeader) -> str:
        flags, window = header.flags, header.window
        sender = self._sender(header)
        peer = self._peer(header)
        if not flags & SYN and sender.scale is not None and peer and peer.scale is not None:
            window <<= sender.scale
        parts = [f"Seq={(header.seq - sender.first_seq) & 0xFFFFFFFF}"]
        if flags & ACK:
            ack = header.ack
            parts.append(f"Ack={(ack - peer.first_seq) & 0xFFFFFFFF if peer else ack}")
        parts.append(f"Win={window}")
        if flags & URG:
            parts.append(f"Urg={header.urgent_pointer}")
        parts.append(f"Len={header.length}")
        if header.options:
            first = peer.first_seq if peer else 0
            parts += _option_words(dict(tcp_options(header.options)), first)
        return f"{header.source} → {header.destination} [{_flags(flags)}] {' '.join(parts)}"

    def _sender(self, header: TcpHeader) -> _Relative:
        sender, seq = self._directions.get(header.key), header.seq
        if header.flags & SYN and (sender is None or sender.first_seq != seq):
            if not header.flags & ACK:  # the ports are used again
                self._directions.pop(header.back, None)
            scale = window_scale(header.options)
            return self._remember(header.key, _Relative(seq, header.back, scale))
        # Without a handshake the first byte seen is byte 1.
        return sender or self._remember(header.key, _Relative(seq - 1 & 0xFFFFFFFF, header.back))

    def _peer(self, header: TcpHeader) -> _Relative | None:
        """Return the other direction; if it is not known, it begins at what is acknowledged."""
        peer = self._directions.get(header.back)
        if peer is None and header.flags & ACK:
            return self._remember(header.back, _Relative(header.ack - 1 & 0xFFFFFFFF, header.key))
        return peer

    def _remember(self, key: bytes, direction: _Relative) -> _Relative:
        if len(self._directions) >= MAX_DIRECTIONS:
            del self._directions[next(iter(self._directions))]
        self._directions[key] = direction
        return direction


@lru_cache(4_096)
def _address(address: bytes) -> str:
    return str(ip_address(address))


@lru_cache(1 << len(FLAGS))
def _flags(flags: int) -> str:
    return ", ".join(name for bit, name in enumerate(FLAGS) if flags >> bit & 1) or "<None>"


@lru_cache(1 << len(FLAGS))
def _ends(flags: int) -> str:
    return next((name for bit, name in ENDS.items() if flags & bit), "")


def _no_ip(link_type: int, why: int, data: bytes) -> PacketRow:
    if why == UNKNOWN_LINK_TYPE:
        return PacketRow("", "", "UNKNOWN", f"link type {link_type}")
    if link_type != ETHERNET or len(data) < 14:
        return PacketRow("", "", "", "no IP packet")
    destination, source = data[:6].hex(":"), data[6:12].hex(":")
    (ether_type,) = unpack_from("!H", data, 12)
    protocol = ETHER_TYPES.get(ether_type, f"0x{ether_type:04x}")
    return PacketRow(source, destination, protocol, "no IP packet")


def _other(packet: IpPacket, payload: bytes) -> tuple[str, str]:
    """Return protocol and info of what is not TCP, or not a whole header of it."""
    if packet.protocol == UDP and len(payload) >= 8:
        source, destination, length = unpack_from("!HHH", payload)
        return "UDP", f"{source} → {destination} Len={max(length - 8, 0)}"
    name = "TCP" if packet.protocol == TCP else PROTOCOLS.get(packet.protocol)
    return name or f"IP protocol {packet.protocol}", f"{packet.length:,} bytes"


def _option_words(options: dict[int, bytes], peer_first: int) -> Iterator[str]:
    """Yield options in tshark's words, in the order in which they stand in the header.

    Maximum segment size (RFC 9293 section 3.7.1), window scale and timestamps (RFC 7323), selective
    acknowledgements (RFC 2018), MD5 signature (RFC 2385).
    """
    for kind, value in options.items():
        match kind, len(value):
            case (2, 2):
                yield f"MSS={int.from_bytes(value, 'big')}"
            case (3, 1):
                yield f"WS={1 << min(value[0], MAX_WINDOW_SCALE)}"
            case (4, 0):
                yield "SACK_PERM"
            case (8, 8):
                sent, echoed = unpack_from("!II", value)
                yield f"TSval={sent} TSecr={echoed}"
            case (19, 16):
                yield "MD5"
            case (5, length) if length % 8 == 0:
                for left, right in Struct("!II").iter_unpack(value):
                    yield f"SLE={(left - peer_first) & 0xFFFFFFFF}"
                    yield f"SRE={(right - peer_first) & 0xFFFFFFFF}"
