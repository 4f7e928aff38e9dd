"""Through tunnels to the innermost IP packet, and which tunnels these were.

Strategy: from one IP packet to the next inside it, in the same bytes, until one holds TCP, is a
fragment, or cannot be entered. Each step looks at one header (:mod:`.tunnel_protocols`), so a
packet costs a constant a tunnel; there are MAX_TUNNELS at most. A packet that is not tunnelled
is not touched.

Two networks may use the same addresses: where a tunnel's header says which network is in it, the
number is part of who the ends of a connection are (:func:`realm`). Where it does not, as in IP in
IP, only the addresses count, as in Wireshark. So an answer that takes no tunnel, from behind a load
balancer that uses one, still finds its connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from struct import pack

from msgspec.structs import replace

from ..diagnostics import Diagnostic, diagnose
from ..limits import MAX_TUNNELS
from .ip import TCP, IpPacket, Layer, is_surely_ip, read_ip
from .link import NOT_IP, TOO_SHORT, UNKNOWN_LINK_TYPE, after_ether_type, network_offset
from .tunnel_protocols import EITHER_PORT, IP_IN_IP, PORTS, PROTOCOLS, UDP, UDP_HEADER, Entry

ETHERNET = 1
MISDECLARED = "misdeclared"
"""The layer that stands for a link type which is not what the frames are."""

NETWORKS = ("vxlan", "vxlan-gpe", "geneve", "nvgre", "gre")
"""Tunnels whose number names a network, the same in both directions. A TEID, an MPLS label or an
L2TP session is one direction's; an ERSPAN session is who looks on."""
MAX_LABELS = 8
"""Labels and tags of one stack that are named: nobody reads more."""


def read_packet(link_type: int, data: bytes, original_length: int) -> IpPacket | Diagnostic | int:
    """Return the innermost IP packet of a frame that can be read.

    A negative number says why there is none, as :func:`~parsers.net.link.network_offset` does;
    diagnostics are :func:`~parsers.net.ip.read_ip`'s, and ``tunnel-depth``.
    """
    found = outermost(link_type, data, original_length)
    if not isinstance(found, IpPacket) or found.protocol == TCP:
        return found
    return innermost(data, found)


def outermost(link_type: int, data: bytes, original_length: int) -> IpPacket | Diagnostic | int:
    """Return the first IP packet of a frame, or what :func:`read_packet` does if there is none."""
    start = network_offset(link_type, data)
    if start < 0:
        return _read_misdeclared(link_type, data, original_length, start)
    return read_ip(data, start, original_length)


def innermost(data: bytes, packet: IpPacket) -> IpPacket | Diagnostic:
    """Return what a packet of ``data`` holds after all tunnels: itself, if it enters none."""
    *_, found = packets_inside(data, packet)
    return found


def packets_inside(data: bytes, packet: IpPacket) -> Iterator[IpPacket | Diagnostic]:
    """Yield a packet of ``data``, then the one that it holds, and so on; last, perhaps, why the
    next one cannot be read."""
    yield packet
    while packet.protocol != TCP and packet.fragment is None:
        held = data[: packet.end]
        entry = entry_of(held, packet)
        if entry is None:
            return
        if len(packet.layers) >= MAX_TUNNELS:
            detail = f"more than {MAX_TUNNELS} headers"
            yield diagnose("tunnel-depth", packet.start, packet.end, detail)
            return
        inner = _enter(held, packet, entry)
        yield inner
        if isinstance(inner, Diagnostic):
            return
        packet = inner


def _read_misdeclared(
    link_type: int, data: bytes, original_length: int, why: int
) -> IpPacket | Diagnostic | int:
    """Read what is surely IP in a frame that has none by its declared link type.

    Raw IP in a file of Ethernet, or the other way round, is what a rewritten file header leaves.
    """
    if why == UNKNOWN_LINK_TYPE:
        return why
    start = 0
    if not is_surely_ip(data, start, original_length):
        start = NOT_IP if link_type == ETHERNET else after_ether_type(data, 12)
        if start < 0 or not is_surely_ip(data, start, original_length):
            return why
    found = read_ip(data, start, original_length)
    if isinstance(found, Diagnostic):
        return found
    return replace(found, layers=(Layer(MISDECLARED, link_type),))


