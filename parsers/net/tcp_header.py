"""A whole TCP header (RFC 9293 section 3.1), for those who list packets or judge windows.

Strategy: everything that the header says is read at once, options apart, which are read when they
are asked for. The decoder itself reads less of it and faster, in :mod:`.segment`.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from .ip import TCP, IpPacket
from .table import reverse_key
from .tunnels import realm

# Source port, destination port, sequence number, acknowledgement number, data offset and flags,
# window, checksum, urgent pointer.
HEADER = Struct("!HHIIHHHH")
FLAGS = 0x1FF
# Of a frame of Ethernet: EtherType; IPv4's version and header length, total length, flags and
# fragment offset, protocol; addresses and ports as one key.
USUAL = Struct("!12x H B x H 2x H x B 2x 12s")
ETHERNET, TCP_START = 1, 34
IPV4, IPV4_WITHOUT_OPTIONS = 0x0800, 0x45
FRAGMENTED = 0x3FFF
"""More fragments, or an offset."""
# Option kinds (RFC 9293 section 3.2, RFC 7323 section 2).
END, NOP, WINDOW_SCALE = 0, 1, 3
MAX_WINDOW_SCALE = 14
"""A shift count above it is taken for it (RFC 7323 section 2.3)."""


class TcpHeader(NamedTuple):
    """What a TCP header says."""

    key: bytes
    """Source and destination address, source and destination port, and the network that these are
    of (:func:`~.tunnels.realm`)."""
    back: bytes
    """The key of what is sent in return."""
    source: int
    """The port."""
    destination: int
    seq: int
    ack: int
    flags: int
    window: int
    """As in the header, not scaled."""
    urgent_pointer: int
    options: bytes
    length: int
    """Bytes of payload, as declared."""


def read_tcp_header(packet: IpPacket, data: bytes) -> TcpHeader | None:
    """Return the header in an IP packet of ``data``, None if it has none that is whole."""
    if packet.protocol != TCP or packet.fragment is not None:
        return None
    segment = data[packet.start : packet.end]
    if len(segment) < HEADER.size:
        return None
    source, destination, seq, ack, offset_flags, window, _, urgent = HEADER.unpack_from(segment)
    size = offset_flags >> 12 << 2
    bare, network = packet.source + packet.destination + segment[:4], realm(packet.layers)
    return TcpHeader(
        bare + network,
        reverse_key(bare) + network,
        source,
        destination,
        seq,
        ack,
        offset_flags & FLAGS,
        window,
        urgent,
        segment[HEADER.size : size],
        max(packet.length - size, 0),
    )


def usual_tcp_header(link_type: int, data: bytes) -> TcpHeader | None:
    """Return what :func:`read_tcp_header` does of a frame in which all before it is usual, at once.

    That is Ethernet, and IPv4 without options that is whole and no fragment; else None.
    """
    if link_type != ETHERNET or len(data) < TCP_START + HEADER.size:
        return None
    ether_type, version, total, fragment, protocol, key = USUAL.unpack_from(data)
    end = TCP_START - 20 + total
    if ether_type != IPV4 or version != IPV4_WITHOUT_OPTIONS or protocol != TCP:
        return None
    if fragment & FRAGMENTED or not TCP_START + HEADER.size <= end <= len(data):
        return None
    source, destination, seq, ack, offset_flags, window, _, urgent = HEADER.unpack_from(
        data, TCP_START
    )
    content = TCP_START + (offset_flags >> 12 << 2)
    return TcpHeader(
        key,
        key[4:8] + key[:4] + key[10:] + key[8:10],
        source,
        destination,
        seq,
        ack,
        offset_flags & FLAGS,
        window,
        urgent,
        data[TCP_START + HEADER.size : min(content, end)],
        max(end - content, 0),
    )


def tcp_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and value of each option (RFC 9293 section 3.2), as far as they are whole."""
    position = 0
    while position < len(data) and (kind := data[position]) != END:
        if kind == NOP:
            position += 1
            continue
        if position + 1 == len(data) or not 2 <= data[position + 1] <= len(data) - position:
            return
        length = data[position + 1]
        yield kind, data[position + 2 : position + length]
        position += length


def window_scale(options: bytes) -> int | None:
    """Return by how many bits the sender of a SYN scales its windows, None if it does not say."""
    value = dict(tcp_options(options)).get(WINDOW_SCALE)
    return None if not value else min(value[0], MAX_WINDOW_SCALE)