def entry_of(data: bytes, packet: IpPacket) -> Entry | None:
    """Return the tunnel that a packet's payload begins, None if it is none that can be entered.

    ``data`` ends where the packet does.
    """
    start = packet.start
    if packet.protocol != UDP:
        read = PROTOCOLS.get(packet.protocol)
        entry = None if read is None else read(data, start)
        is_claim = False
    else:
        if len(data) < start + UDP_HEADER:
            return None
        read = PORTS.get(data[start + 2] << 8 | data[start + 3])
        if read is None and (port := data[start] << 8 | data[start + 1]) in EITHER_PORT:
            read = PORTS[port]
        entry = None if read is None else read(data, start + UDP_HEADER)
        is_claim = True
    if entry is None or entry.start == NOT_IP:
        return None
    is_cut = packet.end - start < packet.length
    if entry.start == TOO_SHORT:
        return entry if is_cut else None
    # A port is a claim, which what lies inside must bear out.
    return entry if not is_claim or is_cut or _fits(data, entry.start) else None


def _fits(data: bytes, start: int) -> bool:
    """Whether a header of IP is at ``start``, with a length that the rest of ``data`` has."""
    rest = len(data) - start
    version = data[start] >> 4 if rest >= 20 else 0
    if version == 4:
        total = int.from_bytes(data[start + 2 : start + 4], "big")
        return data[start] & 0x0F >= 5 and (20 <= total <= rest or not total)
    return version == 6 and 40 + int.from_bytes(data[start + 4 : start + 6], "big") <= rest


def _enter(data: bytes, packet: IpPacket, entry: Entry) -> IpPacket | Diagnostic:
    """Read the packet inside, which ends where the outer one does: at the end of ``data``."""
    if entry.start == TOO_SHORT:
        return diagnose("packet-cut", packet.start, packet.end, "inside a tunnel's header")
    inner = read_ip(data, entry.start, packet.start + packet.length)
    if isinstance(inner, Diagnostic):
        return inner
    first, *others = entry.layers
    name = _ip_in_ip(packet.source, inner.source) if first.name == IP_IN_IP else first.name
    outer = Layer(name, first.number, packet.source, packet.destination)
    layers = (*packet.layers, outer, *others[:MAX_LABELS])
    fragment = inner.fragment
    if fragment is not None:
        fragment = replace(fragment, key=(*fragment.key, realm(layers)))
    return replace(inner, layers=layers, fragment=fragment)


def _ip_in_ip(outer: bytes, inner: bytes) -> str:
    """Name IP in IP by the lengths of both packets' addresses."""
    if len(outer) == len(inner):
        return "ipip" if len(outer) == 4 else "ip6ip6"
    return "6in4" if len(outer) == 4 else "4in6"


def realm(layers: tuple[Layer, ...]) -> bytes:
    """Return what tells networks with the same addresses apart (RFC 2663 section 2.1).

    Five bytes a network: a key of 12 or 36 bytes with a realm after it is never one without.
    """
    if not layers:
        return b""
    return b"".join(
        pack("!BI", NETWORKS.index(layer.name), layer.number & 0xFFFFFFFF)
        for layer in layers
        if layer.number is not None and layer.name in NETWORKS
    )


def tunnel_text(link: Sequence[Layer], layers: Sequence[Layer]) -> str | None:
    """Return what a connection came through, the outermost first; None if through nothing.

    ``vxlan 42 10.0.0.1 → 10.0.0.2``; several are separated by commas. Labels and tags that follow
    one another are one list: ``mpls 16/17``. A single VLAN tag is no tunnel.
    """
    passed = [layer for layer in (*link, *layers) if layer.name != MISDECLARED]
    words = []
    for _, run in groupby(enumerate(passed), key=_run_of):
        alike = [layer for _, layer in run]
        if alike[0].name != "vlan" or len(alike) > 1:
            words.append(_words(alike))
    return ", ".join(words) or None


def _run_of(place: tuple[int, Layer]) -> int | str:
    """Return what is the same for layers that are shown as one: those with addresses never are."""
    position, layer = place
    return position if layer.source else layer.name


def _words(alike: list[Layer]) -> str:
    """Return the words for layers of one name."""
    first = alike[0]
    numbers = [str(layer.number) for layer in alike[:MAX_LABELS] if layer.number is not None]
    if len(alike) > MAX_LABELS:
        numbers.append("...")
    parts = [first.name, "/".join(numbers)]
    if first.source:
        from ipaddress import ip_address  # slow to load

        parts.append(f"{ip_address(first.source)} → {ip_address(first.destination)}")
    return " ".join(filter(None, parts))
